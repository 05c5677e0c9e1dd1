"""How often languages are seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.context.prompt import TEMPLATES
from surefill_training.corpus.documents import Document
from surefill_training.data import RowStream
from surefill_training.tasks.infilling import Infilling, InfillingOptions
from surefill_training.tasks.mixture import MixtureOptions, repeats

BALANCED = MixtureOptions(balanced=True)
SIZES = st.dictionaries(st.sampled_from(["python", "go", "rust", "sql"]), st.integers(1, 10**9))


def shares(sizes: dict[str, int], options: MixtureOptions) -> dict[str, float]:
    seen = {name: sizes[name] * times for name, times in repeats(sizes, options).items()}
    return {name: size / sum(seen.values()) for name, size in seen.items()}


def test_half_is_python_and_the_others_count_by_their_roots() -> None:
    found = shares({"python": 6_000, "go": 1_600, "rust": 400}, BALANCED)
    assert found["python"] == pytest.approx(0.5)
    assert found["go"] == pytest.approx(2 * found["rust"])


def test_shares_that_are_given() -> None:
    options = MixtureOptions(balanced=True, shares=(("go", 0.4), ("java", 0.2)))
    found = shares({"python": 6_000, "go": 3_600, "rust": 3_000}, options)
    assert found["go"] == pytest.approx(0.4)
    assert found["python"] / found["rust"] == pytest.approx(2**0.5)


@given(SIZES)
def test_nothing_is_seen_too_often_nor_never(sizes: dict[str, int]) -> None:
    found = repeats(sizes, BALANCED)
    assert found.keys() == sizes.keys()
    assert all(0 < times <= 4 for times in found.values())
    assert repeats(sizes, MixtureOptions()) == dict.fromkeys(sizes, 1.0)


def test_a_stream_holds_the_shares() -> None:
    template = TEMPLATES["qwen2.5-coder"]
    special = {token: number for number, token in enumerate(template.special_tokens())}
    task = Infilling(
        lambda text: [ord(c) + 100 for c in text],
        special.__getitem__,
        template,
        InfillingOptions(fim_rate=0.0, related=0.0),
    )
    texts = {"m.py": "p = 1\n" * 400, "m.go": "g = 2\n" * 80}
    documents = [Document("package", path, text) for path, text in texts.items()]
    rows = RowStream(documents, task, 29, seed=0, piece_chars=24, mixture=BALANCED)
    ids = rows.rows(60).ids
    python, go = ((ids == ord(letter) + 100).sum() for letter in "pg")
    assert 0.35 < go / (python + go) < 0.65
    assert rows.state.epoch == 0
