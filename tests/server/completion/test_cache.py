"""The cache answers what was suggested while it is typed, and nothing else."""

import pytest

from surefill.completion.cache import TypeThroughCache
from surefill.completion.suggestion import Suggestion, Verdict
from surefill.revision import ProjectRevision
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range

PYTHON = language_for("python", None)


def at(marked, uri="file:///a"):
    before, after = marked.split("|", 1)
    lines = before.split("\n")
    snapshot = Document(uri, PYTHON, before + after).snapshot()
    return snapshot, Position(len(lines) - 1, len(lines[-1]))


def put(cache, marked, *texts, uri="file:///a", **options):
    snapshot, position = at(marked, uri)
    span = Range(position, position)
    verdicts = {"parses": Verdict("passed")}
    suggestions = tuple(Suggestion(text, span, verdicts, -0.5) for text in texts)
    cache.put(snapshot, position, suggestions, **options)


def texts(cache, marked, uri="file:///a", **options):
    snapshot, position = at(marked, uri)
    hit = cache.get(snapshot, position, **options)
    if hit is None:
        return None
    assert all(s.range == Range(position, position) for s in hit.suggestions)
    return [s.text for s in hit.suggestions]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("x = 1\ny = |\nz\n", ["foo(a, b)", "foo(c)", "bar"]),
        ("x = 1\ny = f|\nz\n", ["oo(a, b)", "oo(c)"]),
        ("x = 1\ny = foo(|\nz\n", ["a, b)", "c)"]),
        ("x = 1\ny = foo(|)\nz\n", ["a, b", "c"]),
        ("x = 1\ny = foo(a|)\nz\n", [", b"]),
        ("x = 1\ny = foo(c)|\nz\n", None),
        ("x = 1\ny = b|\nz\n", ["ar"]),
        ("x = 1\ny = q|\nz\n", None),
        ("x = 1\ny =| \nz\n", None),
        ("x = 1\ny = |)\nz\n", ["foo(a, b", "foo(c"]),
        ("x = 1\ny = f|]\nz\n", None),
        ("x = 1\ny = f|\nzz\n", None),
        ("x = 2\ny = f|\nz\n", None),
        ("x = 1\n\ny = f|\nz\n", None),
        ("x = 1\ny = f| + 1\nz\n", None),
    ],
)
def test_typing_what_was_suggested(marked, expected):
    cache = TypeThroughCache()
    put(cache, "x = 1\ny = |\nz\n", "foo(a, b)", "foo(c)", "bar", n=3)
    assert texts(cache, marked) == expected


def test_typing_through_several_lines():
    cache = TypeThroughCache()
    put(cache, "def f():|\n\nx\n", "\n    a = 1\n    return a")
    assert texts(cache, "def f():\n    |\n\nx\n") == ["a = 1\n    return a"]
    assert texts(cache, "def f():\n    a = 1\n    ret|\n\nx\n") == ["urn a"]
    assert texts(cache, "def f():\r\n    |\n\nx\n") == ["a = 1\n    return a"]
    assert texts(cache, "def f():\n  |\n\nx\n") == ["  a = 1\n    return a"]
    assert texts(cache, "def f():\n    b|\n\nx\n") is None


def test_several_closers_that_the_editor_inserted():
    cache = TypeThroughCache()
    put(cache, "x = |", 'foo(["a"])')
    assert texts(cache, 'x = foo(["|"])') == ["a"]
    assert texts(cache, "x = foo([|])") == ['"a"']
    assert texts(cache, "x = foo([|)]") is None


def test_the_newest_answer_counts():
    cache = TypeThroughCache()
    put(cache, "|", "old")
    put(cache, "|", "other")
    assert texts(cache, "o|") == ["ther"]


def test_that_there_was_nothing_is_known_at_the_same_place_only():
    cache = TypeThroughCache()
    put(cache, "x|", reason="nothing there")
    snapshot, position = at("x|")
    assert cache.get(snapshot, position).reason == "nothing there"
    assert texts(cache, "xy|") is None


def test_an_explicit_request_wants_an_explicit_answer():
    cache = TypeThroughCache()
    put(cache, "|", "one")
    assert texts(cache, "|", explicit=True) is None
    put(cache, "|", "one\ntwo", explicit=True)
    assert texts(cache, "|", explicit=True) == ["one\ntwo"]
    assert texts(cache, "|") == ["one\ntwo"]


def test_more_alternatives_than_were_asked_for_need_the_model():
    cache = TypeThroughCache()
    put(cache, "|", "one", n=1)
    assert texts(cache, "|", n=3) is None
    put(cache, "|", "one", "two", n=3)
    assert texts(cache, "|", n=3) == ["one", "two"]
    assert texts(cache, "|", n=1) == ["one", "two"]


def test_other_documents_change_and_close_without_effect():
    cache = TypeThroughCache()
    put(cache, "|", "mine")
    put(cache, "|", "theirs", uri="file:///b")
    cache.forget("file:///b")
    assert texts(cache, "|", uri="file:///b") is None
    assert texts(cache, "|") == ["mine"]
    cache.forget("file:///a")
    cache.forget("file:///unknown")
    assert texts(cache, "|") is None
    assert cache.size == 0


def test_edits_elsewhere_and_back_again_hit_again():
    cache = TypeThroughCache()
    put(cache, "a\n|", "b")
    assert texts(cache, "aa\n|") is None
    assert texts(cache, "a\n|") == ["b"]


def test_memory_is_bounded_and_the_least_recently_used_goes_first():
    cache = TypeThroughCache(max_bytes=3_000)
    put(cache, "|", "first", uri="file:///first")
    for number in range(20):
        put(cache, "|", "x" * 50, uri=f"file:///{number}")
        assert texts(cache, "|", uri="file:///first") == ["first"]
        assert cache.size <= 3_000
    assert texts(cache, "|", uri="file:///0") is None
    assert texts(cache, "|", uri="file:///19") == ["x" * 50]
    put(cache, "|", "x" * 3_000)
    assert texts(cache, "|") is None


def test_one_document_does_not_keep_every_answer():
    cache = TypeThroughCache()
    for number in range(200):
        put(cache, f"{number}|", "x")
    assert texts(cache, "0|") is None
    assert texts(cache, "199|") == ["x"]
    for number in range(200):
        put(cache, f"{number}|", "x")
    cache.forget("file:///a")
    assert cache.size == 0


def test_an_answer_holds_at_the_revision_that_it_was_made_at():
    cache = TypeThroughCache()
    old, new = ProjectRevision(frozenset({1})), ProjectRevision(frozenset({2}))
    put(cache, "x = |\n", "foo", revision=old)
    assert texts(cache, "x = f|\n", revision=new) is None
    assert texts(cache, "x = f|\n", revision=old) == ["oo"]
    put(cache, "x = |\n", "far", revision=new)
    assert texts(cache, "x = f|\n", revision=new) == ["ar"]


def test_a_provisional_answer_is_typed_through_and_not_given_again():
    cache = TypeThroughCache()
    put(cache, "x = |\n", "foo()", provisional=True)
    assert texts(cache, "x = |\n") is None
    assert texts(cache, "x = f|\n") == ["oo()"]
    put(cache, "y = |\n", provisional=True)
    assert texts(cache, "y = |\n") is None
