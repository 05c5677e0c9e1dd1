"""Deadlines are values, and a child's stop signal changes nothing of its parent's."""

import dataclasses
import math
import threading

import pytest

from surefill.budget import (
    NEVER,
    Cancellation,
    Deadline,
    InlineBudget,
    MenuBudget,
    question_seconds,
    repair_answer,
)


def test_a_deadline_is_a_value_that_nobody_changes():
    deadline = Deadline(5.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        deadline.at = 6.0
    assert deadline == Deadline(5.0)
    assert deadline < Deadline(6.0) < NEVER
    assert min(deadline, NEVER) is deadline


def test_a_deadline_passes():
    assert Deadline.after(-1).passed
    assert Deadline.after(-1).remaining == 0.0
    ahead = Deadline.after(100)
    assert not ahead.passed
    assert 99 < ahead.remaining <= 100
    assert 99 < ahead.timeout <= 100


def test_without_a_deadline_there_is_always_time():
    assert not NEVER.passed
    assert NEVER.remaining == math.inf
    assert NEVER.timeout is None
    for other in (NEVER.share(0.5), NEVER.reserve(1.0, most=0.1), NEVER.later(3.0)):
        assert other == NEVER


def test_shares_and_reserves_are_of_what_is_left():
    end = Deadline.after(100)
    assert 49 < end.share(0.5).remaining <= 50
    assert 89 < end.reserve(10).remaining <= 90
    assert 94 < end.reserve(10, most=0.05).remaining <= 95
    assert end.later(5).at == end.at + 5
    late = Deadline.after(-1)
    assert late.reserve(10, most=0.5) == late
    assert late.share(0.5).passed


def test_a_child_is_cancelled_with_its_parent_and_not_the_other_way():
    parent = Cancellation()
    first, second = parent.child(), parent.child()
    heard = []
    first.on_cancel(lambda: heard.append("first"))
    second.cancel()
    assert not parent.cancelled
    assert not first.cancelled
    parent.cancel()
    assert first.cancelled
    assert heard == ["first"]
    assert parent.child().cancelled  # it is too late for this one


def test_a_child_has_the_earlier_deadline_and_its_parent_keeps_its_own():
    soon, late = Deadline(10.0), Deadline(20.0)
    parent = Cancellation(late)
    assert parent.child(soon).deadline is soon
    assert parent.child().deadline is late
    assert Cancellation(soon).child(late).deadline is soon
    assert parent.deadline is late
    with pytest.raises(AttributeError):
        parent.deadline = soon


def test_a_signal_is_heard_once_and_only_by_those_who_still_listen():
    cancel, heard = Cancellation(), []
    cancel.on_cancel(lambda: heard.append(1))
    undo = cancel.on_cancel(lambda: heard.append(2))
    undo()
    undo()
    threads = [threading.Thread(target=cancel.cancel) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [1]
    cancel.on_cancel(lambda: heard.append(3))
    assert heard == [1, 3]


def test_a_cancellation_expires_without_being_cancelled():
    late = Cancellation(Deadline.after(-1))
    assert late.expired
    assert not late.cancelled


def test_an_inline_request_s_model_stops_before_its_end():
    long, short = InlineBudget.until(Deadline.after(100)), InlineBudget.until(Deadline.after(0.1))
    assert long.end.at - long.model.at == pytest.approx(0.1)
    assert 0 < short.end.at - short.model.at < 0.02
    assert 24 < long.checker_seconds < 25
    assert 0 < InlineBudget.until(NEVER).checker_seconds < 60
    assert InlineBudget.until(Deadline.after(-1)).checker_seconds == 0.0


def test_a_menu_is_ranked_then_filled_then_over():
    menu = MenuBudget.until(Deadline.after(10))
    assert menu.ranked < menu.filled < menu.end
    assert not menu.ranked.passed


def test_parts_are_less_than_the_whole():
    assert question_seconds(3.0) == pytest.approx(1.0)
    request = Cancellation(Deadline.after(10))
    answer = repair_answer(request)
    assert answer.deadline < request.deadline
    request.cancel()
    assert answer.cancelled
