"""Feeds a memory with the project: what is open as it is on screen, all else as it is on disk.

One thread of its own does the reading, so that whoever tells it something goes on at once. Knows
files and texts; what a memory makes of them, and how an editor tells of its documents, it does not.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

from surefill.context.project import belongs, source_files
from surefill.context.sources import is_secret, read_source
from surefill.syntax.document import Snapshot
from surefill.syntax.languages import language_for

logger = logging.getLogger(__name__)

MOST_FILES = 400
MOST_CHARACTERS = 1_200_000
"""Of files that are not open, so much is fed at most: about 350,000 tokens. A memory that forgets
what it was told longest ago, the nearest files that is, has to hold these and what is open."""
_PAUSE_SECONDS = 0.005
"""Between two files, so that a whole project does not keep a core from the user's request."""
MANY_FILES = 100
"""With more files changed at once, the project is looked through again."""


class Memory(Protocol):
    """What is fed: safe to call from any thread, and quick, because it works elsewhere."""

    def update(self, uri: str, text: str) -> None:
        """Replace what is known of this document."""
        ...

    def remove(self, uri: str) -> None:
        """Forget this document."""
        ...


@dataclass(frozen=True)
class _Fed:
    """A file that was fed as it was on disk."""

    characters: int
    mark: tuple[int, ...]
    """Another one says that the file has changed since."""


class ProjectFeed:
    """Keeps a memory in step with a project. Every method returns at once, in any thread.

    A document that is open goes by the editor's URI, a file that is not by that of its path. When
    another memory is served, all that is known is fed to it.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = self._closed = False
        # From here on the thread's own.
        self._memory: Memory | None = None
        self._languages: frozenset[str] = frozenset()
        self._open: dict[str, tuple[Path | None, Snapshot]] = {}
        self._folders: tuple[Path, ...] = ()
        self._walk: Iterator[Path] | None = None
        self._near: frozenset[Path] = frozenset()
        """Folders that the present walk or the last one began with."""
        self._fed: dict[Path, _Fed] = {}
        self._unseen: set[Path] = set()
        """Files fed before that the present walk has not come upon."""

    def serve(self, memory: Memory | None, languages: frozenset[str]) -> None:
        """Feed ``memory`` from now on, with these languages only; None ends it."""
        self._put(partial(self._serve, memory, languages))

    def explore(self, folders: Sequence[Path]) -> None:
        """The project's folders are these."""
        self._put(partial(self._explore, tuple(folders)))

    def show(self, snapshot: Snapshot, path: Path | None) -> None:
        """A document is open and reads so; ``path`` is where it lies, if it is a file."""
        self._put(partial(self._show, snapshot, path))

    def hide(self, uri: str) -> None:
        """A document is closed: what is on disk counts again."""
        self._put(partial(self._hide, uri))

    def changed(self, paths: Iterable[Path]) -> None:
        """Files were made, written or deleted. The thread goes through ``paths``, if at all."""
        self._put(partial(self._changed, paths))

    def close(self) -> None:
        """End the thread with what it is at; nothing is fed any more."""
        with self._lock:
            self._closed = True
            self._jobs.put(None)

    def _put(self, job: Callable[[], None]) -> None:
        with self._lock:
            if self._closed:
                return
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="surefill-project", daemon=True).start()
            self._jobs.put(job)

    def _run(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_PAUSE_SECONDS if self._walk else None)
            except queue.Empty:
                job = self._step
            if job is None or self._closed:
                return
            try:
                job()
            except Exception:  # a file or a memory that fails must not end the feeding of others
                logger.exception("a part of the project could not be remembered")
            del job  # it may hold a whole text, and the next one may be long in coming

    def _serve(self, memory: Memory | None, languages: frozenset[str]) -> None:
        same = memory is self._memory
        self._memory, self._languages = memory, languages
        self._walk = None
        if not same:
            self._fed.clear()
        if memory is None:
            return
        for unwanted in [path for path in self._fed if not self._wanted(path)]:
            self._drop(unwanted)
        for path, snapshot in list(self._open.values()):
            self._show(snapshot, path)
        self._explore(self._folders)

    def _explore(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders
        if self._memory is None:
            return
        self._near = frozenset(path.parent for path, _ in self._open.values() if path is not None)
        self._unseen = set(self._fed)
        self._walk = source_files(folders, sorted(self._near), self._wanted)

    def _draw_near(self) -> None:
        """Other files are nearest now, where not all can be fed."""
        if self._walk or not self._room:
            self._explore(self._folders)

    def _step(self) -> None:
        """Feed the next file of the walk; behind the last one, forget those that are gone."""
        path = next(self._walk, None) if self._walk else None
        if path is not None and self._room:
            self._unseen.discard(path)
            self._feed(path)
            return
        self._walk = None
        for gone in self._unseen:
            self._drop(gone)
        self._unseen = set()  # one that comes back takes room as any other

    @property
    def _room(self) -> bool:
        kept = [fed.characters for path, fed in self._fed.items() if path not in self._unseen]
        return len(kept) < MOST_FILES and sum(kept) < MOST_CHARACTERS

    def _show(self, snapshot: Snapshot, path: Path | None) -> None:
        known = snapshot.uri in self._open
        self._open[snapshot.uri] = path, snapshot
        if self._memory is None:
            return
        if not known and path is not None and path.parent not in self._near:
            self._draw_near()
        if path is not None and path in self._fed:
            self._drop(path, keep=snapshot.uri)
        language = snapshot.language
        if language and language.id in self._languages and not (path and is_secret(path)):
            self._memory.update(snapshot.uri, snapshot.text)
        else:
            self._memory.remove(snapshot.uri)

    def _hide(self, uri: str) -> None:
        path, _ = self._open.pop(uri, (None, None))
        if self._memory is None:
            return
        feeds = path is not None and self._wanted(path) and belongs(path, self._folders)
        if path is None or not feeds or uri != path.as_uri():
            self._memory.remove(uri)
        if path is not None and feeds:
            self._feed(path, instead_of=uri)

    def _changed(self, paths: Iterable[Path]) -> None:
        if self._memory is None:
            return
        first = tuple(islice(paths, MANY_FILES + 1))
        if len(first) > MANY_FILES:
            self._explore(self._folders)
            return
        for path in first:
            if self._wanted(path) and belongs(path, self._folders):
                self._feed(path)

    def _wanted(self, path: Path) -> bool:
        language = language_for(None, path.name)
        return language is not None and language.id in self._languages

    def _feed(self, path: Path, instead_of: str = "") -> None:
        """Feed a file as it is on disk, unless it is open; one that cannot be read is forgotten."""
        if self._memory is None or any(path == each for each, _ in self._open.values()):
            return
        mark, fed = _mark(path), self._fed.get(path)
        if fed and fed.mark == mark:
            return
        text = read_source(path) if mark and (self._room or fed) else None
        if instead_of and text is None:
            self._memory.remove(instead_of)
        if text is None:
            self._drop(path)
        else:
            self._fed[path] = _Fed(len(text), mark)
            self._memory.update(path.as_uri(), text)

    def _drop(self, path: Path, keep: str = "") -> None:
        """Forget a file that was fed, unless ``keep`` goes on under the same URI."""
        if self._fed.pop(path, None) is not None and self._memory and path.as_uri() != keep:
            self._memory.remove(path.as_uri())


def _mark(path: Path) -> tuple[int, ...]:
    """Changes with the file's contents; empty where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino
