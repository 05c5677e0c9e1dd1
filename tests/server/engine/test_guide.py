"""Rules on text decide which tokens the model may choose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.engine.guide import Names, RuledTokens
from surefill.engine.healing import TokenTexts, is_part_of_name

TEXTS = ["", "a", "ab", "b", "b(", "abc ", " ", "_", ".a", "1", "(", "\n", "c", "bc"]


@given(
    st.text(alphabet="abc_", max_size=3),
    st.frozensets(st.text(alphabet="abc_1", min_size=1, max_size=4), max_size=4),
)
def test_exactly_the_tokens_that_lead_to_a_name_or_finish_one(typed, names):
    mask = TokenTexts(TEXTS).naming(typed, names)
    for text, allowed in zip(TEXTS, mask, strict=True):
        whole = typed + text
        leads = bool(text) and any(name.startswith(whole) for name in names)
        finishes = any(
            whole.startswith(name) and not is_part_of_name((whole[len(name) :] + " ")[0])
            for name in names
            if len(name) >= len(typed)
        )
        assert bool(allowed) == (leads or finishes), (typed, text, names)


class Only:
    """Rules by which a text may only say one of ``names`` behind ``before``."""

    def __init__(self, names: set[str], before: str = "", forbidden: str = "\0") -> None:
        self._names, self._before, self._forbidden = frozenset(names), before, forbidden
        self.asked: list[str] = []

    def names(self, generated: str, *, all_of_them: bool = True) -> Names | None:
        typed = generated.removeprefix(self._before)
        if not generated.startswith(self._before) or not all(map(is_part_of_name, typed)):
            return None
        return Names(typed, self._names)

    def allows(self, generated: str) -> bool:
        self.asked.append(generated)
        return self._forbidden not in generated


def test_the_model_chooses_among_the_names(engine, prompts):
    guide = engine.guided_by(Only({"first", "second"}), wanted=1)
    for length in (40, 80, 120):
        text = engine.generate(prompts(length), max_new_tokens=12, guide=guide).candidates[0].text
        name = "first" if text.startswith("first") else "second"
        assert text.startswith(name)
        assert not is_part_of_name(text.removeprefix(name)[:1] or " ")


def test_a_name_may_be_what_the_user_has_begun(engine, prompts):
    prompt = replace(prompts(60), lead="fi")
    rules = Only({"first", "second", "final"})
    candidate = engine.generate(prompt, max_new_tokens=12, guide=engine.guided_by(rules, wanted=1))
    text = candidate.candidates[0].text
    assert text.startswith(("rst", "nal"))


def test_where_no_name_fits_nothing_is_written(engine, prompts):
    prompt = replace(prompts(60), lead="x")
    guide = engine.guided_by(Only({"first"}), wanted=1)
    assert engine.generate(prompt, max_new_tokens=5, guide=guide).candidates[0].text == ""


def test_a_refused_token_gives_way_to_the_next_best(engine, prompts):
    prompt = prompts(60)
    free = engine.generate(prompt, max_new_tokens=1).candidates[0]
    rules = Only(set(), before="\0", forbidden=free.text)
    (other,) = engine.generate(
        prompt, max_new_tokens=1, guide=engine.guided_by(rules, wanted=1)
    ).candidates
    assert rules.asked[0] == free.text
    assert free.text not in other.text
    assert other.logprobs[0] < free.logprobs[0]


@pytest.mark.parametrize("wanted", [1, 3])
def test_no_more_is_asked_than_is_wanted(wanted):
    texts = TokenTexts([chr(ord("a") + number) for number in range(20)])
    rules = Only(set(), before="\0")
    logprobs = np.log(np.linspace(0.9, 0.1, 20)).astype(np.float32)
    mask = RuledTokens(texts, rules, wanted=wanted).mask("", logprobs, np.ones(20, bool))
    assert mask.all()
    assert rules.asked == ["a", "b", "c"][:wanted]


def test_alternatives_keep_to_the_rules_too(engine, prompts):
    guide = engine.guided_by(Only({"first", "second", "third"}), wanted=4)
    generation = engine.generate(prompts(60), max_new_tokens=12, n=6, guide=guide)
    assert len(generation.candidates) > 1
    assert all(
        candidate.text.startswith(("first", "second", "third"))
        for candidate in generation.candidates
    )
