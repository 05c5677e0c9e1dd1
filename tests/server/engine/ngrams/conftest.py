"""A small store, counted from given documents, with weights that trust n-grams."""

import numpy as np
import pytest

from surefill.engine.ngrams.gate import OF_BASE, PER_EXPERT, Gate
from surefill.engine.ngrams.layout import CONTEXTS, SPARSE_EXPERTS
from surefill.engine.ngrams.ranker import FEATURES, Ranker
from surefill.engine.ngrams.store import NgramStore
from surefill.engine.ngrams.weights import Weights


def make_gate(base=0.0, per_expert=0.5):
    """Longer contexts weigh more, whatever they say."""
    logits = base + per_expert * np.arange(SPARSE_EXPERTS + 1, dtype=np.float32)
    features = OF_BASE + PER_EXPERT * SPARSE_EXPERTS
    return Gate(
        w1=np.zeros((features, 2), np.float32),
        b1=np.zeros(2, np.float32),
        w2=np.zeros((2, SPARSE_EXPERTS + 1), np.float32),
        b2=logits,
    )


def neutral_ranker():
    """Leaves the order as it is."""
    return Ranker(
        np.ones((FEATURES, 1), np.float32), np.zeros(1, np.float32), np.zeros(1, np.float32)
    )


@pytest.fixture(scope="session")
def make_store():
    from surefill_training.ngrams.count import count_order, count_unigrams
    from surefill_training.ngrams.prune import prune, rate

    def make(packages, vocabulary, tokenizer="0" * 64, max_bytes=200_000):
        packages = [[np.array(ids) for ids in documents] for documents in packages]
        unigrams = count_unigrams(packages, vocabulary)
        candidates, shorter = [], None
        for context in CONTEXTS:
            counts = count_order(packages, context, vocabulary)
            candidates.append(rate(counts, shorter, unigrams, vocabulary))
            shorter = counts
        tables = tuple(prune(candidates, vocabulary, max_bytes))
        weights = {name: Weights(make_gate(), neutral_ranker()) for name in ("model", "alone")}
        return NgramStore(tokenizer, vocabulary, tables, unigrams, weights, {"by": "test"})

    return make
