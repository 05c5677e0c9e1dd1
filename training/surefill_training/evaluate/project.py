"""A held-out package around the document that is being completed, as a user has it.

All contestants see the same: the package's other files whole, and of the document itself only what
is left when the hole is cut out. The middle is nowhere to be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Protocol, Self

from surefill_training.corpus.build import Document
from surefill_training.evaluate.holes import Hole

MOST_FILES = 400
MOST_CHARACTERS = 4_000_000
"""Of other files, so much is remembered at most, as in the server."""


class Memory(Protocol):
    """What a model remembers of a project's documents, by their URIs."""

    def update(self, uri: str, text: str) -> None: ...

    def remove(self, uri: str) -> None: ...

    def flush(self) -> None:
        """Wait until all updates are in."""
        ...


class HeldoutProject:
    """One package in the memory of one contestant, which may have none."""

    def __init__(self, documents: Sequence[Document], memory: Memory | None) -> None:
        self._memory = memory
        self._others = _capped(documents)
        self._open: Document | None = None

    def __enter__(self) -> Self:
        for document in self._others:
            self._tell(document, document.text)
        return self

    def __exit__(self, *_error: object) -> None:
        self._close()
        if self._memory is not None:
            for document in self._others:
                self._memory.remove(uri_of(document))

    def cut(self, hole: Hole) -> None:
        """Have the hole's document open, without what is missing."""
        if self._open is not hole.document:
            self._close()
        self._open = hole.document
        self._tell(hole.document, hole.prefix + hole.suffix)
        if self._memory is not None:
            self._memory.flush()

    def _close(self) -> None:
        """Put the document that was open back as it is, if it is one of those remembered."""
        document, self._open = self._open, None
        if document is None:
            return
        if document in self._others:
            self._tell(document, document.text)
        elif self._memory is not None:
            self._memory.remove(uri_of(document))

    def _tell(self, document: Document, text: str) -> None:
        if self._memory is not None:
            self._memory.update(uri_of(document), text)


def uri_of(document: Document) -> str:
    """A URI for a document of the corpus, which lies in no folder of this machine."""
    return PurePosixPath("/", document.source, document.path).as_uri()


def _capped(documents: Sequence[Document]) -> list[Document]:
    """The first documents by path, as many as the server would look at."""
    kept, left = [], MOST_CHARACTERS
    for document in sorted(documents, key=lambda d: d.path)[:MOST_FILES]:
        if len(document.text) <= left:
            kept.append(document)
            left -= len(document.text)
    return kept
