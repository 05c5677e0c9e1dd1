"""Makes the checker look at the libraries that an opened document imports, before anyone asks.

The first touch of a library costs a checker up to seconds. It is paid here, one question at a
time, each giving way to the user's.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator

from surefill.oracle.answers import Source
from surefill.oracle.question import Question
from surefill.oracle.server import Server
from surefill.oracle.session import Session
from surefill.syntax.position import Position

_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import|import[ \t]+([^#\n\r;]+))", re.M)
_MOST_MODULES = 20
_STEP_SECONDS = 30.0
_REST_SECONDS = 0.2
"""Between two tries while the user asks."""
_MOST_TRIES = 50


class Warmer:
    """Warms one server for documents that are opened."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._warm: tuple[int, set[str]] = 0, set()
        """The server's generation, and the modules that it has seen."""
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, uri: str, language: str) -> None:
        """Warm what the document ``uri`` needs. Returns at once."""
        task = asyncio.ensure_future(self._run(uri, language))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def settled(self) -> None:
        """Return when everything that was opened so far is warm."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _run(self, uri: str, language: str) -> None:
        if not await self._step(uri, language, None):
            return
        if not self._server.spec.dialect.python:
            return
        _, text = self._server.texts.get(uri, ("", ""))
        for module in list(imported_modules(text))[:_MOST_MODULES]:
            if module not in self._seen() and await self._step(uri, language, module):
                self._seen().add(module)

    def _seen(self) -> set[str]:
        if self._warm[0] != self._server.generation:
            self._warm = self._server.generation, set()
        return self._warm[1]

    async def _step(self, uri: str, language: str, module: str | None) -> bool:
        """Have the document checked, or a module's members listed; whether that was done."""

        async def work(session: Session) -> bool:
            known, text = self._server.texts.get(uri, (language, ""))
            if module is not None:
                text = f"import {module}\n{module}."
            question = Question(session, Source(uri, text), known, self._server.texts)
            if module is None:
                await question.diagnostics(text)
            else:
                await question.completion(text, Position(1, len(module) + 1))
            return True

        for _ in range(_MOST_TRIES):
            if uri not in self._server.texts:
                return False
            deadline = time.monotonic() + _STEP_SECONDS
            if await self._server.ask(work, deadline=deadline, background=True):
                return True
            await asyncio.sleep(_REST_SECONDS)
        return False


def imported_modules(text: str) -> Iterator[str]:
    """Absolute modules that a Python text imports, each once, in order."""
    seen = set()
    for found in _IMPORT.finditer(text):
        names = [found[1]] if found[1] else found[2].split(",")
        for name in names:
            module = name.split(" as ")[0].strip()
            if re.fullmatch(r"\w+(?:\.\w+)*", module) and module not in seen:
                seen.add(module)
                yield module
