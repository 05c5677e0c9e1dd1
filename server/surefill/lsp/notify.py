"""Messages to the user, each cause once per session: a popup per keystroke helps nobody."""

from __future__ import annotations

import logging

from lsprotocol import types

from surefill.lsp.client import Client

logger = logging.getLogger(__name__)


class Notifier:
    """Shows a message in the editor and writes it to the log; repeats go to the log only."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._shown: set[str] = set()

    def show_once(self, message: str, kind: types.MessageType = types.MessageType.Warning) -> None:
        """Show ``message`` unless it is already known to the user."""
        if message in self._shown:
            logger.debug("again: %s", message)
            return
        self._shown.add(message)
        self._client.show(message, kind)

    def forget(self, message: str) -> None:
        """The cause is gone: should it come back, it is news again."""
        self._shown.discard(message)


class OncePerCause:
    """Logs errors: the first of a kind with its traceback, then a count at debug level."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def log(self, what: str, error: BaseException) -> None:
        cause = f"{what}: {type(error).__name__}: {error}"
        count = self._seen[cause] = self._seen.get(cause, 0) + 1
        if count == 1:
            logger.error("%s", cause, exc_info=error)
        else:
            logger.debug("%s (%d times)", cause, count)
