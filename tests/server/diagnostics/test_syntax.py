"""What is wrong with a text, in how many words and where: one problem for each cause."""

import ast
import os
from pathlib import Path

import pytest

import surefill
from surefill.diagnostics.syntax import MOST_PROBLEMS, syntax_problems
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for


def problems(text, language="python", uri="file:///a"):
    return syntax_problems(Document(uri, language_for(language, None), text).snapshot())


def seen(text, language="python"):
    """Each problem's line and text, and its message."""
    snapshot = Document("file:///a", language_for(language, None), text).snapshot()
    return [
        (each.range.start.line, snapshot.text_in(each.range), each.message)
        for each in syntax_problems(snapshot)
    ]


@pytest.mark.parametrize(
    ("text", "line", "marked", "message"),
    [
        ("x = foo(a, b\ny = 1\n", 0, "(", "This `(` is never closed."),
        ("def f():\n    x = foo(a,\n    y = 1\n    return x\n", 1, "(", "never closed"),
        ("x = [\n    1,\n    2,\ndef f():\n    pass\n", 0, "[", "This `[` is never closed."),
        ("def f(a, b:\n    return a\n", 0, "(", "This `(` is never closed."),
        ('d = {\n    "a": foo(1,\n    "b": 2,\n}\ny = 1\n', 1, "(", "This `(` is never closed."),
        ("x = foo(a))\n", 0, ")", "This `)` closes nothing: no `(` is open."),
        ("x = a, b]\n", 0, "]", "This `]` closes nothing: no `[` is open."),
        ("x = foo(a]\ny = 1\n", 0, "]", "This `]` closes nothing: `)` was expected."),
        ("x = [f for f in s.lines)\n]\n", 0, ")", "closes nothing"),
        ('x = "abc\ny = 1\n', 0, '"abc', 'This string is not closed: its " is missing.'),
        ("print('yes)\nprint(1)\n", 0, "'yes)", "This string is not closed"),
        ("x = rb'abc\n", 0, "rb'abc", "This string is not closed"),
        ('def f():\n    """Doc.\n    return 1\n', 1, '"""Doc.', "This string is not closed"),
        (
            'def f():\n    """One.\n    return 1\n\n\ndef g():\n    """Two."""\n    return 2\n',
            1,
            '"""One.',
            'its """ is missing',
        ),
        ("if a\n    b()\n", 0, "a", "A colon is missing behind `if a`."),
        ("while True  # for ever\n    b()\n", 0, "e", "A colon is missing behind `while True`."),
        ("class A\n    x = 1\n", 0, "A", "A colon is missing behind `class A`."),
        ("def f(a) -> int\n    return a\n", 0, "t", "A colon is missing"),
        ("if a:\n    b\nelse\n    c\n", 2, "e", "A colon is missing behind `else`."),
        ("try:\n    b()\nexcept E as e\n    c()\n", 2, "e", "A colon is missing"),
        ("if a return b\n", 0, "a", "A colon is missing behind `if a`."),
        ("async def f()\n    pass\n", 0, ")", "A colon is missing"),
        ("def f():\nx = 1\n", 0, "def f():", "The block behind `def f():` is missing"),
        ("if a:\n", 0, "if a:", "The block behind `if a:` is missing"),
        ("x = 1\n    y = 2\n", 1, "y = 2", "indented further than the block"),
        ("if a:\n    b\n  c\n", 2, "c", "matches no block above"),
        ("x = 1\nelse:\n    y\n", 1, "else:", "This `else` has no `if`"),
        ("except E:\n    y\n", 0, "except E:", "This `except` has no `try`"),
        ("try:\n    y\nz = 1\n", 0, "try:", "neither an `except` nor a `finally`"),
        ("x = 3 +\n", 0, "+", "Something is missing behind `+`."),
        ("x =\n", 0, "=", "Something is missing behind `=`."),
        ("import\n", 0, "import", "Something is missing behind `import`."),
        ("if x = 3:\n    y\n", 0, "=", "it assigns, and `==` compares"),
        ("foo(a b)\n", 0, "b", "`b` cannot follow `a`: something is missing in between."),
        ("class = 3\n", 0, "class", "`class` is a keyword and cannot be a name."),
        ("x = 1 if else 2\n", 0, "if", "A name is missing behind `if`."),
        ("def f(a, , b):\n    pass\n", 0, ",", "Something is missing between `,` and `,`."),
    ],
)
def test_a_defect_is_one_problem_in_words(text, line, marked, message):
    ((found_line, found, found_message),) = seen(text)
    assert (found_line, found.strip()) == (line, marked.strip())
    assert message in found_message
    assert "ERROR" not in found_message
    assert "node" not in found_message


def test_several_causes_are_several_problems():
    text = "def f(a:\n    return a\n\n\nif x\n    y = 'abc\n\nz = [1 2]\n"
    assert [(line, message.split(".")[0].split(":")[0]) for line, _, message in seen(text)] == [
        (0, "This `(` is never closed"),
        (4, "A colon is missing behind `if x`"),
        (5, "This string is not closed"),
        (7, "`2` cannot follow `1`"),
    ]


def test_an_open_bracket_hides_no_problem_further_down():
    text = "a = foo(1,\n\n\ndef f():\n    return bar(2\n\n\nclass A\n    x = 1\n"
    assert [line for line, _, _ in seen(text)] == [0, 4, 7]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n# only a comment",
        "x = 1  # ) ] } ' \"\n",
        "x = [\n1,\n2,\n]\n",
        "x = (a\nor b)\n",
        "if (a and\n    any(b\n        for c in d)):\n    pass\n",
        'x = """\ndef f(:\n"""\n',
        "x = 'it\\'s' \"(\"\n",
        "x = 'a\\\nb'\n",
        "y = a + \\\n    b\n",
        "match = 1\ncase = match\nprint(match, case)\n",
        "match x:\n    case [1, *_]:\n        pass\n    case _:\n        pass\n",
        "try:\n    a\nexcept* E:\n    b\nelse:\n    c\nfinally:\n    d\n",
        "for a in b:\n    c\nelse:\n    d\n",
        "if a: b; c\nelse: d\n",
        "@f(\n    1,\n)\ndef g():\n    '''Doc.'''\n",
        "class A:\n\tdef f(self):\n\t\treturn 1\n",
        "def f(\n    a,\n    b,\n):\n    return lambda: (yield)\n",
        "x = f'{a!r:>{width}} {b[\"c\"]}'\n",
        "if a:\r\n    b = [\r\n        1,\r\n    ]\r\n",
        "async def f():\n    async with a as b, c as d:\n        return [e async for e in b]\n",
    ],
)
def test_nothing_is_said_of_what_is_right(text):
    ast.parse(text)
    assert seen(text) == []


def test_nothing_is_said_of_real_code():
    ours = (Path(surefill.__file__).parent / "syntax").glob("*.py")
    library = sorted(Path(os.__file__).parent.glob("*.py"))[::16]
    looked_at = 0
    for path in (*ours, *library):
        text = path.read_text("utf-8")
        assert seen(text) == [], path
        looked_at += 1
    assert looked_at > 15


def test_there_is_an_end_to_the_problems_of_one_document():
    assert len(problems("x = (\n" * 10_000)) <= MOST_PROBLEMS
    assert 0 < len(problems("x = = 1\n" * 300)) <= MOST_PROBLEMS


def test_what_has_no_grammar_has_no_problems():
    assert syntax_problems(Document("file:///a", None, "((((").snapshot()) == []


@pytest.mark.parametrize(
    "text", ["\x00\x01(", "\ud800 = (", "(" * 5_000, "'" * 999, "x = \\", "\f("]
)
def test_any_text_is_looked_at_without_an_error(text):
    for language in ("python", "javascript", "json", "c", "html", "bash", "sql"):
        assert isinstance(problems(text, language), list)


def test_positions_count_code_points_and_carriage_returns():
    text = "a = '🎉漢'\r\nb = ('🎉', foo(1\r\nc = 1\r\n"
    ((line, marked, _),) = seen(text)
    (problem,) = problems(text)
    assert (line, marked) == (1, "(")
    assert problem.range.start.character == text.split("\r\n")[1].rindex("(")


@pytest.mark.parametrize(
    ("language", "text", "line", "message"),
    [
        ("javascript", "function f() {\n  if (a) {\n    b();\n}\n", 1, "This `{` is never closed."),
        ("javascript", "let x = foo(a;\n", 0, "This `(` is never closed."),
        ("javascript", "let x = `abc;\n", 0, "This string is not closed"),
        ("typescript", "let x: = 3;\n", 0, "is not expected here"),
        ("go", "func f() {\n\tx := []int{1, 2\n}\n", 1, "is never closed"),
        ("java", "class A { int x = 1 }\n", 0, "A semicolon is missing here."),
        ("rust", "fn f() { let x = ; }\n", 0, "expected"),
        ("json", '{"a": 1,, "b": 2}\n', 0, "`,` is not expected here."),
        ("json", '{"a": [1, 2}\n', 0, "`]` is missing here."),
        ("c", "int y;\nint x = (1;\n", 1, "This `(` is never closed."),
        ("c", "/* never\n", 0, "This comment is not closed"),
        ("sql", "select (1\n", 0, "This `(` is never closed."),
    ],
)
def test_other_languages(language, text, line, message):
    found = seen(text, language)
    assert found, "nothing was found"
    assert (found[0][0], message in found[0][2]) == (line, True), found


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("c", "#define FOO(x) {\nFOO(a)\n  int y;\n}\n"),
        ("c", "#ifdef A\nint f() {\n#else\nint g() {\n#endif\n}\n"),
        ("json", '{\n  // why\n  "a": 1,\n}\n'),
        ("html", "<p>a ) b <br> it's\n"),
        ("javascript", "const a = (b) => `${b} )`;\n"),
        ("bash", 'case $x in\n  a) echo "1";;\nesac\n'),
    ],
)
def test_what_other_languages_allow_is_no_problem(language, text):
    assert seen(text, language) == []
