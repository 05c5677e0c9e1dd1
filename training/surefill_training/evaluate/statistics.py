"""Confidence intervals: how far a measured share, or a difference, can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_TAIL = 0.025
"""Probability on either side of an interval."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float
    count: int


def bootstrap(
    values: Sequence[float],
    groups: Sequence[str] | None = None,
    *,
    span: tuple[float, float] = (0.0, 1.0),
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Mean of ``values`` and the 2.5 and 97.5 percentiles of means of resamples.

    ``groups`` names what each value belongs to, as the package of a hole. Values of one group are
    alike, and what is asked is how it would be in other packages: so groups are drawn first, then
    values within each (the two-stage bootstrap of Davison and Hinkley, 1997, section 3.8; Field and
    Welsh, 2007, https://doi.org/10.1111/j.1467-9868.2007.00593.x). A single group cannot tell how
    groups differ, and a handful of them hardly: there intervals are on the narrow side.

    Of values that are all the same every resample is the same too. What was not seen among n may
    all the same come with a probability of up to 1 - 0.025 ** (1 / n) (Clopper and Pearson, 1934,
    https://doi.org/10.1093/biomet/26.4.404), and then be anything in ``span``. This takes values as
    independent, for nothing says how alike those of a group are.
    """
    if not values:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    array = np.asarray(values, float)
    if (array == array[0]).all():
        return _unanimous(float(array[0]), len(array), span)
    generator = np.random.default_rng(seed)
    if groups is None:
        means = array[generator.integers(0, len(array), (resamples, len(array)))].mean(axis=1)
    else:
        means = _means_of_groups(array, groups, resamples, generator)
    low, high = np.percentile(means, (100 * _TAIL, 100 * (1 - _TAIL)))
    return Estimate(float(array.mean()), float(low), float(high), len(array))


def _unanimous(value: float, count: int, span: tuple[float, float]) -> Estimate:
    unseen = 1.0 - _TAIL ** (1.0 / count)
    low, high = (value + unseen * (bound - value) for bound in span)
    return Estimate(value, low, high, count)


def _means_of_groups(
    values: npt.NDArray[np.float64],
    groups: Sequence[str],
    resamples: int,
    generator: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Means [resamples] over all values of the groups that were drawn, drawn anew in each."""
    if len(groups) != len(values):
        raise ValueError(f"{len(values)} values cannot be in {len(groups)} groups")
    _, number = np.unique(np.asarray(groups), return_inverse=True)
    ordered = values[np.argsort(number, kind="stable")]
    sizes = np.bincount(number)
    starts = np.cumsum(sizes) - sizes
    means = np.empty(resamples)
    for resample in range(resamples):
        drawn = generator.integers(0, len(sizes), len(sizes))
        counts = sizes[drawn]
        inside = generator.integers(0, np.repeat(counts, counts))
        means[resample] = ordered[np.repeat(starts[drawn], counts) + inside].mean()
    return means


def paired_difference(
    a: Sequence[float],
    b: Sequence[float],
    groups: Sequence[str] | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Mean of ``a`` less that of ``b``, where both were measured on the same holes in this order.

    Resampling the holes, and not each side by itself, takes out how hard the holes are (Koehn,
    2004, https://aclanthology.org/W04-3250); ``groups`` as for ``bootstrap``. Raises ValueError
    where the holes cannot be the same.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values cannot be paired with {len(b)}")
    differences = [x - y for x, y in zip(a, b, strict=True)]
    return bootstrap(differences, groups, span=(-1.0, 1.0), resamples=resamples, seed=seed)
