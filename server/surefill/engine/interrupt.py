"""Stops a running model from another thread: at cancellation or when the deadline passes."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from surefill.engine.interface import Cancellation


class Terminable(Protocol):
    """onnxruntime's RunOptions, as far as an interrupt needs it."""

    terminate: bool


class Interrupted(Exception):
    """The run was ended on request; the cache holds what was complete before it."""


class Interrupt:
    """One request's stop signal, translated to the run that is on at the moment."""

    def __init__(self, cancel: Cancellation | None = None) -> None:
        self._cancel = cancel
        self._lock = threading.Lock()
        self._running: Terminable | None = None
        self._tripped = False

    @property
    def reason(self) -> Literal["cancelled", "deadline"] | None:
        """Why the request must end now, or None while it may go on."""
        if self._cancel is None:
            return None
        if self._cancel.cancelled:
            return "cancelled"
        return "deadline" if self._cancel.expired or self.tripped else None

    @property
    def left(self) -> float:
        """Seconds until the deadline, more than none; infinite without one."""
        return math.inf if self._cancel is None else max(0.001, self._cancel.deadline.remaining)

    def trip(self) -> None:
        """End the run that is on and refuse further ones. Safe from any thread."""
        with self._lock:
            self._tripped = True
            if self._running is not None:
                self._running.terminate = True

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Trip at cancellation or deadline for as long as the block runs."""
        if self._cancel is None:
            yield
            return
        undo = self._cancel.on_cancel(self.trip)
        timer: threading.Timer | None = None
        seconds = self._cancel.deadline.timeout
        if seconds is not None:
            timer = threading.Timer(seconds, self.trip)
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            undo()
            if timer is not None:
                timer.cancel()

    @contextmanager
    def running(self, options: Terminable) -> Iterator[None]:
        """Let ``trip`` end the run with ``options``; raises Interrupted instead of a late start."""
        with self._lock:
            if self._tripped:
                raise Interrupted
            self._running = options
        try:
            yield
        finally:
            with self._lock:
                self._running = None

    @property
    def tripped(self) -> bool:
        with self._lock:
            return self._tripped
