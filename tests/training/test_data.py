"""The stream of training rows."""

from __future__ import annotations

import random
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_corpus import module
from surefill.context.prompt import TEMPLATES
from surefill_training.corpus.documents import Document
from surefill_training.data import Batch, RowStream, StreamState
from surefill_training.errors import CorpusError
from surefill_training.tasks.holes import HoleMix
from surefill_training.tasks.infilling import Infilling, InfillingOptions
from surefill_training.tasks.pieces import pieces

TEXTS = [module(seed, functions=3) for seed in range(5)]
MIX = HoleMix()
LINE_ENDS = HoleMix(lines=0, inside=0)
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
    piece_chars: int | None = 60,
    mix: HoleMix = MIX,
    related: float = 0.2,
) -> RowStream:
    task = Infilling(
        encode,
        SPECIAL.__getitem__,
        TEMPLATE,
        InfillingOptions(fim_rate=fim_rate, related=related, mix=mix),
    )
    documents = [Document("alpha", f"alpha/m{n}.py", text) for n, text in enumerate(texts)]
    return RowStream(documents, task, length, seed=seed, threads=threads, piece_chars=piece_chars)


def same(one: Batch, other: Batch) -> bool:
    return all(
        np.array_equal(vars(one)[field.name], vars(other)[field.name]) for field in fields(Batch)
    )


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
    rows = stream().rows(200).ids
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
    saved = replace(uninterrupted.state)
    expected = uninterrupted.rows(count)
    resumed = stream(seed=seed)
    resumed.state = saved
    assert same(resumed.rows(count), expected)
    assert resumed.state == uninterrupted.state


def test_rows_do_not_depend_on_how_they_are_asked_for() -> None:
    one_by_one = stream()
    singly = np.concatenate([one_by_one.rows(1).ids for _ in range(12)])
    assert np.array_equal(singly, stream().rows(12).ids)


@pytest.mark.parametrize("before", [0, 7, 60])
def test_threads_that_work_ahead_change_nothing(before: int) -> None:
    alone, ahead = stream(), stream(threads=3)
    assert same(ahead.rows(before), alone.rows(before))
    assert ahead.state == alone.state
    resumed = stream(threads=3)
    resumed.rows(1)
    resumed.state = ahead.state
    expected = alone.rows(12)
    assert same(ahead.rows(12), expected)
    assert same(resumed.rows(12), expected)


def test_the_seed_decides() -> None:
    assert same(stream(seed=1).rows(20), stream(seed=1).rows(20))
    assert not same(stream(seed=1).rows(20), stream(seed=2).rows(20))


def test_nothing_else_does() -> None:
    expected = stream().rows(10)
    random.seed(99)
    np.random.seed(99)
    assert same(stream().rows(10), expected)


def test_an_epoch_sees_every_piece_once_and_the_next_begins_anew() -> None:
    texts = [f"{letter * 30}\n" for letter in "abcdefgh"]
    rows = stream(texts, length=32, fim_rate=0.0)
    epochs = []
    for epoch in range(3):
        letters = [chr(row[1] - 100) for row in rows.rows(8).ids.tolist()]
        assert sorted(letters) == list("abcdefgh")
        assert rows.state == StreamState(epoch + 1)
        epochs.append(letters)
    assert len({tuple(letters) for letters in epochs}) == 3


def test_one_short_text_fills_any_row() -> None:
    assert stream(["x = 1\n"], length=500).rows(2).ids.shape == (2, 501)


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_no_text_is_refused(texts: list[str]) -> None:
    with pytest.raises(CorpusError, match="no text to train on"):
        stream(texts)


def test_the_survey_counts_what_belongs_to_holes() -> None:
    texts = [f"value_{n} = compute({n})\n" + f"other = {n}\n" * 9 for n in range(200)]
    rows = stream(texts, length=800, mix=LINE_ENDS, piece_chars=200)
    share = rows.survey(20)
    # Of 0.7 drawn some have nothing below, or lie there; rows are filled up with text without.
    assert 0.25 < share < 0.65
    assert rows.state == StreamState()
    assert stream(texts, length=800, fim_rate=0.0).survey(20) == 0.0
    # Of a piece that fits into no row only the text is learned.
    assert stream(texts, length=20).survey(20) < 0.1


def test_no_hole_is_lost_for_lack_of_room() -> None:
    texts = [f"value_{n} = compute({n})\nother = {n}\n" for n in range(300)]
    middle = SPECIAL["<|fim_middle|>"]
    rows = stream(texts, length=100, fim_rate=1.0, related=0.0, mix=LINE_ENDS)
    kept = int((rows.rows(40).ids == middle).sum())
    state = rows.state
    assert state.epoch == 0
    wide = stream(texts, length=9_000, fim_rate=1.0, related=0.0, mix=LINE_ENDS).rows(1)
    # Each piece that was taken has its hole, where it has one at all.
    assert kept == int((wide.ids[wide.examples < state.cursor] == middle).sum()) > 0
    assert state.fillers > 0


def test_pieces_and_fillers_meet_at_the_end_of_an_epoch() -> None:
    texts = [f"name_{n:03d} = {n:03d}\n" for n in range(50)]
    rows = stream(texts, length=70, fim_rate=1.0)
    seen: set[StreamState] = set()
    while rows.state.epoch == 0:
        assert rows.state.cursor + rows.state.fillers < 50
        rows.rows(1)
        assert rows.state not in seen
        seen.add(rows.state)
    assert rows.state.epoch == 1


def test_other_files_of_the_package_stand_in_front() -> None:
    texts = [f"def read_{n}(path, mode):\n    return open(path, mode)\n" * 5 for n in range(6)]
    rows = stream(texts, length=2000, fim_rate=1.0, related=1.0, piece_chars=400)
    separator = SPECIAL["<|file_sep|>"]
    paths = 0
    for row in rows.rows(5).ids.tolist():
        for at in [n for n, number in enumerate(row[:-12]) if number == separator]:
            text = "".join(chr(number - 100) for number in row[at + 1 : at + 13] if number >= 100)
            paths += text.startswith("alpha/m")
    assert paths > 5


def test_the_imports_of_a_file_stand_in_front_of_a_later_piece() -> None:
    body = "".join(f"line_{n} = compute({n})\n" for n in range(60))
    rows = stream(
        ["import json\nfrom os import path\n" + body], fim_rate=0.0, length=2000, piece_chars=300
    )
    text = "".join(chr(number - 100) for number in rows.rows(1).ids[0].tolist() if number >= 100)
    assert text.count("import json\n") > 3
