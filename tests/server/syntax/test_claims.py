import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.syntax.brackets import scan
from surefill.syntax.claims import ClaimReader
from surefill.syntax.languages import language_for


def claims(text, language="python", above=""):
    known = language_for(language, None)
    reader = ClaimReader(known)
    found, _ = reader.read(text, reader.begin(scan(above, known), above))
    return [(claim.kind, claim.name, claim.open) for claim in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = a.", [("member", "", True)]),
        ("x = a.b", [("member", "b", True)]),
        ("x = a.b ", [("member", "b", False)]),
        ("x = a.b(", [("member", "b", False)]),
        ("f(1)[0].b\n", [("member", "b", False)]),
        ("'text'.join", [("member", "join", True)]),
        ("x = 1.5 + .5", []),
        ("x = ...", []),
        ("return.b", []),
        ("x = 'a.b", []),
        ("x = rf'a.b'.c", [("member", "c", True)]),
        ('x = """a.\nb""".c', [("member", "c", True)]),
        ("x = 'a.\ny.z", [("member", "z", True)]),
        ("# a.b\nc.d", [("member", "d", True)]),
        ("a.b  # c.d", [("member", "b", False)]),
    ],
)
def test_members(text, expected):
    assert claims(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(a=", [("keyword", "a", False)]),
        ("f(a", []),
        ("f(a==", []),
        ("f(a.b=", [("member", "b", False)]),
        ("f(1, *b, c = 2)", [("keyword", "c", False)]),
        ("f(1 if b else c=", []),
        ("f[a=", []),
        ("f([a=", []),
        ("f(g(b=1), c=2)", [("keyword", "b", False), ("keyword", "c", False)]),
        ("def f(a=1, b=2):", []),
        ("class A(B, metaclass=M):", []),
        ("@f(a=1)", [("keyword", "a", False)]),
        ("if (a=", []),
        ("return (a=", []),
        ("f(\n    a=1,\n    b=", [("keyword", "a", False), ("keyword", "b", False)]),
    ],
)
def test_keyword_arguments(text, expected):
    assert claims(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import ", [("module", "", True)]),
        ("import os", [("module", "os", True)]),
        ("import os.", [("module", "os", False), ("module", "", True)]),
        ("import os as o, re", [("module", "os", False), ("module", "re", True)]),
        ("from os import ", [("module", "os", False), ("imported", "", True)]),
        ("from os import", [("module", "os", False)]),
        ("from . import a", [("imported", "a", True)]),
        (
            "from .a import b as c, d",
            [("module", "a", False), ("imported", "b", False), ("imported", "d", True)],
        ),
        (
            "from a import (\n    b,\n    ",
            [("module", "a", False), ("imported", "b", False), ("imported", "", True)],
        ),
        ("from a import b\nc", [("module", "a", False), ("imported", "b", False)]),
        ("if x: import y", [("module", "y", True)]),
        ("yield from a", []),
        ("raise E from a.b", [("member", "b", True)]),
    ],
)
def test_imports(text, expected):
    assert claims(text) == expected


@pytest.mark.parametrize(
    ("above", "text", "expected"),
    [
        ("f(1,\n", "  a=", [("keyword", "a", False)]),
        ("f(1 +\n", "  a=", []),
        ("x = (a\n", "     .b", [("member", "b", True)]),
        ("def f(\n", "    a=", []),
        ('x = """\n', "a.b", []),
        ('x = """\n', 'a""".b', [("member", "b", True)]),
        ("x = [\n", "  a=", []),
    ],
)
def test_what_is_open_above_the_line_counts(above, text, expected):
    assert claims(text, above=above) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "const x = fs.readFile(n, () => a?.b",
            [("member", "readFile", False), ("member", "b", True)],
        ),
        ("// a.b\nc.d", [("member", "d", True)]),
        ("/* a.b */ c.d", [("member", "d", True)]),
        ("`a.${b", []),
        ("[...a.b", [("member", "b", True)]),
        ("f(a = 1)", []),
    ],
)
def test_other_languages_have_members(text, expected):
    assert claims(text, language="typescript") == expected


def test_offsets_point_at_the_names():
    language = language_for("python", None)
    reader = ClaimReader(language)
    text = "x = alpha.beta(gamma=1)"
    found, _ = reader.read(text, reader.begin(scan("", language), ""))
    assert [text[claim.start : claim.end] for claim in found] == ["beta", "gamma"]


PIECES = ["a", "bc", ".", "(", ")", "=", "==", ",", " ", "\n", "'", '"""', "#", "import ", "from "]
PIECES += ["def ", "1", "r", "\\", "[", "]", ":", "if "]


@given(st.lists(st.sampled_from(PIECES), max_size=20), st.integers(0, 20))
def test_reading_on_finds_what_reading_at_once_does(pieces, cut):
    language = language_for("python", None)
    reader = ClaimReader(language)
    text, first = "".join(pieces), "".join(pieces[:cut])
    start = reader.begin(scan("", language), "")
    before, state = reader.read(first, start)
    behind, _ = reader.read(text, state)
    whole, _ = reader.read(text, start)
    assert set(behind) <= set(whole) <= {*before, *behind}
