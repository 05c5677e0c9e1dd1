"""Python's compiler has the last word on what parses as Python."""

import random
import sysconfig
import warnings
from pathlib import Path

import pytest

from surefill.checks.python_syntax import python_refuses, syntax_error
from surefill.checks.syntax import check_syntax
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Range

PYTHON = language_for("python", None)
STDLIB = Path(sysconfig.get_path("stdlib"))


def verdict(marked, text):
    before, after = marked.split("|")
    document = Document("file:///a.py", PYTHON, before + after)
    snapshot = document.snapshot()
    at = snapshot.position_at(len(before.encode()))
    return check_syntax(snapshot, Range(at, at), text)


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("|\n", 'print "x"'),
        ("|\nx = 1\n", "try:\n    pass"),
        ("f(|)\n", "a=1, 2"),
        ("|\n", "x := 1"),
        ("x = 1\n|\n", "return x"),
        ("class A:\n    |\n", "return 1"),
        ("|\n", "await f()"),
        ("def f():\n    |\n", "nonlocal x"),
        ("def f(|):\n    pass\n", "a, a"),
        ("def f(|):\n    pass\n", "a=1, b"),
        ("f(|)\n", "**a, *b"),
        ("if x:\n\ty = 1\n|\n", "        z = 2"),
        ("|\n", "f() = 1"),
        ("|\n", "del f()"),
        ("|\n", "break"),
        ("x = |\n", "yield 1"),
        ("import os\n|\n", "from __future__ import annotations"),
        ("for |\n    pass\n", "x in y"),
        ("match x:\n    case |:\n        pass\n", '"a":\n    case "a"'),
        ("|\n", "x = b'\u00e9'"),
        ("|\n", "x = 0777"),
        ("|\n", 'x = "\\u12"'),
    ],
)
def test_what_python_refuses_is_refused(marked, text):
    found = verdict(marked, text)
    assert found.outcome == "failed"
    assert found.reason


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("|\n", "print('x')"),
        ("|\n", "try:"),
        ("|\n", "try:\n    f()\nexcept OSError:"),
        ("x = |\n", "f(a, "),
        ("def f(|\n", "a, b"),
        ("def f(|\n", "a, b):"),
        ("|\n", "@cached"),
        ("|\nx = 1\n", "class A:"),
        ("match x:\n    |\n", "case 1:"),
        ("|\n", "match x:"),
        ("|\nx = 1\n", "while f()"),
        ("def f(x):\n    |\n", "return x"),
        ("async def f(x):\n    |\n", "await x"),
        ("if a:\n    pass\n|    pass\n", "elif b:\n"),
        ("f(|)\n", "a=1, *b"),
        ("x = '\\d' + |\n", "y"),
    ],
)
def test_what_python_takes_or_will_take_passes(marked, text):
    assert verdict(marked, text).outcome == "passed"


def test_errors_elsewhere_are_not_the_suggestions():
    assert verdict("print 'old'\n\nx = |\n", "1").outcome == "passed"
    assert verdict("def f(:\n    |\n", "return 1").outcome == "passed"


def test_a_document_beyond_its_bound_is_left_to_the_grammar():
    before = "x = 1\n" * 40_000
    assert python_refuses(before, "return 1", "\n", PYTHON) == ""


def test_what_the_compiler_cannot_take_is_an_error_and_no_crash():
    assert syntax_error("(" * 100_000)
    assert syntax_error("-" * 100_000 + "1")
    assert syntax_error("x = 1\0")
    assert syntax_error("9" * 100_000)


def test_warnings_of_the_compiler_are_nobodys_business():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert syntax_error("x = '\\d'\n") == ""


@pytest.mark.parametrize("module", ["textwrap", "tokenize", "functools", "asyncio/base_events"])
def test_nothing_that_stands_in_the_standard_library_is_refused(module):
    lines = (STDLIB / f"{module}.py").read_text(encoding="utf-8").splitlines(keepends=True)
    numbers = random.Random(module)
    for number in numbers.sample([i for i, line in enumerate(lines) if line.strip()], 60):
        line = lines[number].rstrip("\n")
        cut = numbers.randint(0, len(line))
        before, rest = "".join(lines[:number]) + line[:cut], line[cut:]
        below = "\n" + "".join(lines[number + 1 :])
        assert python_refuses(before, rest, below, PYTHON) == ""
