"""Where a call may be written, and where not."""

import pytest

from surefill.syntax.callsite import call_site
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position


def site(marked, language="python"):
    before, _, after = marked.partition("¦")
    snapshot = Document("file:///a", language_for(language, None), before + after).snapshot()
    position = Position(before.count("\n"), len(before) - before.rfind("\n") - 1)
    return call_site(snapshot, position, Cursor.at(snapshot, position))


@pytest.mark.parametrize(
    ("marked", "kind", "name", "start"),
    [
        ("p.¦", "member", "", 2),
        ("p.op¦", "member", "op", 2),
        ("x = [p.op¦]", "member", "op", 7),
        ("f(a, p.q().op¦)", "member", "op", 11),
        ("if p.ex¦:\n    pass", "member", "ex", 5),
        ('"a".jo¦', "member", "jo", 4),
        ("else: p.op¦", "member", "op", 8),
        ("open¦", "name", "open", 0),
        ("x = open¦", "name", "open", 4),
        ("p.open(¦", "arguments", "open", 2),
        ("p.open(¦)", "arguments", "open", 2),
        ("f(g(¦))", "arguments", "g", 2),
        ("f(\n    p.op¦\n)", "member", "op", 6),
        ("async def f():\n    p.op¦", "member", "op", 6),
    ],
)
def test_calls_are_offered_here(marked, kind, name, start):
    found = site(marked)
    assert (found.kind, found.name, found.start.character) == (kind, name, start)


@pytest.mark.parametrize(
    "marked",
    [
        '"p.¦"',
        "'''\np.¦\n'''",
        "# p.¦",
        "import os.¦",
        "from os.¦",
        "from os import pa¦",
        "p.op¦en",
        "p.op¦(1)",
        "p.open(¦x)",
        "p.open(a, ¦)",
        "(¦)",
        "if (¦",
        "def f(¦",
        "def f(x=p.¦",
        "def f(\n    x: p.¦",
        "class A(p.¦",
        "class Op¦",
        "def op¦",
        "for it¦",
        "except p.Er¦",
        "with x as op¦",
        "x: p.Pa¦",
        "self.x: p.Pa¦",
        "1.¦",
        "",
        "x = ¦",
        "...¦",
    ],
)
def test_and_not_here(marked):
    assert site(marked or "¦") is None


def test_without_a_language_nothing_is_offered():
    assert site("p.¦", "plain") is None


@pytest.mark.parametrize(
    ("marked", "target", "callee", "start"),
    [
        ("p.op¦", "", "p.op", 0),
        ("if x:\n    p.op¦\n", "", "p.op", 4),
        ("x = p.q(1, [2]).op¦", "x", "p.q(1, [2]).op", 0),
        ("open¦", "", "open", 0),
    ],
)
def test_the_statement_that_is_the_call_alone(marked, target, callee, start):
    statement = site(marked).statement
    assert (statement.target, statement.callee) == (target, callee)
    assert statement.start.character == start
    assert not statement.awaited


@pytest.mark.parametrize(
    "marked",
    [
        "return p.op¦",
        "with p.op¦",
        "f(p.op¦)",
        "f(\np.op¦\n)",
        "x = 1 + p.op¦",
        "x == p.op¦",
        "x += p.op¦",
        "x[0] = p.op¦",
        "p.op¦ + 1",
        "p.op¦ # why",
        "x = 1 + \\\n    p.op¦",
        "if x: p.op¦",
        "for x in p.op¦",
        "p.open(¦)",
    ],
)
def test_the_call_is_only_a_part_of_its_statement(marked):
    assert site(marked).statement is None


def test_await_in_front_and_functions_around():
    assert site("async def f():\n    x = await p.op¦").statement.awaited
    assert site("async def f():\n    p.op¦").in_async
    assert not site("async def f():\n    def g():\n        p.op¦").in_async
    assert site("def f():\n    async def g():\n        if x:\n            p.op¦").in_async
    assert not site("p.op¦").in_async


def test_other_languages_have_members_and_no_statements():
    found = site("p.op¦", "javascript")
    assert (found.kind, found.name, found.statement) == ("member", "op", None)
    assert site("import p.¦", "java") is None
