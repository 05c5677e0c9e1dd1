"""New syntax errors are found in every language; errors that stood before do not count."""

import pytest

from surefill.syntax.document import Document
from surefill.syntax.languages import LANGUAGES, language_for
from surefill.syntax.position import Position, Range
from surefill.syntax.validity import parses_with

# language, document with | at the cursor, texts that fit there, texts that do not
CASES = [
    (
        "python",
        "x = foo(|",
        ["a, b)", "a, b", "a,", "a, [1, 2])"],
        ["a b c)) 5 5", "a))", ")]", "a, b) c", "= 1)"],
    ),
    ("python", "x = foo(|)", ["a, b", "a", "a=1, **k"], ["a b c", "a)", "a,, b", "if"]),
    (
        "python",
        "def f():\n    |",
        [
            "return 1",
            "if x:",
            "for a in b:\n        pass",
            "try:",
            "with open(x) as f:",
            "@foo",
            "x = foo(",
            "x = [",
            "return {",
            '"""Doc."""',
            "match x:",
        ],
        [
            "return return",
            "x = = 1",
            "if x y:",
            "def (a):",
            "x = (1",
            "x = [1, 2",
            "foo(a, b",
            "else:",
            'x = "abc',
        ],
    ),
    # Indentation, which the grammar is indifferent to.
    (
        "python",
        "def f(x):\n    |",
        [
            "if x:\n        return 1\n    return 2",
            "if x:\n        # why\n\n        return (1 +\n                2)\n    return 2",
            "a = 1\n\n\ndef g():\n    return 1",
            'a = """\n  text:\ntext"""\n    b = 1',
            "a = 1 + \\\n            2\n    b = 1",
            "if x:",
            "if x:\n      return 1\n  # odd",
        ],
        [
            "if x:\n    return 1\n    return 2",
            "a = 1\n      b = 2\n    c = 3",
            "if x:\n            a = 1\n        b = 2\n    return b",
            "a = 1\n  b = 2",
            "if x:\n    return 1",
        ],
    ),
    (
        "python",
        "class A:\n    def f(self):\n        |\n        b = 2\n\n    def g(self): pass\n",
        ["a = 1", "if a:\n            c = 1", "with a:", "a = foo("],
        ["return 1\n\n    def h(self):\n            pass", "a = 1\n            c = 2"],
    ),
    ("python", "def f():\n|\nx = 1\n", ["    return 1"], ["return 1"]),
    ("python", "x = (\n|", ["    1,\n  2)", "1)"], ["1) = 2"]),
    ("python", "def f(\n    a,\n    b|", ["\n):\n    return a"], ["\n):\n  a\n    return a"]),
    ("python", "def f(\n    a,\n|", ["):\n    return a"], ["):\nreturn a"]),
    ("python", "assert x, \\\n        |", ['"msg"'], ['= "msg"']),
    ("python", "if a and \\\n    b|", [":\n    x = a"], [":\nx = a"]),
    (
        "python",
        "class A:\r\n    def f(self):  # no: \r\n        |\r\n",
        ["return 1"],
        ["return = 1"],
    ),
    ("python", "# Note:\r\n# more\r\nx = 1  # Note:\r\n|", ["return_ = 1"], ["    y = 1"]),
    # The user's own indentation does not count against a suggestion.
    ("python", "def f():\n      a = 1\n   b = |\n", ["2"], ["= 2"]),
    # The editor has closed the bracket of a header that is not finished.
    ("python", "def f(|)\n", ["", "self, a", "a=1, *b", "a: int"], ["a b", "1", "a, (1"]),
    ("python", "def f(a|):\n\nx = 1\n", [", b"], [" b"]),
    ("python", "x = 1\nif len(|)\ny = 2\n", ["x", "x[0]"], ["x y", "x["]),
    ("python", "class A(|)\n", ["B", "B, metaclass=C"], ["B C"]),
    ("javascript", "let a;\nif (|)\n", ["a", "a.b()"], ["a b"]),
    ("javascript", "function f(|)\n", ["a, b"], ["a b"]),
    (
        "python",
        "def f():\n    |\n\ndef g(): pass\n",
        ["return 1", "if x:", "x = foo(", "@dec"],
        ["return (1", "x = foo(a", "return 1)"],
    ),
    (
        "python",
        "class A:\n    def f(self):\n        |\n\n    def g(self):\n        pass\n",
        [
            "return self.x",
            "if x:\n            return 1\n        return 2",
            "x = (",
            "try:\n            pass\n        except E:\n            pass",
        ],
        ["return self.", "x = (1, 2", "}", "for in x:"],
    ),
    (
        "python",
        "x = |\ny = 1\n",
        ["1", "foo(1)", "[\n    1,\n]", "lambda a: a", "("],
        ["foo(1", "1 2", ") + 1", '"abc', "= 1", "foo(1))"],
    ),
    (
        "javascript",
        "function f() {\n  |\n}\n",
        [
            "return 1;",
            "if (a) {",
            "const x = foo(",
            "for (const a of b) {",
            "return {",
            "try {",
            "foo(() => {",
            "const s = `a${b}c`;",
        ],
        [
            "return return;",
            "const = 1;",
            "if (a {",
            "foo(a, b",
            "}",
            "let x = [1, 2;",
            'x = "abc',
            "const x = {a: 1",
        ],
    ),
    ("javascript", "foo(|)", ["a, b", "() => 1", "...x"], ["a b", "a)", "a,,b) {"]),
    (
        "javascript",
        "const x = |;",
        ["1", "() => { return 1; }", "[1, 2]"],
        ["1)", "1 2", "{ return"],
    ),
    (
        "javascript",
        "function f() {\n  if (x) {\n    foo(|\n",
        ["a, b);", "a, b", "a,"],
        ["a b c;", "a))) }}}", "] + ("],
    ),
    (
        "javascript",
        "class A {\n  |\n}\n",
        ["foo() {", "constructor(a) { this.a = a; }", "x = 1;"],
        ["function function", "}}", "foo( {{ ;"],
    ),
    (
        "typescript",
        "function f(a: number): string {\n  |\n}\n",
        [
            "return String(a);",
            "const x: Map<string, number> = new Map();",
            "if (a > 1) {",
            "let y = a as unknown as string;",
        ],
        ["return a as;", "const x: = 1;", "let y = (a;", "}}"],
    ),
    (
        "typescript",
        "interface A {\n  |\n}\n",
        ["x: number;", "f(a: string): void;", "readonly y?: string;"],
        ["x: ;", "if (x) {", "= 3;"],
    ),
    (
        "sql",
        "select * from a |;\n",
        ["where a = 1", "order by b desc", "join c on c.id = a.id"],
        ["where a = )", "order order"],
    ),
    (
        "sql",
        "create table x (\n  |\n);\n",
        ["id int primary key", "name varchar(20) not null"],
        ["id int primary key)", ") select"],
    ),
    (
        "sql",
        "|\n",
        ["select a, b from c;", "insert into a (b) values (1);", "create table y ("],
        ["insert into into;", "select (a;"],
    ),
    (
        "go",
        "package main\n\nfunc f(a int) int {\n\t|\n}\n",
        [
            "return a",
            "if a > 1 {",
            "x := foo(",
            "for i := 0; i < a; i++ {",
            "var b []int",
            "switch a {",
            "go func() {",
        ],
        ["return return", "if {", "x := ", "x := foo(a", "}", "x = (1"],
    ),
    (
        "go",
        "package main\n\nfunc f() {\n\tfoo(|)\n}\n",
        ["a, b", "1", "func() {}"],
        ["a b", "a)", "a,,"],
    ),
    (
        "java",
        "class A {\n    int f(int a) {\n        |\n    }\n}\n",
        [
            "return a;",
            "if (a > 1) {",
            "int x = foo(",
            "for (int i = 0; i < a; i++) {",
            "try {",
            "List<String> x = new ArrayList<>();",
            "return a",
        ],
        ["int = 1;", "if a > 1 {", "foo(a, b", "}", "int x = (1;"],
    ),
    (
        "java",
        "class A {\n    void f() {\n        foo(|);\n    }\n}\n",
        ["a, b", "new A()", "x -> x + 1"],
        ["a b", "a)", "a,,b"],
    ),
    (
        "java",
        "class A {\n    |\n}\n",
        ["private int x;", "public void g(int a) {", "@Override"],
        ["}", "public void ("],
    ),
    (
        "rust",
        "fn f(a: u8) -> u8 {\n    |\n}\n",
        [
            "a + 1",
            "let x = 1;",
            "if a > 1 {",
            "match a {",
            "let v: Vec<u8> = vec![1, 2];",
            "for i in 0..a {",
            'let s: &\'static str = "x";',
        ],
        ["let let x = 1;", "let x = (1;", "}", "match a => {"],
    ),
    (
        "rust",
        "fn f() {\n    foo(|);\n}\n",
        ["a, b", "|x| x + 1", "&mut y"],
        ["a b", "a)", "let x = 1;;)"],
    ),
    (
        "rust",
        "impl A {\n    |\n}\n",
        ["pub fn new() -> Self {", "fn g(&self) -> u8 { 1 }"],
        ["fn fn g() {}", "pub fn (", "}}"],
    ),
    (
        "c",
        "int f(int a) {\n    |\n}\n",
        [
            "return a;",
            "if (a > 1) {",
            "int x = foo(",
            "for (int i = 0; i < a; i++) {",
            "do {",
            'char *s = "x";',
        ],
        ["int = 1;", "if a > 1 {", "}", "int x = (1;", "foo(a, b"],
    ),
    ("c", "int f(void) {\n    foo(|);\n}\n", ["a, b", "&x", "(int)y"], ["a b", "a)", "a,,b"]),
    (
        "c",
        "|\nint g;\n",
        ["#include <stdio.h>", "struct a {\n    int b;\n};", "#define X 1", "static int f(void) {"],
        ["int (", "struct {{", "}"],
    ),
    (
        "cpp",
        "int f(int a) {\n    |\n}\n",
        [
            "return a;",
            "if (a > 1) {",
            "std::vector<int> v{1, 2};",
            "auto f = [&](int x) { return x; };",
            "for (auto& x : v) {",
            "try {",
        ],
        ["auto = 1;", "}", "std::vector<int v;", "foo(a, b"],
    ),
    (
        "cpp",
        "class A {\npublic:\n    |\n};\n",
        ["A() = default;", "int f() const { return 1; }", "void g("],
        ["int int x y;", "}", "A( = default;"],
    ),
    (
        "json",
        '{\n  "a": |\n}\n',
        ["1", '"x"', "[1, 2]", '{"b": null}', "{", "true"],
        ["1,,", "}", "[1, 2", "nul", '"a": 1'],
    ),
    (
        "json",
        "{\n  |\n}\n",
        ['"a": 1', '"a": [', '"b": {"c": 2},\n  "d": 1'],
        ["a: 1", '"a" 1', '"a": 1}'],
    ),
    ("json", "[1, |]\n", ["2", '{"a": 1}', '"x", 3'], ["2]", "2 3", '"x']),
    (
        "html",
        "<div>\n  |\n</div>\n",
        ["<p>Text</p>", '<img src="x">', "plain text (", "<ul>"],
        ['<p class="x'],
    ),
    ("html", '<p class="|"></p>\n', ["a b", "x"], []),
    (
        "bash",
        "if true; then\n  |\nfi\n",
        ['echo "$x"', "x=$(ls)", "for i in 1 2; do", 'if [ -f "$x" ]; then'],
        ['echo "abc', "x=$(ls"],
    ),
    (
        "bash",
        "|\n",
        [
            "echo hi",
            'if [ -z "$x" ]; then',
            "while read -r l; do",
            'case "$x" in',
            "foo() {",
            "x=${y#z}",
        ],
        ['echo "x', "((", ")"],
    ),
    ("bash", "for x in a b; do\n  |\ndone\n", ['echo "$x"', "continue", 'cat <<< "$x"'], ["x=$("]),
]

BROKEN = {
    "python": "\ndef broken(:\n    x = = 2\n",
    "html": "\n<a <b>\n",
    "json": "\n]]\n",
    "bash": "\nfi fi\n",
    "sql": "\nselect from from;\n",
}


def judge(name, marked, text):
    before, after = marked.split("|", 1) if marked.count("|") == 1 else marked.rsplit("|", 1)
    snapshot = Document("file:///a", language_for(name, None), before + after).snapshot()
    lines = before.split("\n")
    at = Position(len(lines) - 1, len(lines[-1]))
    return parses_with(snapshot, Range(at, at), text)


def flat(column):
    return [
        pytest.param(name, marked, text, id=f"{name}-{text}")
        for name, marked, *texts in CASES
        for text in texts[column]
    ]


@pytest.mark.parametrize(("name", "marked", "text"), flat(0))
def test_a_fitting_text_passes_in_a_sound_and_in_a_broken_document(name, marked, text):
    assert judge(name, marked, text)[0]
    assert judge(name, marked + BROKEN.get(name, "\n@@ ) broken ( ;; \n"), text)[0]


@pytest.mark.parametrize(("name", "marked", "text"), flat(1))
def test_a_wrong_text_fails_in_a_sound_and_in_a_broken_document(name, marked, text):
    passed, reason = judge(name, marked, text)
    assert not passed
    assert reason
    assert not judge(name, marked + BROKEN.get(name, "\n@@ ) broken ( ;; \n"), text)[0]


def test_all_grammars_are_covered():
    assert {name for name, *_ in CASES} == {language.id for language in LANGUAGES} - {
        "typescriptreact"
    }


@pytest.mark.parametrize(
    ("marked", "text", "fits"),
    [
        ("function f() {\n  if (x) {\n    foo(\n    |", "a, b);", True),
        ("function f() {\n  if (x) {\n    foo(\n    |", "a b);", False),
        ("class A {\n  f() {\n    const x = |\n\n  g() { return 1; }\n}\n", "[1, 2];", True),
        ("class A {\n  f() {\n    const x = |\n\n  g() { return 1; }\n}\n", "[1 2];", False),
        ("foo(() => {\n  |\n", "bar();\n});", True),
        ("foo(() => {\n  |\n});\n", "bar();\n});", False),
    ],
)
def test_brackets_left_open_above_do_not_hide_what_the_text_is(marked, text, fits):
    assert judge("javascript", marked, text)[0] is fits


@pytest.mark.parametrize(
    ("marked", "text", "fits"),
    [
        ('def f():\n    """|', "Return the sum.", True),
        ('def f():\n    """|', 'Return the sum."""', True),
        ('def f():\n    """|"""\n', "Return the sum.", True),
        ('def f():\n    """|"""\n', 'Return """ the sum', False),
        ("x = '|", "abc", False),
        ("x = '|", "abc'", True),
        ("x = f'{|}'", "a + 1", True),
        ("# a comment |\n", "about (this", True),
    ],
)
def test_inside_strings_and_comments(marked, text, fits):
    assert judge("python", marked, text)[0] is fits


def test_what_is_replaced_does_not_count():
    snapshot = Document("file:///a", language_for("python", None), "x = foo bar\n").snapshot()
    assert parses_with(snapshot, Range(Position(0, 8), Position(0, 11)), "+ 1")[0]


def test_a_document_without_grammar_cannot_be_judged():
    snapshot = Document("file:///a", None, "x").snapshot()
    assert parses_with(snapshot, Range(Position(0, 0), Position(0, 0)), "y")[0] is False


def test_a_long_docstring_above_is_no_code():
    docstring = "\n".join(f"    {'words ' * 15}{n}" for n in range(110))
    code = "\n".join(f"    value_{n} = {n}" for n in range(30))
    marked = f'def f():\n    """First.\n\n{docstring}\n    """\n{code}\n\n\n|'
    text = 'def g():\n    """Second.\n\n    Parameters\n        a : int\n    """\n    return 2'
    assert judge("python", marked, text)[0]
    assert not judge("python", marked, text + "\n        x = 1")[0]
