"""What the document being edited says of its next token, apart from the place of the cursor.

Made anew for every request from the text before and behind the cursor, so that it is never out of
date and the gap at the cursor is never evidence for what belongs into it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from surefill.engine.ngrams.evidence import Evidence, from_followers
from surefill.engine.ngrams.layout import LONGEST_CONTEXT
from surefill.engine.ngrams.suffixes import SAMPLE, SuffixIndex


class OpenDocument:
    """The n-grams of one document with a gap between ``before`` and ``after``."""

    def __init__(self, before: Sequence[int], after: Sequence[int], vocabulary: int) -> None:
        self._gap = len(before)
        self._vocabulary = vocabulary
        self._index = SuffixIndex([*before, vocabulary, *after], vocabulary)

    def occurrences(self) -> npt.NDArray[np.int64]:
        """How often each token stands in the document, [vocabulary]."""
        return np.bincount(self._index.ids, minlength=self._vocabulary)[: self._vocabulary]

    def distances(self) -> npt.NDArray[np.int64]:
        """How far from the gap each token stands at its nearest, in tokens, [vocabulary].

        Of tokens that stand nowhere, further than the document is long.
        """
        ids, gap = self._index.ids, self._gap
        found = np.full(self._vocabulary, len(ids) + 1)
        # Of several places of a token the one that is written last remains.
        after = ids[:gap:-1]
        found[after] = np.arange(len(after), 0, -1)
        nearest_before = np.full(self._vocabulary, len(ids) + 1)
        nearest_before[ids[:gap]] = np.arange(gap, 0, -1)
        nearest: npt.NDArray[np.int64] = np.minimum(found, nearest_before)
        return nearest

    def evidence(
        self, context: Sequence[int], orders: Sequence[int]
    ) -> tuple[dict[int, Evidence], Evidence | None]:
        """By order what followed in the whole document, and what followed the nearest long match.

        The nearest place is the last one before the cursor, else the first behind it, at which the
        longest context known stood; its ``total`` is the length of the match in tokens.
        """
        ranges = self._index.ranges(context)
        found: dict[int, Evidence] = {}
        for order in orders:
            if order > len(ranges):
                break
            low, high = ranges[order - 1]
            step = -(-(high - low) // SAMPLE)
            found[order] = from_followers(self._index.followers[low:high:step], high - low)
        if not ranges:
            return found, None
        return found, self._nearest(context, *ranges[-1])

    def _nearest(self, context: Sequence[int], low: int, high: int) -> Evidence:
        places = self._index.places[low:high]
        before = places[places < self._gap]
        place = int(before.max() if len(before) else places.min())
        length = self._index.match_length(place, context, LONGEST_CONTEXT)
        return Evidence(self._index.ids[place : place + 1], np.ones(1, np.float32), float(length))
