"""Prompts fit, hold whole lines, keep imports and headers, and change little while typing."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position
from word_tokenizer import WordTokenizer

GOLDEN = sorted((Path(__file__).parent / "golden").iterdir())
PYTHON = language_for("python", None)
QWEN = TEMPLATES["qwen2.5-coder"]


def place(marked, name="python"):
    before, after = marked.split("|", 1)
    lines = before.split("\n")
    snapshot = Document("file:///a", language_for(name, None), before + after).snapshot()
    position = Position(len(lines) - 1, len(lines[-1]))
    return snapshot, position, Cursor.at(snapshot, position)


def build(marked, context_length, new_tokens=8, order="spm", tokenizer=None):
    builder = ContextBuilder(tokenizer or WordTokenizer(), QWEN, order, context_length)
    return builder.build(*place(marked), new_tokens)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_golden(path):
    parts = path.read_text(encoding="utf-8").split("=== ")[1:]
    (_, document), (heading, expected) = (part.split("\n", 1) for part in parts)
    order, length = heading.removeprefix("prompt ").split()
    tokenizer = WordTokenizer()
    prompt = build(document[:-1], int(length), order=order, tokenizer=tokenizer)
    assert tokenizer.decode(prompt.ids) == expected[:-1]
    assert len(prompt.ids) + 8 <= int(length)


@settings(max_examples=300, deadline=None)
@given(
    before=st.text(alphabet="abdef 1(:\n\té", max_size=300),
    after=st.text(alphabet="ab 1):\n", max_size=300),
    context_length=st.integers(16, 200),
    new_tokens=st.integers(1, 300),
    order=st.sampled_from(["spm", "psm"]),
    template=st.sampled_from(["qwen2.5-coder", "plain"]),
)
def test_prompt_and_answer_always_fit(before, after, context_length, new_tokens, order, template):
    builder = ContextBuilder(WordTokenizer(), TEMPLATES[template], order, context_length)
    new_tokens = min(new_tokens, builder.most_new_tokens)
    prompt = builder.build(*place(before + "|" + after), new_tokens)
    assert len(prompt.ids) + new_tokens <= context_length
    line_start = before.rfind("\n") + 1
    last = prompt.prefix[prompt.prefix.rfind("\n") + 1 :]
    assert before[line_start:].endswith(last)
    assert after.startswith(prompt.suffix)


def test_everything_is_there_when_it_fits():
    prompt = build("import os\n\ndef f():\n    |\n\nx = 1\n", 100)
    assert prompt.prefix == "import os\n\ndef f():\n    "
    assert prompt.suffix == "\n\nx = 1\n"


@pytest.mark.parametrize("marked", ["|", "|x", "x|", "\n|\n", "\0\ud800|\udfff\x0c"])
def test_little_and_odd_documents(marked):
    before, after = marked.split("|")
    prompt = build(marked, 64)
    # What says nothing is not shown.
    assert (prompt.prefix, prompt.suffix) == (before, after if after == "x" else "")
    assert prompt.ids


def test_the_current_line_stays_and_is_cut_at_its_far_ends():
    line = "a b " * 500
    prompt = build(f"x\n{line}HERE|THERE {line}\ny\n", 128)
    assert prompt.prefix.endswith("HERE")
    assert "\n" not in prompt.prefix
    assert prompt.suffix.startswith("THERE")
    assert "\n" not in prompt.suffix
    assert len(prompt.prefix) > 40


def test_a_line_of_a_megabyte_is_not_tokenised_whole():
    tokenizer = WordTokenizer()
    prompt = build("x = '" + "a" * 1_000_000 + "|\n" + "b" * 1_000_000, 128, tokenizer=tokenizer)
    assert tokenizer.encoded < 200_000
    assert len(prompt.ids) <= 120


def test_only_lines_near_the_cursor_are_tokenised():
    tokenizer = WordTokenizer()
    text = "".join(f"value{n} = {n}\n" for n in range(20_000))
    build(text + "|" + text, 256, tokenizer=tokenizer)
    assert tokenizer.encoded < 20_000


def typed_prompts(typed, context_length, tokenizer=None):
    above = "import os\n" + "".join(f"name{n} = {n}\n" for n in range(300))
    below = "".join(f"\nother{n} = {n}" for n in range(300))
    builder = ContextBuilder(tokenizer or WordTokenizer(), QWEN, "spm", context_length)
    for end in range(len(typed) + 1):
        yield builder.build(*place(f"{above}{typed[:end]}|{below}"), 16)


def common(first, second):
    length = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            break
        length += 1
    return length


def test_typing_a_line_only_appends():
    prompts = list(typed_prompts("result = some_function(first, second, third)", 512))
    kept = [
        common(earlier.ids, later.ids) >= len(earlier.ids) - 1
        for earlier, later in itertools.pairwise(prompts)
    ]
    assert kept.count(False) <= 1


def test_typing_many_lines_moves_the_window_in_steps():
    typed = "".join(f"    new{n} = {n}\n" for n in range(48))
    prompts = list(typed_prompts(typed, 512))
    starts = {prompt.prefix.split("\n")[1] for prompt in prompts}
    suffixes = {prompt.suffix.rstrip("\n") for prompt in prompts}
    assert len(starts) <= 8
    assert len(suffixes) <= 2


def test_each_side_takes_what_the_other_leaves():
    lines = "".join(f"name{n} = {n}\n" for n in range(300))
    start, middle, end = (build(m, 512) for m in (f"|{lines}", f"{lines}|{lines}", f"{lines}|"))
    assert len(start.suffix) > 2 * len(middle.suffix)
    assert len(end.prefix) > len(middle.prefix) > 2 * len(middle.suffix)
    assert all(len(prompt.ids) > 400 for prompt in (start, middle, end))


def test_a_template_without_infilling_has_no_suffix():
    tokenizer = WordTokenizer()
    builder = ContextBuilder(tokenizer, TEMPLATES["plain"], "psm", 64)
    prompt = builder.build(*place("a = 1\nb = |\nc = 2\n"), 8)
    assert tokenizer.decode(prompt.ids) == "<|endoftext|>a = 1\nb = "
    assert prompt.suffix == ""


def test_special_tokens_in_the_text_stay_text():
    tokenizer = WordTokenizer()
    snapshot = Document("file:///a", PYTHON, "x = '<|fim_middle|>'\ny = 1\n").snapshot()
    at = Position(0, 19)
    builder = ContextBuilder(tokenizer, QWEN, "spm", 64)
    prompt = builder.build(snapshot, at, Cursor.at(snapshot, at), 8)
    assert prompt.ids.count(tokenizer.special("<|fim_middle|>")) == 1
    assert prompt.prefix == "x = '<|fim_middle|>"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_are_newlines_to_the_model(end):
    marked = "import os\n\ndef f():\n    |\n\nx = 1\n"

    def prompt(text):
        builder = ContextBuilder(WordTokenizer(), QWEN, "spm", 400)
        return builder.build(*place(text), 20)

    lines = prompt(marked)
    snapshot, position, _ = place(marked)
    other = Document("file:///b", PYTHON, snapshot.text.replace("\n", end)).snapshot()
    cursor = Cursor.at(other, position)
    builder = ContextBuilder(WordTokenizer(), QWEN, "spm", 400)
    assert builder.build(other, position, cursor, 20) == lines


class BlankLinesTogether(WordTokenizer):
    """Several line ends are one token, as with many public models."""

    pattern = r"\n+|\w+| +|."


def test_a_tokenizer_whose_tokens_cross_line_ends_gets_the_text_as_a_whole():
    tokenizer = BlankLinesTogether()
    builder = ContextBuilder(tokenizer, QWEN, "psm", 64, per_line=False)
    prompt = builder.build(*place("a\n\n\nb\n|\n\nc"), 8)
    start = 1 + prompt.ids.index(tokenizer.special(QWEN.prefix))
    end = prompt.ids.index(tokenizer.special(QWEN.suffix))
    assert list(prompt.ids[start:end]) == tokenizer.encode("a\n\n\nb\n")
    assert list(prompt.ids[end + 1 : -1]) == tokenizer.encode("\n\nc")
    assert len(prompt.ids) < len(build("a\n\n\nb\n|\n\nc", 64, order="psm").ids)


@pytest.mark.parametrize("order", ["spm", "psm"])
def test_for_counting_the_prompt_names_the_document_beyond_its_window(order):
    tokenizer = WordTokenizer()
    lines = "".join(f"value_{n} = {n}\n" for n in range(200))
    before, after = f"{lines}return re", f"\n{lines}"
    builder = ContextBuilder(
        tokenizer, QWEN, order, 100, extends=lambda text: text == "re", counts=True
    )
    prompt = builder.build(*place(f"{before}|{after}"), 8)
    assert len(prompt.ids) + 8 <= 100
    assert prompt.document == "file:///a"
    assert prompt.lead == ("re" if order == "spm" else "")
    assert tokenizer.decode(prompt.before) + prompt.lead == before
    assert tokenizer.decode(prompt.after) == after
    plain = ContextBuilder(tokenizer, QWEN, order, 100).build(*place(f"{before}|{after}"), 8)
    assert (plain.document, plain.before, plain.after) == ("", (), ())
