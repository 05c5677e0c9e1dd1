"""Puts the likeliest tokens of a mixture in order, by what each source says of each of them.

A linear mixture goes with whoever is loudest. Sources that are weak by themselves are strong where
they agree: of the names that stood here before, the model knows which one fits. So a small network
sees, for one token, every opinion on it, and corrects its log-probability: a product of experts
(Hinton, 2002, https://doi.org/10.1162/089976602760128018) with learned exponents. Knows opinions,
not where they come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from surefill.engine.ngrams.evidence import Evidence
from surefill.engine.ngrams.layout import GROUPS, NEAREST
from surefill.engine.ngrams.opinions import FAMILIARITIES, Floats, Opinions

CANDIDATES = 48
"""Tokens that are put in order; the others keep what the mixture says."""

_OF_TOKEN = 3
_PER_GROUP = 6
_OF_ALL = 4 + FAMILIARITIES
FEATURES = _OF_TOKEN + _PER_GROUP * len(GROUPS) + _OF_ALL

_LEAST = -12.0
"""Log-probabilities below this all say the same: hardly ever."""
_LEAST_SHARE = 1e-3

Ids = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Ranker:
    """Two layers from the features of a token to what is added to its log-probability."""

    w1: Floats
    """[FEATURES, hidden]"""
    b1: Floats
    w2: Floats
    """[hidden]"""

    def rank(self, opinions: Opinions, mixed: Floats, unigrams: Floats) -> Floats:
        """``mixed`` with the likeliest tokens in another order, the mass of all of them the same.

        All are natural log-probabilities, [vocabulary]; ``unigrams`` those of single tokens.
        """
        ids = shortlist(mixed)
        features = describe_tokens(ids, opinions, mixed, unigrams)
        scores = mixed[ids] + np.maximum(features @ self.w1 + self.b1, 0.0) @ self.w2
        mass = np.logaddexp.reduce(mixed[ids]) - np.logaddexp.reduce(scores)
        ranked = mixed.copy()
        ranked[ids] = scores + mass
        return ranked

    def to_arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """Arrays to store, their names led by ``prefix``."""
        return {prefix + name: getattr(self, name) for name in ("w1", "b1", "w2")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Ranker:
        """Raises KeyError or ValueError for arrays that are no ranker."""
        ranker = cls(*(arrays[prefix + n].astype(np.float32) for n in ("w1", "b1", "w2")))
        hidden = ranker.b1.shape
        if len(hidden) != 1 or ranker.w1.shape != (FEATURES, *hidden) or ranker.w2.shape != hidden:
            raise ValueError("a ranker's layers do not fit each other")
        if not all(np.isfinite(part).all() for part in (ranker.w1, ranker.b1, ranker.w2)):
            raise ValueError("a ranker is not finite")
        return ranker


def shortlist(mixed: Floats) -> Ids:
    """The likeliest tokens, at most CANDIDATES of them, in no particular order."""
    if len(mixed) <= CANDIDATES:
        return np.arange(len(mixed))
    return np.argpartition(mixed, -CANDIDATES)[-CANDIDATES:]


def describe_tokens(ids: Ids, opinions: Opinions, mixed: Floats, unigrams: Floats) -> Floats:
    """Features [ids, FEATURES] of the tokens ``ids``: what each source says of each of them."""
    base = np.maximum(opinions.base[ids], _LEAST)
    best = float(opinions.base.max())
    features = np.zeros((len(ids), FEATURES), np.float32)
    features[:, 0] = np.maximum(mixed[ids], _LEAST)
    features[:, 1] = base
    features[:, 2] = base - best
    places = np.full(len(mixed), -1, np.int32)
    places[ids] = np.arange(len(ids), dtype=np.int32)
    for number, group in enumerate(GROUPS):
        start = _OF_TOKEN + _PER_GROUP * number
        _describe_group(features[:, start : start + _PER_GROUP], opinions.experts[group], places)
    others = features[:, -_OF_ALL:]
    if (nearest := opinions.experts[NEAREST]) is not None:
        at = places[nearest.tokens]
        others[at[at >= 0], 0] = 1.0
    known = ids < len(unigrams)  # a model's vocabulary may be padded
    others[known, 4:] = opinions.familiarity[ids[known]]
    others[known, 1] = np.maximum(unigrams[ids[known]], _LEAST)
    others[:, 2] = best
    others[:, 3] = ids == opinions.end if opinions.end is not None else 0.0
    return features


def _describe_group(
    features: Floats, experts: Sequence[Evidence | None], places: npt.NDArray[np.int32]
) -> None:
    """Fill in what one source says, by its longest context and by any.

    ``features`` [ids, _PER_GROUP] are zeros; ``places`` [vocabulary] has each id's row, else -1.
    """
    unheard = float(np.log(_LEAST_SHARE))
    features[:, 0] = features[:, 1] = unheard
    heard = [(order, evidence) for order, evidence in enumerate(experts, 1) if evidence is not None]
    if not heard:
        return
    at = places[np.concatenate([evidence.tokens for _, evidence in heard])]
    shares = np.log(np.concatenate([evidence.shares for _, evidence in heard]) + _LEAST_SHARE)
    orders = np.repeat([order for order, _ in heard], [len(e.tokens) for _, e in heard])
    known = at >= 0
    np.maximum.at(features[:, 1], at[known], shares[known])
    # Of several orders that name a token the longest is written last.
    features[at[known], 2] = orders[known]
    order, longest = heard[-1]
    last = slice(len(at) - len(longest.tokens), None)
    features[at[last][known[last]], 0] = shares[last][known[last]]
    features[:, 3] = order
    features[:, 4] = np.log1p(longest.total)
    features[:, 5] = 1.0
