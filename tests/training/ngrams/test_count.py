"""Counting and choosing, against the same done by hand on little data."""

import math
import random
from collections import Counter, defaultdict

import numpy as np
import pytest

from surefill.engine.ngrams.hashing import hashes_of
from surefill_training.ngrams.count import count_order, count_unigrams, token_bits
from surefill_training.ngrams.prune import prune, rate

VOCABULARY = 6


def corpus(packages=3, documents=2, length=80):
    rng = random.Random(0)
    return [
        [np.array([rng.randrange(VOCABULARY) for _ in range(length)]) for _ in range(documents)]
        for _ in range(packages)
    ]


def by_hand(packages, context):
    """Weight of each n-gram, those of all followers of a context, and its packages."""
    weights, present = Counter(), Counter()
    for documents in packages:
        inside = Counter(
            tuple(int(t) for t in ids[at : at + context + 1])
            for ids in documents
            for at in range(len(ids) - context)
        )
        for ngram, count in inside.items():
            weights[ngram] += math.sqrt(count)
            present[ngram] += 1
    totals = defaultdict(float)
    for ngram, weight in weights.items():
        totals[ngram[:-1]] += weight
    return weights, totals, present


def key_of(ngram):
    *_, hash_ = hashes_of(ngram[:-1], len(ngram) - 1)
    low = token_bits(VOCABULARY)
    return (hash_ >> low << low) | ngram[-1]


@pytest.mark.parametrize("context", [1, 2, 4])
@pytest.mark.parametrize("at_once", [1_000_000, 50])
def test_counts_are_those_by_hand_in_one_part_or_many(context, at_once):
    packages = corpus()
    counts = count_order(packages, context, VOCABULARY, at_once)
    weights, totals, present = by_hand(packages, context)
    expected = {key_of(n): (w, totals[n[:-1]]) for n, w in weights.items() if present[n] > 1}
    assert counts.keys.tolist() == sorted(expected)
    for key, weight, total in zip(counts.keys.tolist(), counts.weights, counts.totals, strict=True):
        assert (weight, total) == pytest.approx(expected[key], rel=1e-5)
    if context > 1:
        shorter = {key_of(n[1:]) for n in weights if present[n] > 1}
        assert set(counts.shorter.tolist()) == shorter


def test_what_one_package_alone_has_is_not_counted():
    packages = [[np.array([1, 2, 3] * 50)], [np.array([4, 5])], [np.array([4, 5])]]
    counts = count_order(packages, 1, VOCABULARY)
    assert counts.keys.tolist() == [key_of((4, 5))]


def test_single_tokens_are_a_distribution_without_zeros():
    shares = np.exp(count_unigrams([[np.array([1, 1, 2])]], VOCABULARY))
    assert shares.sum() == pytest.approx(1)
    assert shares.min() > 0
    assert shares.argmax() == 1


def chosen(max_bytes):
    packages = corpus(packages=8, length=400)
    unigrams = count_unigrams(packages, VOCABULARY)
    candidates, shorter = [], None
    for context in (1, 2, 3):
        counts = count_order(packages, context, VOCABULARY)
        candidates.append(rate(counts, shorter, unigrams, VOCABULARY))
        shorter = counts
    return prune(candidates, VOCABULARY, max_bytes)


def test_tables_stay_within_their_size_and_use_it():
    names = ("contexts", "entries", "fingerprints", "sizes", "tokens", "shares")
    for room in (600, 1_500):
        tables = chosen(room)
        assert all(table.problem(VOCABULARY) == "" for table in tables)
        size = sum(getattr(table, name).nbytes for table in tables for name in names)
        # Buckets come in powers of two, so small tables do not fill it.
        assert 0.5 * room < size <= room
    assert sum(len(table.tokens) for table in chosen(0)) == 0
