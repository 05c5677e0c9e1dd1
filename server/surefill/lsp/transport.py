"""The streams that an editor's messages come and go on.

Knows bytes, neither frames nor messages.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import BinaryIO


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
