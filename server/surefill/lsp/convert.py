"""Positions between the editor's code units (UTF-8, UTF-16, UTF-32) and our code points.

The only file that knows about encodings. Everything is clamped to the document and nothing
raises: an editor may send any number, and a text may hold lone surrogates. ``lines`` is always a
document's lines with their line ends, at least one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from lsprotocol import types

from surefill.syntax.position import Position, Range

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_LINE_ENDS = "\r\n"


def encoding_of(kind: types.PositionEncodingKind | str | None) -> Encoding:
    """The negotiated encoding; UTF-16, the protocol's default, for anything unknown."""
    value = kind.value if isinstance(kind, types.PositionEncodingKind) else kind
    if value == "utf-8":
        return "utf-8"
    return "utf-32" if value == "utf-32" else "utf-16"


def count_units(text: str, encoding: Encoding) -> int:
    """Length of ``text`` in code units; a lone surrogate counts as its encoding would write it."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def code_points(line: str, units: int, encoding: Encoding) -> int:
    """Code points in the first ``units`` code units of ``line``, its line end left out.

    A count that falls inside a character stands before that character.
    """
    length = len(line.rstrip(_LINE_ENDS))
    high = max(0, min(units, length))
    if encoding == "utf-32" or line.isascii():
        return high
    # A code point takes at most four bytes or two UTF-16 units, which bounds the search; a
    # bisection stays fast on a line of a megabyte and exact with unpaired surrogates.
    low = min(high, units // (4 if encoding == "utf-8" else 2)) if units > 0 else 0
    while low < high:
        middle = (low + high + 1) // 2
        if count_units(line[:middle], encoding) <= units:
            low = middle
        else:
            high = middle - 1
    return low


def from_lsp_position(
    lines: Sequence[str], position: types.Position, encoding: Encoding
) -> Position:
    """The editor's position in code points; before the start or behind the end is clamped."""
    last = len(lines) - 1
    if position.line < 0:
        return Position(0, 0)
    if position.line > last:
        return Position(last, len(lines[last].rstrip(_LINE_ENDS)))
    text = lines[position.line]
    return Position(position.line, code_points(text, position.character, encoding))


def from_lsp_range(lines: Sequence[str], span: types.Range, encoding: Encoding) -> Range:
    """The editor's range in code points, its ends in order."""
    start = from_lsp_position(lines, span.start, encoding)
    end = from_lsp_position(lines, span.end, encoding)
    return Range(min(start, end), max(start, end))


def to_lsp_position(lines: Sequence[str], position: Position, encoding: Encoding) -> types.Position:
    """A position of ours in the editor's code units, clamped to the document."""
    number = max(0, min(position.line, len(lines) - 1))
    text = lines[number].rstrip(_LINE_ENDS)
    character = max(0, min(position.character, len(text)))
    return types.Position(number, count_units(text[:character], encoding))


def to_lsp_range(lines: Sequence[str], span: Range, encoding: Encoding) -> types.Range:
    """A range of ours in the editor's code units."""
    return types.Range(
        start=to_lsp_position(lines, span.start, encoding),
        end=to_lsp_position(lines, span.end, encoding),
    )
