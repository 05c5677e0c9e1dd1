"""Outlines: signatures without bodies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.syntax.languages import language_for
from surefill.syntax.outline import outline

PYTHON = '''
import os

LIMIT = 3


@decorated
def first(path: str, *, mode="r") -> int:
    """Says what it does."""
    def inner():
        return 1
    return inner()


class Thing(Base):
    size = 1

    async def run(
        self,
        slow: bool,
    ) -> None:
        if slow:
            pass

    class Part:
        def deep(self): return 1


if LIMIT:
    x = 1
for y in (): pass
'''


def test_python() -> None:
    assert outline(PYTHON, language_for("python", "a.py")) == (
        'def first(path: str, *, mode="r") -> int:\n'
        "class Thing(Base):\n"
        "    async def run(\n        self,\n        slow: bool,\n    ) -> None:\n"
        "    class Part:\n"
        "        def deep(self):\n"
    )


def test_typescript() -> None:
    text = (
        "export class A extends B {\n  go(a: number): string {\n    return 1\n  }\n}\n"
        "if (x) { y }\n"
    )
    assert outline(text, language_for("typescript", "a.ts")) == (
        "export class A extends B {\n  go(a: number): string {\n"
    )


@pytest.mark.parametrize("text", ["", "x = 1\n", "def (:\n", "\ud800"])
def test_nothing_to_show(text: str) -> None:
    assert outline(text, language_for("python", "a.py")) == ""


def test_a_file_that_is_too_large() -> None:
    assert outline("def f():\n    pass\n" * 40_000, language_for("python", "a.py")) == ""


@given(st.text(alphabet="def class():\n\t a\u00e9{}", max_size=200))
def test_any_text_is_survived(text: str) -> None:
    for name in ("a.py", "a.ts", "a.go"):
        language = language_for("", name)
        assert language is not None
        assert isinstance(outline(text, language), str)
