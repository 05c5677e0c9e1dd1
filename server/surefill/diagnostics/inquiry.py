"""A type checker for the time of one request: questions about snapshots, by one deadline."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from surefill.oracle.answers import (
    Cancel,
    Diagnostic,
    Diagnostics,
    Members,
    Signatures,
    Source,
    Unknown,
)
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position

if TYPE_CHECKING:
    from surefill.oracle.oracle import Oracle

T = TypeVar("T")


class AskOracle(Protocol):
    """Puts a question to the oracle of one language, wherever that lives."""

    async def __call__(
        self, question: Callable[[Oracle], Coroutine[Any, Any, T | Unknown]]
    ) -> T | Unknown: ...


@dataclass
class Inquiry:
    """Answers None wherever the oracle does not know. ``deadline`` is of ``time.monotonic()``."""

    ask: AskOracle
    deadline: float
    cancel: Cancel | None = None
    late: bool = False
    """Whether there was an answer that was not there in time: what was found is not final."""

    async def errors(self, snapshot: Snapshot) -> tuple[Diagnostic, ...] | None:
        """What the checker calls an error in the document."""
        source, deadline, cancel = _source(snapshot), self.deadline, self.cancel
        answer = await self._ask(
            lambda oracle: oracle.diagnostics(source, deadline=deadline, cancel=cancel)
        )
        return answer.errors if isinstance(answer, Diagnostics) else None

    async def members(self, snapshot: Snapshot, at: Position) -> Members | None:
        """The names that may stand at a position."""
        source, deadline, cancel = _source(snapshot), self.deadline, self.cancel
        answer = await self._ask(
            lambda oracle: oracle.members(source, at, deadline=deadline, cancel=cancel)
        )
        return answer if isinstance(answer, Members) else None

    async def signature(self, snapshot: Snapshot, at: Position) -> Signatures | None:
        """What the call around a position takes."""
        source, deadline, cancel = _source(snapshot), self.deadline, self.cancel
        answer = await self._ask(
            lambda oracle: oracle.signature(source, at, deadline=deadline, cancel=cancel)
        )
        return answer if isinstance(answer, Signatures) else None

    async def _ask(
        self, question: Callable[[Oracle], Coroutine[Any, Any, T | Unknown]]
    ) -> T | Unknown:
        answer = await self.ask(question)
        self.late = self.late or (isinstance(answer, Unknown) and answer.late)
        return answer


def declared_keywords(signatures: Signatures) -> frozenset[str]:
    """Names of the parameters that may be passed by keyword, though others may be taken, too."""
    return frozenset(
        parameter.name
        for signature in signatures.items
        for parameter in signature.parameters
        if parameter.takes_keyword
    )


def _source(snapshot: Snapshot) -> Source:
    return Source(snapshot.uri, snapshot.text)
