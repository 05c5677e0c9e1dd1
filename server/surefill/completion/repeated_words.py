"""What a suggestion repeats on one line: words before the cursor, a comment, a piece of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from surefill.completion.written import words
from surefill.syntax.brackets import scan

if TYPE_CHECKING:
    from surefill.completion.postprocess import Surroundings

_LONG_CLAUSE = 7
"""Words and signs that are no element of a list."""
_MOST_EQUAL_VALUES = 16
"""So many numbers or constants in a row may be the same, as in a table."""

_CONSTANT = re.compile(
    r"(None|null|NULL|nil|nullptr|true|false|True|False|nan|NaN|inf|np|math|u?int\d*|float\d*)\Z"
)


def without_second_comment(text: str, around: Surroundings) -> str:
    """``text`` without a comment that it puts in front of the one at the end of the line."""
    language, cursor = around.language, around.cursor
    if language is None or cursor.string or cursor.in_comment:
        return text
    if not scan(cursor.line_suffix, language).in_comment:
        return text
    comment = scan(text, language).comment
    return text[:comment].rstrip() if comment >= 0 else text


def repeats_words(text: str, around: Surroundings) -> bool:
    """Whether ``text`` begins with the words right before the cursor, or with all of its line."""
    prefix, cursor = around.cursor.line_prefix, around.cursor
    line = text.split("\n", 1)[0]
    start = prefix.strip()
    if len(words(start)) > 1 and line.lstrip().startswith(start):
        return True
    prose = bool(cursor.string) or cursor.in_comment
    before, written = _pieces(prefix), _pieces(line)
    for length in range(2 if prose else 3, min(len(before), len(written)) + 1):
        piece = written[:length]
        if before[-length:] != piece:
            continue
        said = {word for word in piece if words(word) and not is_constant(word)}
        clause = length >= _LONG_CLAUSE and "," not in piece
        if len(said) >= (2 if prose or clause else 3):
            return True
    return False


def before_loop_on_line(text: str) -> str:
    """The lines of ``text`` before the one in which a piece is written over and over."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _loops(line):
            return "\n".join(lines[:number]).rstrip()
    return text


def _loops(line: str) -> bool:
    for found in re.finditer(r"(.{2,40}?)\1{4,}", line):
        piece, count = found[1], len(found[0]) // len(found[1])
        telling = [word for word in words(piece) if not is_constant(word)]
        if telling or (re.search(r"\w", piece) and count > _MOST_EQUAL_VALUES):
            return True
    return re.search(r"([(\[{<\d])\1{15,}", line) is not None


def is_constant(word: str) -> bool:
    """Whether a word is a value that stands in a row any number of times."""
    return _CONSTANT.match(word) is not None


def names_in(code: str) -> list[str]:
    """Names with their dots."""
    return [piece for piece in _pieces(code) if words(piece)]


def _pieces(line: str) -> list[str]:
    """Names with their dots, numbers and signs."""
    return re.findall(r"\w+(?:\.\w+)*|[^\w\s]", line)
