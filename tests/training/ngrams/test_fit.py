"""What is learned of the mixture, from moments in which the right answer has a pattern."""

import numpy as np
import pytest

from surefill.engine.ngrams.evidence import Evidence
from surefill.engine.ngrams.layout import GROUPS, SPARSE_EXPERTS
from surefill.engine.ngrams.opinions import Opinions
from surefill.engine.ngrams.weights import Weights
from surefill.engine.sampling import log_softmax
from surefill_training.ngrams.fit import fit
from surefill_training.ngrams.moment import Moment, thin

VOCABULARY = 60
UNIGRAMS = np.full(VOCABULARY, -np.log(VOCABULARY), np.float32)
DOCUMENT = GROUPS[1].start


def moment(base, evidence, right):
    experts = [None] * SPARSE_EXPERTS
    if evidence is not None:
        tokens, shares = zip(*evidence, strict=True)
        experts[DOCUMENT] = Evidence(np.array(tokens), np.array(shares, np.float32), 4.0)
    opinions = Opinions.form(base, experts, np.zeros((VOCABULARY, 3), np.float32))
    return Moment(thin(opinions, right), right), opinions


def test_the_gate_learns_whom_to_believe_and_always_the_same():
    """The document is right exactly where it is sure, and the model the rest of the time."""
    rng = np.random.default_rng(0)
    moments, known = [], {}
    for _ in range(1_500):
        sure = bool(rng.random() < 0.5)
        other, *named = rng.choice(VOCABULARY, 6, replace=False).tolist()
        base = np.zeros(VOCABULARY, np.float32)
        base[other] = 3.0
        evidence = [(named[0], 0.95)] if sure else [(token, 0.2) for token in named]
        right = (named[0] if sure else other,)
        made, opinions = moment(log_softmax(base), evidence, right)
        moments.append(made)
        known[sure] = opinions
    weights = fit(moments, UNIGRAMS)
    trusted = {s: weights.gate.weights(*o.describe())[1 + DOCUMENT] for s, o in known.items()}
    assert trusted[True] > 0.8
    assert trusted[False] < 0.2
    again = fit(moments, UNIGRAMS)
    assert np.array_equal(again.gate.w1, weights.gate.w1)
    assert np.array_equal(again.ranker.w1, weights.ranker.w1)


@pytest.fixture(scope="module")
def agreement():
    """The document names three tokens; right is the least frequent one, which the model likes.

    By itself the model likes another one more, which the document does not name.
    """
    rng = np.random.default_rng(1)
    made = []
    for _ in range(1_500):
        a, b, right, foreign = rng.choice(VOCABULARY, 4, replace=False).tolist()
        base = rng.normal(0, 0.5, VOCABULARY).astype(np.float32)
        base[right], base[foreign] = 3.0, 4.0
        evidence = [(a, 0.45), (b, 0.35), (right, 0.2)]
        made.append(moment(log_softmax(base), evidence, (right,)))
    return made


def test_the_ranker_finds_what_several_agree_on_where_a_linear_mixture_does_not(agreement):
    weights = fit([item[0] for item in agreement[:1_200]], UNIGRAMS)
    linear = ranked = 0
    for made, opinions in agreement[1_200:]:
        mixed = opinions.mix(weights.gate)
        linear += int(mixed.argmax()) in made.right
        ranked += int(weights.ranker.rank(opinions, mixed, UNIGRAMS).argmax()) in made.right
    assert linear < 150
    assert ranked > 290


def test_what_is_left_out_to_save_memory_changes_no_proposal(agreement):
    weights = fit([item[0] for item in agreement[:200]], UNIGRAMS)
    for made, opinions in agreement[:20]:
        thinned = made.opinions.whole()
        assert thinned.describe()[0] == pytest.approx(opinions.describe()[0])
        mixed, again = opinions.mix(weights.gate), thinned.mix(weights.gate)
        ranked = weights.ranker.rank(opinions, mixed, UNIGRAMS)
        assert int(ranked.argmax()) == int(weights.ranker.rank(thinned, again, UNIGRAMS).argmax())


def test_moments_that_the_ranker_does_not_serve_do_not_teach_it():
    """Without any evidence, the base is served as it is."""
    base = np.zeros(VOCABULARY, np.float32)
    base[3] = 3.0
    unheard = [moment(log_softmax(base), None, (right,))[0] for right in (4, 5, 6)]
    assert not fit(unheard, UNIGRAMS).ranker.w2.any()
    heard = [moment(log_softmax(base), [(4, 0.5)], (4,))[0]]
    assert fit(heard, UNIGRAMS).ranker.w2.any()


def test_a_file_keeps_the_weights_as_they_were_fitted(agreement):
    """The scales of the features are in a ranker's first layer, where half is not enough."""
    weights = fit([item[0] for item in agreement[:300]], UNIGRAMS)
    loaded = Weights.from_arrays(weights.to_arrays("model"), "model")
    for _, opinions in agreement[:20]:
        mixed = opinions.mix(loaded.gate)
        assert np.array_equal(mixed, opinions.mix(weights.gate))
        ranked = loaded.ranker.rank(opinions, mixed, UNIGRAMS)
        assert np.array_equal(ranked, weights.ranker.rank(opinions, mixed, UNIGRAMS))


def test_moments_at_which_nothing_right_was_proposed_teach_nothing():
    base = log_softmax(np.concatenate([np.full(59, 5.0), [-60.0]]).astype(np.float32))
    weights = fit([moment(base, [(3, 1.0)], (59,))[0]] * 4, UNIGRAMS)
    assert not weights.ranker.w2.any()
