"""Frames of the base protocol: reads ``Content-Length`` messages, and lays them out.

Knows bytes, not messages. After a broken header or a wrong length it finds the next header, so
that one bad frame costs one message and not the session; over TCP, where a web page could hide
frames in a request of its browser, it ends the session instead.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

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


def framed(body: bytes) -> bytes:
    """``body`` as it goes over the wire."""
    return b"Content-Length: %d\r\n\r\n" % len(body) + body
