"""One thread for work that is too long for the event loop and needs no model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Background:
    """Runs one piece of work after the other; its thread begins with the first."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, f"surefill-{name}")

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``; whoever waits can be cancelled, the work itself goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        """The session ends: what waits is given up."""
        self._executor.shutdown(wait=False, cancel_futures=True)
