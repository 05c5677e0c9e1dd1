"""An oracle for the time of one request: its questions, about snapshots, by one deadline."""

from __future__ import annotations

from dataclasses import dataclass

from surefill.oracle.answers import (
    Cancel,
    Diagnostic,
    Diagnostics,
    Members,
    Signatures,
    Source,
)
from surefill.oracle.oracle import Oracle
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position


@dataclass(frozen=True)
class Checker:
    """Answers None wherever the oracle does not know. ``deadline`` is of ``time.monotonic()``."""

    oracle: Oracle
    deadline: float
    cancel: Cancel | None = None

    async def errors(self, snapshot: Snapshot) -> tuple[Diagnostic, ...] | None:
        """What the checker calls an error in the document."""
        answer = await self.oracle.diagnostics(
            _source(snapshot), deadline=self.deadline, cancel=self.cancel
        )
        return answer.errors if isinstance(answer, Diagnostics) else None

    async def members(self, snapshot: Snapshot, at: Position) -> Members | None:
        """The names that may stand at a position."""
        answer = await self.oracle.members(
            _source(snapshot), at, deadline=self.deadline, cancel=self.cancel
        )
        return answer if isinstance(answer, Members) else None

    async def signature(self, snapshot: Snapshot, at: Position) -> Signatures | None:
        """What the call around a position takes."""
        answer = await self.oracle.signature(
            _source(snapshot), at, deadline=self.deadline, cancel=self.cancel
        )
        return answer if isinstance(answer, Signatures) else None


def _source(snapshot: Snapshot) -> Source:
    return Source(snapshot.uri, snapshot.text)
