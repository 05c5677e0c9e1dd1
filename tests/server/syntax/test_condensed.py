"""What a checker has to see of a document to judge one place in it."""

import pytest

from surefill.syntax.condensed import condense
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range

FILLER = "# " + "x" * 98 + "\n"
TEXT = (
    FILLER * 60
    + '''\
import os


def helper(a: int) -> str:
    """Says
    it."""
    first = a
    return str(first)


class Shelf:
    def __init__(self) -> None:
        book = 1
        again = book
        self.book = again

    async def many(self):
        for x in range(3):
            print(x)
            yield x

    def never(self) -> "NoReturn":
        a = 1
        print(a)
        raise SystemExit

    def count(self) -> int:
        here = 1
        there = here
        return there


class Other:
    def thing(self) -> Shelf:
        a = 1
        b = 2
        return Shelf()


LIMIT = 3


def own(shelf: Shelf) -> None:
    before = 1
    ¦
    after = 2


def last(other: Other) -> int:
    inside = 1
    outside = inside
    return outside
'''
)


@pytest.fixture
def condensed():
    def make(text=TEXT):
        before, _, after = text.partition("¦")
        document = Document("file:///a.py", language_for("python", None), before + after)
        at = Position(before.count("\n"), len(before) - before.rfind("\n") - 1)
        return condense(document.snapshot(), Range(at, at))

    return make


def joined(halves, line=""):
    return line.join(halves)


def test_lines_stay_where_they_are(condensed):
    for halves in (
        condensed().around_for("    helper(Shelf)", all_attributes=True),
        condensed().around_for("    last(", all_attributes=False),
    ):
        lines = joined(halves).split("\n")
        whole = TEXT.replace("¦", "").split("\n")
        assert len(lines) == len(whole)
        for line, old in zip(lines, whole, strict=True):
            assert line == old or line.strip() in ("", '""', 'return eval("")')


def test_a_function_keeps_its_body_where_others_depend_on_it(condensed):
    text = joined(condensed().around_for("    last(helper", all_attributes=True))
    assert "self.book = again" in text
    assert "yield x" in text
    assert "raise SystemExit" in text
    assert "before = 1" in text
    assert "after = 2" in text
    assert "there = here" not in text
    assert "return str(first)" not in text
    assert compile(text.replace("NoReturn", "int"), "a.py", "exec")


def test_what_nobody_names_is_left_out(condensed):
    text = joined(condensed().around_for("    shelf.", all_attributes=True))
    assert "class Shelf" in text
    assert "class Other" not in text
    assert "LIMIT" not in text
    assert "import os" in text
    for name, there in (("LIMIT", "LIMIT = 3"), ("last", "class Other"), ("helper", "def helper")):
        assert there in joined(condensed().around_for(f"    {name}(", all_attributes=True))


def test_a_body_is_kept_for_the_attributes_that_are_named(condensed):
    def text(line):
        return joined(condensed().around_for(line, all_attributes=False))

    assert "self.book = again" not in text("    shelf.")
    assert "self.book = again" in text("    shelf.book")


def test_lines_that_change_what_others_see_need_the_whole_document(condensed):
    assert condensed().suffices_for("    shelf.book = 2")
    assert not condensed().suffices_for("    global LIMIT")
    outside = condensed(TEXT.replace("¦", "").replace("LIMIT = 3", "¦"))
    assert outside.suffices_for("UNUSED = 3")
    assert outside.suffices_for("print(UNUSED)")
    assert not outside.suffices_for("Other = 3")
    assert not outside.suffices_for("from shelves import Shelf")
    assert not outside.suffices_for("def helper():")


def test_a_line_that_does_not_parse_leaves_the_rest_as_it_is(condensed):
    text = joined(
        condensed(TEXT.replace("¦", "shelf.(¦")).around_for("    shelf.(", all_attributes=True)
    )
    assert "class Shelf" in text
    assert "there = here" not in text
    assert "after = 2" in text


def test_small_documents_and_other_languages_are_read_whole():
    span = Range(Position(0, 0), Position(0, 0))
    small = Document("file:///a.py", language_for("python", None), "x = 1\n")
    other = Document("file:///a.sql", language_for("sql", None), FILLER * 100)
    assert condense(small.snapshot(), span) is None
    assert condense(other.snapshot(), span) is None
