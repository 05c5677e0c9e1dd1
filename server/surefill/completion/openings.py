"""Suggestions above what belongs to them: they have to begin it.

A signature or a list whose first line is missing leaves its other lines behind, and so does a
header its body. A model that does not see what they are ends the statement; what is right of that
ends with the bracket.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from surefill.syntax.brackets import OPENERS, PAIRS, Lexical, scan
from surefill.syntax.cursor import Cursor
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import Language

_HEADER = re.compile(
    r"\s*((async\s+)?(class|def|if|elif|else|for|while|with|try|except|finally)\b"
    r"|case\s+(?!(in|is|and|or|if|not)\b)\w)"
)
"""Of what begins a block, what is never a name: ``match = ...`` is no header."""


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


def with_colon(text: str, cursor: Cursor, language: Language | None) -> str:
    """A line that is over and begins a block, with the colon that it lacks; other text as it is."""
    if language is None or language.blocks != "indent" or cursor.line_suffix.strip():
        return text
    line = (cursor.line_prefix + text).rsplit("\n", 1)[-1]
    opened = "".join(bracket for bracket, _ in cursor.open_brackets)
    over = not cursor.string and _is_outside(scan(opened + text, language))
    if not over or cursor.in_comment or not _HEADER.match(line):
        return text
    colons = (at for at, sign in enumerate(line) if sign == ":")
    if any(_is_outside(scan(line[:at], language)) for at in colons):
        return text  # it has its colon, and maybe its body behind that
    return text + ":"


def _is_outside(state: Lexical) -> bool:
    """Neither in brackets nor in a string or comment."""
    return not (state.open or state.string or state.in_comment)


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
