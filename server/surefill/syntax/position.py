"""Positions in a document, in the one unit that all rooms below ``lsp`` use: code points."""

from __future__ import annotations

from typing import NamedTuple


class Position(NamedTuple):
    """0-based line, and 0-based character in code points (Python string indices)."""

    line: int
    character: int


class Range(NamedTuple):
    """From ``start`` (inclusive) to ``end`` (exclusive)."""

    start: Position
    end: Position
