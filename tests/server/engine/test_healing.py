"""An answer begins with what the prompt left out before the cursor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.engine.healing import TokenTexts

TEXTS = ["", "a", "ab", "abc", "b", " ", " a", "abd", "ab", "\ufffd"]


@given(st.text(alphabet="ab cd", min_size=1, max_size=4))
def test_tokens_that_begin_with_a_text_or_begin_it(text):
    mask = TokenTexts(TEXTS).beginning(text)
    expected = [bool(each) and (each.startswith(text) or text.startswith(each)) for each in TEXTS]
    assert mask.tolist() == expected


@given(st.text(alphabet="ab cd", min_size=1, max_size=4))
def test_tokens_that_go_on_behind_a_text(text):
    expected = any(each.startswith(text) and each != text for each in TEXTS)
    assert TokenTexts(TEXTS).extends(text) == expected


@pytest.mark.parametrize("length", [1, 3, 9])
def test_what_is_left_out_comes_first_and_is_not_shown(engine, prompts, length):
    prompt = prompts(200)
    lead = "    return self._handler"[:length]
    generation = engine.generate(replace(prompt, lead=lead), max_new_tokens=24, n=3)
    assert any(candidate.token_ids for candidate in generation.candidates)
    for candidate in generation.candidates:
        if candidate.token_ids:
            whole = engine.tokenizer.decode(candidate.token_ids)
            assert whole.startswith(lead)
            assert whole[len(lead) :].startswith(candidate.text)
        assert np.all(np.array(candidate.logprobs) <= 1e-6)


def test_without_a_lead_nothing_changes(engine, prompts):
    prompt = prompts(120)
    first = engine.generate(prompt, max_new_tokens=8).candidates[0]
    again = engine.generate(replace(prompt, lead=""), max_new_tokens=8).candidates[0]
    assert first == again


def test_a_lead_that_no_token_begins_ends_the_candidate(engine, prompts, monkeypatch):
    monkeypatch.setattr(engine, "texts", TokenTexts([""] * engine.session.vocab_size))
    candidate = engine.generate(replace(prompts(60), lead="x"), max_new_tokens=5).candidates[0]
    assert (candidate.text, candidate.token_ids) == ("", ())
