"""When to speak, how much, and where the model stops."""

import pytest

from surefill.completion.policy import block_stop, brackets_stop, decide, line_stop
from surefill.settings import CompletionSettings
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position

PYTHON, JAVASCRIPT = language_for("python", None), language_for("javascript", None)


def decision(marked, name="python", *, explicit=False, **settings):
    before, after = marked.split("|", 1)
    lines = before.split("\n")
    snapshot = Document("file:///a", language_for(name, None), before + after).snapshot()
    position = Position(len(lines) - 1, len(lines[-1]))
    cursor = Cursor.at(snapshot, position)
    values = CompletionSettings(**settings)
    return decide(snapshot, position, cursor, explicit=explicit, settings=values)


@pytest.mark.parametrize(
    ("name", "marked", "kind"),
    [
        ("python", "fo|o", "none"),
        ("python", "x = |", "line"),
        ("python", "def f():\n    x = 1\n    |", "line"),
        ("python", "def f():|", "block"),
        ("python", "def f():\n    |", "block"),
        ("python", "# add the numbers\n|", "block"),
        ("python", "x = foo(|)", "brackets"),
        ("python", "x = foo(\n    a,\n    |\n)", "brackets"),
        ("python", "x = {|}", "brackets"),
        ("python", "x = foo(|, b)", "line"),
        ("python", "x = 'a |'", "line"),
        ("python", "# a |", "line"),
        ("python", 'def f():\n    """|"""', "line"),
        ("javascript", "function f() {\n  |\n}", "block"),
        ("javascript", "function f() {\n  a();\n  |\n}", "line"),
        ("javascript", "foo(|)", "brackets"),
        ("json", '{"a": |}', "brackets"),
        ("bash", "if true; then\n  |", "block"),
        ("sql", "create table a (\n  |\n)", "brackets"),
    ],
)
def test_how_much_is_suggested(name, marked, kind):
    result = decision(marked, name)
    assert result.kind == kind
    assert result.reason


@pytest.mark.parametrize(
    ("name", "marked", "kind"),
    [
        ("python", "x = foo(\n    a,\n    |\n    b=2,\n)", "line"),
        ("python", "def f(\n    a: int|\n    b: str,\n):\n    pass", "line"),
        ("python", "if a:\n    x = foo(|\n    y = 2", "brackets"),
        ("python", "x = foo(|\n\n\ny = 2", "brackets"),
        ("python", "class A:\n    |\n\n    def f(self):\n        pass", "line"),
        ("python", "class A:|\n    x = 1", "line"),
        ("python", "def f():\n    |\n\n\ndef g():\n    pass", "block"),
        ("json", '{\n  "a": |\n  "b": 2\n}', "line"),
        ("javascript", "function f() {\n  |\n  return a;\n}", "line"),
        ("javascript", "function f() {\n  if (a) {\n    |\n  }\n}", "block"),
    ],
)
def test_what_goes_on_below_gets_one_line_more_unless_the_user_asks(name, marked, kind):
    assert decision(marked, name).kind == kind
    assert decision(marked, name, explicit=True).kind != "line"
    assert decision(marked, name, multiline="always").kind != "line"


def test_what_a_description_asks_for_is_as_deep_as_the_description():
    stop = decision('class A:\n    def f(self):\n        """Doc."""\n|').stop
    body = "        x = 1\n        return x"
    assert stop(body + "\n\n    def g") == len(body)
    assert stop(body) is None


def test_settings_and_explicit_requests_change_the_extent():
    assert decision("def f():\n    |", multiline="never").kind == "line"
    assert decision("x = foo(|)", multiline="never").kind == "line"
    assert decision("x = |", multiline="always").kind == "block"
    assert decision("x = |", explicit=True).kind == "block"
    assert decision("fo|o", explicit=True).kind == "none"
    assert decision("x = 'a |'", explicit=True).kind == "line"
    assert decision("x = |", max_new_tokens=7).max_new_tokens == 7


def test_only_what_comes_unasked_has_to_be_sure():
    assert decision("x = |", min_confidence=0.2).min_confidence == 0.2
    assert decision("foo()|", min_confidence=0.2).min_confidence == 0.2
    assert decision("foo()|", min_confidence=0.2, explicit=True).min_confidence == 0.0
    assert decision("foo()|").min_confidence == CompletionSettings().min_confidence


def cut(stop, text):
    """What is left of ``text`` when it arrives character by character."""
    for end in range(1, len(text) + 1):
        length = stop(text[:end])
        if length is not None:
            return text[:length]
    return text


@pytest.mark.parametrize(
    ("text", "may_lead", "expected"),
    [
        ("a b\nc", False, "a b"),
        ("\na", False, ""),
        ("\n  a\nb", True, "\n  a"),
        ("a\nb", True, "a"),
        ("\n\n\n\n\n\na", True, ""),
        ("never ends", False, "never ends"),
    ],
)
def test_line_stop(text, may_lead, expected):
    assert cut(line_stop(may_lead=may_lead), text) == expected


@pytest.mark.parametrize(
    ("text", "width", "paragraph", "expected"),
    [
        ("x = 1\n    return x\n\ndef g():\n", 4, False, "x = 1\n    return x"),
        ("x = 1\n\n    y = 2\n\n\n    z\ndef", 4, False, "x = 1\n\n    y = 2\n\n\n    z"),
        ("\n    x = 1\ny = 2", 1, False, "\n    x = 1"),
        ("\n\n\n\n\n\n", 4, False, ""),
        ("x\n    if y:\n        z\n\n    w\n", 4, False, "x\n    if y:\n        z\n\n    w\n"),
        ("def f():\n    x\n\n    y\n\ndef g():", 0, True, "def f():\n    x\n\n    y"),
        ("a = 1\nb = 2\n\nc = 3", 0, True, "a = 1\nb = 2"),
        ("\n\nx = 1\n\ny", 0, True, "\n\nx = 1"),
    ],
)
def test_block_stop_by_indentation(text, width, paragraph, expected):
    assert cut(block_stop(PYTHON, width, paragraph=paragraph), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("return 1;\n}\n\nfunction g", "return 1;\n}"),
        ("foo(() => {\n    a;\n  });\n}\nb", "foo(() => {\n    a;\n  });\n}"),
        ("a;\nb;", "a;"),
    ],
)
def test_block_stop_by_braces(text, expected):
    assert cut(block_stop(JAVASCRIPT, 2), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a, b)\nfoo", "a, b)"),
        ("\n    a,\n    b,\n):\n    pass", "\n    a,\n    b,\n):"),
        ("bar(1), ')', [2]) + 1\nx", "bar(1), ')', [2]) + 1"),
        ("a, b", "a, b"),
    ],
)
def test_brackets_stop(text, expected):
    assert cut(brackets_stop(PYTHON), text) == expected
