"""What the model remembers of the project: its documents as tokens, kept up while the user works.

Joins a tokenizer and the n-grams' cache with a thread of its own. Knows uris and text; neither
files nor which documents belong to a project.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefill.syntax.document import with_newlines

if TYPE_CHECKING:
    from surefill.engine.ngrams.cache import TokenCache
    from surefill.engine.tokenizer import BundleTokenizer

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.3
"""Between two rounds of updates: of a document being typed in, only every so many versions."""
_IDLE_SECONDS = 5.0
"""After which the thread ends, until there is work: a memory out of service leaves none behind."""
_MOST_CHARACTERS = 400_000
"""Of one document, from its beginning; what is longer was hardly written by hand."""


class ProjectMemory:
    """Keeps ``cache`` up to date. Every method may be called from any thread."""

    def __init__(
        self, cache: TokenCache, tokenizer: BundleTokenizer, *, per_line: bool = True
    ) -> None:
        self._cache = cache
        self._tokenizer = tokenizer
        self._per_line = per_line
        self._changed = threading.Condition()
        self._pending: dict[str, str | None] = {}
        self._working = False
        self._hurry = 0
        """How many wait in ``flush``."""
        self._closed = False
        self._thread: threading.Thread | None = None

    def update(self, uri: str, text: str) -> None:
        """Put ``text`` in the place of what is known of document ``uri``. Returns at once."""
        self._enter(uri, text)

    def remove(self, uri: str) -> None:
        """Forget a document. Returns at once."""
        self._enter(uri, None)

    def flush(self) -> None:
        """Wait until all updates so far are in."""
        with self._changed:
            self._hurry += 1
            self._changed.notify_all()
            self._changed.wait_for(self._is_idle)
            self._hurry -= 1

    def close(self) -> None:
        """End the thread; what is pending is dropped, and further updates are ignored."""
        with self._changed:
            self._closed = True
            self._pending.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _is_idle(self) -> bool:
        return self._closed or not (self._pending or self._working)

    def _enter(self, uri: str, text: str | None) -> None:
        with self._changed:
            if self._closed:
                return
            # Moved to the end, so that the cache learns in which order documents changed.
            self._pending.pop(uri, None)
            self._pending[uri] = text
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="surefill-memory", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or bool(self._pending), _IDLE_SECONDS)
                if self._closed or not self._pending:
                    self._thread = None
                    return
                batch, self._pending, self._working = self._pending, {}, True
            try:
                self._cache.apply({uri: self._ids(text) for uri, text in batch.items()})
            except Exception:  # the thread serves all documents; one that is odd must not end it
                logger.exception("A document could not be remembered.")
            with self._changed:
                self._working = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._closed or bool(self._hurry), _PAUSE_SECONDS)

    def _ids(self, text: str | None) -> Sequence[int] | None:
        if text is None:
            return None
        text = with_newlines(text[:_MOST_CHARACTERS])
        if not self._per_line:
            return self._tokenizer.encode(text)
        encode = self._tokenizer.encode_line
        *lines, last = text.split("\n")
        return [id_ for line in (*(f"{line}\n" for line in lines), last) for id_ in encode(line)]


def open_memory(cache: TokenCache, tokenizer: Path, *, per_line: bool) -> ProjectMemory:
    """A memory with a tokenizer of its own: that of the engine belongs to another thread."""
    from surefill.engine.tokenizer import BundleTokenizer

    return ProjectMemory(cache, BundleTokenizer(tokenizer), per_line=per_line)
