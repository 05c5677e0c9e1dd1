"""Measuring: intervals, bits per byte, line ends through the pipeline, tables."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedModel

from fakes import FakeEngine
from small_corpus import module
from surefill.completion.pipeline import CompletionPipeline
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.engine.tokenizer import BundleTokenizer
from surefill.settings import Settings
from surefill_training.corpus.build import Document
from surefill_training.errors import CorpusError
from surefill_training.evaluate.bits import bits_per_byte, windows
from surefill_training.evaluate.bundle import BundleScores, sample
from surefill_training.evaluate.lines import complete_lines, draw_holes
from surefill_training.evaluate.report import markdown, to_json
from surefill_training.evaluate.statistics import Estimate, bootstrap
from surefill_training.inputs import load_tokenizer
from surefill_training.model import build_model, preset

DOCUMENTS = [Document("thing", f"m{i}.py", module(i)) for i in range(4)]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_intervals_hold_the_mean(values: list[float]) -> None:
    estimate = bootstrap(values, resamples=50)
    assert estimate.count == len(values)
    assert estimate.mean == pytest.approx(sum(values) / len(values))
    assert min(values) - 1e-9 <= estimate.low <= estimate.high <= max(values) + 1e-9


def test_intervals_shrink_with_the_sample_and_are_reproducible() -> None:
    rng = random.Random(0)
    few, many = ([float(rng.random() < 0.3) for _ in range(n)] for n in (50, 5000))
    narrow, wide = bootstrap(many), bootstrap(few)
    assert narrow.low < 0.3 < narrow.high
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * math.sqrt(0.21 / 5000), rel=0.15)
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
    assert bootstrap(few) == wide
    assert bootstrap([1.0, 1.0]) == Estimate(1.0, 1.0, 1.0, 2)
    assert bootstrap([]).count == 0


def test_windows_cover_every_token_once(tokenizer_file: Path) -> None:
    tokenizer = load_tokenizer(tokenizer_file)
    texts = [module(1), "Grüße 中文 \U0001f600\n", ""]
    rows, size = windows(texts, tokenizer, end=0, length=64)
    assert size == sum(len(text.encode()) for text in texts)
    assert all(row[0] == 0 and 1 < len(row) <= 65 for row in rows)
    ids = [i for text in texts for i in tokenizer.encode(text).ids]
    assert [i for row in rows for i in row[1:]] == ids


def uniform() -> PreTrainedModel:
    """A model that gives every one of its 512 tokens the same probability."""
    model = build_model(preset("test").shape, 0)
    nn.init.zeros_(model.get_input_embeddings().weight)
    return model


def test_bits_of_a_model_that_knows_nothing(tokenizer_file: Path) -> None:
    tokenizer = load_tokenizer(tokenizer_file)
    texts = [module(1), module(2)[:100]]
    tokens = sum(len(tokenizer.encode(text).ids) for text in texts)
    size = sum(len(text.encode()) for text in texts)
    for length, batch in ((64, 8), (17, 3), (1000, 1)):
        bits = bits_per_byte(uniform(), tokenizer, texts, end=0, length=length, batch=batch)
        assert bits == pytest.approx(9 * tokens / size, rel=1e-3)


def test_bits_do_not_depend_on_the_batch_and_leave_the_model_as_it_was(
    tokenizer_file: Path,
) -> None:
    torch.manual_seed(0)
    model = build_model(preset("test").shape, 0)
    tokenizer: Tokenizer = load_tokenizer(tokenizer_file)
    texts = [module(1), module(2)]
    for training in (True, False):
        model.train(training)
        one, many = (
            bits_per_byte(model, tokenizer, texts, end=0, length=50, batch=n) for n in (1, 16)
        )
        assert one == pytest.approx(many, rel=1e-3)
        assert model.training is training


def test_nothing_to_score(tokenizer_file: Path) -> None:
    tokenizer = load_tokenizer(tokenizer_file)
    with pytest.raises(CorpusError, match="held-out set is empty"):
        bits_per_byte(uniform(), tokenizer, [""], end=0, length=8)


def test_holes_are_spread_over_the_documents_and_reproducible() -> None:
    holes = draw_holes(DOCUMENTS, 20, seed=3)
    assert holes == draw_holes(DOCUMENTS, 20, seed=3)
    assert holes != draw_holes(DOCUMENTS, 20, seed=4)
    assert len(holes) == 20
    assert [sum(d.path == f"m{i}.py" for d, _ in holes) for i in range(4)] == [5] * 4
    for document, hole in holes:
        assert hole.prefix + hole.middle + hole.suffix == document.text
        assert hole.kind == "line_end"


def test_documents_without_holes() -> None:
    with pytest.raises(CorpusError, match="held-out set is empty"):
        draw_holes([], 5, 0)
    with pytest.raises(CorpusError, match="no line to complete"):
        draw_holes([Document("thing", "blank.py", "\n\n")], 5, 0)


def test_samples_are_cut_to_their_size() -> None:
    assert sum(map(len, sample(DOCUMENTS, 5000, 0))) == 5000
    assert sample(DOCUMENTS, 5000, 0) == sample(DOCUMENTS, 5000, 0)
    whole = sample(DOCUMENTS, 10**9, 0)
    assert sorted(whole) == sorted(document.text for document in DOCUMENTS)


def test_line_ends_are_scored_against_the_truth(tokenizer_file: Path) -> None:
    text = "def area(width, height):\n    total = width * height\n    return total\n"
    document = Document("thing", "area.py", text)
    template = TEMPLATES["qwen2.5-coder"]
    context = ContextBuilder(
        BundleTokenizer(tokenizer_file, template.special_tokens()), template, "spm", 512
    )
    (hole,) = {
        h.middle: h for _, h in draw_holes([document], 60, 0) if h.middle == "height"
    }.values()
    done: list[int] = []
    scores = complete_lines(
        CompletionPipeline(context, Settings()),
        FakeEngine(["height", ""], default=""),
        [(document, hole)],
        done.append,
    )
    assert done == [1]
    assert (scores[0].shown, scores[0].exact, scores[0].similarity) == (True, True, 1.0)
    assert scores[0].parses
    scores = complete_lines(
        CompletionPipeline(context, Settings()),
        FakeEngine(["weight"]),
        [(document, hole)],
        done.append,
    )
    assert (scores[0].shown, scores[0].exact) == (True, False)
    assert 0 < scores[0].similarity < 1
    more = replace(hole, prefix=hole.prefix[: -len(" * ")] + " = (", suffix=")\n")
    scores = complete_lines(
        CompletionPipeline(context, Settings()),
        FakeEngine(["height,\n    width"]),
        [(document, more)],
        done.append,
    )
    assert (scores[0].shown, scores[0].exact) == (True, False)
    scores = complete_lines(
        CompletionPipeline(context, Settings()), FakeEngine([""]), [(document, hole)], done.append
    )
    assert (scores[0].shown, scores[0].exact, scores[0].similarity) == (False, False, 0.0)


def results() -> list[BundleScores]:
    share = Estimate(0.25, 0.2, 0.3, 40)
    nothing = bootstrap([])
    return [
        BundleScores(
            "mine", "1", p, 1.5, share, share, share, nothing, 12.0, 7.0, 40, 0, "ab", "cd", True
        )
        for p in ("fp32", "int4")
    ]


def test_tables_have_a_column_for_each_bundle() -> None:
    lines = markdown(results()).split("\n")
    assert lines[0] == "| measure | mine 1 (fp32) | mine 1 (int4) |"
    assert "| rest of line, exact match | 25.0 % (20.0-30.0) | 25.0 % (20.0-30.0) |" in lines
    assert "| shown suggestions that parse | none | none |" in lines
    assert len({line.count("|") for line in lines}) == 1


def test_json_has_no_nan() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    loaded = json.loads(to_json(results()), parse_constant=refuse)
    assert loaded[0]["parses"] == {"mean": None, "low": None, "high": None, "count": 0}
    assert loaded[1]["exact_match"]["mean"] == 0.25
