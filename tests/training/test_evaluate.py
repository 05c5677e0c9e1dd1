"""Measuring: intervals, differences, bits per byte of a model."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedModel

from small_corpus import module
from surefill_training.corpus.documents import Document
from surefill_training.corpus.sample import take
from surefill_training.errors import CorpusError
from surefill_training.evaluate.bits import bits_per_byte, windows
from surefill_training.evaluate.statistics import Estimate, bootstrap, paired_difference
from surefill_training.inputs import load_tokenizer
from surefill_training.model import build_model, preset

DOCUMENTS = [Document("thing", f"m{i}.py", module(i)) for i in range(4)]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_intervals_hold_the_mean(values: list[float]) -> None:
    estimate = bootstrap(values, resamples=50)
    assert estimate.count == len(values)
    assert estimate.mean == pytest.approx(sum(values) / len(values))
    assert estimate.low <= estimate.mean + 1e-9
    assert estimate.mean - 1e-9 <= estimate.high
    if len(set(values)) > 1:
        assert min(values) - 1e-9 <= estimate.low <= estimate.high <= max(values) + 1e-9
    else:
        assert 0.0 <= estimate.low < estimate.high <= 1.0


def test_intervals_shrink_with_the_sample_and_are_reproducible() -> None:
    rng = random.Random(0)
    few, many = ([float(rng.random() < 0.3) for _ in range(n)] for n in (50, 5000))
    narrow, wide = bootstrap(many), bootstrap(few)
    assert narrow.low < 0.3 < narrow.high
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * math.sqrt(0.21 / 5000), rel=0.15)
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
    assert bootstrap(few) == wide
    assert bootstrap([]).count == 0


def test_shares_without_an_exception_are_not_certain() -> None:
    """By the bounds of Clopper and Pearson: 2.5 % of all samples of a share that low are all 1."""
    every = bootstrap([1.0] * 500, ["a", "b"] * 250)
    assert (every.mean, every.high, every.count) == (1.0, 1.0, 500)
    assert every.low**500 == pytest.approx(0.025)
    assert every.low == pytest.approx(0.9926, abs=1e-4)
    none = bootstrap([0.0] * 500)
    assert (none.low, none.high) == (0.0, pytest.approx(1 - every.low))
    assert bootstrap([1.0]).low == pytest.approx(0.025)


def test_packages_differ_more_than_their_holes() -> None:
    """Ten packages in which everything is right or nothing: 1000 holes say no more than ten."""
    values = [float(number % 10 < 5) for number in range(1000)]
    groups = [str(number % 10) for number in range(1000)]
    alone, clustered = bootstrap(values), bootstrap(values, groups)
    assert clustered.mean == alone.mean == 0.5
    width = 2 * 1.96 * math.sqrt(0.25 / 10)
    assert clustered.high - clustered.low == pytest.approx(width, rel=0.15)
    assert alone.high - alone.low < width / 8
    assert bootstrap(values, groups) == clustered
    order = random.Random(0).sample(range(1000), 1000)
    shuffled = bootstrap([values[n] for n in order], [groups[n] for n in order])
    assert shuffled.low == pytest.approx(clustered.low, abs=0.05)
    with pytest.raises(ValueError, match="cannot be in 999 groups"):
        bootstrap(values, groups[1:])


def test_holes_within_packages_are_drawn_too_and_packages_weigh_by_their_holes() -> None:
    rng = random.Random(2)
    values = [float(rng.random() < 0.3) for _ in range(800)]
    single = bootstrap(values, ["one"] * 800)
    plain = bootstrap(values)
    assert single.high - single.low == pytest.approx(plain.high - plain.low, rel=0.15)
    uneven = bootstrap([1.0] * 90 + [0.0] * 10, ["large"] * 90 + ["small"] * 10)
    assert uneven == Estimate(0.9, 0.0, 1.0, 100)


def test_a_gain_in_one_package_is_no_gain_in_all() -> None:
    groups = [str(number % 8) for number in range(800)]
    better = [float(group == "3") for group in groups]
    assert paired_difference(better, [0.0] * 800).low > 0.09
    assert paired_difference(better, [0.0] * 800, groups).low == 0.0


def test_differences_are_paired() -> None:
    """Two models that are right on nearly the same holes differ by more than chance."""
    rng = random.Random(1)
    hard = [float(rng.random() < 0.3) for _ in range(400)]
    better = [max(right, float(number % 20 == 0)) for number, right in enumerate(hard)]
    gain = paired_difference(better, hard)
    assert 0 < gain.low < gain.mean < gain.high
    assert gain.mean == pytest.approx(sum(better) / 400 - sum(hard) / 400)
    assert bootstrap(better).low < bootstrap(hard).high
    assert paired_difference(hard, better).mean == pytest.approx(-gain.mean)
    same = paired_difference(hard, hard)
    assert (same.mean, same.count) == (0.0, 400)
    assert same.high == -same.low == pytest.approx(1 - 0.025 ** (1 / 400))
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_difference(hard, hard[1:])


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


def test_samples_are_cut_to_their_size() -> None:
    texts = [document.text for document in DOCUMENTS]
    assert sum(map(len, take(texts, 5000))) == 5000
    assert take(texts, 5000) == take(iter(texts), 5000) != take(texts, 5000, seed=1)
    assert sorted(take(texts, 10**9)) == sorted(texts)
    assert take(texts, 0) == take([], 9) == []
