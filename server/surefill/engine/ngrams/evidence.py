"""What a source of n-grams says of the next token: which tokens followed here, and how often.

Knows neither where counts come from nor how they are mixed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sparse distribution over the next token, the likeliest first.

    ``shares`` may sum to less than one: the rest is what the source knows nothing of.
    """

    tokens: Ids
    shares: Floats
    total: float
    """How often the context was seen; a float because a store's totals are rounded."""


def from_followers(followers: Ids, total: int) -> Evidence:
    """Evidence from the tokens that followed a context, one entry for each time."""
    # Most contexts stood at few places, where numpy takes ten times as long as a dictionary.
    ranked = Counter(sorted(followers.tolist())).most_common()
    shares = np.array([count for _, count in ranked], np.float32) / np.float32(len(followers))
    return Evidence(np.array([token for token, _ in ranked], np.int32), shares, float(total))
