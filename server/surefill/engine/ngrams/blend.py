"""Mixes the model's probabilities with what the store, the document and the project know.

A linear mixture over experts, with weights for each moment (``gate``), proposes; a small network
that sees every opinion on each proposal puts them in order (``ranker``). Knows ids and
log-probabilities; numpy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surefill.engine.interface import Prompt
from surefill.engine.ngrams.cache import TokenCache
from surefill.engine.ngrams.experts import Sources
from surefill.engine.ngrams.layout import SPARSE_EXPERTS
from surefill.engine.ngrams.opinions import Bools, Floats, Opinions
from surefill.engine.ngrams.store import NgramStore
from surefill.errors import BundleError

BESIDE_MODEL = "model"
ALONE = "alone"


class Blend:
    """One store and one cache, in the service of an engine.

    ``weights`` names those to use: BESIDE_MODEL, for the model they were fitted to, or ALONE.
    ``end`` is the token by which the model says that nothing is missing any more.
    """

    def __init__(
        self, store: NgramStore, cache: TokenCache, *, weights: str, end: int | None
    ) -> None:
        chosen = store.weights.get(weights)
        if chosen is None or chosen.gate.w2.shape[1] != SPARSE_EXPERTS + 1:
            raise BundleError(
                "The bundle's n-grams have no weights for this mixture.",
                "Make them again with `surefill-train ngrams`, or turn completion.blend off.",
            )
        self.store = store
        self.cache = cache
        self.weights = chosen
        self.end = end

    def begin(self, prompt: Prompt, *, gap_ends: bool = True) -> Mixer:
        """What mixes for one request.

        ``gap_ends``: to go on with the token behind the cursor is to say that nothing is missing.
        """
        sources = Sources(self.store, self.cache.view, prompt)
        return Mixer(self, sources, sources.ends(self.end, gap_ends=gap_ends))


@dataclass(frozen=True)
class Mixer:
    """Mixes for one request. ``generated`` are the ids behind the prompt's ``before``."""

    blend: Blend
    sources: Sources
    ends: tuple[int, int] | None
    """Two tokens that say the same: that nothing is missing any more."""

    def mix(self, base: Floats, generated: Sequence[int], among: Bools | None = None) -> Floats:
        """Natural log-probabilities [vocabulary] from those of the model, or of single tokens.

        Given that the token is one of ``among``, [vocabulary], where it is known to be.
        """
        experts, familiarity = self.sources.experts(generated), self.sources.familiarity
        opinions = Opinions.form(base, experts, familiarity, ends=self.ends, among=among)
        if not any(opinions.experts):
            return opinions.base
        weights = self.blend.weights
        mixed = opinions.mix(weights.gate)
        return weights.ranker.rank(opinions, mixed, self.blend.store.unigrams)
