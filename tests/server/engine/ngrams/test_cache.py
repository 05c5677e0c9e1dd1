"""What the cache says of a context, against counting by hand."""

import random
from collections import Counter

import numpy as np
import pytest

from surefill.engine.ngrams import cache as cache_module
from surefill.engine.ngrams.cache import TokenCache
from surefill.engine.ngrams.document import OpenDocument
from surefill.engine.ngrams.suffixes import DEPTH, SuffixIndex

ORDERS = tuple(range(1, DEPTH + 1))


def counted(documents, context, order):
    """Followers of the last ``order`` tokens of ``context``, counted the slow way."""
    needle = context[-order:]
    return Counter(
        ids[at + order]
        for ids in documents
        for at in range(len(ids) - order)
        if ids[at : at + order] == needle
    )


def said(evidence):
    return {
        int(token): round(float(share) * evidence.total)
        for token, share in zip(evidence.tokens, evidence.shares, strict=True)
    }


def text(rng, length, vocabulary=4):
    return [rng.randrange(vocabulary) for _ in range(length)]


@pytest.mark.parametrize("vocabulary", [4, 8_192, 65_536, 152_000])
def test_ranges_hold_exactly_the_places_of_a_context(vocabulary):
    rng = random.Random(vocabulary)
    letters = [0, 1, vocabulary - 2, vocabulary - 1]
    ids = [rng.choice(letters) for _ in range(400)]
    index = SuffixIndex(ids, vocabulary)
    for _ in range(50):
        at = rng.randrange(20, 400)
        context = ids[at - 12 : at]
        for order, (low, high) in enumerate(index.ranges(context), start=1):
            assert Counter(index.followers[low:high].tolist()) == counted([ids], context, order)
    unseen = [letters[0], *[letters[3]] * 12]
    assert len(index.ranges(unseen)) < DEPTH


def occurrences(documents, excluded):
    others = [token for key, ids in documents.items() if key != excluded for token in ids]
    return np.bincount(others, minlength=4).tolist()


@pytest.mark.parametrize("rooms", [(8_192, 32_768), (100, 200), (0, 0)])
def test_the_cache_counts_as_by_hand_through_any_edits(rooms, monkeypatch):
    """With room for all in the segment that is sorted last, for a few in each, and for none."""
    monkeypatch.setattr(cache_module, "_LATEST", rooms[0])
    monkeypatch.setattr(cache_module, "_YOUNG", rooms[1])
    rng = random.Random(1)
    cache = TokenCache(4)
    documents = {}
    used = set()
    for _ in range(80):
        changes = {}
        for _ in range(rng.choice([1, 1, 1, 3])):
            key = f"file:///{rng.randrange(9)}"
            changes[key] = None if rng.random() < 0.2 else text(rng, rng.randrange(60))
        cache.apply(changes)
        documents = {k: ids for k, ids in (documents | changes).items() if ids is not None}
        held = [key for segment in cache.view.segments for key in segment.spans]
        assert sorted(held) == sorted(documents)
        used |= {number for number, segment in enumerate(cache.view.segments) if segment.spans}
        context = text(rng, 9)
        excluded = f"file:///{rng.randrange(9)}"
        others = [ids for key, ids in documents.items() if key != excluded]
        found = cache.view.evidence(context, ORDERS, excluded)
        for order in ORDERS:
            expected = counted(others, context, order)
            assert (said(found[order]) if order in found else {}) == expected
        assert cache.view.occurrences(excluded).tolist() == occurrences(documents, excluded)
    assert cache.tokens == sum(map(len, documents.values()))
    assert used == ({2} if rooms[0] == 8_192 else {0, 1, 2})


def test_documents_sorted_long_ago_are_corrected_and_forgotten():
    rng = random.Random(2)
    cache = TokenCache(4)
    big = {f"big{n}": text(rng, 20_000) for n in range(3)}
    cache.apply(big)
    big["small"] = text(rng, 10)
    cache.apply({"small": big["small"]})
    assert cache.view.old.spans.keys() == big.keys() - {"small"}
    big["big1"] = text(rng, 10)
    cache.apply({"big1": big["big1"]})
    cache.apply({"big2": None})
    del big["big2"]
    assert cache.view.old.spans.keys() == {"big0"}
    context = big["big0"][100:108]
    found = cache.view.evidence(context, (8, 6))
    for order in (8, 6):
        assert said(found[order]) == counted(big.values(), context, order)


@pytest.mark.parametrize("length", [500, 40_000])
def test_while_one_document_is_typed_in_the_others_are_not_sorted_again(length):
    rng = random.Random(3)
    cache = TokenCache(4)
    for walk in range(6):
        cache.apply({f"file:///{walk}.{n}": text(rng, 2_000) for n in range(5)})
    typed = text(rng, length)
    for _ in range(2):
        typed = [*typed, 1]
        cache.apply({"typed": typed})
    before = cache.view
    assert before.old.spans
    assert before.young.spans
    for _ in range(5):
        typed = [*typed, 2]
        cache.apply({"typed": typed})
        assert cache.view.old.index is before.old.index
        assert cache.view.young.index is before.young.index
        assert cache.view.latest.spans.keys() == {"typed"}
    assert int(cache.view.occurrences().sum()) == 6 * 5 * 2_000 + len(typed)


def test_a_view_does_not_change_under_its_reader():
    cache = TokenCache(4)
    cache.apply({"a": [0, 1, 2]})
    view = cache.view
    cache.apply({"a": [0, 1, 3]})
    assert said(view.evidence([0, 1], (2,))[2]) == {2: 1}
    assert said(cache.view.evidence([0, 1], (2,))[2]) == {3: 1}


def test_beyond_the_limit_what_was_updated_longest_ago_goes():
    cache = TokenCache(4, limit=10)
    cache.apply({"a": [0, 1, 2, 3]})
    cache.apply({"b": [1, 1, 1, 1]})
    cache.apply({"a": [0, 1, 2, 3]})
    cache.apply({"c": [2, 2, 2, 2]})
    assert cache.tokens == 8
    assert 2 in cache.view.evidence([0, 1], (2,))
    assert 2 not in cache.view.evidence([1, 1], (2,))
    cache.apply({"d": [3] * 50})
    assert cache.tokens == 10


def test_the_gap_at_the_cursor_is_no_evidence():
    before, after = [0, 1, 2], [3, 0, 1, 2, 1]
    found, nearest = OpenDocument(before, after, 4).evidence([0, 1, 2], (1, 2, 3))
    # Behind 0 1 2 stands the cursor, and elsewhere 1; that 3 stands behind the cursor says nothing.
    assert said(found[3]) == {1: 1}
    assert nearest is not None
    assert nearest.tokens.tolist() == [1]


def test_the_nearest_match_before_the_cursor_is_told():
    before = [0, 1, 2, 3, 0, 1, 3, 3, 0, 1]
    found, nearest = OpenDocument(before, [0, 1, 2], 4).evidence([3, 0, 1], (2,))
    assert said(found[2]) == {2: 2, 3: 1}
    assert (nearest.tokens.tolist(), nearest.total) == ([3], 3.0)


def test_an_empty_document_knows_nothing():
    assert OpenDocument([], [], 4).evidence([1, 2], (1, 2)) == ({}, None)
    assert TokenCache(4).view.evidence([1, 2], (1, 2)) == {}
    assert np.array_equal(SuffixIndex([], 4).places, [])


def test_tokens_are_counted_wherever_they_stand_but_in_the_document_asked_about():
    cache = TokenCache(50)
    cache.apply({"a": [1, 2, 2], "b": [2, 3]})
    assert cache.view.occurrences()[[1, 2, 3, 4]].tolist() == [1, 3, 1, 0]
    assert cache.view.occurrences("a")[[1, 2, 3]].tolist() == [0, 1, 1]
    assert cache.view.occurrences("elsewhere").sum() == 5
    assert len(cache.view.occurrences()) == 50


def test_the_document_knows_how_often_and_how_near_its_tokens_stand():
    document = OpenDocument([5, 6, 5, 7], [8, 6, 9, 8], 50)
    assert document.occurrences()[[5, 6, 7, 8, 9]].tolist() == [2, 2, 1, 2, 1]
    assert document.distances()[[5, 6, 7, 8, 9]].tolist() == [2, 2, 1, 1, 3]
    assert document.distances()[4] > 8
    assert OpenDocument([], [], 50).occurrences().sum() == 0
