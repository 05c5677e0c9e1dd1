"""The prompt ends before the last word, wherever tokens meet its beginning."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.context.healing import heal


class PieceTokenizer:
    """Words with the sign or space before them, cut into pairs of characters."""

    def __init__(self):
        self.pieces = []

    def encode(self, text):
        words = re.findall(r"\n|[^\s\w]?\w+| \w+| ?[^\s\w]+|[^\S\n]+", text)
        parts = [word[i : i + 2] for word in words for i in range(0, len(word), 2)]
        self.pieces += [part for part in parts if part not in self.pieces]
        return [self.pieces.index(part) for part in parts]

    def decode(self, ids):
        return "".join(self.pieces[i] for i in ids)


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("return self.resp", ".resp"),
        ("return resp", " resp"),
        ("x = ", " "),
        ("def f():\n    ", "    "),
        ("def f():\n", ""),
        ("foo(", "("),
        ("importlib", "importlib"),
        ("", ""),
        ("x = 'é", "é"),
        ("a = b !=", "="),
        ("a = b !", ""),  # the token begins before the last sign
    ],
)
def test_the_last_word_is_left_to_the_model(text, lead):
    tokenizer = PieceTokenizer()
    ids, found = heal(text, tokenizer.encode(text), tokenizer)
    assert found == lead
    assert tokenizer.decode(ids) + found == text


def test_some_tokens_can_be_kept():
    tokenizer = PieceTokenizer()
    ids, lead = heal("import", tokenizer.encode("import"), tokenizer, keep=1)
    assert (tokenizer.decode(ids), lead) == ("im", "port")


@given(st.text(alphabet="ab_ .(\n=é\t", max_size=80))
def test_nothing_is_lost(text):
    tokenizer = PieceTokenizer()
    ids, lead = heal(text, tokenizer.encode(text), tokenizer)
    assert tokenizer.decode(ids) + lead == tokenizer.decode(tokenizer.encode(text))
