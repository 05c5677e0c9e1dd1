"""The project around the documents: feeds the model's memory, and says what a request may look at.

Knows the editor's notifications about documents, folders and files, and turns them into paths and
snapshots. Never reads the disk itself: that is done in the threads of those it tells.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import to_fs_path

from surefill.completion.feed import Memory, ProjectFeed
from surefill.context.neighbours import Neighbours, OpenDocument, ProjectNeighbours
from surefill.context.sources import SourceReader, akin
from surefill.lsp.client import Client
from surefill.lsp.configuration import Configuration
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.watched import WatchedFiles
from surefill.settings import Settings
from surefill.syntax.document import Document
from surefill.syntax.languages import LANGUAGES, language_for
from surefill.syntax.position import Range

if TYPE_CHECKING:
    from surefill.completion.loading import LoadedModel

QUIET_SECONDS = 0.3
"""How long a document rests after a change before the memory gets it."""
_MOST_OTHERS = 16
"""Open documents that a request may look at."""
_CACHED_PATHS = 256


class Project:
    """Follows documents, folders and files of one editor. A listener of the open documents."""

    def __init__(
        self,
        client: Client,
        *,
        configuration: Configuration,
        documents: OpenDocuments,
        feed: ProjectFeed,
        watched: WatchedFiles,
    ) -> None:
        self._client = client
        self._documents = documents
        self._feed = feed
        self._watched = watched
        # Every request asks for the paths of what is open.
        self._path_of = lru_cache(_CACHED_PATHS)(path_of)
        self._reader = SourceReader()
        self._folders: tuple[Path, ...] = ()
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._memory: Memory | None = None
        self._languages: frozenset[str] = frozenset()
        self._disabled: frozenset[str] = frozenset()
        documents.listen(self)
        configuration.follow(self._apply)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The workspace's folders."""
        return self._folders

    def serve(self, model: LoadedModel | None) -> None:
        """Another model is in service, with a memory of its own or none."""
        self._memory = model.memory if model else None
        known = [language_for(name, None) for name in model.languages] if model else []
        self._languages = frozenset(
            language.id
            for language in LANGUAGES
            if not known or any(akin(language, each) for each in known)
        )
        self._serve()

    def neighbours(self, uri: str) -> Neighbours:
        """What stands around a document now; to be asked in the worker thread."""
        others = (each for each in self._documents.recent() if each.uri != uri)
        return ProjectNeighbours(
            self._reader,
            self._path_of(uri),
            self._folders,
            [
                OpenDocument(document.snapshot(), self._path_of(document.uri))
                for document in itertools.islice(filter(self._enabled, others), _MOST_OTHERS)
            ],
            self._disabled,
        )

    def opened(self, uri: str) -> None:
        """A document is open: the memory gets it at once."""
        self._show(uri)

    def edited(self, uri: str, span: Range, new_text: str) -> None:
        self.replaced(uri)

    def replaced(self, uri: str) -> None:
        """A document has changed: the memory gets it once it rests."""
        self._forget_timer(uri)
        loop = asyncio.get_running_loop()
        self._waiting[uri] = loop.call_later(QUIET_SECONDS, partial(self._show, uri))

    def closed(self, uri: str) -> None:
        self._forget_timer(uri)
        self._feed.hide(uri)

    def folders_changed(self) -> None:
        """The editor's workspace folders are others than before."""
        self._folders = tuple(_paths(self._client.folders))
        self._feed.explore(self._folders)

    def files_changed(self, params: types.DidChangeWatchedFilesParams) -> None:
        """Files were made, written or deleted, by whatever program."""
        if self._memory is not None:
            self._feed.changed(_paths(change.uri for change in params.changes))

    def close(self) -> None:
        """The session ends: nothing is fed any more."""
        for uri in list(self._waiting):
            self._forget_timer(uri)
        self._feed.close()

    def _apply(self, settings: Settings) -> None:
        disabled = frozenset(settings.disabled_languages)
        if disabled == self._disabled:
            return
        self._disabled = disabled
        self._serve()
        for document in self._documents:
            self._show(document.uri)

    def _serve(self) -> None:
        """Feed the memory, and have watched what it takes in: nothing where there is none."""
        languages = self._languages - self._disabled
        self._feed.serve(self._memory, languages)
        wanted = [each for each in LANGUAGES if self._memory is not None and each.id in languages]
        self._watched.watch(
            "project", (ending for language in wanted for ending in language.extensions)
        )

    def _show(self, uri: str) -> None:
        self._forget_timer(uri)
        document = self._documents.get(uri)
        if document is not None and self._enabled(document):
            self._feed.show(document.snapshot(), self._path_of(uri))

    def _enabled(self, document: Document) -> bool:
        """Whether the user wants suggestions in its language, by the editor's name or by ours."""
        names = {self._documents.language_id(document.uri)}
        if document.language:
            names.add(document.language.id)
        return names.isdisjoint(self._disabled)

    def _forget_timer(self, uri: str) -> None:
        if timer := self._waiting.pop(uri, None):
            timer.cancel()


def _paths(uris: Iterable[str]) -> Iterator[Path]:
    """Where these documents lie, each found out when it is asked for."""
    return (path for path in map(path_of, uris) if path is not None)


def path_of(uri: str) -> Path | None:
    """Where a document lies on this machine; None for one that is no file, and for no URI."""
    try:
        name = to_fs_path(uri)
    except ValueError:
        return None
    if not name or "\0" in name or not Path(name).is_absolute():
        return None
    return Path(os.path.normpath(name))
