"""Candidates for a repair: one replacement in a document, and why it may be the right one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from surefill.syntax.document import Document, Snapshot, split_lines
from surefill.syntax.position import Position, Range

Trust = Literal["guess", "only", "certain"]
"""What a candidate's author knows of it. "certain": it says what was written, and nothing else can
have been meant. "only": everything there was keeps its meaning, and it is certain where no other
candidate does as well. "guess": it may be something else that was meant, or text is lost."""

KNOWN = 5.0
"""The prior of a candidate whose author knows the spelling that was used: no model is asked."""


@dataclass(frozen=True)
class Candidate:
    """``text`` in place of ``range``. ``prior`` is how likely it is, as a natural logarithm."""

    range: Range
    text: str
    title: str
    prior: float = 0.0
    trust: Trust = "guess"

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
    preferred: bool = False
    """It means what was written: an editor may apply it unasked."""


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


def smallest(span: Range, old: str, new: str) -> tuple[Range, str]:
    """The change of ``old`` at ``span`` to ``new`` without what both begin and end with."""
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    start = advanced(span.start, old[:first])
    end = advanced(span.start, old[: len(old) - last])
    return Range(start, end), new[first : len(new) - last]
