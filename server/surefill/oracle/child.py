"""A child process whose standard streams carry frames.

Knows processes and bytes, nothing of what the frames say. Reading, writing and logging have a
thread each, so that a child that neither reads nor writes blocks nobody. The child sees the end of
its input when this process is gone, however it went, and leaves.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from surefill.errors import OracleError
from surefill.frames import FrameError, FrameReader, framed

logger = logging.getLogger(__name__)

_LONGEST_LOG_LINE = 2000
_ALONE: dict[str, int] = (
    {"creationflags": 0x0800_0000} if sys.platform == "win32" else {"process_group": 0}
)
"""A process group of its own on POSIX, no console window (CREATE_NO_WINDOW) on Windows."""
Deliver = Callable[[bytes | FrameError | None], None]


class Child:
    """One running process. ``deliver`` hears in a thread of every frame, and of the end by None."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, deliver: Deliver) -> None:
        self._process = process
        self._name = name
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        FrameReader(cast(BinaryIO, process.stdout), deliver).start()
        for work in (self._write, self._log):
            threading.Thread(target=work, name=f"surefill-{name}", daemon=True).start()

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        folder: Path | None,
        environment: Mapping[str, str],
        deliver: Deliver,
    ) -> Child:
        """Start ``command``. Blocks for some milliseconds; raises OracleError if it cannot be."""
        name = Path(command[0]).stem
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder if folder is not None and folder.is_dir() else None,
                env=dict(environment),
                **_ALONE,  # type: ignore[call-overload]
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise OracleError(f"{command[0]} cannot be started ({reason}).") from error
        return cls(process, name, deliver)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, body: bytes) -> None:
        """Send one frame, in the order of the calls. Returns at once, whatever the child does."""
        self._outgoing.put(body)

    def kill(self) -> None:
        """End it now; its pipes end with it."""
        self._outgoing.put(None)
        self._kill_all()
        threading.Thread(target=self._process.wait, name="surefill-reaper", daemon=True).start()

    def leave(self, seconds: float) -> None:
        """Wait for it to end by itself, at most ``seconds``, then kill it. Blocks."""
        self._outgoing.put(None)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._kill_all()
            self._process.wait()

    def _kill_all(self) -> None:
        """Kill the process, and those that it started: some servers are wrapped in a launcher."""
        with suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            elif self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _write(self) -> None:
        stream = cast(BinaryIO, self._process.stdin)
        with suppress(OSError, ValueError):  # the reader sees the end as well, and reports it
            while (body := self._outgoing.get()) is not None:
                stream.write(framed(body))
                if self._outgoing.empty():
                    stream.flush()
        with suppress(OSError, ValueError):
            stream.close()

    def _log(self) -> None:
        stream = cast(BinaryIO, self._process.stderr)
        with suppress(OSError, ValueError):
            while line := stream.readline(_LONGEST_LOG_LINE):
                logger.debug("%s: %s", self._name, line.decode("utf-8", "replace").rstrip())
