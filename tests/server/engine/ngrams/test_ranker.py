"""The ranker: the same mass in another order, and the features it is decided by."""

import numpy as np
import pytest

from surefill.engine.ngrams.evidence import Evidence
from surefill.engine.ngrams.layout import GROUPS, NEAREST, SPARSE_EXPERTS
from surefill.engine.ngrams.opinions import Opinions
from surefill.engine.ngrams.ranker import (
    CANDIDATES,
    FEATURES,
    Ranker,
    describe_tokens,
    shortlist,
)
from surefill.engine.sampling import log_softmax

VOCABULARY = 200


@pytest.fixture
def opinions():
    rng = np.random.default_rng(0)
    experts = [None] * SPARSE_EXPERTS
    document = GROUPS[1].start
    experts[document] = Evidence(np.array([7, 8, 9]), np.array([0.5, 0.3, 0.2], np.float32), 10)
    experts[document + 2] = Evidence(np.array([8]), np.ones(1, np.float32), 2)
    experts[NEAREST] = Evidence(np.array([8]), np.ones(1, np.float32), 3)
    base = log_softmax(rng.normal(size=VOCABULARY).astype(np.float32))
    return Opinions.form(base, experts, familiarity(), ends=(3, 7))


def familiarity():
    return np.tile(np.arange(VOCABULARY, dtype=np.float32)[:, None] / 100, (1, 3))


def random_ranker():
    rng = np.random.default_rng(2)
    return Ranker(
        rng.normal(size=(FEATURES, 4)).astype(np.float32) * 0.3,
        rng.normal(size=4).astype(np.float32),
        rng.normal(size=4).astype(np.float32),
    )


def test_the_likeliest_change_places_and_share_the_same_mass(opinions):
    mixed = log_softmax(opinions.base)
    ranked = random_ranker().rank(opinions, mixed, opinions.base)
    ids = shortlist(mixed)
    others = np.setdiff1d(np.arange(VOCABULARY), ids)
    assert len(ids) == CANDIDATES
    assert mixed[others].max() <= mixed[ids].min()
    assert np.array_equal(ranked[others], mixed[others])
    assert np.exp(ranked).sum() == pytest.approx(1, abs=1e-4)
    assert ids[ranked[ids].argmax()] != ids[mixed[ids].argmax()]


def test_features_say_of_each_token_who_named_it(opinions):
    ids = np.array([8, opinions.end, 50])
    found = describe_tokens(ids, opinions, opinions.base, opinions.base)
    document = found[:, 9:15]
    # Share at the longest context, share at any, longest context that names it.
    assert document[0, :3] == pytest.approx([0, 0, 3], abs=0.01)
    assert document[1, :3] == pytest.approx([np.log(1e-3), np.log(0.5), 1], abs=0.01)
    assert document[2, :3] == pytest.approx([np.log(1e-3), np.log(1e-3), 0], abs=0.01)
    assert document[:, 3:] == pytest.approx(np.tile([3, np.log1p(2), 1], (3, 1)))
    assert not found[:, [5, 8, 17, 20]].any()  # of store and project nothing is known
    assert found[:, -7].tolist() == [1, 0, 0]
    assert found[:, -4].tolist() == [0, 1, 0]
    assert found[:, -3:] == pytest.approx(familiarity()[ids])


def test_small_and_padded_vocabularies_are_ranked(opinions):
    small = Opinions(opinions.base[:20], [None] * SPARSE_EXPERTS, familiarity()[:20], None)
    assert random_ranker().rank(small, small.base, opinions.base[:20]).shape == (20,)
    unigrams = opinions.base[: VOCABULARY - 30]
    assert np.isfinite(random_ranker().rank(opinions, opinions.base, unigrams)).all()


def test_with_a_part_known_everyone_speaks_of_what_remains(opinions):
    among = np.zeros(VOCABULARY, np.bool_)
    among[[8, 9, 50]] = True
    given = Opinions.form(opinions.base, opinions.experts, familiarity(), among=among)
    assert np.exp(given.base[among]).sum() == pytest.approx(1, abs=1e-4)
    assert np.exp(given.base[~among]).sum() == 0
    document = given.experts[GROUPS[1].start]
    assert document.tokens.tolist() == [8, 9]
    assert document.shares == pytest.approx([0.6, 0.4], abs=0.01)
    assert document.total == pytest.approx(5)
    among[8] = False
    assert (
        Opinions.form(opinions.base, opinions.experts, familiarity(), among=among).experts[NEAREST]
        is None
    )
