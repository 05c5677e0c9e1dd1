"""Code points as servers count them, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.oracle.positions import Lines
from surefill.oracle.signatures import callee_end
from surefill.oracle.warming import imported_modules
from surefill.syntax.position import Position

TEXTS = st.text(st.sampled_from("ab𝕏ä\r\n\u2028"), max_size=20)


@given(TEXTS, st.sampled_from(["utf-8", "utf-16", "utf-32"]), st.data())
def test_there_and_back(text, encoding, data):
    lines = Lines(text, encoding)
    line = data.draw(st.integers(0, len(lines.starts) - 1))
    position = Position(line, data.draw(st.integers(0, len(lines.line(line)))))
    assert lines.from_wire(lines.to_wire(position)) == position


def test_units():
    lines = Lines("a\r\n𝕏ä!", "utf-16")
    assert lines.to_wire(Position(1, 2)) == {"line": 1, "character": 3}
    assert lines.offset(Position(1, 2)) == 5


@pytest.mark.parametrize("position", [(-1, 0), (9, 9), (0, -5), (1, 99)])
def test_positions_outside_are_clamped(position):
    assert 0 <= Lines("ab\ncd", "utf-16").offset(Position(*position)) <= 5


@pytest.mark.parametrize(
    ("text", "callee"),
    [
        ("f(", "f"),
        ("a.b (1, ')', ", "a.b"),
        ("f(g(1), [x, ", "f"),
        ("# f(\n", None),
        ("'f('", None),
        ("f(1)", None),
        ("(1, ", None),
    ],
)
def test_what_is_called_stands_before_the_open_parenthesis(text, callee):
    end = callee_end(text, len(text))
    assert (None if end is None else text[:end]) == callee


def test_imported_modules():
    text = (
        "import os, sys as s\nfrom a.b import c\nfrom . import d\n  import os  # twice\nimport (\n"
    )
    assert list(imported_modules(text)) == ["os", "sys", "a.b"]
