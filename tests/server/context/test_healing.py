"""The prompt ends where a longer token could begin."""

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


LONGER = ("(self", ".response", "import", "import json", " = None", " = ", "    r", " != ", "é!")


def extends(text):
    return any(token.startswith(text) and token != text for token in LONGER)


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("return self.resp", ".resp"),
        ("return resp", ""),
        ("x = ", " = "),
        ("x =", " ="),
        ("def f():\n    ", "    "),
        ("def f():\n", ""),
        ("foo(", "("),
        ("import", "import"),
        ("import js", "import js"),
        ("", ""),
        ("x = 'é", "é"),
        ("a !=", " !="),
        ("a !", " !"),
    ],
)
def test_what_a_longer_token_could_begin_with_is_left_to_the_model(text, lead):
    tokenizer = PieceTokenizer()
    ids, found = heal(text, tokenizer.encode(text), tokenizer, extends)
    assert found == lead
    assert tokenizer.decode(ids) + found == text


def test_where_no_token_goes_on_nothing_is_left_out():
    tokenizer = PieceTokenizer()
    ids = tokenizer.encode("return self.resp")
    assert heal("return self.resp", ids, tokenizer, lambda _: False) == (ids, "")


@given(st.text(alphabet="ab_ .(\n=é\t", max_size=80))
def test_nothing_is_lost(text):
    tokenizer = PieceTokenizer()
    ids, lead = heal(text, tokenizer.encode(text), tokenizer, lambda text: len(text) < 9)
    assert tokenizer.decode(ids) + lead == tokenizer.decode(tokenizer.encode(text))
