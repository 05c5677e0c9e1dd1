"""Spellings of other languages: the right result, first, and preferred where nothing is lost."""

import pytest

from repairing import offered
from surefill.repair.foreign import constant_candidate
from surefill.repair.foreign_statements import in_python
from surefill.syntax.position import Position, Range

SAME = [
    ("x = a && b\n", "x = a and b\n"),
    ("x=a&&b\n", "x=a and b\n"),
    ("x || y\n", "x or y\n"),
    ("if a && b || c:\n    pass\n", "if a and b or c:\n    pass\n"),
    ("if (a && \n    b):\n    c\n", "if (a and \n    b):\n    c\n"),
    ("def f():\n    return a && b\n", "def f():\n    return a and b\n"),
    ("!x\n", "not x\n"),
    ("if !x:\n    pass\n", "if not x:\n    pass\n"),
    ("y = !!x\n", "y = not not x\n"),
    ("y = !x.f(1)[2] && z\n", "y = not x.f(1)[2] and z\n"),
    ("y = !x == 3\n", "y = (not x) == 3\n"),
    ("y = a == !x\n", "y = a == (not x)\n"),
    ("if !(a && b):\n    pass\n", "if not (a and b):\n    pass\n"),
    ("if a && b\n    pass\n", "if a and b:\n    pass\n"),
    ("a === b\n", "a == b\n"),
    ("if a !== b:\n    pass\n", "if a != b:\n    pass\n"),
    ("if a !== null:\n    pass\n", "if a is not None:\n    pass\n"),
    ("x = f(true, null) && !false\n", "x = f(True, None) and not False\n"),
    ("if a =< b:\n    pass\n", "if a <= b:\n    pass\n"),
    ("if a => b && c:\n    pass\n", "if a >= b and c:\n    pass\n"),
    ("i++\n", "i += 1\n"),
    ("self.a[0]++\n", "self.a[0] += 1\n"),
    ("for i in x:\n    n--\n", "for i in x:\n    n -= 1\n"),
    ("if a:\n    b\nelse if c:\n    d\n", "if a:\n    b\nelif c:\n    d\n"),
    ("if a:\n    b\nelsif !c:\n    d\n", "if a:\n    b\nelif not c:\n    d\n"),
    ("// some comment\nx = 1\n", "# some comment\nx = 1\n"),
    ("// it's a comment\nx = 1\n", "# it's a comment\nx = 1\n"),
    ("x = 1 // a comment\n", "x = 1 # a comment\n"),
    ("/* one */\nx = 1\n", "# one\nx = 1\n"),
    ("x = 1 /* one */\n", "x = 1 # one\n"),
    ("-- one of them\nx = 1\n", "# one of them\nx = 1\n"),
    ("x = {'a' => 1, 'b' => 2}\n", "x = {'a' : 1, 'b' : 2}\n"),
    ("unless a && b:\n    c\n", "if not (a and b):\n    c\n"),
    ("x = 1 && y # this && that\n", "x = 1 and y # this && that\n"),
    ("/**\n * One.\n * Two.\n */\nx = 1\n", "# One.\n# Two.\nx = 1\n"),
    ("function f(a, b):\n    return a\n", "def f(a, b):\n    return a\n"),
    ("func f(a):\n    return a\n", "def f(a):\n    return a\n"),
    ("async function f(a):\n    return a\n", "async def f(a):\n    return a\n"),
    ("throw E('a')\n", "raise E('a')\n"),
    ("try:\n    a\ncatch E as e:\n    b\n", "try:\n    a\nexcept E as e:\n    b\n"),
    ("x = a ? b : c\n", "x = b if a else c\n"),
    ("x = (a, b) => a + b\n", "x = lambda a, b: a + b\n"),
    ("if x then:\n    y\n", "if x:\n    y\n"),
    ("int x = 1\n", "x: int = 1\n"),
    ("x = 'it's'\n", 'x = "it\'s"\n'),
    ("print('don't')\n", 'print("don\'t")\n'),
    ("foo('it's', 'don't', 'a')\n", "foo(\"it's\", \"don't\", 'a')\n"),
    ("x = 'say \"it's\"'\n", "x = 'say \"it\\'s\"'\n"),
]

LESS = [
    ("const x = 1;\n", "x = 1\n"),
    ("let x = null\n", "x = None\n"),
    ("var x = !y;\n", "x = not y\n"),
    ("let x: number = 1;\n", "x: float = 1\n"),
    ("x = new Foo(1)\n", "x = Foo(1)\n"),
    ("const int x = 1;\n", "x: int = 1\n"),
    ("public def f():\n    pass\n", "def f():\n    pass\n"),
    ("import { a, b } from './x/y'\n", "from .x.y import a, b\n"),
    ("let s = `a ${b}`;\n", 's = f"a {b}"\n'),
    ("if (x == 1) {\n}\n", "if x == 1:\n    pass\n"),
    ("if (!x) {\n    y();\n}\n", "if not x:\n    y()\n"),
    ("if (a)\n{\n    b();\n}\n", "if a:\n    b()\n"),
    ("while (true) {\n    a();\n}\n", "while True:\n    a()\n"),
    ("if a:\n    b\n} else if (c) {\n    d\n}\n", "if a:\n    b\nelif c:\n    d\n"),
    (
        "if (a) {\n    b();\n} else if (!c || d) {\n    // here\n    e++;\n} else {\n}\nz = 1\n",
        "if a:\n    b()\nelif not c or d:\n    # here\n    e += 1\nelse:\n    pass\nz = 1\n",
    ),
    (
        "function f(a) {\n    if (a === null) {\n        return true;\n    }\n    return a;\n}\n",
        "def f(a):\n    if a is None:\n        return True\n    return a\n",
    ),
    (
        "try {\n    a()\n} catch (e) {\n    b()\n}\n",
        "try:\n    a()\nexcept Exception as e:\n    b()\n",
    ),
    ("for (let i = 0; i < n; i++) {\n    a\n}\n", "for i in range(n):\n    a\n"),
    ("for (const x of xs) {\n    a(x);\n}\n", "for x in xs:\n    a(x)\n"),
]

SCRIPT = [
    ("x = a and b;\n", "x = a && b;\n"),
    ("x = a and b; // this and that\n", "x = a && b; // this and that\n"),
    ("if (a or not b) {\n}\n", "if (a || !b) {\n}\n"),
    ("let x = not a == b;\n", "let x = !(a == b);\n"),
    ("let x = f(not (a and b), c);\n", "let x = f(!(a && b), c);\n"),
    ("let x = a is None;\n", "let x = a === null;\n"),
    ("let x = a is not None or True;\n", "let x = a !== null || true;\n"),
    ("if (a) {\n} elif (b) {\n}\n", "if (a) {\n} else if (b) {\n}\n"),
    ("if (a) {\n} elif b and not c {\n}\n", "if (a) {\n} else if (b && !c) {\n}\n"),
    ("if a {\n}\n", "if (a) {\n}\n"),
    ("for x in xs {\n}\n", "for (const x of xs) {\n}\n"),
    ("# comment\nlet x = 1;\n", "// comment\nlet x = 1;\n"),
    ("let x = 1; # comment here\n", "let x = 1; // comment here\n"),
    ("def f(a) {\n  return a;\n}\n", "function f(a) {\n  return a;\n}\n"),
    ("raise e;\n", "throw e;\n"),
    ("if (a) raise new E(`did not ${b}`);\n", "if (a) throw new E(`did not ${b}`);\n"),
    ("if (a) b();\nelif (c) d();\n", "if (a) b();\nelse if (c) d();\n"),
    ("try {\n} except (e) {\n}\n", "try {\n} catch (e) {\n}\n"),
    ("let x = a if b else c;\n", "let x = b ? a : c;\n"),
    ("let f = lambda x: x + 1;\n", "let f = (x) => x + 1;\n"),
    ("let s = f'a{b}';\n", "let s = `a${b}`;\n"),
    ("let x = 'it's';\n", 'let x = "it\'s";\n'),
]


@pytest.mark.parametrize(("written", "meant"), SAME)
def test_a_spelling_of_another_language_means_the_same_in_python(written, meant):
    compile(meant, "a.py", "exec", 0x400)  # as a tree: a ``return`` may stand alone
    (text, preferred, _), *others = offered(written)
    assert (text, preferred) == (meant, True)
    assert not any(preferred for _, preferred, _ in others)


@pytest.mark.parametrize(("written", "meant"), LESS)
def test_where_words_or_braces_are_left_out_it_is_first_and_not_applied_unasked(written, meant):
    compile(meant, "a.py", "exec")
    (text, preferred, _), *_ = offered(written)
    assert (text, preferred) == (meant, False)


@pytest.mark.parametrize("language", ["javascript", "typescript"])
@pytest.mark.parametrize(("written", "meant"), SCRIPT)
def test_python_s_spelling_means_the_same_in_javascript(written, meant, language):
    (text, preferred, _), *_ = offered(written, language)
    assert (text, preferred) == (meant, True)


@pytest.mark.parametrize(
    ("written", "meant", "lost"),
    [
        ("x := 1", "x = 1", False),
        ('print "x", y', 'print("x", y)', False),
        ("print x,", "print(x,)", True),
        ('raise E, "x"', 'raise E("x")', False),
        ("except E, e:", "except E as e:", True),
        ("if x <> y:", "if x != y:", False),
        ("x = null", "x = None", False),
        ("return `a`", 'return "a"', True),
    ],
)
def test_older_spellings_that_the_grammar_takes(written, meant, lost):
    text, _, is_lost = in_python(written, written)
    assert (text, is_lost) == (meant, lost)


@pytest.mark.parametrize(
    "code", ["x = 1", "print(x)", "y = a if b else c", "x = {'a': b}", "a / b"]
)
def test_what_is_python_stays(code):
    assert in_python(code, code) is None


@pytest.mark.parametrize("broken", ["print('what? no)\n", "print('yes && no!)\n"])
def test_what_stands_in_a_string_is_no_spelling(broken):
    text, _, _ = offered(broken)[0]
    assert text == broken.replace(")", "')")


def test_of_two_readings_none_is_taken():
    assert not any(preferred for _, preferred, _ in offered("x =! y\n"))


def test_a_predicate_of_typescript_stays():
    written = "def isB(a: unknown): a is boolean {\n  return true;\n}\n"
    assert offered(written, "typescript")[0][0] == written.replace("def", "function")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_stay_what_they_are(line_end):
    written = line_end.join(["if (a) {", "    b();", "}", ""])
    assert offered(written)[0][0] == line_end.join(["if a:", "    b()", ""])


def test_the_edit_leaves_alone_what_stays():
    text, _, title = offered("value = compute(a) && b  # why\n")[0]
    assert text == "value = compute(a) and b  # why\n"
    assert title == "Replace `&&` by `and`"


def test_a_fix_beside_other_errors_mends_its_own_statement():
    written = "x = [1, 2\n\n\ndef f():\n    return a && b\n"
    assert offered(written, number=1)[0][:2] == (written.replace("&&", "and"), True)


SPAN = Range(Position(0, 4), Position(0, 8))


@pytest.mark.parametrize(
    ("name", "meant"), [("null", "None"), ("true", "True"), ("false", "False"), ("nil", "None")]
)
def test_a_constant_of_another_language_is_python_s(name, meant):
    candidate = constant_candidate(SPAN, name, f"x = {name}\n")
    assert (candidate.text, candidate.trust) == (meant, "certain")


@pytest.mark.parametrize(
    "document", ["null = 0\nx = null\n", "from a import null\n", "def null(): ...\n"]
)
def test_a_name_that_the_document_defines_is_its_own(document):
    assert constant_candidate(SPAN, "null", document) is None
