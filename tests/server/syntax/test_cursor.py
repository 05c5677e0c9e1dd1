"""What is around a cursor, marked with | in the document."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.syntax import cursor
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import LANGUAGES, language_for
from surefill.syntax.position import Position


def at(name, marked):
    before, after = marked.split("|", 1)
    snapshot = Document("file:///a", language_for(name, None), before + after).snapshot()
    lines = before.split("\n")
    return Cursor.at(snapshot, Position(len(lines) - 1, len(lines[-1])))


@pytest.mark.parametrize(
    ("name", "marked", "field", "expected"),
    [
        ("python", "fo|o", "in_word", True),
        ("python", "foo|", "in_word", False),
        ("python", "|foo", "in_word", False),
        ("python", "größ|e", "in_word", True),
        ("python", "x = 'a|b'", "string", "'"),
        ("python", "x = 'a|", "string", "'"),
        ("python", "x = 'ab'|", "string", ""),
        ("python", "x = |'ab'", "string", ""),
        ("python", "x = 'a\ny = |", "string", ""),
        ("python", '"""doc |', "string", '"""'),
        ("python", 'def f():\n    """doc |\n    """\n', "string", '"""'),
        ("python", 'x = f"a{b}|c"', "string", '"'),
        ("javascript", "x = `a\n|`", "string", "`"),
        ("rust", "fn f<'a>(x: &'a str) { | }", "string", ""),
        ("sql", "select 'it''s |'", "string", "'"),
        ("python", "x = 1  # a|", "in_comment", True),
        ("python", "x = '#'|", "in_comment", False),
        ("python", "# a\n|", "in_comment", False),
        ("c", "/* a\n | */", "in_comment", True),
        ("c", "/* a\n | ", "in_comment", True),
        ("c", "/* a */|", "in_comment", False),
        ("bash", "echo $#|", "in_comment", False),
        ("bash", "echo # a|", "in_comment", True),
        ("html", "<!-- a | -->", "in_comment", True),
        ("python", 'def f():\n    """doc |"""\n', "in_docstring", True),
        ("python", 'def f():\n    """doc |', "in_docstring", True),
        ("python", 'x = """doc |"""\n', "in_docstring", False),
        ("python", "if x:|", "opens_block", True),
        ("python", "if x:  # why|", "opens_block", False),
        ("python", "if x:  # why\n    |", "after_opener", True),
        ("python", "    async def f(a):|", "opens_block", True),
        ("python", "x = {1:|", "opens_block", False),
        ("python", "x = a[1:|", "opens_block", False),
        ("python", "# if x:|", "opens_block", False),
        ("python", "f = lambda:|", "opens_block", False),
        ("javascript", "if (x) {|", "opens_block", True),
        ("javascript", "foo(() => {|", "opens_block", True),
        ("bash", "if true; then|", "opens_block", True),
        ("bash", "for x in a; do|", "opens_block", True),
        ("json", '{"a": {|', "opens_block", True),
        ("python", "if x:\n    |", "after_opener", True),
        ("python", "def f(\n    a,\n):\n    |", "after_opener", True),
        ("python", "if x:\n    y\n    |", "after_opener", False),
        ("python", "if x:\n    y|", "after_opener", False),
        ("java", "class A {\n    |\n}", "after_opener", True),
        ("python", "# sum them up\n|", "after_description", True),
        ("python", 'def f():\n    """Doc."""\n    |', "after_description", True),
        ("java", "/** Doc. */\n|", "after_description", True),
        ("python", "x = 1\n|", "after_description", False),
        ("python", "foo()|", "statement_complete", True),
        ("python", "foo(|)", "statement_complete", False),
        ("python", "x = foo|", "statement_complete", False),
        ("python", "return|", "statement_complete", True),
        ("python", "x = [1, foo()|", "statement_complete", False),
        ("python", "x = 'foo'|", "statement_complete", True),
        ("javascript", "foo()|", "statement_complete", False),
        ("javascript", "foo();|", "statement_complete", True),
        ("javascript", "for (let i = 0;|", "statement_complete", False),
        ("javascript", "function f() {\n  foo();|\n}", "statement_complete", True),
        ("go", "func f() {\n\tfoo()|\n}", "statement_complete", True),
        ("bash", "if x; then\n  y\nfi|", "statement_complete", True),
        ("python", "    x|", "indent", "    "),
        ("python", "if x:\n  y\n|", "indent_unit", "  "),
        ("python", "if x:\n\ty\n|", "indent_unit", "\t"),
        ("python", "|", "indent_unit", "    "),
        ("go", "|", "indent_unit", "\t"),
        ("javascript", "|", "indent_unit", "  "),
        ("python", "import os\nfrom a import (\n    b,\n)\n\nx = |", "imports", (0, 4)),
        ("python", '"""Doc."""\n\nimport os\n\ndef f():\n    import re\n    |', "imports", (2, 3)),
        ("python", "x = |", "imports", (0, 0)),
        ("go", 'package a\n\nimport (\n\t"b"\n)\n\nfunc f() {\n\t|\n}', "imports", (0, 5)),
        ("c", "#include <a.h>\n#include <b.h>\n\nint |", "imports", (0, 2)),
        ("rust", "use a::{\n    b,\n};\n\nfn f() { | }", "imports", (0, 3)),
        ("javascript", "import a from 'a';\nconst b = require('b');\n|", "imports", (0, 2)),
    ],
)
def test_analysis(name, marked, field, expected):
    assert getattr(at(name, marked), field) == expected


@pytest.mark.parametrize(
    ("name", "marked", "expected"),
    [
        (
            "python",
            "class A:\n    def f(self,\n          b):\n        if x:\n            |\n",
            [(0, 1), (1, 3)],
        ),
        (
            "python",
            "class A:\n    def f(\n        self,\n    ) -> int:\n        |\n",
            [(0, 1), (1, 4)],
        ),
        ("python", "def f():\n    x = 1\n\ndef g():\n    y = |\n", [(3, 4)]),
        ("python", "def f():\n    x = 1\n|\n", []),
        ("python", "def f():\n    x = foo(\n        |", [(0, 1)]),
        (
            "javascript",
            "class A {\n  m(a) {\n    for (const x of a) {\n      |\n",
            [(0, 1), (1, 2)],
        ),
        (
            "java",
            "public class A {\n    private int f(int a)\n    {\n        |\n",
            [(0, 1), (1, 2)],
        ),
        ("rust", "impl<T> A<T> {\n    pub fn f(&self) -> u8 {\n        |", [(0, 1), (1, 2)]),
        ("go", "func (a *A) f() {\n\tif x {\n\t\t|", [(0, 1)]),
        ("cpp", "namespace a {\nclass B {\n  void f() {\n    |", [(1, 2), (2, 3)]),
        ("typescript", "export class A {\n  private async f(x: string) {\n    |", [(0, 1), (1, 2)]),
    ],
)
def test_enclosing_headers(name, marked, expected):
    assert list(at(name, marked).headers) == expected


@pytest.mark.parametrize(
    ("name", "marked", "expected"),
    [
        ("python", "x = foo(a, [1, (2), |", [("(", 0), ("[", 0)]),
        ("python", "x = foo(')', |", [("(", 0)]),
        ("python", "x = (  # )\n  |", [("(", 0)]),
        ("javascript", "function f() {\n  g(|)\n}", [("{", 0), ("(", 1)]),
        ("html", "<p>(|</p>", []),
    ],
)
def test_open_brackets(name, marked, expected):
    assert list(at(name, marked).open_brackets) == expected


def test_a_cursor_far_down_knows_what_is_near():
    text = "x = '''\n" + "not ' code (\n" * 500 + "'''\n" + "y = 1\n" * 10 + "z = foo(a, |"
    cursor = at("python", text)
    assert [bracket for bracket, _ in cursor.open_brackets] == ["("]
    assert cursor.open_brackets[0][1] == text.count("\n")
    assert at("python", "x = '''\n" + "not ' code (\n" * 500 + "| '''\n").string


@pytest.mark.parametrize(
    ("suffix", "expected"), [("", True), (")", True), ('"]);', True), (" + 1", False), ("x", False)]
)
def test_what_an_editor_inserts_behind_the_cursor(suffix, expected):
    assert at("python", "x = |" + suffix).rest_is_closers is expected


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(alphabet="()[]{}\"'`#/*\\ \n\r\t:;abé\0\ud800", max_size=80),
    line=st.integers(-1, 10),
    character=st.integers(-1, 40),
    language=st.sampled_from([None, *LANGUAGES]),
)
def test_any_position_in_any_text_has_an_answer(text, line, character, language):
    snapshot = Document("file:///a", language, text).snapshot()
    cursor = Cursor.at(snapshot, Position(line, character))
    assert cursor.line_prefix + cursor.line_suffix == snapshot.line(cursor.position.line)


def test_a_line_full_of_comment_marks_is_not_scanned_once_for_each_of_them(monkeypatch):
    scanned = []

    def counting(text, language, **options):
        scanned.append(len(text))
        return scan(text, language, **options)

    scan = cursor.scan
    monkeypatch.setattr(cursor, "scan", counting)
    urls = "x = [" + '"http://a/b", ' * 500 + "]\n|"
    assert not at("javascript", urls).after_opener
    assert sum(scanned) < 5 * len(urls)
