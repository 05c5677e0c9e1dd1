"""What a suggestion repeats of the text behind the cursor."""

from __future__ import annotations

import re

from surefill.syntax.brackets import scan
from surefill.syntax.cursor import Cursor
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import Language

_ENOUGH = 2
"""Characters that two texts must share for a partial overlap to be no coincidence."""
_ENOUGH_LINES = 3
"""The same of lines in the middle of a text."""
_PUNCTUATION = ":,;)]}"
"""Single characters that a model writes only because the rest of the line has them."""


def without_overlap_on_line(
    text: str, cursor: Cursor, language: Language | None, closers: str
) -> str:
    """Cut what the rest of the cursor's line already says.

    ``closers`` are the brackets behind the cursor, there and further down, that close something
    before it.
    """
    rest = cursor.line_suffix.strip()
    if rest and not cursor.rest_is_closers:
        text = text.split("\n", 1)[0]  # several lines do not fit in front of other code
        if not cursor.string and not cursor.in_comment:
            text = _without_extra_closers(text, cursor, language, closers)
    if cursor.string:
        text = _within_string(text, cursor.string, rest)
    if cursor.string or cursor.in_comment or not cursor.rest_is_closers:
        return _without_shared_end(text, rest)
    text = _without_extra_closers(text, cursor, language, closers)
    other = rest.lstrip(")]}>")
    if other and text.rstrip().endswith(other):  # for instance ";" behind an auto-closed bracket
        text = text.rstrip().removesuffix(other)
    return text


def _without_shared_end(text: str, rest: str) -> str:
    """Cut the longest end of ``text`` that is the beginning of ``rest``."""
    stripped = text.rstrip()
    for length in range(min(len(rest), len(stripped)), 0, -1):
        shared = rest[:length]
        if not stripped.endswith(shared):
            continue
        if length < len(rest) and len(shared.strip()) < _ENOUGH and shared not in _PUNCTUATION:
            continue
        before = stripped[:-length]
        inside_word = re.search(r"\w$", before) and re.match(r"\w", shared)
        word_goes_on = re.search(r"\w$", shared) and re.match(r"\w", rest[length:])
        if not inside_word and not word_goes_on and not _opens_more(before, text):
            return before
    return text


def _opens_more(part: str, whole: str) -> bool:
    """Whether ``part`` leaves brackets open that ``whole`` closes."""
    return len(scan(part, None).open) > len(scan(whole, None).open)


def _within_string(text: str, delimiter: str, rest: str) -> str:
    """Cut at the delimiter that ends the string, if the rest of the line has it."""
    if not rest.startswith(delimiter):
        return text
    end = re.search(rf"(?<!\\)(?:\\\\)*({re.escape(delimiter)})", text)
    return text[: end.start(1)] if end else text


def _without_extra_closers(
    text: str, cursor: Cursor, language: Language | None, closers: str
) -> str:
    """Cut at the first closing bracket that would take another one's work.

    Brackets open before the cursor are closed behind it or, where they are not, by the text.
    """
    stray = scan(text, language).stray
    if not stray or not cursor.open_brackets:
        return text  # a shell's "pattern)" closes nothing, and is right
    opened = "".join(bracket for bracket, _ in cursor.open_brackets)
    own = "".join(closer for closer, _ in stray)
    unmatched = len(scan(opened + closers, None).stray)

    def takes_another_ones_work(count: int) -> bool:
        part = text[: stray[count][1]] if count < len(stray) else text
        opens = "".join(bracket for bracket, _ in scan(part, language).open)
        return len(scan(opened + own[:count] + opens + closers, None).stray) > unmatched

    kept = len(own)
    while kept > 0 and takes_another_ones_work(kept):
        kept -= 1
    if kept == len(own):
        return text
    text = text[: stray[kept][1]]
    if text.rstrip(" \t").endswith("\n") and not cursor.line_suffix.strip():
        return text.rstrip()
    return text


def without_overlap_below(text: str, line_prefix: str, below: tuple[str, ...]) -> str:
    """Cut ``text`` where it begins to repeat the lines below the cursor.

    A repetition goes on to the end of ``text``; with the same indentation it may also go on to the
    end of what is below, or over several lines: a few in the middle may be the same by chance.
    Lines are compared with the one being completed whole and without regard to trailing whitespace.
    A single line counts with the same indentation only: a statement may well recur one level out.
    """
    following = [line for line in below if line.strip()]
    lines = (line_prefix + text).split("\n")
    filled = [number for number, line in enumerate(lines) if line.strip()]
    for start, number in enumerate(filled):
        tail = [lines[number] for number in filled[start:]]
        count = _shared(tail, following)
        to_the_end = count == len(tail)
        if not (to_the_end or count == len(following) or count >= _ENOUGH_LINES):
            continue
        if not _same(tail[:count], following[:count], indented=not to_the_end):
            continue
        if number == 0:
            return ""
        return "\n".join(lines[:number])[len(line_prefix) :].rstrip()
    return text


def _shared(tail: list[str], head: list[str]) -> int:
    """How many lines are the same at the beginning of both."""
    count = 0
    for one, other in zip(tail, head, strict=False):
        if one.strip() != other.strip():
            break
        count += 1
    return count


def _same(tail: list[str], head: list[str], *, indented: bool) -> bool:
    """Whether lines with the same content are a repetition; ``indented`` in the same way, too."""
    if not any(re.search(r"\w", line) for line in tail):
        return False  # closing brackets alone are counted, not compared
    if len(tail) > 1 and not indented:
        return True
    return all(
        indent_width(one) == indent_width(other) for one, other in zip(tail, head, strict=True)
    )
