"""Which errors count against a change."""

import pytest

from surefill.checks.types import Change, new_errors
from surefill.oracle.answers import Diagnostic, Diagnostics
from surefill.syntax.position import Position, Range


def error(start, end, message="wrong", code="rule", severity="error"):
    return Diagnostic(Range(Position(*start), Position(*end)), severity, code, message)


def change(text, start=(5, 4), end=None):
    return Change(Range(Position(*start), Position(*(end or start))), text)


def found(before, after, made):
    return new_errors(Diagnostics(tuple(before)), Diagnostics(tuple(after)), made)


def test_an_error_in_the_text_is_new_whatever_stood_there():
    bad = error((5, 6), (5, 9))
    assert found([bad], [bad], change("foo.bar")) == (bad,)


@pytest.mark.parametrize(("line", "shifted"), [(2, 2), (9, 11)])
def test_an_error_elsewhere_is_the_one_that_was_there(line, shifted):
    before, after = error((line, 0), (line, 3)), error((shifted, 0), (shifted, 3))
    assert found([before], [after], change("a\nb\nc")) == ()
    assert found([], [after], change("a\nb\nc")) == (after,)


def test_each_error_that_stood_excuses_one():
    one = error((9, 0), (9, 3))
    two = error((9, 8), (9, 9))
    assert found([one], [one, two], change("a")) == (two,)


def test_the_users_own_part_of_the_line_does_not_count():
    assert found([], [error((5, 0), (5, 4))], change("a")) == ()


def test_an_error_around_the_text_counts():
    around = error((5, 0), (5, 20))
    assert found([], [around], change("a")) == (around,)


def test_behind_the_text_on_its_line_errors_are_compared():
    behind = error((5, 30), (5, 33))
    assert found([error((5, 25), (5, 28))], [behind], change("a")) == ()
    moved = error((7, 3), (7, 6))
    assert found([error((5, 25), (5, 28))], [moved], change("a\nb\nc")) == ()


def test_a_replaced_range_moves_what_is_below_up():
    below = error((9, 0), (9, 3))
    assert found([error((12, 0), (12, 3))], [below], change("a", (5, 4), (8, 2))) == ()


def test_only_errors_count_and_syntax_is_judged_elsewhere():
    others = [
        error((5, 4), (5, 6), severity="warning"),
        error((5, 4), (5, 6), code="invalid-syntax"),
    ]
    assert found([], others, change("foo")) == ()
