"""Other files that may say something about a document: open ones, and modules that it imports.

Knows texts and paths; what becomes part of a prompt is chosen elsewhere. ``files`` may look at the
disk, so it is for the worker thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from surefill.context.imports import innermost, local_modules
from surefill.context.related import OtherFile
from surefill.context.sources import SourceReader, akin, is_secret
from surefill.syntax.document import Snapshot, with_newlines
from surefill.syntax.languages import language_for

_MOST_OPEN = 8
_MOST_IMPORTED = 8
_MOST_CHARACTERS = 100_000
"""Longer texts are left out: choosing from them would take longer than the model."""


class Neighbours(Protocol):
    """Says which files are around a document."""

    def files(self, snapshot: Snapshot) -> Sequence[OtherFile]:
        """Imported modules in the order of the imports, then other files, most recent first."""
        ...


@dataclass(frozen=True)
class OpenDocument:
    """Another document of the editor; ``path`` is where it lies, if it is a file."""

    snapshot: Snapshot
    path: Path | None


class ProjectNeighbours:
    """The neighbours of ``path``, a document in a project: from the editor and from the disk.

    ``others`` are the open documents, the most recently used first; as they are on screen they
    count before what is on disk. Languages named in ``disabled`` stay out, and so do files that
    usually hold secrets.
    """

    def __init__(
        self,
        reader: SourceReader,
        path: Path | None,
        folders: Sequence[Path] = (),
        others: Sequence[OpenDocument] = (),
        disabled: frozenset[str] = frozenset(),
    ) -> None:
        self._reader = reader
        self._path = path
        self._folders = folders
        self._others = others
        self._disabled = disabled

    def files(self, snapshot: Snapshot) -> Sequence[OtherFile]:
        """See ``Neighbours``; at most eight files of either kind, in a language like its own."""
        imported = self._imported(snapshot)
        found: list[OtherFile] = []
        for path in imported:
            if len(found) >= _MOST_IMPORTED:
                break
            text = self._text(path)
            if text is not None:
                found += self._other(snapshot, path, text, imported=True)
        for path, text in islice(self._open(snapshot, set(imported)), _MOST_OPEN):
            found += self._other(snapshot, path, text, imported=False)
        return found

    def _imported(self, snapshot: Snapshot) -> list[Path]:
        if self._path is None:
            return []
        return local_modules(snapshot, self._path, self._folders)

    def _text(self, path: Path) -> str | None:
        """As it is on screen, or else on disk."""
        for other in self._others:
            if other.path == path:
                return other.snapshot.text
        return self._reader.read(path)

    def _open(self, snapshot: Snapshot, imported: set[Path]) -> Iterator[tuple[Path, str]]:
        for other in self._others:
            own = other.snapshot.uri == snapshot.uri
            if (
                own
                or other.path in imported
                or not akin(snapshot.language, other.snapshot.language)
            ):
                continue
            # A document that lies nowhere is known by what its URI ends with.
            yield other.path or Path(other.snapshot.uri.rpartition(":")[2]), other.snapshot.text

    def _other(
        self, snapshot: Snapshot, path: Path, text: str, *, imported: bool
    ) -> list[OtherFile]:
        language = language_for(None, path.name) or snapshot.language
        unfit = is_secret(path) or not text.strip() or len(text) > _MOST_CHARACTERS
        if unfit or language is None or language.id in self._disabled:
            return []
        if not akin(snapshot.language, language):
            return []
        return [OtherFile(self._name(path), with_newlines(text), language, imported)]

    def _name(self, path: Path) -> str:
        """Relative to the innermost workspace folder around it, or its last two parts."""
        if folder := innermost(path, self._folders):
            return path.relative_to(folder).as_posix()
        return Path(*path.parts[-2:]).as_posix().lstrip("/")
