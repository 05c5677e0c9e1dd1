"""A sorted index of a token sequence: where has this context stood, and what came next?

Positions are sorted by the tokens before them, the nearest first, so that the places of ever longer
contexts are ever narrower ranges of one array: a suffix array (Manber and Myers, 1993) of the
reversed sequence, cut at a depth. Knows ids only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

DEPTH = 8
"""The longest context that is told apart."""
SAMPLE = 512
"""Places to look at of a context that stood at more of them."""


class SuffixIndex:
    """All contexts of ``ids``; ids may be any below ``vocabulary``, which itself separates texts.

    Takes 12 bytes a token and 8 more for every 63 bits of a context of DEPTH tokens: 28 with 8,192
    tokens in the vocabulary, 36 with 150,000. Immutable, so any thread may read it.
    """

    def __init__(self, ids: Sequence[int] | npt.NDArray[np.integer], vocabulary: int) -> None:
        self.ids = np.asarray(ids, np.int32)
        self._bits = int(vocabulary).bit_length()
        self._per_key = min(DEPTH, 63 // self._bits)
        keys = self._keys(vocabulary)
        kept = np.flatnonzero(self.ids != vocabulary)
        order = kept[np.lexsort([key[kept] for key in reversed(keys)])]
        self.places = order.astype(np.int32)
        """Positions of ``ids``, sorted by what stands before them."""
        self.followers = self.ids[order]
        self._sorted = [key[order] for key in keys]

    def ranges(self, context: Sequence[int]) -> list[tuple[int, int]]:
        """For the last 1, 2, ... tokens of ``context``: the range of ``places`` behind them.

        Ends before the first context that never stood here.
        """
        tokens = [int(token) for token in context[: -DEPTH - 1 : -1]]
        found: list[tuple[int, int]] = []
        low, high = 0, len(self.places)
        for number, key in enumerate(self._sorted):
            part = tokens[number * self._per_key : (number + 1) * self._per_key]
            if not part:
                break
            bounds = np.searchsorted(key[low:high], self._bounds(part)).tolist()
            base = low
            for count in range(len(part)):
                low, high = base + bounds[2 * count], base + bounds[2 * count + 1]
                if low == high:
                    return found
                found.append((low, high))
        return found

    def match_length(self, place: int, context: Sequence[int], longest: int) -> int:
        """How many tokens before position ``place`` are the last ones of ``context``."""
        count = 0
        limit = min(longest, place, len(context))
        while count < limit and self.ids[place - 1 - count] == context[-1 - count]:
            count += 1
        return count

    def _bounds(self, part: list[int]) -> npt.NDArray[np.uint64]:
        """Least key with the first 1, 2, ... tokens of ``part``, and the least one above."""
        bounds = []
        prefix, shift = 0, self._per_key * self._bits
        for token in part:
            prefix, shift = (prefix << self._bits) | token, shift - self._bits
            bounds += [prefix << shift, (prefix + 1) << shift]
        return np.array(bounds, np.uint64)

    def _keys(self, vocabulary: int) -> list[npt.NDArray[np.uint64]]:
        """The tokens before each position, packed, the nearest in the highest bits."""
        length = len(self.ids)
        padded = np.full(length + DEPTH, vocabulary, np.uint64)
        padded[DEPTH:] = self.ids
        keys = []
        for first in range(0, DEPTH, self._per_key):
            key = np.zeros(length, np.uint64)
            for back in range(first + 1, first + self._per_key + 1):
                key <<= np.uint64(self._bits)
                if back <= DEPTH:
                    key |= padded[DEPTH - back : DEPTH - back + length]
            keys.append(key)
        return keys
