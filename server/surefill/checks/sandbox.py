"""One program in a sandbox, from its start until nothing of it is left.

Knows how the process of bubblewrap is held and ended, not what the program's end means.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Sequence
from io import FileIO
from types import TracebackType
from typing import Self

from surefill.checks import bubblewrap, seccomp
from surefill.checks.bubblewrap import Descriptors, Limits
from surefill.errors import SandboxError

_SECONDS_TO_DIE = 10


class Sandbox:
    """A Python program that runs in a sandbox of its own, begun with this object.

    ``stdout`` and ``stderr`` are what it writes. From ``ready`` comes ``b"ready"`` when the program
    itself begins, and nothing when the sandbox could not be made, for which ``stderr`` then has the
    reason. ``ended`` becomes readable when it ends; ``init`` is the sandbox's first process, or 0
    if there was none. A context manager: nothing is left behind it. Raises SandboxError.
    """

    def __init__(self, code: str, argv: Sequence[str], stdin: str, limits: Limits) -> None:
        executable = bubblewrap.find()
        self._init: FileIO | None = None
        with contextlib.ExitStack() as opened:
            self.stdout, stdout = _pipe(opened)
            self.stderr, stderr = _pipe(opened)
            self.ready, ready = _pipe(opened)
            told, info = _pipe(opened)
            given, program = _sealed(stdin, opened), _sealed(code, opened)
            inherited = program, _sealed(seccomp.program(), opened), info, ready
            numbers = [file.fileno() for file in inherited]
            command = bubblewrap.command(executable, Descriptors(*numbers), argv, limits)
            self._process = _start(command, numbers, given, stdout, stderr)
            opened.callback(self._kill_bubblewrap)
            for file in (given, stdout, stderr, *inherited):
                file.close()
            self.ended = opened.enter_context(FileIO(os.pidfd_open(self._process.pid)))
            self.init = _first_process(told)
            if self.init:
                with contextlib.suppress(ProcessLookupError):
                    self._init = opened.enter_context(FileIO(os.pidfd_open(self.init)))
            opened.callback(self.kill)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._opened.close()

    def kill(self) -> int:
        """End all that runs in the sandbox and wait until it is gone; returns the exit status.

        That is the program's own where it had ended, and 128 with the number of a signal added
        where one ended it.
        """
        if self._init is not None:
            # When its first process dies, the kernel ends all others, and only then is it gone.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init.fileno(), signal.SIGKILL)
            select.select([self._init], [], [], _SECONDS_TO_DIE)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(_SECONDS_TO_DIE)
        return self._kill_bubblewrap()

    def _kill_bubblewrap(self) -> int:
        self._process.kill()
        return self._process.wait()


def _start(
    command: list[str], inherited: Sequence[int], stdin: FileIO, stdout: FileIO, stderr: FileIO
) -> subprocess.Popen[bytes]:
    try:
        # Without our environment: a program can read that of bubblewrap itself.
        return subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=stderr, pass_fds=inherited, env={}
        )
    except OSError as error:
        raise SandboxError(f"bubblewrap could not be started: {error.strerror}.") from error
    except ValueError as error:
        raise SandboxError(f"An argument cannot be passed to a program: {error}.") from error


def _pipe(opened: contextlib.ExitStack) -> tuple[FileIO, FileIO]:
    """The end to read and the end to write."""
    reading, writing = os.pipe()
    return opened.enter_context(FileIO(reading)), opened.enter_context(FileIO(writing, "w"))


def _sealed(content: str | bytes, opened: contextlib.ExitStack) -> FileIO:
    """A file in memory with ``content``, to which nobody can write."""
    import fcntl  # not on every system on which this module is imported

    descriptor = os.memfd_create("surefill", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    file = opened.enter_context(FileIO(descriptor, "r+"))
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    with memoryview(data) as left:
        written = 0
        while written < len(left):
            written += file.write(left[written:])
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW)
    file.seek(0)
    return file


def _first_process(told: FileIO) -> int:
    """Number of the sandbox's first process, which bubblewrap tells before it runs anything."""
    text = b""
    while b"}" not in text:
        part = told.read(4096)
        if not part:
            return 0
        text += part
    number = text.partition(b'"child-pid":')[2].split(b",")[0]
    return int(number.strip(b" \n}") or 0)
