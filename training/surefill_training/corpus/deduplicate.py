"""Exact and near duplicates, by hash and by MinHash with locality-sensitive hashing."""

from __future__ import annotations

import hashlib
import re
import zlib

import numpy as np
from datasketch import MinHash, MinHashLSH

_WORD = re.compile(r"\w+")


class Deduplicator:
    """Remembers the documents it has seen and recognises one that is (nearly) the same.

    Near means an estimated Jaccard similarity of word 5-grams of at least ``threshold``
    (Broder, 1997). The order of calls decides which of two duplicates stays.
    """

    def __init__(self, threshold: float = 0.7, permutations: int = 64) -> None:
        self._exact: set[bytes] = set()
        self._permutations = permutations
        self._seed = MinHash(num_perm=permutations, hashfunc=zlib.crc32)
        self._near = MinHashLSH(threshold=threshold, num_perm=permutations)

    def seen(self, key: str, text: str) -> str | None:
        """``"exact duplicate"``, ``"near duplicate"``, or None for a document that is new."""
        words = _WORD.findall(text)
        digest = hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).digest()
        if digest in self._exact:
            return "exact duplicate"
        self._exact.add(digest)
        sketch = self._sketch(words)
        if self._near.query(sketch):
            return "near duplicate"
        self._near.insert(key, sketch)
        return None

    def _sketch(self, words: list[str]) -> MinHash:
        sketch = self._seed.copy()
        # Hashing words once and combining five of them with arithmetic is many times faster than
        # hashing each joined 5-gram.
        hashed = np.array(
            [zlib.crc32(w.encode("utf-8", "surrogatepass")) for w in words], np.uint64
        )
        grams = np.zeros(max(1, len(hashed) - 4), np.uint64)
        for offset in range(min(5, len(hashed))):
            part = hashed[offset : offset + len(grams)]
            grams[: len(part)] = grams[: len(part)] * np.uint64(0x9E3779B97F4A7C15) + part
        sketch.update_batch([int(g).to_bytes(8, "little") for g in np.unique(grams)])
        return sketch
