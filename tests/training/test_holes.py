"""Where documents are cut."""

from __future__ import annotations

import random
from collections import Counter
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from small_corpus import module
from surefill.syntax.languages import language_for
from surefill_training.tasks.holes import HoleKind, HoleMix, cut
from surefill_training.tasks.nodes import spans

KINDS: tuple[HoleKind, ...] = get_args(HoleKind)
CODE_LIKE = st.text(alphabet="ab_1 \n\t()[]{}.,:='\"\r\u00e9\u4e2d\U0001f600", max_size=300)


@given(CODE_LIKE | st.text(max_size=200), st.integers(0, 2**32), st.sampled_from([None, *KINDS]))
def test_the_parts_are_the_document(text: str, seed: int, kind: HoleKind | None) -> None:
    hole = cut(text, random.Random(seed), HoleMix(), kind)
    if hole is not None:
        assert hole.prefix + hole.middle + hole.suffix == text
        assert hole.middle.strip()
        assert kind in (None, hole.kind)


@given(st.integers(0, 2**32), st.sampled_from(KINDS))
def test_the_kinds_have_their_shapes(seed: int, kind: HoleKind) -> None:
    hole = cut(module(seed % 50), random.Random(seed), HoleMix(), kind)
    assert hole is not None
    if kind == "line_end":
        assert "\n" not in hole.middle
        assert hole.suffix.startswith("\n")
    elif kind == "lines":
        assert 1 <= hole.middle.count("\n") <= HoleMix().max_lines
        assert hole.suffix.startswith("\n") or not hole.suffix
        assert hole.middle.rsplit("\n", 1)[1].strip()
    else:
        assert "\n" not in hole.middle
        assert hole.suffix[0] != "\n"


def test_equal_generators_cut_equally() -> None:
    text = module(3)
    first = [cut(text, random.Random(seed), HoleMix()) for seed in range(50)]
    assert first == [cut(text, random.Random(seed), HoleMix()) for seed in range(50)]
    assert len(set(first)) > 25


def test_the_mix_is_kept() -> None:
    rng = random.Random(0)
    text = module(1, functions=30)
    mix = HoleMix(line_end=0.5, lines=0.3, inside=0.2)
    count = Counter(hole.kind for _ in range(2000) if (hole := cut(text, rng, mix)))
    total = count.total()
    assert total > 1900
    assert count["line_end"] / total == pytest.approx(0.5, abs=0.05)
    assert count["lines"] / total == pytest.approx(0.3, abs=0.05)
    assert count["inside"] / total == pytest.approx(0.2, abs=0.05)


def test_a_share_of_nothing_is_never_drawn() -> None:
    rng = random.Random(0)
    mix = HoleMix(line_end=0, lines=1, inside=0)
    assert {hole.kind for _ in range(200) if (hole := cut(module(1), rng, mix))} == {"lines"}


def test_holes_lie_late_in_the_text() -> None:
    rng = random.Random(0)
    text = module(1, functions=30)
    holes = [hole for _ in range(500) if (hole := cut(text, rng, HoleMix()))]
    assert sum(len(h.prefix) for h in holes) / len(holes) > 0.55 * len(text)


@pytest.mark.parametrize("text", ["", "\n", "  \n\t\n ", "\r\n\r\n"])
def test_a_text_without_a_place_for_a_hole(text: str) -> None:
    for kind in KINDS:
        assert cut(text, random.Random(0), HoleMix(), kind) is None


@pytest.mark.parametrize("kind", ["lines", "inside"])
def test_a_text_too_small_for_the_kind(kind: Literal["lines", "inside"]) -> None:
    assert cut("x", random.Random(0), HoleMix(), kind) is None


def test_blocks_end_where_the_indentation_does() -> None:
    text = "def f(x):\n    a = 1\n\n    b = 2\n\n\ndef g(x):\n    c = 3\n"
    middles = {
        hole.middle
        for seed in range(300)
        if (hole := cut(text, random.Random(seed), HoleMix(), "lines"))
        and hole.prefix == "def f(x):"
    }
    assert "\n    a = 1\n\n    b = 2" in middles


def test_contents_of_brackets_are_cut_out() -> None:
    middles = {
        hole.middle
        for seed in range(200)
        if (hole := cut("call(first, second)", random.Random(seed), HoleMix(), "inside"))
    }
    assert "first, second" in middles


PYTHON = language_for("python", "x.py")
CODE = '''import os


def first(path, mode):
    """Open it."""
    handle = open(path, mode)
    # Read all of it.
    text = handle.read(
        1024)
    return text


class Thing(Base):
    def method(self):
        return first(os.path.join("a", "b"), mode="r")
'''


def test_nodes_of_the_syntax_tree() -> None:
    assert PYTHON is not None
    found = spans(CODE, PYTHON, 12)
    bodies = [CODE[a:b] for a, b in found.bodies]
    whole = CODE[CODE.index('\n    """Open') : CODE.index("\n\n\nclass")]
    assert whole in bodies  # behind the signature
    assert whole.split('"""')[2] in bodies  # behind the docstring
    assert [CODE[a:b] for a, b in found.described] == ["\n    text = handle.read(\n        1024)"]
    arguments = [CODE[a:b] for a, b in found.arguments]
    assert "path, mode" in arguments
    assert '"a", "b"' in arguments
    assert 'os.path.join("a", "b"), mode="r"' in arguments
    assert "Base" not in arguments


def test_long_bodies_are_left_to_chance() -> None:
    assert PYTHON is not None
    assert all(CODE[a:b].count("\n") <= 2 for a, b in spans(CODE, PYTHON, 2).bodies)


@pytest.mark.parametrize(
    ("language", "path", "text", "body", "arguments"),
    [
        (
            "javascript",
            "a.js",
            "function f(a) {\n  return g(a, 1)\n}\n",
            "\n  return g(a, 1)",
            "a, 1",
        ),
        ("typescript", "a.ts", "const x = h(\u00e9, 2)\n", None, "\u00e9, 2"),
        ("go", "a.go", "func f() {\n\tg(1)\n}\n", "\n\tg(1)", "1"),
        ("rust", "a.rs", "fn f() {\n    g!(1);\n}\n", "\n    g!(1);", "1"),
        ("java", "A.java", "class A { int x = f(1); }\n", " int x = f(1);", "1"),
        ("c", "a.c", "int f(void) {\n  return g(1);\n}\n", "\n  return g(1);", "1"),
        ("cpp", "a.cc", "int f() {\n  return g(1);\n}\n", "\n  return g(1);", "1"),
        ("bash", "a.sh", "for i in a; do\n  echo $i\ndone\n", "\n  echo $i", None),
        ("html", "a.html", '<p class="a">text</p>\n', "text", ' class="a"'),
        ("sql", "a.sql", "SELECT f(a);\n", " f(a)", "a"),
    ],
)
def test_nodes_in_other_languages(
    language: str, path: str, text: str, body: str | None, arguments: str | None
) -> None:
    known = language_for(language, path)
    assert known is not None
    found = spans(text, known, 12)
    assert [text[a:b] for a, b in found.bodies] == ([body] if body else [])
    assert [text[a:b] for a, b in found.arguments] == ([arguments] if arguments else [])


@pytest.mark.parametrize(
    ("path", "text", "bodies"),
    [
        ("a.py", "if a:\n    b()\nelse:\n    c()\n", ["\n    b()", "\n    c()"]),
        ("a.js", "if (a) {\n  b()\n} else {\n  c()\n}\n", ["\n  b()", "\n  c()"]),
        ("a.go", "func f() {\n\tif a {\n\t\tb()\n\t} else {\n\t\tc()\n\t}\n}\n", ["\n\t\tc()"]),
        ("a.sh", "if a; then\n  b\nelse\n  c\nfi\n", ["\n  b", "\n  c"]),
        ("a.sql", "SELECT a FROM b WHERE c = 1\nORDER BY d;\n", [" c = 1\nORDER BY d"]),
        ("a.sql", "CREATE TABLE t (\n  id INT\n);\n", ["\n  id INT"]),
        ("a.tsx", "const a = <p>text</p>;\n", ["text"]),
        ("a.ts", "const f = (a: number) => a + 1;\n", ["a + 1"]),
    ],
)
def test_bodies_of_conditions_and_clauses(path: str, text: str, bodies: list[str]) -> None:
    known = language_for(None, path)
    assert known is not None
    found = [text[a:b] for a, b in spans(text, known, 12).bodies]
    assert {*bodies} <= {*found}


@given(CODE_LIKE, st.integers(0, 2**32))
def test_any_text_has_its_nodes_inside_it(text: str, seed: int) -> None:
    assert PYTHON is not None
    hole = cut(text, random.Random(seed), HoleMix(on_nodes=1.0), language=PYTHON)
    if hole is not None:
        assert hole.prefix + hole.middle + hole.suffix == text
        assert hole.middle.strip()


def test_half_of_the_holes_lie_on_nodes() -> None:
    assert PYTHON is not None
    found = spans(CODE, PYTHON, 12)
    places = {*found.bodies, *found.described}
    rng = random.Random(0)
    holes = [cut(CODE, rng, HoleMix(), "lines", PYTHON) for _ in range(400)]
    on_nodes = sum(
        (len(h.prefix), len(h.prefix) + len(h.middle)) in places for h in holes if h is not None
    )
    assert 0.45 < on_nodes / 400 < 0.75
