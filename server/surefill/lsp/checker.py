"""The type checker of the session: follows settings, folders and documents, and is asked.

Knows when there is one to ask, nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from surefill.lsp.documents import OpenDocuments
from surefill.oracle.answers import Status, Unknown
from surefill.settings import OracleSettings
from surefill.syntax.position import Range

if TYPE_CHECKING:
    from surefill.oracle.factory import Oracles
    from surefill.oracle.oracle import Oracle

logger = logging.getLogger(__name__)

T = TypeVar("T")


class CheckerService:
    """Lives on the event loop. A listener of the open documents."""

    def __init__(self, documents: OpenDocuments) -> None:
        self._documents = documents
        self._oracles: Oracles | None = None
        self._wanted: tuple[OracleSettings, tuple[Path, ...]] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._followers: list[Callable[[], None]] = []
        self._languages: dict[str, str] = {}
        """Of the documents that the oracles know."""
        self._changed: set[str] = set()
        documents.listen(self)

    def follow(self, follower: Callable[[], None]) -> None:
        """Call ``follower`` whenever answers may be others than before."""
        self._followers.append(follower)

    def configure(self, settings: OracleSettings, folders: Sequence[Path]) -> None:
        """Use a checker for these settings and folders from now on."""
        from surefill.oracle.factory import create_oracles  # not needed for a start

        wanted = settings, tuple(folders)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._end()
        self._oracles = create_oracles(settings, folders, on_status=self._status)
        for document in self._documents:
            self.opened(document.uri)
        self._tell()

    def answers_for(self, language: str) -> bool:
        """Whether there is a checker to ask about a language."""
        return self._oracles is not None and self._oracles.of(language).available

    async def ask(
        self, language: str, question: Callable[[Oracle], Coroutine[Any, Any, T | Unknown]]
    ) -> T | Unknown:
        """The oracle's answer; Unknown where there is none to ask, and when it fails."""
        if self._oracles is None:
            return Unknown("the checker is not running")
        self._bring_up_to_date(self._oracles)
        try:
            return await question(self._oracles.of(language))
        except Exception:  # what cannot be checked is not reported, and the editor lives on
            logger.exception("a question to the checker failed")
            return Unknown("the question failed")

    def opened(self, uri: str) -> None:
        """A document is open."""
        document = self._documents.get(uri)
        if document is None or document.language is None or self._oracles is None:
            return
        self._languages[uri] = document.language.id
        self._oracles.of(document.language.id).open(uri, document.snapshot().text)

    def edited(self, uri: str, span: Range, new_text: str) -> None:
        self._changed.add(uri)

    def replaced(self, uri: str) -> None:
        self._changed.add(uri)

    def closed(self, uri: str) -> None:
        language = self._languages.pop(uri, None)
        if language is not None and self._oracles is not None:
            self._oracles.of(language).close_document(uri)

    def _bring_up_to_date(self, oracles: Oracles) -> None:
        """Texts go to the checker with a question and not with every key."""
        for uri in self._changed:
            document = self._documents.get(uri)
            if document is not None and uri in self._languages:
                oracles.of(self._languages[uri]).update(uri, document.snapshot().text)
        self._changed.clear()

    async def close(self) -> None:
        """The session ends: every checker is ended, too."""
        self._end()
        if self._ending:
            await asyncio.wait(self._ending)

    def _end(self) -> None:
        oracles, self._oracles = self._oracles, None
        if oracles is not None:
            task = asyncio.ensure_future(oracles.close())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _status(self, status: Status) -> None:
        logger.info("%s: %s %s %s", status.checker, status.state, status.note, status.advice)
        self._tell()

    def _tell(self) -> None:
        for follower in self._followers:
            follower()
