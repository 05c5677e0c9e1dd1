"""Which tokens can stand where a given text has to come. Knows tokens' texts and no model."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from surefill.engine.sampling import Bools


class TokenTexts:
    """The vocabulary by text: which tokens may stand where a given text has to come."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        self._sorted = sorted((text, number) for number, text in enumerate(texts) if text)
        self._keys = [text for text, _ in self._sorted]

    def extends(self, text: str) -> bool:
        """Whether a token begins with ``text`` and is longer."""
        at = bisect_left(self._keys, text)
        while at < len(self._keys) and self._keys[at] == text:
            at += 1
        return at < len(self._keys) and self._keys[at].startswith(text)

    def beginning(self, text: str) -> Bools:
        """Shape (vocabulary,): tokens that begin with ``text`` or are the beginning of it."""
        mask = np.zeros(self._size, np.bool_)
        at = bisect_left(self._keys, text)
        while at < len(self._keys) and self._keys[at].startswith(text):
            mask[self._sorted[at][1]] = True
            at += 1
        for length in range(1, len(text)):
            at = bisect_left(self._keys, text[:length])
            while at < len(self._keys) and self._keys[at] == text[:length]:
                mask[self._sorted[at][1]] = True
                at += 1
        return mask
