"""A held-out package around the document that is being completed, as a user has it.

All contestants see the same: the package's other files whole, and of the document itself only what
is left when the hole is cut out. The middle is nowhere to be found, neither on the disk that
imports are looked up on nor in what a model remembers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol, Self

from surefill.completion.feed import MOST_CHARACTERS, MOST_FILES
from surefill.context.neighbours import Neighbours, ProjectNeighbours
from surefill.context.sources import SourceReader
from surefill_training.corpus.documents import Document
from surefill_training.evaluate.holes import Hole


class Memory(Protocol):
    """What a model remembers of a project's documents, by their URIs."""

    def update(self, uri: str, text: str) -> None: ...

    def remove(self, uri: str) -> None: ...

    def flush(self) -> None:
        """Wait until all updates are in."""
        ...


class HeldoutProject:
    """One package in a folder of its own and in the memory of one contestant, which may have none.

    The folder is a temporary one, and the memory holds as much as a server would give it.
    """

    def __init__(self, documents: Sequence[Document], memory: Memory | None) -> None:
        self._documents = documents
        self._remembered = _capped(documents)
        self._memory = memory
        self._reader = SourceReader()
        self._open: Document | None = None

    def __enter__(self) -> Self:
        self._temporary = tempfile.TemporaryDirectory(prefix="surefill-heldout-")
        self._folder = Path(self._temporary.name).resolve()
        for document in self._documents:
            self._write(document, document.text)
        for document in self._remembered:
            self._tell(document, document.text)
        return self

    def __exit__(self, *_error: object) -> None:
        self._close()
        for document in self._remembered:
            self._forget(document)
        self._temporary.cleanup()

    def cut(self, hole: Hole) -> Neighbours:
        """Have the hole's document open without what is missing; what stands around it."""
        if self._open is not hole.document:
            self._close()
        self._open = hole.document
        left = hole.prefix + hole.suffix
        self._write(hole.document, left)
        self._tell(hole.document, left)
        if self._memory is not None:
            self._memory.flush()
        return ProjectNeighbours(self._reader, self._path(hole.document), (self._folder,))

    def _close(self) -> None:
        """Put the document that was open back as it is."""
        document, self._open = self._open, None
        if document is None:
            return
        self._write(document, document.text)
        if document in self._remembered:
            self._tell(document, document.text)
        else:
            self._forget(document)

    def _path(self, document: Document) -> Path | None:
        """Where the document lies; None for a name that leads out of the folder."""
        path = (self._folder / document.path).resolve()
        return path if path.is_relative_to(self._folder) and path != self._folder else None

    def _write(self, document: Document, text: str) -> None:
        if path := self._path(document):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="replace", newline="\n")

    def _tell(self, document: Document, text: str) -> None:
        if self._memory is not None:
            self._memory.update(uri_of(document), text)

    def _forget(self, document: Document) -> None:
        if self._memory is not None:
            self._memory.remove(uri_of(document))


def uri_of(document: Document) -> str:
    """A URI for a document of the corpus, the same in every run."""
    return PurePosixPath("/", document.source, document.path).as_uri()


def _capped(documents: Sequence[Document]) -> list[Document]:
    """The first documents by path, as many as the server would look at."""
    kept, left = [], MOST_CHARACTERS
    for document in sorted(documents, key=lambda d: d.path)[:MOST_FILES]:
        if len(document.text) <= left:
            kept.append(document)
            left -= len(document.text)
    return kept
