"""Hashes of contexts: equal for one context in serving and for a million in training.

A context's hash grows from its last token backwards, so that one pass gives all orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_MULTIPLIER = 0x9E3779B97F4A7C15
_SHIFT = 29
_MASK = (1 << 64) - 1

Index = TypeVar("Index", bound=np.integer)


def hashes_of(context: Sequence[int], longest: int) -> Iterator[int]:
    """64-bit hashes of the last 1, 2, ... ``longest`` tokens of ``context``."""
    value = 0
    for back in range(1, min(longest, len(context)) + 1):
        value = ((value ^ (context[-back] + 1)) * _MULTIPLIER) & _MASK
        value ^= value >> _SHIFT
        yield value


def extend_all(values: Hashes, older: npt.NDArray[Index]) -> Hashes:
    """``hashes_of``, one step for many contexts: each grown by the token before it."""
    grown: Hashes = (values ^ (older.astype(np.uint64) + np.uint64(1))) * np.uint64(_MULTIPLIER)
    grown ^= grown >> np.uint64(_SHIFT)
    return grown
