"""Other files of a document's package, as a user has them open beside it."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from surefill.context.related import OtherFile, excerpts
from surefill.syntax.languages import language_for
from surefill_training.corpus.documents import Document

_NEAR = 8
"""Documents lie in the order of their paths, so that near ones share a folder."""
_MOST = 3
_AROUND_SHARE = 0.6
"""Of a piece, what excerpts are chosen by: where the hole will be is not known yet."""
_IMPORT = re.compile(r"^(?:import|from)\s[^\n(]*(?:\([^)]*\))?[^\n]*\n", re.MULTILINE)


class Neighbours:
    """Finds excerpts of other files for the documents of a corpus, which are sorted by path."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents

    def excerpts(self, index: int, text: str, budget: int, rng: random.Random) -> list[str]:
        """Up to ``budget`` characters for a piece ``text`` of the document at ``index``."""
        document = self._documents[index]
        around = range(max(0, index - _NEAR), min(len(self._documents), index + _NEAR + 1))
        others = [
            self._documents[i]
            for i in around
            if i != index and self._documents[i].source == document.source
        ]
        if not others:
            return []
        imports = imports_of(document.text, len(document.text))
        files = [
            OtherFile(
                other.path,
                other.text,
                language_for(other.language, other.path),
                imported=_imports(imports, other),
            )
            for other in rng.sample(others, min(_MOST, len(others)))
        ]
        return excerpts(files, text[: int(len(text) * _AROUND_SHARE)], budget)


def imports_of(text: str, limit: int) -> str:
    """The lines at the left margin of ``text`` that import, as many as ``limit`` characters hold.

    Python's only: in other languages the words begin other lines, too.
    """
    taken = ""
    for found in _IMPORT.finditer(text):
        if len(taken) + len(found.group()) > limit:
            break
        taken += found.group()
    return taken


def _imports(imports: str, other: Document) -> bool:
    stem = PurePosixPath(other.path).stem
    return re.search(rf"\b{re.escape(stem)}\b", imports) is not None
