"""How often each language of a corpus is seen, where that is not as often as it occurs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

_MOST_REPEATS = 4.0
"""What is seen more often in one pass is learned by heart."""
_MAIN, _MAIN_SHARE = "python", 0.5


@dataclass(frozen=True)
class MixtureOptions:
    """Shares of languages; natural ones unless ``balanced``."""

    balanced: bool = False
    """Half is Python where there are other languages, too, and each of those counts by the square
    root of its size."""
    shares: tuple[tuple[str, float], ...] = ()
    """Shares by languages' ids, instead; what is left is for the others."""


def repeats(sizes: Mapping[str, int], options: MixtureOptions) -> dict[str, float]:
    """How often a text of each language is seen in one pass, by the languages' ``sizes``.

    The mean over all text is one, unless a language is too small for its share.
    """
    total = sum(sizes.values())
    if not options.balanced or len(sizes) < 2 or not total:
        return dict.fromkeys(sizes, 1.0)
    given = {name: share for name, share in options.shares if name in sizes}
    if not given and _MAIN in sizes:
        given = {_MAIN: _MAIN_SHARE}
    roots = {name: math.sqrt(size) for name, size in sizes.items() if name not in given}
    left = max(0.0, 1.0 - sum(given.values()))
    shares = given | {name: left * root / sum(roots.values()) for name, root in roots.items()}
    weight = sum(shares.values())
    return {
        name: min(_MOST_REPEATS, shares[name] / weight * total / size) if size else 1.0
        for name, size in sizes.items()
    }
