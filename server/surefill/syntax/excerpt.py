"""The part of a big document in which a change can be judged by itself.

An error makes an incremental parse slow in a big document, because its effect on everything behind
it has to be found out. Between two lines that begin something at the top level a document can be
parsed alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from surefill.syntax.cursor import inside_literal
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range

BIG_BYTES = 48_000
"""Documents up to this size are parsed whole; longer excerpts are not made."""


def excerpt(snapshot: Snapshot, span: Range, big: int = BIG_BYTES) -> tuple[Snapshot, Range]:
    """A shorter snapshot around ``span`` with ``span`` in it, or both as they are.

    They are as they are up to ``big`` bytes.
    """
    if len(snapshot.source) <= big:
        return snapshot, span
    last = len(snapshot.lines)
    start = _first_boundary(snapshot, range(span.start.line - 1, -1, -1), 0)
    end = _first_boundary(snapshot, range(span.end.line + 1, last), last)
    lines = snapshot.lines[start:end]
    if sum(map(len, lines)) > BIG_BYTES:
        return snapshot, span
    moved = Range(
        Position(span.start.line - start, span.start.character),
        Position(span.end.line - start, span.end.character),
    )
    return Snapshot(snapshot.uri, snapshot.language, snapshot.version, lines), moved


def _first_boundary(snapshot: Snapshot, numbers: Iterable[int], default: int) -> int:
    """The first line that begins something at the top level, behind a blank line."""
    budget = BIG_BYTES
    for number in numbers:
        line = snapshot.lines[number]
        budget -= len(line)
        if budget < 0:
            break
        if number > 0 and not line[:1].isspace() and line[:1] not in tuple(")]}{#/*'\"`"):
            above = snapshot.lines[number - 1]
            if above.isspace() and not inside_literal(snapshot, Position(number, 0)):
                return number
    return default
