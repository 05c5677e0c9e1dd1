"""Reading a prompt before it is asked about: sooner, and never otherwise."""

import random
import threading

import pytest

from surefill.engine.interface import Cancellation, Prompt, ReadsAhead
from surefill.engine.remote import RemoteEngine
from surefill.errors import EngineError
from tiny_models import AsciiOnly


def answer(engine, prompt, count=8):
    return engine.generate(prompt, max_new_tokens=count, guide=AsciiOnly(engine))


def tokens_and_logprobs(generation):
    (candidate,) = generation.candidates
    return candidate.token_ids, candidate.logprobs


class CutOff(Cancellation):
    """Strikes from another thread as soon as the session holds so many tokens.

    It looks again and again, so that it also strikes within a run.
    """

    def __init__(self, session, length):
        super().__init__()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(session, length))
        self._thread.start()

    def _look(self, session, length):
        while len(session.tokens) < length and not self._over.is_set():
            self._over.wait(0.0002)
        self.cancel()

    def end(self):
        self._over.set()
        self._thread.join()


def test_a_prompt_that_was_read_is_there_when_it_is_asked_about(engine, prompts):
    prompt = prompts(300)
    wanted = answer(engine, prompt)
    engine.session.forget()
    reading = engine.read(prompt, Cancellation())
    assert (reading.prompt_tokens, reading.read_tokens, reading.complete) == (300, 300, True)
    found = answer(engine, prompt)
    assert found.timings.reused_tokens == found.timings.ahead_tokens == 296
    assert tokens_and_logprobs(found) == tokens_and_logprobs(wanted)
    assert answer(engine, prompt).timings.ahead_tokens == 0, "they count once"


def test_what_is_there_is_not_read_again_and_stays(engine, prompts):
    prompt = prompts(200)
    answer(engine, prompt)
    before = list(engine.session.tokens)
    assert len(before) > 200, "the answer is there, too"
    assert engine.read(prompt, Cancellation()).read_tokens == 0
    assert engine.session.tokens == before


def test_only_what_is_new_is_read(engine, prompts):
    prompt = prompts(300)
    answer(engine, Prompt(prompt.ids[:200], "", ""))
    engine.session.rewind(200)
    assert engine.read(prompt, Cancellation()).read_tokens == 100
    found = answer(engine, prompt).timings
    assert found.reused_tokens == 296
    assert found.ahead_tokens == 96


def test_tokens_of_several_readings_count_together(engine, prompts):
    prompt = prompts(300)
    for length in (100, 200, 300):
        assert engine.read(Prompt(prompt.ids[:length], "", ""), Cancellation()).read_tokens == 100
    assert answer(engine, prompt).timings.ahead_tokens == 296


@pytest.mark.parametrize(
    ("architecture", "precision"),
    [("llama", "fp32"), ("llama", "int8"), ("llama", "int4"), ("llama", "w8a8"), ("gpt2", "fp32")],
)
def test_an_answer_after_a_reading_cut_off_anywhere_is_that_of_a_fresh_session(
    architecture, precision, engine_of, prompts
):
    engine, fresh = engine_of(architecture, precision), engine_of(architecture, precision)
    numbers = random.Random(5)
    parts = set()
    for seed in range(16):
        read, asked = prompts(500, seed), prompts(500, seed)
        if seed % 2:  # what is asked about begins as what was read, and goes on otherwise
            keep = numbers.randrange(500)
            asked = Prompt((*read.ids[:keep], *prompts(500, seed + 100).ids[keep:]), "", "")
        cut = CutOff(engine.session, numbers.randrange(500))
        reading = engine.read(read, cut)
        cut.end()
        kept = engine.session.tokens
        assert kept == list(read.ids[: len(kept)])
        assert reading.complete == (len(kept) == 500)
        parts.add(reading.complete)
        fresh.session.forget()
        found, wanted = answer(engine, asked), answer(fresh, asked)
        assert tokens_and_logprobs(found) == tokens_and_logprobs(wanted)
        assert found.timings.ahead_tokens <= found.timings.reused_tokens
        engine.session.forget()
    assert False in parts, "no reading was cut off"


def test_whole_chunks_are_kept_by_a_reading_that_is_cut_off(engine, prompts):
    prompt = prompts(500)
    cut = CutOff(engine.session, 64)
    reading = engine.read(prompt, cut)
    cut.end()
    assert not reading.complete
    assert reading.read_tokens >= 64
    found = answer(engine, prompt).timings
    assert found.ahead_tokens == found.reused_tokens == reading.read_tokens


def test_a_reading_that_is_cancelled_before_it_begins_reads_nothing(engine, prompts):
    cancel = Cancellation()
    cancel.cancel()
    reading = engine.read(prompts(300), cancel)
    assert (reading.read_tokens, reading.complete) == (0, False)


def test_a_closed_engine_reads_nothing(engine, prompts):
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.read(prompts(40), Cancellation())


def test_only_a_model_of_our_own_reads_ahead(engine):
    assert isinstance(engine, ReadsAhead)
    assert not isinstance(RemoteEngine.__new__(RemoteEngine), ReadsAhead)
