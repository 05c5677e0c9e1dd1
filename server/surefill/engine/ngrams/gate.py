"""How much each source of evidence is to be believed: a small network over what it says.

The experts are the base (the model, or single tokens where there is none) and one for each source
and context length. A mixture of experts with a learned gate (Jacobs et al., 1991), so that weights
depend on how long the match is, how often it was seen, how clear it is, and on whether the base
agrees. Knows evidence, not where it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from surefill.engine.ngrams.evidence import Evidence

Floats = npt.NDArray[np.float32]

PER_EXPERT = 5
OF_BASE = 3
_LEAST = -8.0
"""Log-probabilities below this all say the same: hardly ever."""


@dataclass(frozen=True)
class Gate:
    """Two layers: features [features] to hidden [hidden] to one logit for each expert."""

    w1: Floats
    """[features, hidden]"""
    b1: Floats
    w2: Floats
    """[hidden, experts], the base first"""
    b2: Floats

    def weights(self, features: Floats, present: npt.NDArray[np.bool_]) -> Floats:
        """Weights of the experts, [experts], zero for those not ``present``; they sum to one."""
        hidden = np.maximum(features @ self.w1 + self.b1, 0.0)
        logits = np.where(present, hidden @ self.w2 + self.b2, -np.inf)
        weights: Floats = np.exp(logits - logits.max())
        weights /= weights.sum()
        return weights

    def to_arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """Arrays to store, their names led by ``prefix``."""
        return {prefix + name: getattr(self, name) for name in ("w1", "b1", "w2", "b2")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Gate:
        """Raises KeyError or ValueError for arrays that are no gate."""
        gate = cls(*(arrays[prefix + n].astype(np.float32) for n in ("w1", "b1", "w2", "b2")))
        hidden, experts = gate.w2.shape
        features = OF_BASE + PER_EXPERT * (experts - 1)
        if gate.w1.shape != (features, hidden):
            raise ValueError("a gate's layers do not fit each other")
        if gate.b1.shape != (hidden,) or gate.b2.shape != (experts,):
            raise ValueError("a gate's layers do not fit each other")
        if not all(np.isfinite(part).all() for part in (gate.w1, gate.b1, gate.w2, gate.b2)):
            raise ValueError("a gate is not finite")
        return gate


def describe(
    base: Floats, experts: Sequence[Evidence | None]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Features [features] of what is known here, and which experts, the base first, know anything.

    ``base`` are natural log-probabilities, [vocabulary].
    """
    best = int(base.argmax())
    top = float(base[best])
    features = np.zeros(OF_BASE + PER_EXPERT * len(experts), np.float32)
    features[0], features[1], features[2] = math.exp(top), top / 4, 1.0
    present = np.ones(1 + len(experts), np.bool_)
    for number, evidence in enumerate(experts):
        if evidence is None:
            present[number + 1] = False
            continue
        token = int(evidence.tokens[0])
        at = OF_BASE + PER_EXPERT * number
        features[at : at + PER_EXPERT] = (
            1.0,
            math.log1p(evidence.total) / 4,
            float(evidence.shares[0]),
            max(_LEAST, float(base[token])) / 4,
            1.0 if token == best else 0.0,
        )
    return features, present
