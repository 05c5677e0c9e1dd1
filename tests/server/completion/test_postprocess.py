"""Golden files: a document with | at the cursor, what the model wrote, what is shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.completion.postprocess import (
    Surroundings,
    cut_before,
    postprocess,
    shorter_versions,
)
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import LANGUAGES, language_for
from surefill.syntax.position import Position

GOLDEN = sorted((Path(__file__).parent / "golden").iterdir())
ENDS = ("<|endoftext|>",)


def surroundings(marked, language):
    before, after = marked.split("|", 1)
    snapshot = Document("file:///a", language, before + after).snapshot()
    lines = before.split("\n")
    cursor = Cursor.at(snapshot, Position(len(lines) - 1, len(lines[-1])))
    return Surroundings.of(snapshot, cursor)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_golden(path):
    with path.open(encoding="utf-8", newline="") as file:
        parts = file.read().split("=== ")
    document, model, expected = (part.split("\n", 1)[1][:-1] for part in parts[1:])
    around = surroundings(document, language_for(None, path.stem))
    assert postprocess(model, around, ENDS) == expected


@given(
    text=st.text(alphabet="()[]{}\"'`ab \n\t;:,#\\/<|>x", max_size=60),
    before=st.text(alphabet="()[]{}\"'a \n\t:#", max_size=30),
    after=st.text(alphabet="()[]{}\"'a \n:;", max_size=30),
    language=st.sampled_from([None, *LANGUAGES]),
)
def test_whatever_comes_in_nothing_is_invented(text, before, after, language):
    around = surroundings(before + "|" + after, language)
    result = postprocess(text, around, ENDS)
    kept = iter("".join(text.split()))
    assert all(character in kept for character in "".join(result.split()))
    assert result == "" or result.strip()


@pytest.mark.parametrize(
    ("text", "complete", "expected"),
    [
        ("a = 1\nb = 2\nc = (", True, ["a = 1\nb = 2\nc = (", "a = 1\nb = 2", "a = 1"]),
        ("a = 1\nb = 2\nc = so", False, ["a = 1\nb = 2", "a = 1"]),
        ("if a:\n    b = (1", True, ["if a:\n    b = (1"]),
        ("only one li", False, ["only one li"]),
        ("\n    one li", False, ["\n    one li"]),
        ("a\n\n\nb", True, ["a\n\n\nb", "a"]),
        ("foo() {\n  a;\n}\nb", True, ["foo() {\n  a;\n}\nb", "foo() {\n  a;\n}"]),
    ],
)
def test_shorter_versions_end_with_a_whole_line(text, complete, expected):
    assert shorter_versions(text, language_for("python", None), complete=complete) == expected


@pytest.mark.parametrize(
    ("text", "wrong", "behind_dot", "expected"),
    [
        ("get(url).jsn()", "jsn", True, ["get(url)", "get"]),
        ("get(url).jsn()", "jsn", False, ["get(url)"]),
        ("get(url, a(1), b)", "b)", True, ["get"]),
        ("get(')').jsn()", "jsn", False, ["get(')')"]),
        ("name", "name", True, ["name"]),
        ("a(1).b(2).c\nd", "c", False, ["a(1).b(2)"]),
        ("(1)", "1", True, []),
    ],
)
def test_what_is_left_before_something_wrong(text, wrong, behind_dot, expected):
    python = language_for("python", None)
    assert cut_before(text, text.index(wrong), python, behind_dot=behind_dot) == expected
