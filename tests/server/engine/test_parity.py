"""The engine against transformers, and against itself without cache, drafts or batches."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence

import numpy as np
import pytest

from surefill.engine.decode import DecodingOptions
from surefill.engine.interface import Generation, Prompt
from surefill.engine.interrupt import Interrupt
from tiny_models import AsciiOnly

# The quick suite, which leaves these tests out, has to be able to import them.
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

LENGTHS = (3, 17, 128, 129, 130, 300)
ARCHITECTURES = ("llama", "qwen2", "gpt2")


@functools.lru_cache
def reference_model(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder).eval()


def reference(model, engine, prompt: Prompt, count: int) -> tuple[list[int], list[float]]:
    """Greedy tokens and their log-probabilities by transformers, end token excluded."""
    banned = np.flatnonzero(~AsciiOnly(engine).allowed).tolist()
    with torch.no_grad():
        out = model.generate(
            torch.tensor([prompt.ids]),
            attention_mask=torch.ones(1, len(prompt.ids), dtype=torch.long),
            max_new_tokens=count,
            do_sample=False,
            suppress_tokens=banned,
            pad_token_id=0,
        )
        tokens = out[0, len(prompt.ids) :].tolist()
        logits = model(out).logits[0, len(prompt.ids) - 1 : -1]
    logprobs = torch.log_softmax(logits, -1)[torch.arange(len(tokens)), tokens].tolist()
    if tokens[-1] in engine.ends:
        return tokens[:-1], logprobs[:-1]
    return tokens, logprobs


def greedy(engine, prompt: Prompt, count: int = 24, **more) -> Generation:
    return engine.generate(prompt, max_new_tokens=count, guide=AsciiOnly(engine), **more)


def ids(generation: Generation) -> tuple[int, ...]:
    return generation.candidates[0].token_ids


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_greedy_tokens_and_logprobs_equal_transformers(
    architecture, checkpoints, engine_of, prompts
):
    model = reference_model(checkpoints(architecture))
    engine = engine_of(architecture)
    compared = 0
    for length in LENGTHS:
        prompt = prompts(length, seed=length)
        tokens, logprobs = reference(model, engine, prompt, 16)
        candidate = greedy(engine, prompt, 16).candidates[0]
        assert list(candidate.token_ids) == tokens
        np.testing.assert_allclose(candidate.logprobs, logprobs, atol=2e-4)
        compared += len(tokens)
    assert compared > 60


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_equal_transformers_at_every_position(architecture, checkpoints, engine_of, prompts):
    model, session = reference_model(checkpoints(architecture)), engine_of(architecture).session
    prompt = prompts(150)
    with torch.no_grad():
        wanted = model(torch.tensor([prompt.ids])).logits[0].numpy()
    np.testing.assert_allclose(session.extend(prompt.ids, Interrupt()), wanted, atol=5e-4)


@pytest.mark.parametrize(
    ("architecture", "precision"),
    [
        ("llama", "fp32"),
        ("llama", "int8"),
        ("llama", "int4"),
        ("qwen2", "int4"),
        ("llama", "w8a8"),
        ("gpt2", "fp32"),
    ],
)
def test_reuse_of_the_prefix_changes_nothing(architecture, precision, engine_of, prompts):
    fresh = engine_of(architecture, precision, chunk=64).session
    kept = engine_of(architecture, precision, chunk=64).session
    numbers = random.Random(7)
    base = list(prompts(300).ids)
    reused_somewhere = 0
    for _ in range(12):
        # Typing on, deleting, and editing somewhere in the middle.
        keep = numbers.randrange(2, len(base))
        new = [numbers.randrange(6, 512) for _ in range(numbers.randrange(1, 40))]
        base = (base[:keep] + new + base[keep + len(new) :])[:400]
        logits, reused = kept.prefill(base, Interrupt())
        reused_somewhere += reused
        fresh.forget()
        wanted, nothing = fresh.prefill(base, Interrupt())
        assert nothing == 0
        np.testing.assert_array_equal(logits, wanted)
    assert reused_somewhere > 300


@pytest.mark.parametrize("precision", ["fp32", "int8", "int4", "w8a8"])
def test_answers_with_reuse_equal_those_without(precision, engine_of, prompts):
    kept, fresh = engine_of(precision=precision), engine_of(precision=precision)
    prompt = prompts(280, seed=1)
    for cut in (200, 201, 240, 280, 220, 279, 280, 140):
        request = Prompt(prompt.ids[:cut], "", "")
        fresh.session.forget()
        again, first = greedy(kept, request, n=2), greedy(fresh, request, n=2)
        assert [c.token_ids for c in again.candidates] == [c.token_ids for c in first.candidates]
    # Accepting a suggestion and typing on reuses the tokens that were generated, too.
    accepted = Prompt((*prompt.ids[:140], *ids(again), *prompt.ids[140:150]), "", "")
    fresh.session.forget()
    taken = greedy(kept, accepted)
    assert taken.timings.reused_tokens >= 136 + len(ids(again)) // 4 * 4 - 4
    assert ids(taken) == ids(greedy(fresh, accepted))


class HalfRight:
    """Drafts that are the true continuation up to a random place."""

    def __init__(self, truth: Sequence[int]) -> None:
        self._truth = truth
        self._numbers = random.Random(3)
        self._generated = 0
        self.right = self.wrong = 0

    def __call__(self, prompt: Sequence[int], *, length: int) -> HalfRight:
        return self

    def append(self, token: int) -> None:
        self._generated += 1

    def propose(self, limit: int) -> list[int]:
        draft = list(self._truth[self._generated : self._generated + min(4, limit)])
        right = self._numbers.randrange(len(draft) + 1)
        self.right += right
        self.wrong += len(draft) - right
        return [*draft[:right], *((token + 1) % 512 for token in draft[right:])]


@pytest.mark.parametrize(
    ("architecture", "precision"), [("llama", "fp32"), ("llama", "int4"), ("gpt2", "fp32")]
)
def test_drafts_change_nothing(architecture, precision, engine_of, prompts, monkeypatch):
    plain = engine_of(architecture, precision, options=DecodingOptions(drafts=0))
    drafting = engine_of(architecture, precision, options=DecodingOptions(drafts=4))
    right = wrong = 0
    for seed in range(3):
        prompt = prompts(120, seed)
        wanted = greedy(plain, prompt)
        lookup = HalfRight(ids(wanted))
        monkeypatch.setattr("surefill.engine.decode.PromptLookup", lookup)
        found = greedy(drafting, prompt)
        right, wrong = right + lookup.right, wrong + lookup.wrong
        assert ids(found) == ids(wanted)
        # With int4 the activations are rounded to 8 bits, and a lone row may round otherwise.
        np.testing.assert_allclose(
            found.candidates[0].logprobs,
            wanted.candidates[0].logprobs,
            atol=5e-2 if precision == "int4" else 1e-3,
        )
        # What stays in the cache is what was accepted.
        cached = drafting.session.tokens
        assert cached == [*prompt.ids, *ids(found)][: len(cached)]
    assert min(right, wrong) > 3


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_a_branch_of_a_batch_equals_decoding_alone(architecture, engine_of, prompts):
    session = engine_of(architecture).session
    prompt = prompts(90)
    session.prefill(prompt.ids, Interrupt())
    branches = session.fork(3, 90, 8)
    sequences = [[10, 11, 12, 13], [20, 21, 22, 23], [10, 31, 32, 33]]
    together = [branches.extend([s[step] for s in sequences], Interrupt()) for step in range(4)]
    for row, sequence in enumerate(sequences):
        session.rewind(90)
        alone = [session.extend([token], Interrupt())[0] for token in sequence]
        for step in range(4):
            np.testing.assert_allclose(together[step][row], alone[step], atol=2e-4)
    # The branches left the prompt's own cache alone.
    assert session.tokens[:90] == list(prompt.ids)
