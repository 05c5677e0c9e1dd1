"""Documents as token ids, with a hole and without."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from small_corpus import module
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.engine.healing import TokenTexts
from surefill.engine.tokenizer import BundleTokenizer
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position
from surefill_training.inputs import make_task
from surefill_training.tasks.holes import HoleMix, cut
from surefill_training.tasks.infilling import Infilling, InfillingOptions

TEMPLATE = "qwen2.5-coder"
PYTHON = language_for("python", None)
SAME_FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def tokenizer(tokenizer_file: Path) -> Tokenizer:
    return Tokenizer.from_file(str(tokenizer_file))


def task(tokenizer: Tokenizer, **options: float) -> Infilling:
    return make_task(tokenizer, TEMPLATE, InfillingOptions(**options))  # type: ignore[arg-type]


def parts(tokenizer: Tokenizer, ids: list[int]) -> tuple[str, str, str, str]:
    """Order, prefix, suffix and middle of an example; order "plain" has a middle only."""
    pre, suf, mid = (tokenizer.token_to_id(f"<|fim_{n}|>") for n in ("prefix", "suffix", "middle"))
    text = tokenizer.decode
    end = tokenizer.token_to_id("<|endoftext|>")
    assert ids.count(end) == (ids[0] == end) + (len(ids) > 1 and ids[-1] == end)
    body = [token for token in ids if token != end]
    if pre not in ids:
        return "plain", "", "", text(body)
    assert (body.count(pre), body.count(suf), body.count(mid), body[0]) == (1, 1, 1, pre)
    behind = body[body.index(mid) + 1 :]
    if body[1] == suf:
        return "spm", "", text(body[2 : body.index(mid)]), text(behind)
    cut = body.index(suf)
    return "psm", text(body[1:cut]), text(body[cut + 1 : body.index(mid)]), text(behind)


@given(
    text=st.text(max_size=120) | st.integers(0, 30).map(module),
    seed=st.integers(0, 2**32),
)
@SAME_FIXTURE
def test_examples_decode_to_what_they_were_made_of(
    tokenizer: Tokenizer, text: str, seed: int
) -> None:
    example = task(tokenizer).example(text, random.Random(seed))
    ids = example.ids
    assert len(example.weights) == len(ids)
    assert ids[-1] == tokenizer.token_to_id("<|endoftext|>")
    order, prefix, suffix, middle = parts(tokenizer, ids)
    if order == "plain":
        assert middle == text
        return
    seen = prefix + middle
    assert text.startswith(seen)
    assert text[len(seen) :].startswith(suffix)
    # The suffix is cut at a line's end, or is all that there is.
    assert suffix.endswith("\n") or not suffix or text == seen + suffix


@given(seed=st.integers(0, 2**32), number=st.integers(0, 30))
@SAME_FIXTURE
def test_a_prompt_ends_where_that_of_serving_does(
    tokenizer: Tokenizer, tokenizer_file: Path, seed: int, number: int
) -> None:
    """At white space and in words: what serving leaves to the model is what counts."""
    hole = cut(module(number), random.Random(seed), HoleMix(on_nodes=0))
    assert hole is not None
    serving = BundleTokenizer(tokenizer_file, TEMPLATES[TEMPLATE].special_tokens())
    texts = TokenTexts([serving.decode([token]) for token in range(serving.vocab_size)])
    builder = ContextBuilder(
        serving, TEMPLATES[TEMPLATE], "spm", 8_192, per_line=False, extends=texts.extends
    )
    snapshot = Document("file:///a", PYTHON, hole.prefix + hole.suffix).snapshot()
    lines = hole.prefix.split("\n")
    position = Position(len(lines) - 1, len(lines[-1]))
    prompt = builder.build(snapshot, position, Cursor.at(snapshot, position), 8)
    if not prompt.infills:
        return
    example = task(tokenizer, context_weight=0.0).suffix_first(hole)
    asked = example.weights.index(1.0)
    answer = tokenizer.decode(example.ids[asked:-1])
    # Where tokens before the cursor are others for what follows, more is asked for.
    assert asked <= len(prompt.ids)
    assert answer.endswith(prompt.lead + hole.middle)
    if example.ids[: len(prompt.ids)] == [*prompt.ids]:
        assert answer == prompt.lead + hole.middle


def test_the_answer_counts_fully_and_the_text_around_it_less(tokenizer: Tokenizer) -> None:
    infilling = task(tokenizer, fim_rate=1.0, no_suffix=0.0, context_weight=0.25)
    for seed in range(20):
        example = infilling.example(module(1), random.Random(seed))
        if example.has_hole:
            assert example.weights[0] == 0.0  # nothing stands before it
            asked = example.weights.index(1.0)
            assert {*example.weights[1:asked]} == {0.25}
            assert {*example.weights[asked:]} == {1.0}
        else:
            assert {*example.weights[1:]} == {1.0}
    asking = infilling.asking().example(module(1), random.Random(0))
    assert {*asking.weights} == {0.0, 1.0}


def test_shares_of_holes_and_orders(tokenizer: Tokenizer) -> None:
    infilling = task(tokenizer, fim_rate=0.6, spm_share=0.75, no_suffix=0.2)
    text = module(1)
    examples = [
        parts(tokenizer, infilling.example(text, random.Random(seed)).ids) for seed in range(500)
    ]
    orders = Counter(order for order, *_ in examples)
    assert orders["plain"] / 500 == pytest.approx(1 - 0.6 * 0.8, abs=0.06)
    assert orders["spm"] / (500 - orders["plain"]) == pytest.approx(0.75, abs=0.06)


def test_where_nothing_stands_below_the_text_is_plain(tokenizer: Tokenizer) -> None:
    infilling = task(tokenizer, fim_rate=1, no_suffix=0)
    text = "value = compute(1)\n"
    for seed in range(60):
        example = infilling.example(text, random.Random(seed), at_end=False)
        order, _, suffix, _ = parts(tokenizer, example.ids)
        assert (order == "plain") != bool(re.search(r"\w", suffix))
        if order == "plain":
            assert tokenizer.decode(example.ids[1:]) == text


@pytest.mark.parametrize(
    ("rate", "share", "order"), [(0, 0.5, "plain"), (1, 1, "spm"), (1, 0, "psm")]
)
def test_extremes(tokenizer: Tokenizer, rate: float, share: float, order: str) -> None:
    infilling = task(tokenizer, fim_rate=rate, spm_share=share, no_suffix=0)
    text = module(2)
    orders = [parts(tokenizer, infilling.example(text, random.Random(s)).ids)[0] for s in range(30)]
    # Holes at the end of the text are plain.
    assert orders.count(order) > 25
    assert {*orders} <= {order, "plain"}


def test_suffixes_are_bounded(tokenizer: Tokenizer) -> None:
    infilling = task(tokenizer, fim_rate=1, max_suffix=0.1, no_suffix=0)
    text = module(1, functions=20)
    longest = max(map(len, text.split("\n"))) + 1
    for seed in range(60):
        _, _, suffix, _ = parts(tokenizer, infilling.example(text, random.Random(seed)).ids)
        assert len(suffix) <= max(longest, 0.1 * len(text))


def test_special_tokens_in_a_document_are_ordinary_text(tokenizer: Tokenizer) -> None:
    text = "TOKEN = '<|fim_prefix|>'  # and <|endoftext|>\n"
    ids = task(tokenizer).plain(text).ids
    special = {tokenizer.token_to_id(t) for t in TEMPLATES[TEMPLATE].special_tokens()}
    assert special.isdisjoint(ids[1:-1])
    assert tokenizer.decode(ids[1:-1]) == text


def test_training_encodes_as_serving_does(tokenizer: Tokenizer, tokenizer_file: Path) -> None:
    serving = BundleTokenizer(tokenizer_file, TEMPLATES[TEMPLATE].special_tokens())
    for text in (module(1), "x = '<|fim_middle|>'\n", "emoji \U0001f600 中文\n", "\t\tx  \n\n"):
        assert task(tokenizer).plain(text).ids[1:-1] == serving.encode(text)
        lines = text.splitlines(keepends=True)
        assert [i for line in lines for i in serving.encode_line(line)] == serving.encode(text)
