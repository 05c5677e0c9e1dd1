"""The tokenizer of our own models."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from small_corpus import module
from surefill.context.prompt import TEMPLATES
from surefill_training.errors import CorpusError, TrainingError
from surefill_training.tokenizer import save_tokenizer, train_tokenizer

TEMPLATE = TEMPLATES["qwen2.5-coder"]
SAME_FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
TEXT = st.text() | st.text(alphabet="ab_19 \n\t()'<|>.\u00e9\u4e2d\u2028\u0301\U0001f600")


@pytest.fixture(scope="module")
def tokenizer(tokenizer_file: Path) -> Tokenizer:
    loaded = Tokenizer.from_file(str(tokenizer_file))
    loaded.encode_special_tokens = True
    return loaded


def ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


@given(text=TEXT)
@example("<|endoftext|><|fim_prefix|>")
@example(" \t \n  \n")
@SAME_FIXTURE
def test_any_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    encoded = ids(tokenizer, text)
    assert tokenizer.decode(encoded) == text
    assert min(encoded, default=99) >= len(TEMPLATE.special_tokens())


@given(data=st.binary())
@SAME_FIXTURE
def test_any_bytes_come_back(tokenizer: Tokenizer, data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    assert tokenizer.decode(ids(tokenizer, text)) == text
    text = data.decode("latin-1")
    assert tokenizer.decode(ids(tokenizer, text)).encode("latin-1") == data


def test_there_is_a_token_for_every_byte(tokenizer: Tokenizer) -> None:
    encoded = {i for b in range(128) for i in ids(tokenizer, chr(b))}
    assert len(encoded) == 128
    assert sum(len(token) == 1 for token in tokenizer.get_vocab()) == 256


@given(text=TEXT)
@SAME_FIXTURE
def test_lines_can_be_encoded_one_by_one(tokenizer: Tokenizer, text: str) -> None:
    pieces = text.split("\n")
    lines = [*(piece + "\n" for piece in pieces[:-1]), pieces[-1]]
    assert [i for line in lines for i in ids(tokenizer, line)] == ids(tokenizer, text)


def test_no_token_crosses_a_line_end(tokenizer: Tokenizer) -> None:
    with_newline = [i for i in tokenizer.get_vocab().values() if "\n" in tokenizer.decode([i])]
    assert len(with_newline) == 1
    assert ids(tokenizer, "\n\n\n") == 3 * with_newline


def test_special_tokens_come_first_and_are_never_made_by_text(tokenizer: Tokenizer) -> None:
    specials = TEMPLATE.special_tokens()
    assert [tokenizer.token_to_id(t) for t in specials] == list(range(len(specials)))
    for token in specials:
        assert min(ids(tokenizer, f"before {token} behind")) >= len(specials)
        assert tokenizer.decode([tokenizer.token_to_id(token)]) == ""


def test_digits_are_cut_into_threes(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode("1234567").tokens
    assert [len(t) <= 3 for t in tokens] == [True] * len(tokens)
    pieces = tokenizer.pre_tokenizer.pre_tokenize_str("x12345")
    assert [piece for piece, _ in pieces] == ["x", "123", "45"]


def test_the_same_texts_give_the_same_tokenizer() -> None:
    texts = [module(seed) for seed in range(6)]
    first = train_tokenizer(texts, TEMPLATE, 400)
    assert first.get_vocab_size() == 400
    assert first.to_str() == train_tokenizer(texts, TEMPLATE, 400).to_str()


def test_common_words_become_tokens(tokenizer: Tokenizer) -> None:
    assert ids(tokenizer, " return") == [tokenizer.token_to_id("\u0120return")]


def test_it_survives_the_file(tmp_path: Path) -> None:
    trained = train_tokenizer([module(1)], TEMPLATE, 300)
    save_tokenizer(trained, tmp_path / "new" / "tokenizer.json")
    assert (
        Tokenizer.from_file(str(tmp_path / "new" / "tokenizer.json")).to_str() == trained.to_str()
    )


def test_nothing_to_learn_from() -> None:
    with pytest.raises(CorpusError, match="learned nothing"):
        train_tokenizer([], TEMPLATE, 512)


def test_a_vocabulary_that_is_too_small() -> None:
    fixed = 256 + len(TEMPLATE.special_tokens())
    with pytest.raises(TrainingError, match=f"bytes and special tokens alone are {fixed}"):
        train_tokenizer([module(1)], TEMPLATE, fixed)
    assert train_tokenizer([module(1)], TEMPLATE, fixed + 1).get_vocab_size() == fixed + 1


def test_idioms_are_single_tokens() -> None:
    texts = [
        f"def f{n}(value):\n    if value is None:\n        return\n    for item_{n} in value:\n"
        for n in range(400)
    ]
    trained = train_tokenizer(texts, TEMPLATE, 360, phrase_share=0.3)
    tokens = [trained.decode([i]) for i in ids(trained, "    if value is None:\n")]
    assert tokens == ["   ", " if value is None:", "\n"]
    words = train_tokenizer(texts, TEMPLATE, 360, phrase_share=0.0)
    assert len(ids(words, "    if value is None:\n")) > 4
    assert words.get_vocab_size() <= 360
    assert trained.get_vocab_size() <= 360


def test_no_token_of_several_words_is_long(tokenizer: Tokenizer) -> None:
    for token in tokenizer.get_vocab():
        if "\u0120" in token.strip("\u0120") and token.strip("\u0120"):
            assert len(token) <= 24


def test_indentation_is_cheap(tokenizer: Tokenizer) -> None:
    assert len(ids(tokenizer, "\n        return x\n")) <= len(ids(tokenizer, "return x\n")) + 2
