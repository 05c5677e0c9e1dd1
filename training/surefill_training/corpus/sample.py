"""Samples of texts that are the same every time."""

from __future__ import annotations

import random
from collections.abc import Iterable


def take(texts: Iterable[str], chars: int, seed: int = 0) -> list[str]:
    """Texts of ``chars`` characters in all, drawn at random, the last one cut.

    All of them, in another order, where they have fewer.
    """
    shuffled = list(texts)
    random.Random(seed).shuffle(shuffled)
    taken: list[str] = []
    for text in shuffled:
        if chars <= 0:
            break
        taken.append(text[:chars])
        chars -= len(taken[-1])
    return taken
