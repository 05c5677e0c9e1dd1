"""Exact and near duplicates by hash and MinHash, and text that was copied from elsewhere."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from datasketch import MinHash

Grams = npt.NDArray[np.uint64]

_WORD = re.compile(r"\w+")
_BANDS, _ROWS = 16, 4
"""Of the locality-sensitive hashing: a pair of similarity 0.7 is found with probability 0.99."""


class Deduplicator:
    """Remembers the documents it has seen and recognises one that is (nearly) the same.

    Near means an estimated Jaccard similarity of word 5-grams of at least ``threshold``
    (Broder, 1997). The order of calls decides which of two duplicates stays.
    """

    def __init__(self, threshold: float = 0.7) -> None:
        # A corpus that is only read needs no datasketch, which a machine for training may lack.
        from datasketch import MinHash, MinHashLSH

        self._exact: set[bytes] = set()
        self._threshold = threshold
        self._seed = MinHash(num_perm=_BANDS * _ROWS, hashfunc=zlib.crc32)
        self._near = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))
        self._sketches: dict[str, MinHash] = {}

    def seen(self, key: str, text: str) -> str | None:
        """``"exact duplicate"``, ``"near duplicate"``, or None for a document that is new."""
        words = _WORD.findall(text)
        digest = hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).digest()
        if digest in self._exact:
            return "exact duplicate"
        self._exact.add(digest)
        sketch = self._seed.copy()
        sketch.update_batch([int(g).to_bytes(8, "little") for g in grams(words)])
        for found in self._near.query(sketch):
            if self._sketches[found].jaccard(sketch) >= self._threshold:
                return "near duplicate"
        self._near.insert(key, sketch)
        self._sketches[key] = sketch
        return None


def copied_shares(texts: Iterable[str], others: Iterable[str]) -> list[float]:
    """For each of ``texts`` the share of its distinct word 5-grams that occur in ``others``.

    Similarity misses a small file that was copied out of large ones; this does not.
    """
    parts = [grams(_WORD.findall(text)) for text in texts]
    known = np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)
    found = np.zeros(len(known), bool)
    for other in others:
        foreign = grams(_WORD.findall(other))
        at = np.searchsorted(known, foreign)
        inside = at < len(known)
        at, foreign = at[inside], foreign[inside]
        found[at[known[at] == foreign]] = True
    return [float(found[np.searchsorted(known, own)].mean()) for own in parts]


def grams(words: list[str], length: int = 5) -> Grams:
    """Hashes of the distinct runs of ``length`` words, sorted; never empty."""
    # Hashing words once and combining their hashes with arithmetic is many times faster than
    # hashing each joined run.
    hashed = np.array([zlib.crc32(w.encode("utf-8", "surrogatepass")) for w in words], np.uint64)
    runs = np.zeros(max(1, len(hashed) - length + 1), np.uint64)
    for offset in range(min(length, len(hashed))):
        part = hashed[offset : offset + len(runs)]
        runs[: len(part)] = runs[: len(part)] * np.uint64(0x9E3779B97F4A7C15) + part
    return np.unique(runs)
