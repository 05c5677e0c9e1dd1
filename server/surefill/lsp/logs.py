"""Python's ``logging`` of ``surefill.*`` to the editor's log, from any thread."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from lsprotocol import types

from surefill.lsp.client import Client

_KINDS = (
    (logging.ERROR, types.MessageType.Error),
    (logging.WARNING, types.MessageType.Warning),
    (logging.INFO, types.MessageType.Info),
)
_KEPT_BEFORE_START = 100
_MAX_LINE = 4_000


class EditorLog(logging.Handler):
    """Sends records as ``window/logMessage``; those before ``start`` are kept until then.

    The protocol forbids sending before the answer to ``initialize``, and only the event loop's
    thread may write to the editor.
    """

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: deque[logging.LogRecord] = deque(maxlen=_KEPT_BEFORE_START)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def attach(self) -> None:
        """Listen to all loggers below ``surefill``."""
        logging.getLogger("surefill").addHandler(self)

    def detach(self) -> None:
        logging.getLogger("surefill").removeHandler(self)
        self._loop = None

    def start(self) -> None:
        """Send from now on; call on the event loop once the editor listens."""
        self._loop = asyncio.get_running_loop()
        while self._early:
            self._send(self._early.popleft())

    def set_level(self, name: str) -> None:
        """Apply a level by its name in the settings: error, warning, info or debug."""
        logging.getLogger("surefill").setLevel(name.upper())

    def emit(self, record: logging.LogRecord) -> None:
        if self._loop is None:
            self._early.append(record)
            return
        try:
            self._loop.call_soon_threadsafe(self._send, record)
        except RuntimeError:  # the loop has ended: nobody listens any more
            self._loop = None

    def _send(self, record: logging.LogRecord) -> None:
        kind = next((kind for level, kind in _KINDS if record.levelno >= level), None)
        text = self.format(record)[:_MAX_LINE]
        self._client.log(text, kind or types.MessageType.Log)
