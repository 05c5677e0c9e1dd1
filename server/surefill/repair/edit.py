"""Candidates for a repair: one replacement in a document, and why it may be the right one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from surefill.syntax.document import Document, Snapshot, split_lines
from surefill.syntax.position import Position, Range


@dataclass(frozen=True)
class Candidate:
    """``text`` in place of ``range``. ``prior`` is how likely it is, as a natural logarithm."""

    range: Range
    text: str
    title: str
    prior: float = 0.0

    def lower(self, lines: int) -> Candidate:
        """The same so many lines further down."""
        start, end = (Position(at.line + lines, at.character) for at in self.range)
        return replace(self, range=Range(start, end))


@dataclass(frozen=True)
class Repair:
    """A candidate that has proven to be one: with it the document has fewer problems, none new."""

    range: Range
    text: str
    title: str


def edited(snapshot: Snapshot, span: Range, text: str) -> Snapshot:
    """The document with ``text`` in place of ``span``."""
    document = Document.of(snapshot)
    document.edit(span, text)
    return document.snapshot()


def advanced(start: Position, text: str) -> Position:
    """Where ``text`` ends when it begins at ``start``."""
    lines = split_lines(text)
    last = len(lines) - 1
    return Position(start.line + last, len(lines[-1]) + (0 if last else start.character))


def moved(at: Position, span: Range, text: str) -> Position | None:
    """Where a position is once ``text`` stands in place of ``span``; None inside of ``span``."""
    if at <= span.start:
        return at
    if at < span.end:
        return None
    end = advanced(span.start, text)
    if at.line > span.end.line:
        return Position(at.line + end.line - span.end.line, at.character)
    return Position(end.line, at.character - span.end.character + end.character)


def distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Likeliest first, and each change once."""
    found: dict[tuple[Range, str], Candidate] = {}
    for each in sorted(candidates, key=lambda each: -each.prior):
        found.setdefault((each.range, each.text), each)
    return list(found.values())
