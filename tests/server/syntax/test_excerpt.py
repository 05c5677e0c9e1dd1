"""A big document is judged by the top-level part around the change, and with the same result."""

import pytest

from surefill.syntax import excerpt as module
from surefill.syntax.document import Document
from surefill.syntax.excerpt import excerpt
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range
from surefill.syntax.validity import parses_with

PART = 'def f{0}(a):\n    text = """\n\nno boundary (\n"""\n    return [\n        a,\n    ]\n\n\n'
BIG = "".join(PART.format(number) for number in range(1000))


def at(line, character):
    return Range(Position(line, character), Position(line, character))


def snapshot(text, name="python"):
    return Document("file:///a", language_for(name, None), text).snapshot()


def test_it_begins_and_ends_between_top_level_statements():
    whole = snapshot(BIG)
    part, span = excerpt(whole, at(5006, 8))
    assert part.text == PART.format(500)
    assert span == at(6, 8)
    inside_string = excerpt(whole, at(5003, 3))
    assert inside_string[0].text == part.text


def test_small_documents_and_those_without_boundaries_stay_whole():
    small = snapshot("x = 1\n\ny = 2\n")
    assert excerpt(small, at(0, 0)) == (small, at(0, 0))
    flat = snapshot("x = [\n" + "    1,\n" * 20_000 + "]\n")
    assert excerpt(flat, at(10_000, 4)) == (flat, at(10_000, 4))


def test_the_ends_of_the_document_are_boundaries():
    whole = snapshot(BIG)
    assert excerpt(whole, at(1, 4))[0].text == PART.format(0)
    part, span = excerpt(whole, at(len(whole.lines) - 1, 0))
    assert (part.text, span) == (PART.format(999), at(10, 0))


@pytest.mark.parametrize(
    ("text", "fits"), [("a + 1, ", True), ("a b, ", False), ("]", False), ("[1, ", False)]
)
def test_the_verdict_is_the_same_as_on_the_whole(monkeypatch, text, fits):
    whole = snapshot(BIG)
    assert parses_with(whole, at(5006, 8), text)[0] is fits
    monkeypatch.setattr(module, "BIG_BYTES", 10**9)
    assert parses_with(whole, at(5006, 8), text)[0] is fits


def test_the_reason_names_the_line_of_the_whole_document():
    assert parses_with(snapshot(BIG), at(5006, 8), "]")[1] == "syntax error near line 5007"
