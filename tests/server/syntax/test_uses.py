import pytest

from surefill.syntax.document import Document, Snapshot
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range
from surefill.syntax.uses import uses


def snapshot_of(text: str, language: str = "python") -> Snapshot:
    return Document("file:///a", language_for(language, None), text).snapshot()


def found(text: str, language: str = "python") -> list[tuple[str, str, str]]:
    snapshot = snapshot_of(text, language)
    everything = Range(Position(0, 0), Position(len(snapshot.lines), 0))
    return [(use.kind, use.name, use.owner) for use in uses(snapshot, everything)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = a.b\n", [("member", "b", "a")]),
        ("print(1)\n", [("call", "print", "")]),
        ("import os.path as p\n", [("module", "os", ""), ("module", "path", "os")]),
        (
            "from a.b import c, d as e\n",
            [
                ("module", "a", ""),
                ("module", "b", "a"),
                ("imported", "c", "a.b"),
                ("imported", "d", "a.b"),
            ],
        ),
        (
            "from ..x.y import z\n",
            [("module", "x", ".."), ("module", "y", "..x"), ("imported", "z", "..x.y")],
        ),
        ("from . import q\n", [("imported", "q", ".")]),
        ("f(x=1)(y=2)\n", [("call", "f", ""), ("keyword", "x", "f"), ("keyword", "y", "f(x=1)")]),
        ("class A(B, metaclass=M):\n    pass\n", []),
        ("s = 'a.b(c=1)'  # a.b\n", []),
    ],
)
def test_each_kind_is_found_with_what_has_to_have_it(text, expected):
    assert found(text) == expected


def test_a_method_is_a_member_and_is_called():
    assert found("r = requests.get(url).json()\n") == [
        ("member", "get", "requests"),
        ("call", "get", "requests"),
        ("member", "json", "requests.get(url)"),
        ("call", "json", "requests.get(url)"),
    ]


def test_names_outside_the_range_are_left_out_and_those_half_inside_are_not():
    snapshot = snapshot_of("a.bcd\ne.f\n")
    inside = uses(snapshot, Range(Position(0, 4), Position(1, 0)))
    assert [(use.name, use.span) for use in inside] == [
        ("bcd", Range(Position(0, 2), Position(0, 5)))
    ]


def test_a_long_receiver_is_shortened_to_one_line():
    ((_, _, owner), *_) = found("x = (\n    'aaaa'\n" + "    + other\n" * 20 + ").strip\n")
    assert len(owner) == 80
    assert owner.startswith("( 'aaaa' + other")
    assert owner.endswith("…")


def test_positions_count_code_points():
    snapshot = snapshot_of("s = '𝒳é'; a.b\n")
    (use,) = uses(snapshot, Range(Position(0, 0), Position(1, 0)))
    assert use.span == Range(Position(0, 12), Position(0, 13))


def test_an_unfinished_line_still_shows_its_members():
    assert found("requests.get(url, timeout=1\n") == [("member", "get", "requests")]


@pytest.mark.parametrize("language", ["javascript", "typescript", "typescriptreact"])
def test_members_and_calls_of_ecmascript(language):
    assert found("const a = fs.readFile(name).length;\n", language) == [
        ("member", "readFile", "fs"),
        ("call", "readFile", "fs"),
        ("member", "length", "fs.readFile(name)"),
    ]


def test_other_languages_have_none():
    assert found("SELECT a.b FROM a;\n", "sql") == []
