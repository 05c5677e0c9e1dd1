"""A package around the document that is being completed, as a user has it.

The package's other files are there whole, and of the document itself only what is left when the
hole is cut out. The middle is nowhere to be found, neither on the disk that imports are looked up
on nor in what a model remembers.
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


class Memory(Protocol):
    """What a model remembers of a project's documents, by their URIs."""

    def update(self, uri: str, text: str) -> None: ...

    def remove(self, uri: str) -> None: ...

    def flush(self) -> None:
        """Wait until all updates are in."""
        ...


class SimulatedProject:
    """One package in a folder of its own and in the memory of one model, which may have none.

    The folder is a temporary one, and the memory holds as much as a server would give it.
    """

    def __init__(self, documents: Sequence[Document], memory: Memory | None) -> None:
        self._documents = documents
        self._remembered = _capped(documents)
        self._memory = memory
        self._reader = SourceReader()
        self._open: Document | None = None

    def __enter__(self) -> Self:
        self._temporary = tempfile.TemporaryDirectory(prefix="surefill-project-")
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

    def cut(self, document: Document, left: str) -> Neighbours:
        """Have the document open with nothing but ``left`` in it; what stands around it."""
        if self._open is not document:
            self._close()
        self._open = document
        self._write(document, left)
        self._tell(document, left)
        return ProjectNeighbours(self._reader, self._path(document), (self._folder,))

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
            # What is taken in together is sampled together, so rounds must not be left to chance.
            self._memory.flush()

    def _forget(self, document: Document) -> None:
        if self._memory is not None:
            self._memory.remove(uri_of(document))
            self._memory.flush()


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
