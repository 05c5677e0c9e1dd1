"""The mixture: proper probabilities, the document before the model, and nothing without it."""

import numpy as np
import pytest

from surefill.completion.policy import block_stop, line_stop
from surefill.engine.decode import DecodingOptions, LocalEngine, gap_ends
from surefill.engine.interface import Prompt
from surefill.engine.ngrams.blend import ALONE, BESIDE_MODEL, Blend
from surefill.engine.ngrams.cache import TokenCache
from surefill.engine.ngrams.engine import NgramEngine
from surefill.engine.sampling import log_softmax
from surefill.errors import BundleError, EngineError

LINES = ["total = first_price + tax\n", "print(total, other)\n", "return total\n"]
END = "<|endoftext|>"


@pytest.fixture(scope="module")
def store(make_store, tokenizer):
    texts = [["import os\n", "x = 1\n"] * 3, ["import os\n", "y = 2\n"] * 3]
    packages = [[tokenizer.encode("".join(t))] for t in texts]
    return make_store(packages, tokenizer.vocab_size)


@pytest.fixture
def cache(store):
    return TokenCache(store.vocabulary)


@pytest.fixture
def blend(store, cache, tokenizer):
    return Blend(store, cache, weights=BESIDE_MODEL, end=tokenizer.special(END))


@pytest.fixture
def prompt_of(tokenizer):
    def make(before, after="", *, lead="", document="file:///a.py"):
        ids = tokenizer.encode(before)
        return Prompt(
            ids=(tokenizer.special("<|fim_middle|>"), *ids),
            prefix=before + lead,
            suffix=after,
            lead=lead,
            document=document,
            before=tuple(ids),
            after=tuple(tokenizer.encode(after)),
        )

    return make


def to_line_end(text):
    return text.index("\n") if "\n" in text else None


def test_the_result_is_a_distribution_over_the_vocabulary(blend, prompt_of, tokenizer):
    rng = np.random.default_rng(0)
    mixer = blend.begin(prompt_of("".join(LINES), "\nx = 1\n"))
    for generated in ([], tokenizer.encode("total"), tokenizer.encode("import os\n")):
        base = log_softmax(rng.normal(size=store_size(blend)).astype(np.float32))
        kept = base.copy()
        mixed = mixer.mix(base, generated)
        assert mixed.dtype == np.float32
        assert np.exp(mixed.astype(np.float64)).sum() == pytest.approx(1, abs=1e-4)
        assert np.array_equal(base, kept)


def store_size(blend):
    return blend.store.vocabulary


def test_padding_of_the_model_s_vocabulary_is_no_obstacle(blend, prompt_of):
    base = log_softmax(np.zeros(store_size(blend) + 20, np.float32))
    assert blend.begin(prompt_of("".join(LINES))).mix(base, []).shape == base.shape


def test_the_end_and_what_stands_behind_the_cursor_vote_together(blend, prompt_of, tokenizer):
    end, newline = blend.end, tokenizer.encode("\n")[0]
    mixer = blend.begin(prompt_of("".join(LINES) + "return total", "\n"))
    for winner, loser in ((end, newline), (newline, end)):
        base = np.full(store_size(blend), -12.0, np.float32)
        base[winner], base[loser] = -0.5, -1.5
        mixed = mixer.mix(log_softmax(base), [])
        assert mixed[winner] > np.log(0.8)
        assert np.exp(mixed[loser]) == 0


@pytest.mark.parametrize(
    ("after", "stop", "ends"),
    [
        ("\n", line_stop(may_lead=False), True),
        ("\nx = 1", line_stop(may_lead=True), False),
        ("\nx = 1", block_stop(None, 0), False),
        ("\n", None, False),
        (")", None, True),
        ("", None, True),
    ],
)
def test_a_line_end_behind_the_cursor_ends_only_what_has_one_line(
    prompt_of, tokenizer, after, stop, ends
):
    assert gap_ends(tokenizer, prompt_of("x = ", after), stop) is ends


def test_in_a_block_the_end_and_the_next_line_are_not_the_same(blend, prompt_of, tokenizer):
    end, newline = blend.end, tokenizer.encode("\n")[0]
    mixer = blend.begin(prompt_of("".join(LINES) + "return total", "\n"), gap_ends=False)
    base = np.full(store_size(blend), -12.0, np.float32)
    base[end], base[newline] = -0.5, -1.5
    mixed = np.exp(mixer.mix(log_softmax(base), []))
    # The document, which the gate of this store trusts, goes on; the end keeps what it had.
    assert mixed[newline] > 0.5
    assert mixed[end] > 1e-4


def test_the_engine_says_what_the_document_says(blend, engine, prompt_of):
    engine.blend = blend
    prompt = prompt_of("".join(LINES) + "total = ", "\n", lead="fir")
    candidate = engine.generate(prompt, max_new_tokens=20, stop=to_line_end).candidates[0]
    assert candidate.text == "st_price + tax"
    assert -0.7 < candidate.mean_logprob < 0


def test_the_project_counts_and_the_document_s_own_old_text_does_not(
    blend, engine, prompt_of, tokenizer
):
    engine.blend = blend
    blend.cache.apply({"file:///b.py": tokenizer.encode("window.open(handle)\n" * 2)})

    def said(document):
        prompt = prompt_of("window.", "\n", document=document)
        return engine.generate(prompt, max_new_tokens=12, stop=to_line_end).candidates[0].text

    assert said("file:///a.py") == "open(handle)"
    assert said("file:///b.py") != "open(handle)"


@pytest.mark.parametrize("drafts", [0, 3])
def test_drafts_change_nothing(blend, engine_of, prompt_of, drafts):
    def run(count):
        engine = engine_of(options=DecodingOptions(drafts=count))
        engine.blend = blend
        return engine.generate(prompt_of("".join(LINES) * 3 + "total"), max_new_tokens=24, n=3)

    expected, got = run(0).candidates, run(drafts).candidates
    assert [c.text for c in got] == [c.text for c in expected]
    assert got[0].logprobs == pytest.approx(expected[0].logprobs, abs=1e-3)


def test_a_prompt_without_document_and_store_without_match_leave_the_model_alone(
    blend, engine, prompts
):
    plain = engine.generate(prompts(40), max_new_tokens=8)
    again = engine.generate(prompts(40), max_new_tokens=8)
    assert plain.candidates == again.candidates
    # Nothing is known before the first token of an empty document.
    base = log_softmax(np.arange(store_size(blend), dtype=np.float32))
    assert np.array_equal(blend.begin(Prompt((1,), "", "")).mix(base, []), base)


def test_weights_that_are_not_there_are_asked_for(store, cache):
    with pytest.raises(BundleError, match="no weights"):
        Blend(store, cache, weights="other", end=None)


def ngram_engine(store, tokenizer, cache):
    blend = Blend(store, cache, weights=ALONE, end=tokenizer.special(END))
    return NgramEngine(blend, tokenizer, [END])


def test_the_engine_without_a_model_completes_heals_and_draws(store, tokenizer, cache, prompt_of):
    engine = ngram_engine(store, tokenizer, cache)
    assert isinstance(engine, LocalEngine)
    prompt = prompt_of("".join(LINES) + "print(total, ", "\n", lead="ot")
    generation = engine.generate(prompt, max_new_tokens=20, stop=to_line_end, n=4)
    assert generation.candidates[0].text == "her)"
    assert generation == engine_again(engine, prompt, generation)
    engine.close()
    with pytest.raises(EngineError):
        engine.generate(prompt, max_new_tokens=1)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("log(value)\nlog(", ")\n", "value"),
        ("log(size(value, 1), 2)\nlog(", ", 2)\n", "size(value, 1)"),
        ("return total\nreturn ", "\n", "total"),
    ],
)
def test_without_a_model_what_stands_behind_the_cursor_is_the_end(
    store, tokenizer, cache, prompt_of, before, after, said
):
    engine = ngram_engine(store, tokenizer, cache)
    prompt = prompt_of(before, after)
    (candidate,) = engine.generate(prompt, max_new_tokens=12, stop=to_line_end).candidates
    assert (candidate.text, candidate.stop_reason) == (said, "end")


def test_a_model_beside_the_ngrams_says_itself_whether_it_ends(blend, engine, prompt_of, tokenizer):
    """The token behind the cursor stays what it is where the model prefers it to the end."""
    end, newline = blend.end, tokenizer.encode("\n")[0]
    engine.blend = blend
    mixer = engine._mixer(prompt_of("".join(LINES) + "return total", "\n"), to_line_end)
    base = np.full(store_size(blend), -12.0, np.float32)
    base[newline], base[end] = -0.5, -1.5
    mixed = mixer.mix(log_softmax(base), [])
    assert (int(mixed.argmax()), mixer.ends) == (newline, (end, newline))


def engine_again(engine, prompt, generation):
    again = engine.generate(prompt, max_new_tokens=20, stop=to_line_end, n=4)
    return type(generation)(again.candidates, generation.timings)


def test_the_engine_without_a_model_takes_prompts_beyond_any_context(
    store, tokenizer, cache, prompt_of
):
    engine = ngram_engine(store, tokenizer, cache)
    prompt = prompt_of("".join(LINES) * 200 + "return to")
    assert engine.generate(prompt, max_new_tokens=3).candidates[0].stop_reason == "length"
