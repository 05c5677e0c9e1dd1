"""What everyone says of one token: the base and the sparse experts, on common terms.

Common terms are: only tokens that can come at all, and the end of the middle as one token. A linear
mixture of opinions is Kuhn and De Mori, 1990, and Grave et al., 2017
(https://arxiv.org/abs/1612.04426). Knows ids and log-probabilities; numpy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefill.engine.ngrams.evidence import Evidence
from surefill.engine.ngrams.gate import Gate, describe

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

Familiarity = npt.NDArray[np.float32]
"""How much a token is at home here, whatever stands before it, [vocabulary, FAMILIARITIES]: how
often it stands in the document, how far from the cursor at the nearest, how often in the project;
each as log(1 + n)."""
FAMILIARITIES = 3

IMPOSSIBLE = -1e4
"""Log-probability of what cannot come: its exponential is 0, and sums with it stay finite."""
_LEAST_SHARE = float(np.finfo(np.float32).tiny)
_LEAST_REST = 1e-6
"""What is left to the base at least: nothing is impossible."""


@dataclass(frozen=True)
class Opinions:
    """Opinions on the next token."""

    base: Floats
    """Natural log-probabilities of the model, or of single tokens, [vocabulary]."""
    experts: list[Evidence | None]
    familiarity: Familiarity
    end: int | None
    """The token that stands for the end of the middle, whoever says so and however."""

    @classmethod
    def form(
        cls,
        base: Floats,
        experts: Sequence[Evidence | None],
        familiarity: Familiarity,
        *,
        ends: tuple[int, int] | None = None,
        among: Bools | None = None,
    ) -> Opinions:
        """Opinions given that the token is one of ``among``, [vocabulary].

        ``ends`` are two tokens that say the same: the model ends the middle with a token of its
        own, n-grams with what stands behind the cursor. The one that the model prefers is kept and
        gets the votes of both; split, something less likely would win.
        """
        base, heard = base.copy(), list(experts)
        end = None
        if ends is not None and (among is None or among[[*ends]].all()):
            end, other = ends if base[ends[0]] > base[ends[1]] else ends[::-1]
            base[end] = np.logaddexp(base[end], base[other])
            base[other] = IMPOSSIBLE
            heard = [evidence and _renamed(evidence, other, end) for evidence in heard]
        if among is not None:
            base[~among] = IMPOSSIBLE
            mass = np.logaddexp.reduce(base)
            base = np.maximum(base - mass, IMPOSSIBLE)
            heard = [
                evidence and _given(evidence, among, float(np.exp(mass))) for evidence in heard
            ]
        return cls(base, heard, familiarity, end)

    def describe(self) -> tuple[Floats, Bools]:
        """As ``gate.describe``."""
        return describe(self.base, self.experts)

    def mix(self, gate: Gate) -> Floats:
        """Natural log-probabilities of the linear mixture, [vocabulary].

        The base also gets what a sparse expert leaves over.
        """
        weights = gate.weights(*self.describe()).tolist()
        rest = max(weights[0], _LEAST_REST)
        tokens: list[npt.NDArray[np.integer]] = []
        masses: list[Floats] = []
        for weight, evidence in zip(weights[1:], self.experts, strict=True):
            if evidence is not None:
                mass = evidence.shares * np.float32(weight)
                tokens.append(evidence.tokens)
                masses.append(mass)
                rest += max(0.0, weight - float(mass.sum()))
        mixed: Floats = self.base + np.float32(np.log(rest))
        if tokens:
            ids, places = np.unique(np.concatenate(tokens), return_inverse=True)
            summed = np.bincount(places, np.concatenate(masses))
            told = np.exp(mixed[ids]) + summed
            mixed[ids] = np.log(np.maximum(told, _LEAST_SHARE))
        return mixed


def _renamed(evidence: Evidence, token: int, name: int) -> Evidence:
    """Evidence that says ``name`` where it said ``token``."""
    if token not in evidence.tokens:
        return evidence
    tokens = np.where(evidence.tokens == token, name, evidence.tokens)
    return Evidence(tokens, evidence.shares, evidence.total)


def _given(evidence: Evidence, among: Bools, mass: float) -> Evidence | None:
    """Evidence on tokens ``among``, of which the base says ``mass``; None where it has none."""
    kept = among[evidence.tokens]
    if not kept.any():
        return None
    shares = evidence.shares[kept]
    known = float(shares.sum())
    # What the source knows nothing of is divided as the base would divide it.
    whole = known + max(0.0, 1.0 - float(evidence.shares.sum())) * mass
    return Evidence(evidence.tokens[kept], shares / np.float32(whole), evidence.total * known)
