"""The questions of one language: each answered by its deadline, or Unknown.

See the package's docstring for how it is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar

from surefill.oracle.answers import (
    Cancel,
    Description,
    Diagnostics,
    Hover,
    Members,
    Origin,
    Signatures,
    Source,
    Status,
    Unknown,
)
from surefill.oracle.connection import NoAnswer
from surefill.oracle.locations import locate
from surefill.oracle.members import ProbedTypes, find_item, find_members, list_members
from surefill.oracle.origin import Origins
from surefill.oracle.question import Question, markup
from surefill.oracle.server import Server
from surefill.oracle.session import Session
from surefill.oracle.signatures import find_signatures
from surefill.oracle.warming import Warmer
from surefill.syntax.position import Position
from surefill.syntax.skeleton import skeleton

T = TypeVar("T")

CREATED, CHANGED, DELETED = 1, 2, 3
"""LSP's numbers for what happened to a file."""


class Oracle(Protocol):
    """What is known of the code of one language.

    A question's ``source`` is a text as it would be; ``position`` is in code points; ``deadline``
    in seconds of ``time.monotonic()``; ``cancel`` ends it early. To be called on the event loop.
    """

    @property
    def available(self) -> bool:
        """Whether there is a checker for the language at all."""
        ...

    @property
    def status(self) -> Status | None:
        """How the checker is; None before it was started."""
        ...

    @property
    def generation(self) -> int:
        """How often the checker was started: one that comes back is another one."""
        ...

    def open(self, uri: str, text: str) -> None:
        """A document was opened: the checker is started and warmed in the background."""
        ...

    def update(self, uri: str, text: str) -> None:
        """A document is now ``text``. Costs nothing: the checker hears of it when asked."""
        ...

    def close_document(self, uri: str) -> None:
        """A document was closed: from now on its file on the disk counts."""
        ...

    def files_changed(self, changes: Iterable[tuple[str, int]]) -> None:
        """Files changed on the disk: their URIs, each with CREATED, CHANGED or DELETED."""
        ...

    async def members(
        self, source: Source, position: Position, *, deadline: float, cancel: Cancel | None = None
    ) -> Members | Unknown:
        """The names that may stand at ``position``, whatever of one stands there already."""
        ...

    async def listed(
        self, source: Source, position: Position, *, deadline: float, cancel: Cancel | None = None
    ) -> Members | Unknown:
        """As ``members``, sooner, and neither ``closed`` nor ``dynamic``: whether these are all
        is not looked at. What is listed exists.
        """
        ...

    async def signature(
        self, source: Source, position: Position, *, deadline: float, cancel: Cancel | None = None
    ) -> Signatures | Unknown:
        """What the call around ``position`` takes."""
        ...

    async def diagnostics(
        self, source: Source, *, deadline: float, cancel: Cancel | None = None
    ) -> Diagnostics | Unknown:
        """What the checker says about the whole text."""
        ...

    async def hover(
        self, source: Source, position: Position, *, deadline: float, cancel: Cancel | None = None
    ) -> Hover | Unknown:
        """What is known of the symbol at ``position``."""
        ...

    async def describe(
        self,
        source: Source,
        position: Position,
        name: str,
        *,
        deadline: float,
        cancel: Cancel | None = None,
    ) -> Description | Unknown:
        """What is known of ``name``, one of the members at ``position``."""
        ...

    async def origin(
        self, source: Source, position: Position, *, deadline: float, cancel: Cancel | None = None
    ) -> Origin | Unknown:
        """Where the symbol at ``position`` comes from."""
        ...


class ServerOracle:
    """An `Oracle` that asks a language server, which it may share with other languages."""

    def __init__(self, server: Server, warmer: Warmer, language: str, origins: Origins) -> None:
        self._server = server
        self._warmer = warmer
        self._language = language
        self._origins = origins
        self._probed = ProbedTypes()

    @property
    def available(self) -> bool:
        return True

    @property
    def status(self) -> Status | None:
        return self._server.status

    @property
    def generation(self) -> int:
        return self._server.generation

    def open(self, uri: str, text: str) -> None:
        uri = self._server.shown_as(uri)
        self._server.put(uri, self._language, text)
        self._server.wake()
        self._warmer.opened(uri, self._language)

    def update(self, uri: str, text: str) -> None:
        self._server.put(self._server.shown_as(uri), self._language, text)

    def close_document(self, uri: str) -> None:
        self._server.drop(self._server.shown_as(uri))

    def files_changed(self, changes: Iterable[tuple[str, int]]) -> None:
        self._server.files_changed(tuple(changes))

    async def members(
        self, source: Source, position: Position, *, deadline: float, cancel: Cancel | None = None
    ) -> Members | Unknown:
        def work(question: Question) -> Coroutine[Any, Any, Members]:
            # Only now, when it is this question's turn, it is known what the checker looks at.
            around = self._server.revision_around(question.source.uri)
            declared = skeleton(question.source.text, position.line)
            probed = self._probed.at((question.source.uri, around, declared))
            return find_members(question, position, probed)

        return await self._ask(source, work, deadline, cancel)

    async def listed(
        self, source: Source, position: Position, *, deadline: float, cancel: Cancel | None = None
    ) -> Members | Unknown:
        return await self._ask(source, lambda q: list_members(q, position), deadline, cancel)

    async def signature(
        self, source: Source, position: Position, *, deadline: float, cancel: Cancel | None = None
    ) -> Signatures | Unknown:
        return await self._ask(source, lambda q: find_signatures(q, position), deadline, cancel)

    async def diagnostics(
        self, source: Source, *, deadline: float, cancel: Cancel | None = None
    ) -> Diagnostics | Unknown:
        async def work(question: Question) -> Diagnostics:
            return Diagnostics(await question.diagnostics(source.text))

        return await self._ask(source, work, deadline, cancel)

    async def hover(
        self, source: Source, position: Position, *, deadline: float, cancel: Cancel | None = None
    ) -> Hover | Unknown:
        async def work(question: Question) -> Hover:
            answer = await question.at("hover", source.text, position)
            text = markup(answer.get("contents")) if isinstance(answer, dict) else ""
            if not text:
                raise NoAnswer("nothing is known of what stands here")
            return Hover(text)

        return await self._ask(source, work, deadline, cancel)

    async def describe(
        self,
        source: Source,
        position: Position,
        name: str,
        *,
        deadline: float,
        cancel: Cancel | None = None,
    ) -> Description | Unknown:
        async def work(question: Question) -> Description:
            item = await find_item(question, position, name)
            if item is None:
                raise NoAnswer(f"nothing is known of {name}")
            detail = item.get("detail")
            documentation = markup(item.get("documentation"))
            return Description(name, detail if isinstance(detail, str) else "", documentation)

        return await self._ask(source, work, deadline, cancel)

    async def origin(
        self, source: Source, position: Position, *, deadline: float, cancel: Cancel | None = None
    ) -> Origin | Unknown:
        async def work(question: Question) -> Origin:
            places = await locate(question, source.text, position)
            found = [(path, place.line) for place in places if (path := place.path) is not None]
            if not found:
                raise NoAnswer("no definition is known of what stands here")
            return await asyncio.to_thread(self._origins.of, *found[0])

        return await self._ask(source, work, deadline, cancel)

    async def _ask(
        self,
        source: Source,
        work: Callable[[Question], Coroutine[Any, Any, T]],
        deadline: float,
        cancel: Cancel | None,
    ) -> T | Unknown:
        server = self._server
        source = Source(server.shown_as(source.uri), source.text)

        async def ask(session: Session) -> T:
            return await work(Question(session, source, self._language, server.texts))

        return await server.ask(ask, deadline=deadline, cancel=cancel)


class NullOracle:
    """The `Oracle` of a language that has no checker: every answer is Unknown."""

    def __init__(self, reason: str) -> None:
        self._unknown = Unknown(reason)

    available = False
    generation = 0
    status: Status | None = None

    def open(self, uri: str, text: str) -> None:
        """Nothing."""

    update = open

    def close_document(self, uri: str) -> None:
        """Nothing."""

    def files_changed(self, changes: Iterable[tuple[str, int]]) -> None:
        """Nothing."""

    async def members(self, *_: object, **__: object) -> Unknown:
        return self._unknown

    listed = signature = diagnostics = hover = describe = origin = members
