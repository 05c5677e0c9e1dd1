"""Time: until when work is worth doing, which step of a request gets how much, and stop signals.

The only place that says how the time of a request is divided. A deadline is a value: who wants
less time for a part of the work makes another one, and gives it on in a child of the stop signal.
Nobody changes what a caller holds.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_MODEL_RESERVE_PART = 0.1
_MODEL_RESERVE_SECONDS = 0.1
"""Of an inline request's time, so much is kept for what comes after the model. A guess."""
_CHECKER_PART = 0.25
"""Of the time that the model has, the checker is waited for so long in all. A guess."""
_CHECKER_SECONDS = 15.0
"""So long where there is no deadline, as in the commands. A guess."""
_QUESTION_PART = 1 / 3
"""Of the time for all questions to the checker, one may take so much. A guess."""
_RANKED_PART, _FILLED_PART = 0.5, 0.8
"""By these parts of a menu's time, calls have to be ranked, and filled in. A guess."""
_REPAIR_ANSWER_PART = 0.4
"""Of the time that is left of a quick fix's, the model gets so much for each answer. A guess."""

QUICK_FIX_SECONDS = 5.0
"""Until quick fixes are answered. Most take a few tenths of a second."""
PROBLEMS_SECONDS = 5.0
"""So long the checker may take over a document's problems: the first look at a library takes
seconds."""
KEYWORDS_SECONDS = 1.0
"""So long calls are asked about in one look at a document; the next look goes on."""

MODEL_GRACE_SECONDS = 0.5
"""How long after its deadline an engine is waited for that should have stopped by then: the step
of a slow machine's model that was on may still end."""
CHECKER_GRACE_SECONDS = 0.05
"""The same of a question to the checker, whose answer has to cross from one thread to another."""
MENU_GRACE_SECONDS = 0.02
"""The same of a menu, which shows what has been found by then."""


@dataclass(frozen=True, order=True)
class Deadline:
    """A point in time, in seconds of ``time.monotonic``; infinite where there is none."""

    at: float = math.inf

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """So many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds until then, at least 0; infinite without a deadline."""
        return max(0.0, self.at - time.monotonic())

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self.at

    @property
    def timeout(self) -> float | None:
        """``remaining`` as functions that wait take it: None to wait for ever."""
        return None if math.isinf(self.at) else self.remaining

    def share(self, part: float) -> Deadline:
        """When ``part`` of the time that is left now will be over."""
        return Deadline(time.monotonic() + part * self.remaining)

    def reserve(self, seconds: float, *, most: float = 1.0) -> Deadline:
        """Earlier by ``seconds``, or by the part ``most`` of the time left now if that is less."""
        return Deadline(self.at - min(seconds, most * self.remaining))

    def later(self, seconds: float) -> Deadline:
        return Deadline(self.at + seconds)


NEVER = Deadline()


class Cancellation:
    """A request's stop signal, set from any thread, polled and subscribed to by the engine.

    Past the ``deadline``, which never changes, the engine returns what it has.
    """

    def __init__(self, deadline: Deadline = NEVER) -> None:
        self._deadline = deadline
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def deadline(self) -> Deadline:
        return self._deadline

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    @property
    def expired(self) -> bool:
        return self._deadline.passed

    def cancel(self) -> None:
        """Ask the request to end. Safe to call from any thread, any number of times."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def child(self, deadline: Deadline = NEVER) -> Cancellation:
        """A signal of its own for a part of the work, with an earlier deadline or the same.

        It is set when this one is; setting it leaves this one alone.
        """
        child = Cancellation(min(deadline, self._deadline))
        self.on_cancel(child.cancel)
        return child

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Run ``callback`` at cancellation, at once if it already happened; returns an undo."""
        with self._lock:
            cancelled = self._event.is_set()
            if not cancelled:
                self._callbacks.append(callback)
        if cancelled:
            callback()

        def undo() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return undo


@dataclass(frozen=True)
class InlineBudget:
    """The time of one inline request."""

    end: Deadline
    """When the answer is due, its checks included."""
    model: Deadline
    """When the model has to stop writing."""

    @classmethod
    def until(cls, end: Deadline) -> InlineBudget:
        return cls(end, end.reserve(_MODEL_RESERVE_SECONDS, most=_MODEL_RESERVE_PART))

    @property
    def checker_seconds(self) -> float:
        """So long all questions to the checker may be waited for, from now on."""
        left = self.model.timeout
        return _CHECKER_SECONDS if left is None else _CHECKER_PART * left


@dataclass(frozen=True)
class MenuBudget:
    """The time of one list of calls."""

    end: Deadline
    ranked: Deadline
    """When the model has said which calls are likelier."""
    filled: Deadline
    """When it has said what would be passed."""

    @classmethod
    def until(cls, end: Deadline) -> MenuBudget:
        return cls(end, end.share(_RANKED_PART), end.share(_FILLED_PART))


def question_seconds(all_of_them: float) -> float:
    """So long one question to the checker may take, where all may take ``all_of_them``."""
    return _QUESTION_PART * all_of_them


def repair_answer(request: Cancellation) -> Cancellation:
    """The signal for one answer of the model to a request for quick fixes."""
    return request.child(request.deadline.share(_REPAIR_ANSWER_PART))
