"""Mixes the model's probabilities with what the store, the document and the project know.

A linear mixture over experts (``gate``): sparse ones, one for each source and context length, and
the base, which also gets what a sparse one leaves over. Linear interpolation of a language model
with a cache is Kuhn and De Mori, 1990, and Grave et al., 2017
(https://arxiv.org/abs/1612.04426). Knows ids and log-probabilities; numpy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefill.engine.interface import Prompt
from surefill.engine.ngrams.cache import TokenCache, View
from surefill.engine.ngrams.document import OpenDocument
from surefill.engine.ngrams.evidence import Evidence
from surefill.engine.ngrams.gate import describe
from surefill.engine.ngrams.store import CONTEXTS, NgramStore
from surefill.errors import BundleError

Floats = npt.NDArray[np.float32]

MODEL_GATE = "model"
ALONE_GATE = "alone"
DOCUMENT_ORDERS = (1, 2, 3, 4, 6, 8)
PROJECT_ORDERS = (1, 2, 3, 4, 6, 8)
LONGEST_CONTEXT = 32
SPARSE_EXPERTS = len(CONTEXTS) + len(DOCUMENT_ORDERS) + 1 + len(PROJECT_ORDERS)

_LEAST = float(np.finfo(np.float32).min)
_LEAST_REST = 1e-6
"""What is left to the base at least: nothing is impossible."""


class Blend:
    """One store and one cache, in the service of an engine.

    ``gate`` names the weights: MODEL_GATE beside the model they were fitted for, or ALONE_GATE.
    ``end`` is the token by which the model says that nothing is missing any more.
    """

    def __init__(self, store: NgramStore, cache: TokenCache, *, gate: str, end: int | None) -> None:
        chosen = store.gates.get(gate)
        if chosen is None or chosen.w2.shape[1] != SPARSE_EXPERTS + 1:
            raise BundleError(
                "The bundle's n-grams have no weights for this mixture.",
                "Make them again with `surefill-train ngrams`, or turn completion.blend off.",
            )
        self.store = store
        self.cache = cache
        self.gate = chosen
        self.end = end

    def begin(self, prompt: Prompt) -> Mixer:
        """What mixes for one request."""
        return Mixer(self, Sources(self.store, self.cache.view, prompt))


class Sources:
    """All that can be known of the next token at one prompt, apart from the base."""

    def __init__(self, store: NgramStore, project: View, prompt: Prompt) -> None:
        self._store = store
        self._project = project
        self._key = prompt.document
        self._before = tuple(prompt.before[-LONGEST_CONTEXT:])
        self._document = OpenDocument(prompt.before, prompt.after, store.vocabulary)
        self.gap = prompt.after[0] if prompt.after else None
        """The token behind the cursor: to go on with it is to say that nothing is missing."""

    def experts(self, generated: Sequence[int]) -> list[Evidence | None]:
        """What each sparse expert says behind ``generated``, [SPARSE_EXPERTS]."""
        context = (*self._before, *generated)[-LONGEST_CONTEXT:]
        own, nearest = self._document.evidence(context, DOCUMENT_ORDERS)
        project = self._project.evidence(context, PROJECT_ORDERS, self._key)
        return [
            *self._store.evidence(context),
            *(own.get(order) for order in DOCUMENT_ORDERS),
            nearest,
            *(project.get(order) for order in PROJECT_ORDERS),
        ]


@dataclass(frozen=True)
class Mixer:
    """Mixes for one request. ``generated`` are the ids behind the prompt's ``before``."""

    blend: Blend
    sources: Sources

    def mix(self, base: Floats, generated: Sequence[int]) -> Floats:
        """Natural log-probabilities [vocabulary] from those of the model, or of single tokens."""
        experts = self.sources.experts(generated)
        features, present = describe(base, experts)
        weights = self.blend.gate.weights(features, present).tolist()
        rest = max(weights[0], _LEAST_REST)
        tokens: list[npt.NDArray[np.integer]] = []
        masses: list[Floats] = []
        for weight, evidence in zip(weights[1:], experts, strict=True):
            if evidence is not None:
                mass = evidence.shares * np.float32(weight)
                tokens.append(evidence.tokens)
                masses.append(mass)
                rest += max(0.0, weight - float(mass.sum()))
        if not tokens:
            return base
        mixed: Floats = base + np.float32(np.log(rest))
        named = np.concatenate(tokens)
        ids, places = np.unique(named, return_inverse=True)
        summed = np.bincount(places, np.concatenate(masses))
        mixed[ids] = np.log(np.exp(mixed[ids]) + summed)
        self._join_ends(base, mixed)
        return mixed

    def _join_ends(self, base: Floats, mixed: Floats) -> None:
        """Give the end of the middle one voice.

        The model says it with a token of its own, n-grams with what stands behind the cursor; with
        their votes split, something less likely would win.
        """
        end, gap = self.blend.end, self.sources.gap
        if end is None or gap is None:
            return
        winner, loser = (end, gap) if base[end] > base[gap] else (gap, end)
        mixed[winner] = np.logaddexp(mixed[winner], mixed[loser])
        mixed[loser] = _LEAST
