"""Which packages of a corpus are left out, of n-grams and of training, to fit a mixture on.

Knows documents only, so that everything that is made from one corpus leaves out the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

from surefill_training.corpus.documents import Document

_SHARE = 0.04
"""Of the corpus' characters, what is left out."""
_LARGEST_SHARE = 0.15
"""Of those, what a single package may make up, where there are enough others."""


def leave_out(documents: Iterable[Document]) -> tuple[list[Document], list[str]]:
    """The documents of all but the development packages, and the names of those, sorted."""
    everything = list(documents)
    development = development_packages(everything)
    kept = [document for document in everything if document.source not in development]
    return kept, sorted(development)


def development_packages(documents: Sequence[Document]) -> frozenset[str]:
    """Packages of several files that together have the share, the same ones every time.

    None of fewer than three: an n-gram that only one package has is not counted, so two must
    remain.
    """
    sizes: dict[str, int] = {}
    files: dict[str, int] = {}
    for document in documents:
        sizes[document.source] = sizes.get(document.source, 0) + len(document.text)
        files[document.source] = files.get(document.source, 0) + 1
    wanted = _SHARE * sum(sizes.values())

    def rank(name: str) -> tuple[bool, bool, int, str]:
        large = sizes[name] > _LARGEST_SHARE * wanted
        return files[name] < 2, large, zlib.crc32(name.encode()), name

    chosen: list[str] = []
    for name in sorted(sizes, key=rank):
        if len(chosen) >= len(sizes) - 2 or sum(sizes[item] for item in chosen) >= wanted:
            break
        chosen.append(name)
    return frozenset(chosen)
