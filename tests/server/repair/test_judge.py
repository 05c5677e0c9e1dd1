"""Better means: fewer problems, and none that was not there before."""

from surefill.repair.edit import Candidate, moved
from surefill.repair.judge import Mark, better, no_worse_within
from surefill.syntax.position import Position, Range

SPAN = Range(Position(1, 4), Position(1, 8))


def mark(line, character, message="m", code="c"):
    return Mark(code, message, Position(line, character))


def test_positions_move_with_a_change():
    assert moved(Position(0, 9), SPAN, "x") == Position(0, 9)
    assert moved(Position(1, 4), SPAN, "x") == Position(1, 4)
    assert moved(Position(1, 6), SPAN, "x") is None
    assert moved(Position(1, 9), SPAN, "x") == Position(1, 6)
    assert moved(Position(1, 9), SPAN, "x\nyz") == Position(2, 3)
    assert moved(Position(5, 9), SPAN, "x\nyz") == Position(6, 9)


def test_one_problem_less_is_better():
    before = [mark(1, 4), mark(1, 10), mark(7, 0)]
    assert better(before, [mark(1, 7), mark(7, 0)], SPAN, "x")


def test_as_many_problems_are_not_better():
    before = [mark(1, 4), mark(7, 0)]
    assert not better(before, [mark(1, 4), mark(7, 0)], SPAN, "xyzw")


def test_another_problem_in_its_place_is_not_better():
    before = [mark(1, 4), mark(1, 6), mark(7, 0)]
    assert not better(before, [mark(1, 4, "other")], SPAN, "xyzw")
    assert not better(before, [mark(8, 0)], SPAN, "xyzw")


def candidate(text):
    return Candidate(SPAN, text, "")


def test_a_change_of_syntax_may_bring_to_light_what_was_hidden_elsewhere():
    syntax = mark(1, 4, "no", "invalid-syntax")
    region = Range(Position(1, 0), Position(1, 9))
    hidden = [mark(7, 0), mark(8, 0)]
    assert no_worse_within([syntax], hidden, region, candidate("x"))
    assert not no_worse_within([syntax], [*hidden, syntax], region, candidate("x"))
    assert not no_worse_within([syntax], [mark(1, 0)], region, candidate("x"))
    assert not no_worse_within([mark(1, 0)], hidden, region, candidate("x"))
