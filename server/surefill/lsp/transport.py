"""Frames of the base protocol: reads ``Content-Length`` messages and writes them.

Knows bytes, not messages. After a broken header or a wrong length it finds the next header, so
that one bad frame costs one message and not the session; over TCP, where a web page could hide
frames in a request of its browser, it ends the session instead.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Protocol

MAX_MESSAGE_BYTES = 256 * 2**20
"""Longer messages are refused: no editor sends them, and a wrong length must not be waited for."""

_MAX_HEADER_BYTES = 2**16
# Found anywhere in a line: behind a body that was longer than announced, the next header follows
# without a line break.
_CONTENT_LENGTH = re.compile(rb"Content-Length:[ \t]*([+-]?\d+)[ \t]*\r?\n?$", re.IGNORECASE)
_HEADER = re.compile(rb"Content-(Length|Type):[^\r\n]*\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class FrameError:
    """A frame that cannot be read; reading goes on behind it."""

    reason: str


class ByteReader(Protocol):
    """A blocking stream: both methods return fewer bytes than asked only at the end."""

    def readline(self, limit: int, /) -> bytes: ...

    def read(self, size: int, /) -> bytes: ...


def read_frames(stream: ByteReader, *, strict: bool = False) -> Iterator[bytes | FrameError]:
    """Bodies of the messages in ``stream``, in order, until it ends.

    ``strict`` ends at the first line that belongs to no header, and at the first wrong length.
    """
    length: int | None = None
    while line := stream.readline(_MAX_HEADER_BYTES):
        if strict and line.strip() and not _HEADER.fullmatch(line):
            return
        if match := _CONTENT_LENGTH.search(line):
            length = int(match[1]) if len(match[1]) < 20 else MAX_MESSAGE_BYTES + 1
            if not 0 < length <= MAX_MESSAGE_BYTES:
                yield FrameError(f"the header announces {length} bytes")
                if strict:
                    return
                length = None
        elif not line.strip() and length is not None:
            body = stream.read(length)
            if len(body) < length:
                return
            length = None
            yield body


class FrameReader:
    """Reads frames in a thread of its own and hands them over; ``None`` says that it ended.

    The thread is a daemon: it may hang in a read for as long as the editor lives, which must not
    keep a finished server alive.
    """

    def __init__(
        self,
        stream: ByteReader,
        deliver: Callable[[bytes | FrameError | None], None],
        *,
        strict: bool = False,
    ) -> None:
        self._stream = stream
        self._strict = strict
        self._deliver = deliver
        self._thread = threading.Thread(target=self._run, name="surefill-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        # The other side is gone, or the stream was closed under us.
        with suppress(OSError, ValueError):
            for frame in read_frames(self._stream, strict=self._strict):
                self._deliver(frame)
        self._deliver(None)


class FrameWriter:
    """A pygls writer on a binary stream that never raises once the other side is gone."""

    def __init__(self, stream: BinaryIO, on_lost: Callable[[], None]) -> None:
        self._stream = stream
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._lost = False

    def write(self, data: bytes) -> None:
        if self._lost:
            return
        try:
            with self._lock:
                self._stream.write(data)
                self._stream.flush()
        except (OSError, ValueError):
            self._lost = True
            self._on_lost()

    def close(self) -> None:
        """Nothing: whoever opened the stream closes it."""


def claim_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Take stdin and stdout for the protocol, so that nothing else can read or write them.

    From here on file descriptor 1 is stderr and 0 is empty: a ``print`` or a native library's
    message lands in the editor's log and cannot corrupt the stream, and a child process cannot
    swallow the editor's messages.
    """
    protocol_in, protocol_out = os.dup(0), os.dup(1)
    os.set_inheritable(protocol_in, False)
    os.set_inheritable(protocol_out, False)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(protocol_in, "rb"), os.fdopen(protocol_out, "wb")
