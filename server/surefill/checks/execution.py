"""Executes a Python program in a sandbox and says how it ended.

Nothing is executed without a sandbox: where there is none, SandboxError says what is missing.
"""

from __future__ import annotations

import functools
import os
import selectors
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import FileIO
from typing import Literal

from surefill.checks.bubblewrap import Limits
from surefill.checks.sandbox import Sandbox
from surefill.checks.usage import files_in, memory_above
from surefill.engine.interface import Cancellation
from surefill.errors import SandboxError

__all__ = ["ExecutionResult", "Limits", "Outcome", "available", "execute"]

Outcome = Literal["passed", "failed", "timeout", "limit", "crashed", "cancelled"]

_DEFAULT = Limits()
_TAIL = 64 * 1024
_TICK_SECONDS = 0.05
"""How often what no event tells is looked at: cancellation, and what many processes use."""
_START_SECONDS = 60.0
"""Until the program begins; on a busy machine that takes a while."""
_NAMESPACES = (
    "Allow user namespaces for bubblewrap: `sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu "
    "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container, its runtime has to "
    "allow them. bubblewrap has to be 0.7 or newer."
)


@dataclass(frozen=True)
class ExecutionResult:
    """How a program ended.

    ``passed`` is exit status 0 and ``failed`` any other; ``timeout`` and ``limit`` say that it was
    ended for what it used, ``crashed`` that a signal ended it. ``reason`` is empty when it passed.
    """

    outcome: Outcome
    stdout: str
    """The last 64 KiB, as ``stderr``; what is not UTF-8 is replaced."""
    stderr: str
    seconds: float
    reason: str = ""


def execute(
    code: str,
    *,
    argv: Sequence[str] = (),
    stdin: str = "",
    limits: Limits = _DEFAULT,
    cancel: Cancellation | None = None,
) -> ExecutionResult:
    """Run ``code`` as a program of this interpreter and wait for its end.

    Safe in any thread and for several programs at a time. Whatever the program started is gone
    when this returns. Raises SandboxError, and then nothing was executed.
    """
    with Sandbox(code, argv, stdin, limits) as sandbox:
        return _Run(sandbox, limits, cancel or Cancellation()).result()


@functools.cache
def available() -> str | None:
    """Why programs cannot be executed here, or None if they can; found out once, by trying."""
    try:
        result = execute("print('works')")
    except SandboxError as error:
        return str(error)
    if result.outcome == "passed":
        return None
    return f"A program that does nothing {result.outcome}: {result.reason}."


@dataclass
class _Stream:
    """The end of what a program wrote, and how much it was in all."""

    file: FileIO
    tail: bytearray = field(default_factory=bytearray)
    size: int = 0

    def read(self) -> bool:
        """Take what is there; returns whether more may come."""
        try:
            part = os.read(self.file.fileno(), _TAIL)
        except BlockingIOError:
            return False
        self.size += len(part)
        self.tail += part
        del self.tail[:-_TAIL]
        return bool(part)

    @property
    def text(self) -> str:
        return self.tail.decode("utf-8", "replace")


_End = tuple[Outcome, str]


class _Run:
    """Watches one program until it ends or has to be ended."""

    def __init__(self, sandbox: Sandbox, limits: Limits, cancel: Cancellation) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self._cancel = cancel
        self._out = _Stream(sandbox.stdout)
        self._err = _Stream(sandbox.stderr)
        self._ready = _Stream(sandbox.ready)
        self._began: float | None = None
        self._created = time.monotonic()

    def result(self) -> ExecutionResult:
        end = self._watch()
        ended = time.monotonic()
        status = self._sandbox.kill()
        self._drain()
        if self._began is None and end is None:
            raise SandboxError(f"The sandbox could not be made: {self._complaint()}", _NAMESPACES)
        outcome, reason = end or self._flood() or self._meaning(status)
        seconds = ended - (self._began or ended)
        return ExecutionResult(outcome, self._out.text, self._err.text, seconds, reason)

    def _watch(self) -> _End | None:
        """Wait for the program's end; returns why it has to be ended, or None if it ended."""
        with selectors.DefaultSelector() as selector:
            for stream in (self._out, self._err, self._ready):
                os.set_blocking(stream.file.fileno(), False)
                selector.register(stream.file, selectors.EVENT_READ, stream)
            selector.register(self._sandbox.ended, selectors.EVENT_READ)
            looked = time.monotonic()
            while True:
                for key, _ in selector.select(_TICK_SECONDS):
                    if key.data is None:
                        return None
                    if not key.data.read():
                        selector.unregister(key.fileobj)
                now = time.monotonic()
                if self._began is None and self._ready.size:
                    self._began = now
                if end := self._flood() or self._late(now):
                    return end
                if now - looked >= _TICK_SECONDS:
                    looked = now
                    if end := self._greedy():
                        return end

    def _drain(self) -> None:
        """Take what is left in the pipes: all that could write to them is gone."""
        for stream in (self._out, self._err, self._ready):
            while stream.read():
                pass
        if self._began is None and self._ready.size:
            self._began = time.monotonic()

    def _late(self, now: float) -> _End | None:
        if self._cancel.cancelled:
            return "cancelled", "it was cancelled"
        if self._cancel.expired:
            return "timeout", "there was no time left"
        if self._began is None:
            if now - self._created > _START_SECONDS:
                raise SandboxError(f"The sandbox did not start within {_START_SECONDS:g} seconds.")
        elif now - self._began > self._limits.wall_seconds:
            return "timeout", f"it ran longer than {self._limits.wall_seconds:g} seconds"
        return None

    def _flood(self) -> _End | None:
        if max(self._out.size, self._err.size) > self._limits.output:
            return "limit", f"it wrote more than {_size(self._limits.output)}"
        return None

    def _greedy(self) -> _End | None:
        """Whether its processes together use more than they may."""
        init, limits = self._sandbox.init, self._limits
        if memory_above(init, limits.memory):
            return "limit", f"it used more than {_size(limits.memory)} of memory"
        if files_in(init, "/tmp") > limits.files:
            return "limit", f"it made more than {limits.files} files"
        return None

    def _meaning(self, status: int) -> _End:
        last = self._complaint()
        if status == 0:
            return "passed", ""
        if status - 128 == signal.SIGXCPU:
            return (
                "timeout",
                f"it used more than {self._limits.cpu_seconds} seconds of the processor",
            )
        if status - 128 in {int(known) for known in signal.Signals}:
            return "crashed", f"it was ended by {signal.Signals(status - 128).name}"
        if status < 0:
            return "crashed", "the sandbox was ended from outside"
        if last.startswith("MemoryError"):
            return "limit", f"it used more than {_size(self._limits.memory)} of memory"
        return "failed", last or f"exit status {status}"

    def _complaint(self) -> str:
        """The last line on the error stream: of Python, the exception."""
        lines = self._err.text.strip().splitlines()
        return lines[-1][:500] if lines else ""


def _size(count: int) -> str:
    return f"{count / 2**20:g} MiB" if count >= 2**20 else f"{count} bytes"
