"""Suggestions above the rest of a bracket: they have to open it.

A signature or a list whose first line is missing leaves its other lines behind. A model that does
not see what they are ends the statement; what is right of that ends with the bracket.
"""

from __future__ import annotations

from collections.abc import Sequence

from surefill.syntax.brackets import OPENERS, PAIRS, scan
from surefill.syntax.cursor import Cursor
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import Language


def opening_what_is_closed_below(
    text: str, cursor: Cursor, language: Language | None, below: Sequence[str]
) -> str:
    """``text``, cut behind the bracket that the lines below it close if it does not leave it open.

    Empty where it does not even open one. Only for languages in which the lines of a bracket can
    be told by their indentation.
    """
    if language is None or language.blocks != "indent":
        return text
    if cursor.string or cursor.in_comment or cursor.line_suffix.strip():
        return text
    closed = _closed_below(cursor, language, below)
    opened = "".join(bracket for bracket, _ in cursor.open_brackets)
    if len(closed) <= len(scan(opened + text, language).open):
        return text
    line = text.split("\n", 1)[0]
    ends = (at + 1 for at, sign in enumerate(line) if sign in PAIRS)
    cuts = (line[:end] for end in ends)
    return next((cut for cut in cuts if _leaves_open(opened + cut, closed, language)), "")


def _leaves_open(text: str, closed: str, language: Language) -> bool:
    state = scan(text, language)
    return not (state.string or state.in_comment) and state.closers.startswith(closed)


def _closed_below(cursor: Cursor, language: Language, below: Sequence[str]) -> str:
    """The closing brackets that belong to the cursor's line, innermost first.

    They are in the lines that are indented deeper, or begin the first one that is not.
    """
    depth = indent_width(cursor.line_prefix if cursor.blank else cursor.indent)
    lines = []
    for line in below:
        deeper = not line.strip() or indent_width(line) > depth
        if deeper or (indent_width(line) == depth and line.lstrip()[0] in OPENERS):
            lines.append(line)
        if not deeper:
            break
    return "".join(closer for closer, _ in scan("\n".join(lines), language).stray)
