"""Positions of our side (code points) as an LSP server counts them, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from surefill.syntax.position import Position, Range

_LINE_END = re.compile(r"\r\n|\r|\n")
WirePosition = dict[str, int]


class Lines:
    """A text by its lines, with the conversions for one encoding ("utf-8", "utf-16", "utf-32")."""

    def __init__(self, text: str, encoding: str) -> None:
        self.text = text
        self._encoding = encoding

    @cached_property
    def starts(self) -> list[int]:
        """Offset of each line's start in the text."""
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def line(self, number: int) -> str:
        """Line ``number`` without its end; empty outside the text."""
        if not 0 <= number < len(self.starts):
            return ""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[number] : end].rstrip("\r\n")

    def offset(self, position: Position) -> int:
        """Offset of ``position`` in the text, clamped to its line and to the text."""
        if position.line < 0:
            return 0
        if position.line >= len(self.starts):
            return len(self.text)
        length = len(self.line(position.line))
        return self.starts[position.line] + min(max(position.character, 0), length)

    def to_wire(self, position: Position) -> WirePosition:
        """``position`` as the server counts."""
        before = self.line(position.line)[: max(position.character, 0)]
        return {"line": position.line, "character": _units(before, self._encoding)}

    def from_wire(self, position: Mapping[str, Any]) -> Position:
        """A server's position in code points; raises what foreign JSON raises."""
        line, units = int(position["line"]), int(position["character"])
        return Position(line, _code_points(self.line(line), units, self._encoding))

    def range_from_wire(self, span: Mapping[str, Any]) -> Range:
        """A server's range in code points."""
        return Range(self.from_wire(span["start"]), self.from_wire(span["end"]))


def _units(text: str, encoding: str) -> int:
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _code_points(text: str, units: int, encoding: str) -> int:
    if encoding == "utf-32" or text.isascii():
        return min(units, len(text))
    size = 1 if encoding == "utf-8" else 2
    codec = "utf-8" if encoding == "utf-8" else "utf-16-le"
    return len(text.encode(codec, "surrogatepass")[: units * size].decode(codec, "ignore"))
