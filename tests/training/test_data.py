"""The stream of training rows."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_corpus import module
from surefill.context.prompt import TEMPLATES
from surefill_training.data import RowStream, StreamState, pieces
from surefill_training.errors import CorpusError
from surefill_training.tasks.infilling import Infilling, InfillingOptions

TEXTS = [module(seed, functions=3) for seed in range(5)]
TEMPLATE = TEMPLATES["qwen2.5-coder"]
SPECIAL = {token: number for number, token in enumerate(TEMPLATE.special_tokens())}


def encode(text: str) -> list[int]:
    """Characters are tokens here, behind the special ones."""
    return [ord(c) + 100 for c in text]


def stream(
    texts: list[str] = TEXTS,
    *,
    seed: int = 0,
    length: int = 64,
    fim_rate: float = 0.7,
    threads: int = 0,
) -> RowStream:
    task = Infilling(encode, SPECIAL.__getitem__, TEMPLATE, InfillingOptions(fim_rate=fim_rate))
    return RowStream(texts, task, length, seed=seed, piece_chars=150, threads=threads)


@given(texts=st.lists(st.text(alphabet="ab\n", max_size=200), max_size=5), limit=st.integers(1, 50))
def test_pieces_are_the_texts_cut_at_line_ends(texts: list[str], limit: int) -> None:
    spans = pieces(texts, limit)
    for index, text in enumerate(texts):
        parts = [text[start:end] for number, start, end in spans if number == index]
        assert "".join(parts) == text
        assert all(parts)
        assert all(part.endswith("\n") for part in parts[:-1])
        assert all(len(part) <= limit or "\n" not in part[:-1] for part in parts)


def test_rows_have_their_length_and_no_holes_cut_off() -> None:
    rows = stream().rows(200)
    assert rows.shape == (200, 65)
    assert rows.dtype == np.int64
    end, middle = SPECIAL["<|endoftext|>"], SPECIAL["<|fim_middle|>"]
    for row in rows.tolist():
        last = len(row) - 1 - row[::-1].index(end) if end in row else -1
        assert middle not in row[last + 1 :]


@settings(deadline=None)
@given(before=st.integers(0, 60), count=st.integers(1, 10), seed=st.integers(0, 5))
def test_resuming_at_any_row_goes_on_identically(before: int, count: int, seed: int) -> None:
    uninterrupted = stream(seed=seed)
    uninterrupted.rows(before)
    saved = StreamState(uninterrupted.state.epoch, uninterrupted.state.cursor)
    expected = uninterrupted.rows(count)
    resumed = stream(seed=seed)
    resumed.state = saved
    assert np.array_equal(resumed.rows(count), expected)
    assert resumed.state == uninterrupted.state


def test_rows_do_not_depend_on_how_they_are_asked_for() -> None:
    one_by_one = stream()
    assert np.array_equal(
        np.concatenate([one_by_one.rows(1) for _ in range(12)]), stream().rows(12)
    )


@pytest.mark.parametrize("before", [0, 7, 60])
def test_threads_that_work_ahead_change_nothing(before: int) -> None:
    alone, ahead = stream(), stream(threads=3)
    assert np.array_equal(ahead.rows(before), alone.rows(before))
    assert ahead.state == alone.state
    resumed = stream(threads=3)
    resumed.rows(1)
    resumed.state = ahead.state
    expected = alone.rows(12)
    assert np.array_equal(ahead.rows(12), expected)
    assert np.array_equal(resumed.rows(12), expected)


def test_the_seed_decides() -> None:
    assert np.array_equal(stream(seed=1).rows(20), stream(seed=1).rows(20))
    assert not np.array_equal(stream(seed=1).rows(20), stream(seed=2).rows(20))


def test_nothing_else_does() -> None:
    expected = stream().rows(10)
    random.seed(99)
    np.random.seed(99)
    assert np.array_equal(stream().rows(10), expected)


def test_an_epoch_sees_every_piece_once_and_the_next_begins_anew() -> None:
    texts = [f"{letter * 30}\n" for letter in "abcdefgh"]
    rows = stream(texts, length=31, fim_rate=0.0)
    epochs = []
    for epoch in range(3):
        letters = [chr(row[0] - 100) for row in rows.rows(8).tolist()]
        assert sorted(letters) == list("abcdefgh")
        assert rows.state == StreamState(epoch, 8)
        epochs.append(letters)
    assert len({tuple(letters) for letters in epochs}) == 3


def test_one_short_text_fills_any_row() -> None:
    assert stream(["x = 1\n"], length=500).rows(2).shape == (2, 501)


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_no_text_is_refused(texts: list[str]) -> None:
    with pytest.raises(CorpusError, match="no text to train on"):
        stream(texts)


def test_the_survey_counts_holes_that_are_kept() -> None:
    texts = [f"value_{n} = compute({n})\nother = {n}\n" for n in range(200)]
    rows = stream(texts, length=400)
    share = rows.survey(20)
    assert 0.5 < share < 0.75  # of 0.7 drawn, those at the end of a row are cut
    assert rows.state == StreamState()
    assert stream(texts, length=400, fim_rate=0.0).survey(20) == 0.0
    # Hardly an example fits into rows that are shorter than it.
    assert stream(texts, length=20).survey(20) < 0.1
