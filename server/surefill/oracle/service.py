"""The oracles of a session on an event loop of their own, asked from any thread.

The server's event loop carries keystrokes and the worker's thread the model; a checker's answers,
thousands of names at times, are read on neither.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from surefill.budget import CHECKER_GRACE_SECONDS, Deadline
from surefill.oracle.answers import PYTHON, OnStatus, Status, Unknown
from surefill.revision import CheckerRevision
from surefill.settings import OracleSettings

if TYPE_CHECKING:
    from surefill.oracle.factory import Oracles
    from surefill.oracle.oracle import Oracle

logger = logging.getLogger(__name__)

T = TypeVar("T")


class OracleService:
    """Starts, replaces and asks oracles. Every method may be called from any thread, and returns
    at once but for ``close``.

    Until it is configured, and for languages without a checker, every answer is Unknown.
    ``on_status`` is called on the service's own thread.
    """

    def __init__(self, on_status: OnStatus = lambda _: None) -> None:
        self._on_status = on_status
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._oracles: Oracles | None = None
        self._current: tuple[int, Oracles | None] = 0, None
        """How often oracles were made, and those in use: one value, read from any thread."""
        self._leaving: Oracles | None = None
        self._replaced: set[asyncio.Future[None]] = set()
        """Oracles on their way out; asyncio itself forgets a task that nobody holds."""
        self._languages: frozenset[str] = frozenset()
        self._by_signature: frozenset[str] = frozenset()
        """Languages whose checker takes a function's result from its signature alone."""
        self._closed = False

    def configure(self, settings: OracleSettings, folders: Sequence[Path]) -> None:
        """Use oracles for these settings and folders from now on; those before are ended.

        What documents are open has to be told again.
        """
        languages = set(settings.servers) | ({PYTHON} if settings.engine != "off" else set())
        self._languages = frozenset(languages)
        ours = settings.engine == "ty" and PYTHON not in settings.servers
        self._by_signature = frozenset([PYTHON] if ours else [])
        self._post(lambda: self._replace(settings, tuple(folders)))

    def answers_for(self, language: str) -> bool:
        """Whether there is a checker to ask about a language; it may be unwell."""
        return language in self._languages and not self._closed

    def reads_bodies(self, language: str) -> bool:
        """Whether the checker of a language infers from bodies what functions return."""
        return language not in self._by_signature

    def checker(self, language: str) -> str:
        """Name and version of the checker of a language; empty before it has started."""
        oracles = self._oracles
        status = oracles.of(language).status if oracles is not None else None
        return f"{status.checker} {status.version}".strip() if status is not None else ""

    def revision(self, language: str) -> CheckerRevision:
        """Which checker answers about a language now, as a value that no earlier one had."""
        number, oracles = self._current
        return number, oracles.of(language).generation if oracles is not None else 0

    def tell(self, language: str, news: Callable[[Oracle], None]) -> None:
        """Have ``news`` told to the oracle of a language, in order with what is asked after."""
        if self.answers_for(language):
            self._post(lambda: self._tell(language, news))

    def files_changed(self, changes: Sequence[tuple[str, int]]) -> None:
        """Files changed on the disk: URIs, each with LSP's number of what happened to it."""
        told = tuple(changes)
        self._post(lambda: self._files_changed(told))

    def submit(
        self, language: str, question: Callable[[Oracle], Coroutine[Any, Any, T | Unknown]]
    ) -> Future[T | Unknown]:
        """Ask an oracle something; the future never carries an exception."""
        if not self.answers_for(language):
            return _known(Unknown("there is no checker for this language"))
        loop = self._running_loop()
        if loop is None:
            return _known(Unknown("the checker is not running"))
        return asyncio.run_coroutine_threadsafe(self._ask(language, question), loop)

    def close(self, seconds: float) -> None:
        """End all checkers, waiting at most ``seconds`` for them to go by themselves."""
        with self._lock:
            closed, self._closed = self._closed, True
            loop, thread = self._loop, self._thread
        if closed or loop is None or thread is None:
            return
        ending = asyncio.run_coroutine_threadsafe(self._end(), loop)
        try:
            ending.result(seconds)
        except (FutureTimeout, CancelledError):
            loop.call_soon_threadsafe(self._kill)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(seconds)

    def _post(self, work: Callable[[], object]) -> None:
        loop = self._running_loop()
        if loop is not None:
            loop.call_soon_threadsafe(work)

    def _running_loop(self) -> asyncio.AbstractEventLoop | None:
        with self._lock:
            if self._closed:
                return None
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._run, args=(self._loop,), name="surefill-oracle", daemon=True
                )
                self._thread.start()
            return self._loop

    # The oracle's thread.

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            loop.close()

    def _replace(self, settings: OracleSettings, folders: tuple[Path, ...]) -> None:
        before, self._oracles = self._oracles, None
        self._current = self._current[0] + 1, None
        if before is not None:
            ending = asyncio.ensure_future(before.close())
            self._replaced.add(ending)
            ending.add_done_callback(self._replaced.discard)
        from surefill.oracle.factory import create_oracles  # here, so that a start stays quick

        try:
            self._oracles = create_oracles(settings, folders, on_status=self._on_status)
            self._current = self._current[0], self._oracles
        except Exception as error:
            logger.exception("the checker could not be set up")
            self._on_status(Status("failed", settings.engine, note=str(error)))

    def _tell(self, language: str, news: Callable[[Oracle], None]) -> None:
        if self._oracles is not None:
            news(self._oracles.of(language))

    def _files_changed(self, changes: Sequence[tuple[str, int]]) -> None:
        if self._oracles is not None:
            self._oracles.files_changed(changes)

    async def _ask(
        self, language: str, question: Callable[[Oracle], Coroutine[Any, Any, T | Unknown]]
    ) -> T | Unknown:
        if self._oracles is None:
            return Unknown("the checker is not running")
        try:
            return await question(self._oracles.of(language))
        except Exception:  # a suggestion without a check is better than none
            logger.exception("a question to the checker failed")
            return Unknown("the question failed")

    async def _end(self) -> None:
        oracles, self._oracles = self._oracles, None
        if oracles is not None:
            self._leaving = oracles
            await oracles.close()

    def _kill(self) -> None:
        if self._leaving is not None:
            self._leaving.kill()


def wait_for(future: Future[T | Unknown], deadline: Deadline) -> T | Unknown:
    """The answer of a submitted question; Unknown when it is not there soon after ``deadline``."""
    try:
        return future.result(deadline.later(CHECKER_GRACE_SECONDS).remaining)
    except (FutureTimeout, CancelledError):
        future.cancel()
        return Unknown("it took too long", late=True)


def _known(answer: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(answer)
    return future
