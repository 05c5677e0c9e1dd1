"""Bootstrap confidence intervals: how far a measured share, or a difference, can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    count: int


def bootstrap(values: Sequence[float], *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """Mean of ``values`` and the 2.5 and 97.5 percentiles of means of resamples."""
    if not values:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    array = np.asarray(values, float)
    draws = np.random.default_rng(seed).integers(0, len(array), (resamples, len(array)))
    low, high = np.percentile(array[draws].mean(axis=1), (2.5, 97.5))
    return Estimate(float(array.mean()), float(low), float(high), len(array))


def paired_difference(
    a: Sequence[float], b: Sequence[float], *, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Mean of ``a`` less that of ``b``, where both were measured on the same holes in this order.

    Resampling the holes, and not each side by itself, takes out how hard the holes are (Koehn,
    2004, https://aclanthology.org/W04-3250). Raises ValueError where the holes cannot be the same.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values cannot be paired with {len(b)}")
    differences = [x - y for x, y in zip(a, b, strict=True)]
    return bootstrap(differences, resamples=resamples, seed=seed)
