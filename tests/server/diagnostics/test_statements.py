"""Statements of a text, whatever is left open in it."""

import ast
import os
from pathlib import Path

import pytest

from surefill.diagnostics.statements import scan_statements


def codes(text):
    return [text[each.start : each.end] for each in scan_statements(text).statements]


def test_statements_end_where_their_lines_do():
    text = "a = 1  # one\nif b:\n    c = (2,\n         3)\n\n'''x\n\ny''' ; d\n"
    assert codes(text) == ["a = 1", "if b:", "c = (2,\n         3)", "'''x\n\ny''' ; d"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = (1\nb = 2\nc = 3\ndef f(): pass\n", ["a = (1", "b = 2", "c = 3", "def f(): pass"]),
        ("if f(a:\n    b\n    c\nd = 1\nimport x\n", ["if f(a:", "b", "c", "d = 1", "import x"]),
        ("a = 'x\nb = 1\n", ["a = 'x", "b = 1"]),
        ("a = [1, (2]\nb = 1\n", ["a = [1, (2]", "b = 1"]),
    ],
)
def test_what_is_left_open_ends_where_the_next_statement_begins(text, expected):
    assert codes(text) == expected


def test_every_statement_of_real_code_begins_where_python_sees_it():
    for path in sorted(Path(os.__file__).parent.glob("*.py"))[::40]:
        text = path.read_text("utf-8")
        starts = {text.count("\n", 0, each.start) + 1 for each in scan_statements(text).statements}
        tree = ast.parse(text)
        wanted = {each.lineno for each in ast.walk(tree) if isinstance(each, ast.stmt)}
        one_line_bodies = {
            each.lineno
            for node in ast.walk(tree)
            for each in ast.iter_child_nodes(node)
            if isinstance(each, ast.stmt)
            and not isinstance(node, ast.Module)
            and each.lineno == getattr(node, "lineno", 0)
        }
        assert not (wanted - starts - one_line_bodies), path
        assert not scan_statements(text).openings, path
