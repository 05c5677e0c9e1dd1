"""What a caller sees of a generation: text, ends, stops, guides, alternatives, cancellation."""

import itertools
import math
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from surefill.budget import Deadline
from surefill.engine.continuation import Continuation
from surefill.engine.decode import open_engine
from surefill.engine.drafts import PromptLookup
from surefill.engine.interface import Cancellation, Prompt
from surefill.engine.interrupt import Interrupt, Interrupted
from surefill.engine.sampling import greedy, log_softmax, sample, seed_for
from surefill.errors import EngineError
from tiny_models import AsciiOnly


class Allow:
    """A guide that allows given tokens, step by step."""

    def __init__(self, engine, *steps):
        self.engine, self.steps, self.asked = engine, steps, []

    def mask(self, generated, logprobs, allowed):
        assert allowed.shape == logprobs.shape == (self.engine.session.vocab_size,)
        assert np.isclose(np.exp(logprobs).sum(), 1, atol=1e-4)
        step = min(len(self.asked), len(self.steps) - 1)
        self.asked.append(generated)
        mask = np.zeros(len(logprobs), bool)
        mask[list(self.steps[step])] = True
        return mask


def spell(engine, text, *, end=True):
    """A guide that lets the engine say ``text`` only."""
    steps = [[id_] for id_ in engine.tokenizer.encode(text)]
    return Allow(engine, *steps, *([list(engine.ends)] if end else []))


def one(engine, prompt, count=24, **more):
    return engine.generate(prompt, max_new_tokens=count, **more).candidates[0]


def test_a_guide_decides_what_is_said(engine, prompts):
    guide = spell(engine, "return value\n")
    candidate = one(engine, prompts(40), guide=guide)
    assert candidate.text == "return value\n"
    assert candidate.stop_reason == "end"
    assert list(candidate.token_ids) == engine.tokenizer.encode("return value\n")
    assert guide.asked[0] == ""
    assert guide.asked[-1] == "return value\n"
    # Log-probabilities are the model's own, not those of what the guide left over.
    assert all(logprob < -0.01 for logprob in candidate.logprobs)


def test_a_guide_that_allows_nothing_ends_the_candidate(engine, prompts):
    candidate = one(engine, prompts(40), guide=Allow(engine, engine.tokenizer.encode("a"), []))
    assert (candidate.text, candidate.stop_reason) == ("a", "stop")


def test_special_tokens_are_never_generated(engine, prompts):
    banned = engine.tokenizer.special_ids - engine.ends
    assert not engine.allowed[list(banned)].any()
    guide = Allow(engine, banned | set(engine.tokenizer.encode("a")))
    assert set(one(engine, prompts(40), 8, guide=guide).text) == {"a"}


def test_stop_sees_each_text_and_cuts(engine, prompts):
    seen = []

    def stop(text):
        seen.append(text)
        return 4 if len(text) >= 6 else None

    guide = spell(engine, "abcdefghijkl")
    candidate = one(engine, prompts(40), guide=guide, stop=stop)
    assert (candidate.text, candidate.stop_reason) == ("abcd", "stop")
    assert all(b.startswith(a) and a != b for a, b in itertools.pairwise(seen))
    # Tokens that lie wholly behind the cut are not part of the candidate.
    assert len(candidate.logprobs) == len(candidate.token_ids)
    assert len(engine.tokenizer.decode(candidate.token_ids[:-1])) < 4
    assert engine.tokenizer.decode(candidate.token_ids).startswith("abcd")


def test_a_candidate_says_where_its_tokens_end_and_what_came_second(engine, prompts):
    candidate = one(engine, prompts(40), 12)
    decode = engine.tokenizer.decode
    ends = [len(decode(candidate.token_ids[:count])) for count in range(1, 13)]
    text = len(candidate.text)  # a token may be half of a character
    assert candidate.reach == tuple(min(end, text) for end in ends[: len(candidate.token_ids)])
    assert len(candidate.runners_up) == len(candidate.logprobs)
    # Greedy: nothing was likelier than what was taken.
    pairs = zip(candidate.logprobs, candidate.runners_up, strict=True)
    assert all(second <= first for first, second in pairs)
    only = one(engine, prompts(40), guide=spell(engine, "return value\n"))
    assert all(second == -math.inf for second in only.runners_up)


def test_stop_at_zero_gives_an_empty_candidate(engine, prompts):
    candidate = one(engine, prompts(40), stop=lambda text: 0)
    assert (candidate.text, candidate.token_ids, candidate.stop_reason) == ("", (), "stop")
    assert candidate.mean_logprob == 0.0


@pytest.mark.parametrize("text", ["🙂é漢字", "x = '🙂'\n", "日本語"])
def test_characters_spread_over_tokens_never_show_as_replacements(engine, prompts, text):
    seen = []
    candidate = one(engine, prompts(40), 60, guide=spell(engine, text), stop=seen.append)
    assert len(engine.tokenizer.encode(text)) > len(text)
    assert candidate.text == text
    assert all(text.startswith(t) for t in seen)


def test_an_incomplete_character_at_the_end_is_dropped(engine, prompts):
    ids = engine.tokenizer.encode("ab🙂")
    whole = len(engine.tokenizer.encode("ab"))
    for count in range(whole, len(ids)):
        candidate = one(engine, prompts(40), count, guide=spell(engine, "ab🙂"))
        assert (candidate.text, candidate.stop_reason) == ("ab", "length")
        assert list(candidate.token_ids) == ids[:whole]


def test_bytes_that_are_no_text_end_the_candidate(engine, prompts):
    start = engine.tokenizer.encode("🙂")[:1]
    guide = Allow(engine, engine.tokenizer.encode("a"), start, engine.tokenizer.encode("b"))
    candidate = one(engine, prompts(40), guide=guide)
    assert (candidate.text, candidate.stop_reason) == ("a", "stop")


def test_alternatives_are_distinct_and_the_same_every_time(engine, prompts):
    prompt = prompts(60)
    first = engine.generate(prompt, max_new_tokens=8, n=5)
    again = engine.generate(prompt, max_new_tokens=8, n=5)
    texts = [candidate.text for candidate in first.candidates]
    assert len(texts) == len(set(texts))
    assert len(texts) > 2
    assert texts == [candidate.text for candidate in again.candidates]
    assert texts[0] == one(engine, prompt, 8).text
    other = engine.generate(prompts(60, seed=9), max_new_tokens=8, n=5)
    assert texts != [candidate.text for candidate in other.candidates]


def test_alternatives_part_where_something_else_is_likely_too(engine, prompts):
    first = engine.tokenizer.encode("a")

    class Begin:
        """Lets every candidate begin with the same token."""

        def mask(self, generated, logprobs, allowed):
            return None if generated else Allow(engine, first).mask(generated, logprobs, allowed)

    generation = engine.generate(prompts(60), max_new_tokens=4, n=5, guide=Begin())
    begun = [candidate.token_ids[:2] for candidate in generation.candidates]
    assert {ids[:1] for ids in begun} == {tuple(first)}
    assert len(set(begun)) == len(begun) == 5


def test_independent_alternatives_may_come_out_the_same(engine, prompts):
    apart = prompts(60)
    independent = engine.generate(replace(apart, apart=False), max_new_tokens=1, n=200)
    assert max(candidate.count for candidate in independent.candidates) > 1
    assert sum(candidate.count for candidate in independent.candidates) <= 200
    parted = engine.generate(apart, max_new_tokens=1, n=20)
    assert {candidate.count for candidate in parted.candidates} == {1}


def test_alternatives_carry_the_models_own_logprobs(engine, prompts):
    prompt = prompts(60)
    for candidate in engine.generate(prompt, max_new_tokens=6, n=4).candidates:
        ids = (*prompt.ids, *candidate.token_ids)
        engine.session.forget()
        rows = engine.session.extend(ids, Interrupt())[len(prompt.ids) - 1 : -1]
        wanted = [log_softmax(row)[id_] for row, id_ in zip(rows, candidate.token_ids, strict=True)]
        np.testing.assert_allclose(candidate.logprobs, wanted, atol=1e-3)


def test_duplicates_and_empty_alternatives_are_left_out(engine, prompts):
    guide = Allow(engine, engine.tokenizer.encode("a"), list(engine.ends))
    guide.mask = lambda generated, logprobs, allowed: Allow(
        engine, list(engine.ends) if generated else engine.tokenizer.encode("a")
    ).mask(generated, logprobs, allowed)
    generation = engine.generate(prompts(40), max_new_tokens=8, n=4, guide=guide)
    assert [(candidate.text, candidate.count) for candidate in generation.candidates] == [("a", 4)]


def test_another_seed_gives_other_alternatives(engine, prompts):
    prompt = prompts(60)
    first, second, again = (
        [c.text for c in engine.generate(replace(prompt, seed=s), max_new_tokens=8, n=4).candidates]
        for s in (1, 2, 1)
    )
    assert first == again
    assert first[0] == second[0]
    assert first != second


def test_alternatives_do_not_cost_the_cache(engine, prompts):
    prompt = prompts(200)
    engine.generate(prompt, max_new_tokens=8, n=4)
    again = engine.generate(prompt, max_new_tokens=8)
    assert again.timings.reused_tokens >= 196
    assert again.timings.prompt_tokens == 200


def test_prompts_that_share_nothing_do_not_cost_each_other_the_cache(engine_of, prompts):
    engine, fresh = engine_of(), engine_of()
    first, second = prompts(300, 1), prompts(200, 2)
    one(engine, first), one(engine, second)
    for prompt in (first, second, first):
        fresh.session.forget()
        again = engine.generate(prompt, max_new_tokens=8)
        assert again.timings.reused_tokens == len(prompt.ids) // 4 * 4 - 4
        assert again.candidates == fresh.generate(prompt, max_new_tokens=8).candidates


def test_a_third_prompt_takes_the_place_of_the_one_that_was_used_longest_ago(engine, prompts):
    first, second, third = (prompts(200, seed) for seed in (1, 2, 3))
    for prompt in (first, second, first, third):
        one(engine, prompt)
    for prompt, reused in ((first, 196), (third, 196), (second, 0)):
        generation = engine.generate(prompt, max_new_tokens=4)
        assert generation.timings.reused_tokens == reused


def test_a_candidate_ends_with_the_token_that_makes_it_unlikely(engine, prompts):
    prompt = prompts(60)
    whole = one(engine, prompt, 12)
    least = math.exp(sum(whole.logprobs[:5]) + 1e-6)
    candidate = one(engine, replace(prompt, least_probability=least), 12)
    assert candidate.stop_reason == "unlikely"
    assert candidate.token_ids == whole.token_ids[:5]
    assert one(engine, replace(prompt, least_probability=least / 1e9), 12) == whole


def test_cancelled_before_the_start(engine, prompts):
    cancel = Cancellation()
    cancel.cancel()
    candidate = one(engine, prompts(300), cancel=cancel)
    assert (candidate.text, candidate.stop_reason) == ("", "cancelled")
    assert engine.session.tokens == []


def test_cancelled_in_the_middle_keeps_what_was_said_and_the_cache(engine, prompts):
    prompt = prompts(130)
    guide = AsciiOnly(engine)
    wanted = one(engine, prompt, guide=guide)
    cancel = Cancellation()

    def stop(text):
        if len(text) > 3:
            cancel.cancel()

    engine.session.forget()
    partial = engine.generate(prompt, max_new_tokens=24, stop=stop, cancel=cancel, n=3, guide=guide)
    assert [c.stop_reason for c in partial.candidates] == ["cancelled"]
    assert 3 < len(partial.candidates[0].text) < len(wanted.text)
    assert wanted.text.startswith(partial.candidates[0].text)
    cached = engine.session.tokens
    assert cached == [*prompt.ids, *wanted.token_ids][: len(cached)]
    assert one(engine, prompt, guide=guide).token_ids == wanted.token_ids


@pytest.mark.parametrize(
    ("architecture", "precision"), [("llama", "fp32"), ("llama", "int4"), ("gpt2", "fp32")]
)
def test_answers_are_right_after_runs_cut_off_anywhere(architecture, precision, engine_of, prompts):
    engine = engine_of(architecture, precision)
    prompt = prompts(500)
    guide = AsciiOnly(engine)
    wanted = one(engine, prompt, 6, guide=guide)
    cut = 0
    for delay in np.linspace(0.0005, 0.03, 12):
        engine.session.forget()
        cancel = Cancellation()
        timer = threading.Timer(delay, cancel.cancel)
        timer.start()
        partial = one(engine, prompt, 6, cancel=cancel, guide=guide)
        timer.join()
        cut += partial.stop_reason == "cancelled"
        cached = engine.session.tokens
        assert cached == [*prompt.ids, *wanted.token_ids][: len(cached)]
        # Whatever is believed cached must be: go on from it without starting over.
        assert one(engine, prompt, 6, guide=guide).token_ids == wanted.token_ids
    assert cut


def test_a_deadline_during_prefill_and_one_while_decoding(engine, prompts):
    prompt = prompts(500)
    cancel = Cancellation(Deadline.after(-1))
    assert one(engine, prompt, cancel=cancel).stop_reason == "deadline"
    one(engine, prompt, 1)
    cancel = Cancellation(Deadline.after(0.2))

    def stop(text):
        time.sleep(0.03)

    guide = Allow(engine, engine.tokenizer.encode("a"))
    candidate = one(engine, prompt, 100, cancel=cancel, guide=guide, stop=stop)
    assert candidate.stop_reason == "deadline"
    assert set(candidate.text) == {"a"}


def test_no_timer_outlives_its_request(engine, prompts):
    one(engine, prompts(40), 2, cancel=Cancellation(Deadline.after(3600)))
    alive = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    for thread in alive:
        thread.join(5)
    assert not any(thread.is_alive() for thread in alive)


def test_requests_that_cannot_be(engine, prompts):
    context = engine.session.context_length
    with pytest.raises(EngineError, match="leave no room in the model's context"):
        one(engine, Prompt((5,) * context, "", ""))
    with pytest.raises(EngineError, match="prompt is empty"):
        one(engine, Prompt((), "", ""))
    for bad in (-1, engine.session.vocab_size):
        with pytest.raises(EngineError, match="does not know"):
            one(engine, Prompt((5, bad), "", ""))
    for more in ({"max_new_tokens": 0}, {"max_new_tokens": 1, "n": 0}):
        with pytest.raises(EngineError, match="At least one"):
            engine.generate(prompts(40), **more)


def test_a_full_context_ends_by_length(engine):
    prompt = Prompt((5,) * (engine.session.context_length - 3), "", "")
    guide = Allow(engine, engine.tokenizer.encode("a"))
    candidate = one(engine, prompt, 50, guide=guide)
    assert (candidate.text, candidate.stop_reason) == ("aaa", "length")
    assert engine.generate(prompt, max_new_tokens=50, guide=guide, n=3).candidates


def test_a_failing_run_leaves_nothing_believed(engine, prompts, monkeypatch):
    prompt = prompts(60)
    wanted = one(engine, prompt)
    monkeypatch.setattr(engine.session, "vocab_size", 10**6)
    with pytest.raises(EngineError, match="model failed"):
        one(engine, Prompt((*prompt.ids, 10**5), "", ""))
    assert engine.session.tokens == []
    monkeypatch.undo()
    assert one(engine, prompt) == wanted


def test_a_closed_engine_refuses(bundles, prompts):
    engine = open_engine(bundles(), "cpu")
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        one(engine, prompts(40))


def test_timings_add_up(engine, prompts):
    timings = engine.generate(prompts(100), max_new_tokens=5).timings
    assert timings.prompt_tokens == 100
    assert timings.reused_tokens == 0
    assert timings.prefill_ms > 0
    assert timings.generated_tokens <= 5


def test_an_interrupt_ends_a_run_that_has_not_begun():
    interrupt = Interrupt(Cancellation())
    interrupt.trip()
    with pytest.raises(Interrupted), interrupt.running(threading.local()):
        raise AssertionError("must not run")


def test_a_continuation_closed_from_outside_keeps_its_own_reason(tokenizer):
    out = Continuation(tokenizer, frozenset({7}), None, 5)
    assert out.push(7, -1.0)
    out.close("cancelled")
    assert out.candidate().stop_reason == "end"


def test_log_softmax_and_greedy():
    logits = np.array([1.0, 3.0, 3.0, -1e9], np.float32)
    logprobs = log_softmax(logits)
    assert np.isclose(np.exp(logprobs).sum(), 1)
    assert greedy(logprobs, np.ones(4, bool)) == 1
    assert greedy(logprobs, np.array([True, False, False, True])) == 0


def test_sampling_stays_in_the_nucleus_and_follows_the_distribution():
    logprobs = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    everything = np.ones(4, bool)
    generator = np.random.default_rng(0)
    drawn = [sample(logprobs, everything, generator, 1.0, 0.79) for _ in range(2000)]
    assert set(drawn) == {0, 1}
    assert abs(drawn.count(0) / 2000 - 0.625) < 0.04
    assert {sample(logprobs, everything, generator, 1.0, 1.0) for _ in range(500)} == {0, 1, 2, 3}
    assert sample(logprobs, np.arange(4) == 3, generator, 0.8, 0.95) == 3
    assert {sample(logprobs, everything, generator, 0.01, 0.95) for _ in range(50)} == {0}
    assert seed_for([1, 2]) != seed_for([2, 1])


def test_prompt_lookup_proposes_what_followed_last_time():
    lookup = PromptLookup([1, 2, 3, 4, 5, 9, 1, 2, 3, 7, 8, 1, 2], length=3)
    assert lookup.propose(10) == [3, 7]
    lookup.append(3)
    assert lookup.propose(10) == [7, 8, 1]
    assert lookup.propose(2) == [7, 8]
    assert lookup.propose(0) == []
    lookup.append(4)
    assert lookup.propose(10) == [5, 9, 1]


def test_prompt_lookup_guesses_less_where_fewer_tokens_stand_there():
    lookup = PromptLookup([1, 2, 3, 4, 5, 9, 2], length=3)
    assert lookup.propose(10) == []
    lookup.append(3)
    assert lookup.propose(10) == [4, 5]


def test_prompt_lookup_is_not_fooled_by_unaligned_bytes():
    # 256 is 1 one byte further on: the bytes match where the ids do not.
    lookup = PromptLookup([256, 256, 256, 5, 7, 1, 1], length=2)
    assert lookup.propose(4) == []
    assert PromptLookup([3, 3, 3, 3], length=4).propose(4) == [3]
    assert PromptLookup([1, 2], length=4).propose(4) == []
