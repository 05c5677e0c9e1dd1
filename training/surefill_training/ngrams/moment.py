"""One token that was to be predicted, and what was said of it, in a form that many fit in memory.

Knows opinions; not where they come from nor what is learned of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefill.engine.ngrams.evidence import Evidence
from surefill.engine.ngrams.opinions import (
    FAMILIARITIES,
    IMPOSSIBLE,
    Familiarity,
    Floats,
    Opinions,
)
from surefill.engine.ngrams.ranker import CANDIDATES, Ids


@dataclass(frozen=True)
class ThinOpinions:
    """Opinions without what no mixture would put among its candidates."""

    vocabulary: int
    ids: Ids
    base: Floats
    """Natural log-probabilities of ``ids``."""
    experts: list[Evidence | None]
    familiarity: Familiarity
    """Of ``ids``."""
    end: int | None

    def whole(self) -> Opinions:
        """With the base as good as impossible elsewhere."""
        base = np.full(self.vocabulary, IMPOSSIBLE, np.float32)
        base[self.ids] = self.base
        familiarity = np.zeros((self.vocabulary, FAMILIARITIES), np.float32)
        familiarity[self.ids] = self.familiarity
        return Opinions(base, self.experts, familiarity, self.end)


@dataclass(frozen=True)
class Moment:
    """What was said, and which tokens would have been right."""

    opinions: ThinOpinions
    right: tuple[int, ...]


def thin(opinions: Opinions, right: Sequence[int]) -> ThinOpinions:
    """Keep of the base what may be a candidate, and what is ``right``: likely, or named."""
    base = opinions.base
    likely = min(CANDIDATES, len(base))
    ids = np.unique(
        np.concatenate(
            [
                np.argpartition(base, -likely)[-likely:],
                np.array(right),
                *(evidence.tokens for evidence in opinions.experts if evidence is not None),
            ]
        )
    )
    known = np.zeros((len(ids), FAMILIARITIES), np.float32)
    inside = ids < len(opinions.familiarity)  # a model's vocabulary may be padded
    known[inside] = opinions.familiarity[ids[inside]]
    return ThinOpinions(len(base), ids, base[ids], opinions.experts, known, opinions.end)
