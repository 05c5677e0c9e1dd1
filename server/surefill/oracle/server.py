"""One language server kept alive: started when first needed, again after a crash or a hang.

Hands its session to one asker at a time, with the documents in step. Knows when a server is worth
restarting, nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import posixpath
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import unquote, urlsplit

from surefill.errors import OracleError
from surefill.oracle.answers import Cancel, OnStatus, Status, Unknown
from surefill.oracle.connection import NoAnswer
from surefill.oracle.engines import EngineSpec
from surefill.oracle.session import Session

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long a server may take, in seconds, and how often it may fail."""

    start: float = 30.0
    """Until ``initialize`` is answered."""
    hang: float = 20.0
    """An unanswered question this old, with others behind it, means that the server hangs."""
    hanging_questions: int = 3
    """How many questions have to be without an answer for that."""
    first_pause: float = 1.0
    """Before the first restart; every further one waits twice as long."""
    longest_pause: float = 60.0
    healthy: float = 60.0
    """A server that lived so long begins with the first pause again."""


class Server:
    """One language server and the documents that are open for it. Lives on an event loop."""

    def __init__(
        self,
        spec: EngineSpec,
        folders: Sequence[Path],
        on_status: OnStatus,
        patience: Patience = Patience(),
    ) -> None:
        self.spec = spec
        self.folders = tuple(folders)
        self._roots = [urlsplit(folder.as_uri()).path.rstrip("/") for folder in folders]
        self.texts: dict[str, tuple[str, str]] = {}
        """Language id and the user's text of each open document, by URI."""
        self._revisions: dict[str, int] = {}
        self._changes = itertools.count(1)
        self.status: Status | None = None
        """The last one reported."""
        self.generation = 0
        """Counts the sessions: what a server was warmed with is gone with it."""
        self.files_version = 0
        """Counts the changes of files: what was learned of their types may be out of date."""
        self._on_status = on_status
        self._patience = patience
        self._told: set[Status] = set()
        self._state: Literal["idle", "starting", "ready", "paused", "closed"] = "idle"
        self._why = "the checker has not been started"
        self._session: Session | None = None
        self._starting: asyncio.Task[None] | None = None
        self._failures = 0
        self._ready_since = 0.0
        self._resume: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        self._background: asyncio.Task[Any] | None = None
        """The question of low rank that holds the turn; it makes way for any other."""
        self._urgent = 0

    def shown_as(self, uri: str) -> str:
        """What the server is to call a document.

        Where it would say nothing about a file, the document is one that has none yet.
        """
        if not self.spec.dialect.only_in_folders or not uri.startswith("file:"):
            return uri
        path = posixpath.normpath(unquote(urlsplit(uri).path))
        inside = any(path.startswith(f"{unquote(root)}/") for root in self._roots)
        return uri if inside else f"untitled:{path}"

    def put(self, uri: str, language: str, text: str) -> None:
        """A document is open, and ``text``."""
        if self.texts.get(uri) != (language, text):
            self.texts[uri] = language, text
            self._revisions[uri] = next(self._changes)

    def drop(self, uri: str) -> None:
        """A document is closed: from now on its file counts."""
        if self.texts.pop(uri, None) is not None:
            del self._revisions[uri]
            self.files_version += 1

    def revision_around(self, uri: str) -> Hashable:
        """What an answer about a document rests on besides its text, as a value."""
        others = frozenset(number for each, number in self._revisions.items() if each != uri)
        return others, self.files_version, self.generation

    @property
    def pid(self) -> int | None:
        """The server's process, for those who watch it."""
        return self._session.pid if self._session is not None else None

    async def ask(
        self,
        work: Callable[[Session], Coroutine[Any, Any, T]],
        *,
        deadline: float,
        cancel: Cancel | None = None,
        background: bool = False,
    ) -> T | Unknown:
        """Run ``work`` with the session when its turn comes; Unknown when it cannot be.

        Returns by ``deadline`` or when ``cancel`` strikes. What is asked in the ``background``
        gives way to everything else, and ends as cancelled then.
        """
        loop = asyncio.get_running_loop()
        seconds = deadline - time.monotonic()
        if cancel is not None and cancel.cancelled:
            return Unknown("cancelled", late=True)
        if self._state in ("paused", "closed"):
            return Unknown(self._why)
        if seconds <= 0:
            return Unknown("there was no time left", late=True)
        task = asyncio.ensure_future(self._in_turn(work, background))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may ask
        undo = None
        if cancel is not None:
            undo = cancel.on_cancel(lambda: _from_any_thread(loop, task.cancel))
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            if undo is not None:
                undo()
            task.cancel()
        if not task.done():
            loop.call_soon(self._look_for_hang)
            return Unknown("it took too long", late=True)
        return _outcome(task)

    def wake(self) -> None:
        """Start the server in the background, unless it runs or rests."""
        if self._state == "idle":
            self._start()

    def kill(self) -> None:
        """End the server now and for good."""
        session = self._close()
        if session is not None:
            session.kill()

    async def close(self) -> None:
        """End the server as the protocol wants, within a second or two."""
        session = self._close()
        if session is not None:
            await session.leave()

    def files_changed(self, changes: Sequence[tuple[str, int]]) -> None:
        """Tell of files on the disk, by URI and LSP's number of the kind of change."""
        self.files_version += 1
        if self._state == "ready" and self._session is not None:
            self._session.files_changed(changes)

    def report(self, status: Status) -> None:
        """Tell the user how the server is, unless that has been told."""
        if status == self.status:
            return
        self.status = status
        if status in self._told:
            logger.debug("again: %s", status.note)
            return
        self._told.add(status)
        self._on_status(status)

    async def _in_turn(
        self, work: Callable[[Session], Coroutine[Any, Any, T]], background: bool
    ) -> T:
        async with self._queue(background):
            return await work(await self._ready())

    @asynccontextmanager
    async def _queue(self, background: bool) -> AsyncIterator[None]:
        if background:
            if self._urgent:
                raise NoAnswer("there are other questions")
            async with self._turn:
                self._background = asyncio.current_task()
                try:
                    yield
                finally:
                    self._background = None
            return
        self._urgent += 1
        try:
            if self._background is not None and self._state == "ready":
                self._background.cancel()
            async with self._turn:
                yield
        finally:
            self._urgent -= 1

    async def _ready(self) -> Session:
        """The session, once it is there. Raises NoAnswer when it will not be soon."""
        if self._state == "idle":
            self._start()
        if self._state == "starting" and self._starting is not None:
            await asyncio.shield(self._starting)
        if self._session is None or self._state != "ready":
            raise NoAnswer(self._why)
        return self._session

    def _start(self) -> None:
        self._state, self._why = "starting", f"{self.spec.name} is being started"
        self._starting = asyncio.ensure_future(self._launch())

    async def _launch(self) -> None:
        """Start a session. Never raises: a failure becomes a pause."""
        session: Session | None = None
        ended = False

        def on_end() -> None:
            nonlocal ended
            ended = True
            if session is self._session:
                self._crashed()

        try:
            session = self._session = Session(self.spec, on_end)
            await asyncio.wait_for(session.start(self.folders), self._patience.start)
        except OracleError as error:
            self._pause(Status("missing", self.spec.name, "", error.message, self.spec.advice))
        except TimeoutError:
            note = f"{self.spec.name} does not answer; it was stopped."
            self._pause(Status("hanging", self.spec.name, "", note, _LATER))
        except NoAnswer as error:
            if not ended:
                note = f"{self.spec.name} could not be started: {error}."
                self._pause(Status("failed", self.spec.name, "", note, self.spec.advice))
        else:
            if self._state == "starting":
                self._state, self._ready_since = "ready", time.monotonic()
                self.generation += 1
                self._report_ready(session.version)

    def _report_ready(self, version: str) -> None:
        spec = self.spec
        if spec.note:
            self.report(Status("environment", spec.name, version, spec.note, spec.note_advice))
        self.report(Status("ready", spec.name, version))

    def _crashed(self) -> None:
        when = "while it was being started" if self._state == "starting" else ""
        note = f"{self.spec.name} has ended {when}".rstrip() + " and is started again."
        logger.warning("%s", note)
        self._pause(Status("restarting", self.spec.name, "", note, _LATER))

    def _look_for_hang(self) -> None:
        if self._state != "ready" or self._session is None:
            return
        questions, seconds = self._session.unanswered()
        patience = self._patience
        if questions >= patience.hanging_questions and seconds >= patience.hang:
            note = f"{self.spec.name} has not answered for a while and is started again."
            logger.warning("%s", note)
            self._pause(Status("hanging", self.spec.name, "", note, _LATER))

    def _pause(self, status: Status) -> None:
        """Stop what runs, and go on after a pause that grows with every failure."""
        if self._state == "closed":
            return
        session, self._session = self._session, None
        if session is not None:
            session.kill()
        patience = self._patience
        if self._state == "ready" and time.monotonic() - self._ready_since >= patience.healthy:
            self._failures = 0
        pause = min(patience.first_pause * 2**self._failures, patience.longest_pause)
        self._failures = min(self._failures + 1, 30)
        self._state, self._why = "paused", status.note or "the checker is started again"
        self._resume = asyncio.get_running_loop().call_later(pause, self._end_pause)
        self.report(status)

    def _end_pause(self) -> None:
        self._state = "idle"
        if self.texts:
            self._start()

    def _close(self) -> Session | None:
        self._state, self._why = "closed", "the checker is turned off"
        if self._resume is not None:
            self._resume.cancel()
        if self._starting is not None:
            self._starting.cancel()
        session, self._session = self._session, None
        return session


_LATER = "Suggestions are not checked until it is back."


def _outcome(task: asyncio.Task[T]) -> T | Unknown:
    if task.cancelled():
        return Unknown("cancelled", late=True)
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, NoAnswer):
        return Unknown(str(error))
    logger.error("a question to the checker failed", exc_info=error)
    return Unknown("the checker's answer could not be read")


def _from_any_thread(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:  # the loop is closed, and the question with it
        logger.debug("a question was cancelled after the end")
