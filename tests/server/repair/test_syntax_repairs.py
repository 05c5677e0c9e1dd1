"""Repairs of syntax problems by rules alone: what is offered mends, and the first is the usual."""

import asyncio

import pytest

from surefill.budget import Deadline
from surefill.diagnostics.syntax import syntax_problems
from surefill.engine.interface import Cancellation
from surefill.repair.edit import edited
from surefill.repair.service import MOST_REPAIRS, RepairRequest, find_repairs
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for


class WithoutModel:
    async def in_thread(self, work):
        return work()

    async def with_model(self, work, cancel):
        return None


def snapshot_of(text, language="python"):
    return Document("file:///a", language_for(language, None), text).snapshot()


def repaired(text, language="python"):
    """The document after each repair of its first problem."""
    snapshot = snapshot_of(text, language)
    problem = syntax_problems(snapshot)[0]
    cancel = Cancellation(Deadline.after(60))
    request = RepairRequest(snapshot, problem, cancel)
    repairs = asyncio.run(find_repairs(request, WithoutModel(), None))
    assert len(repairs) <= MOST_REPAIRS
    assert all(repair.title for repair in repairs)
    return [edited(snapshot, repair.range, repair.text).text for repair in repairs]


@pytest.mark.parametrize(
    ("broken", "right"),
    [
        ("x = foo(a, b\ny = 1\n", "x = foo(a, b)\ny = 1\n"),
        ("x = foo(bar(1), [2, 3)\n", "x = foo(bar(1), [2, 3])\n"),
        ("def f(a, b:\n    return a\n", "def f(a, b):\n    return a\n"),
        ("if foo(a:\n    b\n", "if foo(a):\n    b\n"),
        ("x = [\n    1,\n    2,\ny = 1\n", "x = [\n    1,\n    2,\n]\ny = 1\n"),
        ("print'yes')\n", "print('yes')\n"),
        ("x = s.strip).lower()\ns.strip()\n", "x = s.strip().lower()\ns.strip()\n"),
        ("foo = bar = 1\nprint(foo, bar)\nfoobar)\n", "foo = bar = 1\nprint(foo, bar)\nfoo(bar)\n"),
        ("x = foo(a]\n", "x = foo(a)\n"),
        ("foo(\n    a=1,\n)\nfoo\n    a=1,\n)\n", "foo(\n    a=1,\n)\nfoo(\n    a=1,\n)\n"),
        ("if a\n    b()\n", "if a:\n    b()\n"),
        ("if a:\n    b()\nelse  # not\n    c()\n", "if a:\n    b()\nelse:  # not\n    c()\n"),
        ("def f(a) -> int\n    return a\n", "def f(a) -> int:\n    return a\n"),
        ("x = {'a' 1, 'b': 2}\n", "x = {'a': 1, 'b': 2}\n"),
        ("foo(a b)\n", "foo(a, b)\n"),
        ("x = 'abc\ny = 1\n", "x = 'abc'\ny = 1\n"),
        ("print('yes)\n", "print('yes')\n"),
        ("foo('a, 'b', c)\n", "foo('a', 'b', c)\n"),
        ("raise E(f'no {x}) from e\n", "raise E(f'no {x}') from e\n"),
        ("if a == 'x:\n    b\n", "if a == 'x':\n    b\n"),
        (
            'def f():\n    """Doc.\n    return 1\n\n\ndef g():\n    """Other."""\n',
            'def f():\n    """Doc."""\n    return 1\n\n\ndef g():\n    """Other."""\n',
        ),
        ("if x = 3:\n    y\n", "if x == 3:\n    y\n"),
        ("x = 1\n    y = 2\n", "x = 1\ny = 2\n"),
        ("if a:\r\n    b(1\r\nc\r\n", "if a:\r\n    b(1)\r\nc\r\n"),
    ],
)
def test_the_first_repair_is_the_right_one(broken, right):
    assert repaired(broken)[0].split() == right.split()


def test_a_missing_block_can_be_what_follows_or_nothing():
    found = repaired("def f():\nx = 1\n")
    assert "def f():\n    x = 1\n" in found
    assert "def f():\n    pass\nx = 1\n" in found


@pytest.mark.parametrize(
    "broken",
    [
        "x = foo(a, [b, (c\ny = 1\n",
        "def f(:\n    return (1\n",
        "class A\n    def f(self)\n        return 'x\n",
        "x = = 3\n",
        "import\n",
        "for x y z:\n    pass\n",
        "x = 'a\" + \"b'c\n",
        ")\n",
        "(((((\n",
        "else:\n    x\n",
    ],
)
def test_what_is_offered_leaves_fewer_problems(broken):
    before = len(syntax_problems(snapshot_of(broken)))
    for text in repaired(broken):
        assert len(syntax_problems(snapshot_of(text))) < before


def test_a_document_with_other_problems_keeps_only_those():
    text = "def f(a:\n    return a\n\n\nx = [1 2]\n\n\ny = 'abc\n"
    others = [each.message for each in syntax_problems(snapshot_of(text))][1:]
    for changed in repaired(text):
        assert [each.message for each in syntax_problems(snapshot_of(changed))] == others


def test_a_problem_in_a_long_document_is_mended_where_it_is():
    block = "def number_{0}(a, b):\n    return foo(a, [b, {0}])\n\n\n"
    lines = "".join(block.format(n) for n in range(400))
    broken = lines.replace("foo(a, [b, 200])", "foo(a, [b, 200)")
    assert repaired(broken)[0] == lines


@pytest.mark.parametrize(
    ("language", "broken", "right"),
    [
        ("javascript", "let x = foo(a;\nlet y = 1;\n", "let x = foo(a);\nlet y = 1;\n"),
        ("java", "class A { int x = 1 }\n", "class A { int x = 1; }\n"),
        ("json", '{"a": [1, 2}\n', '{"a": [1, 2]}\n'),
    ],
)
def test_other_languages(language, broken, right):
    assert right in repaired(broken, language)


def test_nothing_is_looked_for_when_it_is_late():
    snapshot = snapshot_of("x = foo(a\n")
    cancel = Cancellation()
    cancel.cancel()
    request = RepairRequest(snapshot, syntax_problems(snapshot)[0], cancel)
    assert asyncio.run(find_repairs(request, WithoutModel(), None)) == []
