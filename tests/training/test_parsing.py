"""Whether documents parse with a suggestion in them, by Python's own parser."""

from __future__ import annotations

import pytest

from surefill.completion.suggestion import Suggestion, Verdict
from surefill.syntax.position import Position, Range
from surefill_training.corpus.documents import Document
from surefill_training.evaluate.answers import Answer
from surefill_training.evaluate.holes import Hole, Task
from surefill_training.evaluate.parsing import judge
from surefill_training.evaluate.scores import score

CODE = '''\
class Thing:
    def total(self, first, second):
        """Add them."""
        values = [first, second]
        if self.ready(
            first,
            second,
        ):
            return sum(values)
        try:
            return None
        finally:
            self.close()
'''
AT = Range(Position(0, 0), Position(0, 0))


def judged(
    missing: str,
    suggested: str,
    task: Task = "line_end",
    path: str = "thing/code.py",
    outcome: str = "passed",
    code: str = CODE,
) -> bool | None:
    start = code.index(missing)
    hole = Hole(Document("thing", path, code), task, start, start + len(missing))
    verdicts = {"parses": Verdict(outcome, "")}  # type: ignore[arg-type]
    return judge(hole, Suggestion(suggested, AT, verdicts, -0.1))


@pytest.mark.parametrize(
    ("missing", "suggested"),
    [
        ("values = [first, second]", "values = 1"),
        ("[first, second]", "self.scale(first)"),
        ("self.ready(", "self.other(second,"),
        ("return sum(values)", "return values  # not the sum (of them"),
    ],
)
def test_whole_documents_parse_as_they_are(missing: str, suggested: str) -> None:
    assert judged(missing, suggested)
    assert judged(missing, suggested, outcome="failed")


@pytest.mark.parametrize(
    ("missing", "suggested"),
    [
        ("values = [first, second]", "values = first second"),
        ("[first, second]", "[first, second])"),
        ("self.ready(", "self.ready():"),  # the rest of the bracket stands below
        ("if self.ready(", "values = ["),  # and with it a colon
        ("try:", "values = 1"),  # the block stands below, without a beginning
        ("return sum(values)", "else:"),
        ("return sum(values)", "if (first second"),
        ("sum(values)", "'sum"),
        ("return sum(values)", "if first"),
    ],
)
def test_what_the_server_has_passed_is_not_right_for_that(missing: str, suggested: str) -> None:
    assert judged(missing, suggested, outcome="passed") is False


@pytest.mark.parametrize(
    ("missing", "suggested"),
    [
        ("values = [first, second]", "for value in first:"),
        ("values = [first, second]", "try:"),
        ("values = [first, second]", "values = ["),
        ("values = [first, second]", "values = self.scale(first,"),
        ("values = [first, second]", "values = (first +"),
        ("values = [first, second]", "if (first and"),
        ("values = [first, second]", "def inner(first,"),
        ("values = [first, second]", '"""More of it,'),
        ("values = [first, second]", 'self.scale("""More of it,'),
    ],
)
def test_what_is_still_to_be_typed_is_no_error(missing: str, suggested: str) -> None:
    assert judged(missing, suggested)


def test_in_front_of_other_code_everything_has_to_be_there() -> None:
    assert judged("first, second", "first, second=None", "inside")
    assert judged("first, second", "first, second=(", "inside") is False
    assert judged("first", "first, [", "call_arguments") is False


def test_several_lines_may_end_with_a_beginning() -> None:
    block = "\n        values = [first, second]"
    assert judged(block, "\n        values = 1\n        for value in first:", "lines")
    assert judged(block, "\n        for value in first:\n        values = 1", "lines") is False


def test_where_python_cannot_tell() -> None:
    old = 'print "hello"\nvalue = 1\n'
    assert judged("value = 1", "value = 2", code=old) is None
    script = "let value = 1;\n"
    for outcome, expected in (("passed", True), ("failed", False), ("unchecked", None)):
        found = judged("value = 1;", "value = 2;", path="a.js", outcome=outcome, code=script)
        assert found is expected


def test_only_what_was_judged_counts() -> None:
    hole = Hole(Document("thing", "a.py", CODE), "line_end", 0, 12)

    def answer(parses: bool | None) -> Answer:
        return Answer(hole, "x", True, parses, False, 0.0, 0.5, 0.5, 1.0)

    parses = score([answer(True), answer(True), answer(False), answer(None)]).parses
    assert (parses.mean, parses.count) == (pytest.approx(2 / 3), 3)
