"""What the editor watches for us: files with certain endings, or none.

Knows when the editor has to be asked and in which order, nothing of who wants to know.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable

from pygls.exceptions import JsonRpcException

from surefill.lsp.client import Client

logger = logging.getLogger(__name__)


class WatchedFiles:
    """Keeps the editor's watching in step with what is wanted, one question at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._wishes: dict[str, frozenset[str]] = {}
        self._wanted: frozenset[str] = frozenset()
        self._asked: frozenset[str] = frozenset()
        """What the editor was asked for last, whatever it said to it."""
        self._watches = False
        self._asking: asyncio.Task[None] | None = None
        self._closed = False

    def watch(self, who: str, endings: Iterable[str]) -> None:
        """From now on ``who`` wants files with these endings watched. Returns at once.

        For the event loop. Does nothing where the editor cannot be asked.
        """
        self._wishes[who] = frozenset(endings)
        self._wanted = frozenset().union(*self._wishes.values())
        if self._closed or self._asking or self._wanted == self._asked:
            return
        if self._client.registers_watched_files:
            self._asking = asyncio.get_running_loop().create_task(self._ask())

    def close(self) -> None:
        """The session ends: the editor is asked nothing more."""
        self._closed = True
        if self._asking:
            self._asking.cancel()

    async def _ask(self) -> None:
        try:
            while self._asked != self._wanted:
                self._asked = self._wanted
                if self._watches:
                    self._watches = False
                    await _agreed(self._client.stop_file_changes())
                if self._asked:
                    endings = sorted(self._asked)
                    self._watches = await _agreed(self._client.ask_for_file_changes(endings))
        finally:
            self._asking = None


async def _agreed(question: Awaitable[None]) -> bool:
    try:
        await question
    except JsonRpcException as error:
        logger.warning("the editor does not watch files as asked: %s", error)
        return False
    return True
