"""Parses documents in a thread of its own, so that the first request finds their syntax trees.

Nobody waits for it: who needs a tree before it is there parses, or waits for the parse that is on.
"""

from __future__ import annotations

import logging
import queue
import threading

from surefill.syntax.document import Snapshot

logger = logging.getLogger(__name__)


class BackgroundParser:
    """One thread, started with the first document; it never holds up the end of the process."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Snapshot | None] = queue.SimpleQueue()
        self._started = False

    def add(self, snapshot: Snapshot) -> None:
        if not self._started:
            self._started = True
            threading.Thread(target=self._run, name="surefill-parser", daemon=True).start()
        self._waiting.put(snapshot)

    def close(self) -> None:
        self._waiting.put(None)

    def _run(self) -> None:
        while (snapshot := self._waiting.get()) is not None:
            try:
                _ = snapshot.tree
            except Exception:  # the request that needs the tree reports it
                logger.debug("%s could not be parsed", snapshot.uri, exc_info=True)
            del snapshot  # it holds a whole text, and the next one may be long in coming
