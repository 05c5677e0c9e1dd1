"""Tokens far around the cursor: all that so many tokens hold, and hardly any encoded again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.context import counted as module
from surefill.context.counted import CountedTokens
from surefill.context.lines import LineEncoder, Lines
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position
from word_tokenizer import WordTokenizer

PYTHON = language_for("python", None)
LIMIT = 50


class Forgetful(WordTokenizer):
    """Encodes anew whatever it is asked, and writes it down."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def encode(self, text):
        self.asked.append(text)
        return super().encode(text)

    def encode_line(self, line):
        return tuple(self.encode(line))

    def take(self):
        taken, self.asked = self.asked, []
        return taken


class BlankLinesTogether(Forgetful):
    """Several line ends are one token, as with many public models."""

    pattern = r"\n+|\w+| +|."


def build(builder, lines, position):
    snapshot = Document("file:///a", PYTHON, "".join(lines)).snapshot()
    return builder.build(snapshot, position, Cursor.at(snapshot, position), 8)


def plainly(tokenizer, text, position):
    """The same, line by line and without memory."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    before = tokenizer.encode(lines[position.line][: position.character])
    behind = tokenizer.encode(lines[position.line][position.character :])
    left, number = module._BEFORE, position.line - 1
    while number >= 0 and len(ids := tokenizer.encode(lines[number])) <= left:
        before, left, number = [*ids, *before], left - len(ids), number - 1
    left, number = module._BEHIND, position.line + 1
    while number < len(lines) and len(ids := tokenizer.encode(lines[number])) <= left:
        behind, left, number = [*behind, *ids], left - len(ids), number + 1
    return tuple(before), tuple(behind)


@pytest.fixture
def little(monkeypatch):
    for name, value in {"_BEFORE": 40, "_BEHIND": 25, "_BLOCK": 4, "_NEAR": 2}.items():
        monkeypatch.setattr(module, name, value)


@pytest.mark.usefixtures("little")
@settings(max_examples=200, deadline=None)
@given(
    versions=st.lists(st.text(alphabet="ab\n", max_size=80), min_size=1, max_size=3),
    at=st.integers(0, 80),
)
def test_it_is_what_so_many_tokens_hold_whatever_was_asked_before(versions, at):
    tokenizer = WordTokenizer()
    encoder = LineEncoder(tokenizer, per_line=True)
    counted = CountedTokens(encoder)
    for text in versions:
        snapshot = Document("file:///a", PYTHON, text).snapshot()
        before = text[:at].split("\n")
        position = Position(len(before) - 1, len(before[-1]))
        lines = Lines(snapshot, encoder)
        own = lines.before(position, LIMIT), lines.behind(position, LIMIT)
        assert counted.around(lines, position, *own) == plainly(tokenizer, text, position)


def test_in_one_request_nothing_is_encoded_twice():
    tokenizer = Forgetful()
    builder = ContextBuilder(tokenizer, TEMPLATES["qwen2.5-coder"], "spm", 600, counts=True)
    long = [f"x{n} = '{'a' * 2_500}'\n" for n in range(3)]
    above, below = ([f"{side}{n} = {n}\n" for n in range(600)] for side in ("up", "down"))
    build(builder, [*above, *long, "y\n", *long, *below], Position(603, 1))
    taken = tokenizer.take()
    assert len(taken) > 1_000
    assert len(set(taken)) == len(taken)


def test_while_a_line_is_typed_only_what_is_near_is_encoded_again():
    tokenizer = Forgetful()
    builder = ContextBuilder(tokenizer, TEMPLATES["qwen2.5-coder"], "spm", 400, counts=True)
    above, below = ([f"{side}{n} = {n}\n" for n in range(900)] for side in ("up", "down"))
    build(builder, [*above, "x\n", *below], Position(900, 1))
    assert len(tokenizer.take()) > 1_000
    build(builder, [*above, "xy\n", *below], Position(900, 2))
    assert len(tokenizer.take()) < 400
    prompt = build(builder, [*above, "xy\n", "z\n", *below], Position(901, 1))
    assert len(tokenizer.take()) < 400
    assert tokenizer.decode(prompt.before).endswith("up899 = 899\nxy\nz")
    assert tokenizer.decode(prompt.after).startswith("\ndown0 = 0\n")


def test_tokens_that_cross_line_ends_are_kept_near_the_cursor():
    tokenizer = BlankLinesTogether()
    encoder = LineEncoder(tokenizer, per_line=False)
    text = "".join(f"name{n} = {n}\n\n\n" for n in range(120))
    snapshot = Document("file:///a", PYTHON, text).snapshot()
    lines, position = Lines(snapshot, encoder), Position(180, 0)
    own = lines.before(position, LIMIT), lines.behind(position, LIMIT)
    before, after = CountedTokens(encoder).around(lines, position, *own)
    whole = tokenizer.encode(text)
    middle = len(tokenizer.encode("".join(snapshot.lines[:180])))
    assert list(before[-40:]) == whole[middle - 40 : middle]
    assert list(after[:40]) == whole[middle : middle + 40]
    assert tokenizer.decode(before) + tokenizer.decode(after) == text


def test_a_line_that_is_too_long_ends_it_and_is_not_tokenised():
    tokenizer = Forgetful()
    encoder = LineEncoder(tokenizer, per_line=True)
    text = "a" * 1_000_000 + "\n" + "b\n" * 200
    lines, position = Lines(Document("u", PYTHON, text).snapshot(), encoder), Position(150, 0)
    own = lines.before(position, LIMIT), lines.behind(position, LIMIT)
    before, _ = CountedTokens(encoder).around(lines, position, *own)
    assert tokenizer.decode(before) == "b\n" * 149
    assert max(map(len, tokenizer.take())) < 10
