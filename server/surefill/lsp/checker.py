"""The type checker beside the model: kept in step with documents, folders, files and settings.

Knows the editor's notifications; what is asked and how it counts is known elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types

from surefill.lsp.client import Client
from surefill.lsp.configuration import Configuration
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.notify import Notifier
from surefill.lsp.project import path_of
from surefill.lsp.watched import WatchedFiles
from surefill.oracle.environment import SETTING
from surefill.oracle.service import OracleService
from surefill.revision import ProjectRevision
from surefill.settings import OracleSettings, Settings
from surefill.syntax.languages import LANGUAGES
from surefill.syntax.position import Range

if TYPE_CHECKING:
    from surefill.oracle.answers import Status, Unknown
    from surefill.oracle.oracle import Oracle
    from surefill.syntax.document import Snapshot

logger = logging.getLogger(__name__)

T = TypeVar("T")

_POLITE = {"ready", "environment"}
"""States that the log is told of, unless a setting is wrong; of all others the user is."""


class Checker:
    """Follows one editor's session. A listener of the open documents."""

    def __init__(
        self,
        client: Client,
        *,
        configuration: Configuration,
        documents: OpenDocuments,
        notifier: Notifier,
        watched: WatchedFiles,
    ) -> None:
        self._client = client
        self._documents = documents
        self._notifier = notifier
        self._watched = watched
        self.service = OracleService(self._hear)
        self._settings: OracleSettings | None = None
        self._started = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._languages: dict[str, str] = {}
        """Of each document that the checker was told of, the language id."""
        self._changed: set[str] = set()
        """Documents whose text the checker has not been told."""
        self._file_changes = 0
        """Counts the changes of files, and the closing of documents, after which files count."""
        self._own_changes: Counter[str] = Counter()
        """Of these, how many were only of a file that is open: its document counts instead."""
        self._problem = ""
        self._status: Status | None = None
        self._followers: list[Callable[[], None]] = []
        documents.listen(self)
        configuration.follow(self._apply)

    def follow(self, follower: Callable[[], None]) -> None:
        """Call ``follower`` whenever answers may be others than before."""
        self._followers.append(follower)

    async def ask(
        self, language: str, question: Callable[[Oracle], Coroutine[Any, Any, T | Unknown]]
    ) -> T | Unknown:
        """The answer about documents as they are now; Unknown where there is none to ask."""
        self.catch_up()
        return await asyncio.wrap_future(self.service.submit(language, question))

    def start(self) -> None:
        """The folders are known: from now on there is a checker."""
        self._loop = asyncio.get_running_loop()
        self._started = True
        self._configure()

    def status(self) -> dict[str, object]:
        """Name, version and state, as JSON values."""
        status = self._status
        if status is None:
            return {"name": "", "version": "", "state": "idle", "problem": ""}
        return {
            "name": status.checker,
            "version": status.version,
            "state": status.state,
            "problem": self._problem,
        }

    def opened(self, uri: str) -> None:
        """A document is open: its language's checker is started, and warmed by its imports."""
        self._changed.discard(uri)
        document = self._documents.get(uri)
        if document is not None and document.language is not None:
            snapshot = document.snapshot()
            self._languages[uri] = document.language.id
            self.service.tell(document.language.id, lambda oracle: _open(oracle, snapshot))

    def edited(self, uri: str, span: Range, new_text: str) -> None:
        self.replaced(uri)

    def replaced(self, uri: str) -> None:
        self._changed.add(uri)

    def closed(self, uri: str) -> None:
        self._changed.discard(uri)
        self._file_changes += 1
        del self._own_changes[uri]
        language = self._languages.pop(uri, "")
        self.service.tell(language, lambda oracle: oracle.close_document(uri))

    def revision(self, uri: str) -> ProjectRevision:
        """What an answer about a document rests on now, besides its own text."""
        document = self._documents.get(uri)
        language = document.language.id if document is not None and document.language else ""
        return ProjectRevision(
            frozenset(each.revision for each in self._documents if each.uri != uri),
            self._file_changes - self._own_changes[uri],
            self.service.revision(language),
        )

    def catch_up(self) -> None:
        """Tell the checker what has changed since its last question.

        Costs nothing but messages: the texts are put together where the checker is asked.
        """
        for changed in self._changed:
            document = self._documents.get(changed)
            if document is not None and document.language is not None:
                self._tell_update(document.language.id, document.snapshot())
        self._changed.clear()

    def folders_changed(self) -> None:
        """The editor's workspace folders are others than before."""
        if self._started:
            self._configure()

    def files_changed(self, params: types.DidChangeWatchedFilesParams) -> None:
        """Files were made, written or deleted, by whatever program."""
        self._file_changes += 1
        match params.changes:
            case [types.FileEvent(uri=uri)] if self._documents.get(uri) is not None:
                self._own_changes[uri] += 1
        self.service.files_changed([(each.uri, int(each.type)) for each in params.changes])
        self._tell_followers()

    def close(self, seconds: float) -> None:
        """End the checker, waiting at most ``seconds`` for it."""
        self.service.close(seconds)

    def _tell_update(self, language: str, snapshot: Snapshot) -> None:
        self.service.tell(language, lambda oracle: oracle.update(snapshot.uri, snapshot.text))

    def _apply(self, settings: Settings) -> None:
        if settings.oracle != self._settings:
            self._settings = settings.oracle
            if self._started:
                self._configure()

    def _configure(self) -> None:
        settings = self._settings or OracleSettings()
        self._status, self._problem = None, ""
        self.service.configure(settings, list(_folders(self._client.folders)))
        for document in self._documents:
            self.opened(document.uri)
        asked = [each for each in LANGUAGES if self.service.answers_for(each.id)]
        self._watched.watch("checker", (end for each in asked for end in each.extensions))

    def _tell_followers(self) -> None:
        for follower in self._followers:
            follower()

    def _hear(self, status: Status) -> None:
        """Called on the checker's thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the session has ended
                self._loop.call_soon_threadsafe(self._report, status)

    def _report(self, status: Status) -> None:
        self._status = status
        message = f"{status.note} {status.advice}".strip()
        if status.state in _POLITE and SETTING not in status.note:
            self._notifier.forget(self._problem)
            self._problem = ""
            logger.info("%s", message or f"{status.checker} {status.version} checks suggestions")
        else:
            self._problem = message
            self._notifier.show_once(message)
        self._tell_followers()


def _open(oracle: Oracle, snapshot: Snapshot) -> None:
    oracle.open(snapshot.uri, snapshot.text)


def _folders(uris: Iterable[str]) -> Iterable[Path]:
    return (path for path in map(path_of, uris) if path is not None)
