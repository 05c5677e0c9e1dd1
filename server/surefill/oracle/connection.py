"""JSON-RPC with one child: questions with answers, notifications, and what the child asks.

Knows messages, nothing of documents. A question that its asker gives up (the task is cancelled) is
cancelled in the child too. Lives on an event loop.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from surefill.frames import FrameError
from surefill.oracle.child import Child

logger = logging.getLogger(__name__)

_METHOD_NOT_FOUND = -32601
_LONGEST_LOG = 300


class NoAnswer(Exception):
    """A question will not be answered; ``str()`` says why."""


class Connection:
    """Messages to and from one child, from its start to its end."""

    def __init__(
        self,
        *,
        on_notification: Callable[[str, Any], None],
        on_request: Callable[[str, Any], Any],
        on_end: Callable[[], None],
    ) -> None:
        """``on_request`` answers what the child asks, or raises KeyError for a foreign method."""
        self._loop = asyncio.get_running_loop()
        self._on_notification = on_notification
        self._on_request = on_request
        self._on_end = on_end
        self._child: Child | None = None
        self._ids = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[Any], float]] = {}
        self._given_up: dict[int, float] = {}
        """When the questions were sent that were given up since the last answer."""
        self._ended = False

    async def start(
        self, command: Sequence[str], folder: Path | None, environment: Mapping[str, str]
    ) -> None:
        """Start the child; raises OracleError if it cannot be."""
        starting = asyncio.ensure_future(
            asyncio.to_thread(
                Child.start,
                command,
                folder=folder,
                environment=environment,
                deliver=self._deliver,
            )
        )
        try:
            child = await asyncio.shield(starting)
        except asyncio.CancelledError:
            starting.add_done_callback(_kill_started)
            raise
        self._child = child

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    @property
    def ended(self) -> bool:
        return self._ended

    def unanswered(self) -> tuple[int, float]:
        """How many questions were given up since the last answer, and for how many seconds the
        oldest of them has been waiting.
        """
        if not self._given_up:
            return 0, 0.0
        return len(self._given_up), time.monotonic() - min(self._given_up.values())

    async def ask(self, method: str, params: object) -> Any:  # noqa: ANN401 - any JSON
        """The result of a request. Raises NoAnswer for an error or when the child ends."""
        if self._ended:
            raise NoAnswer("the checker has ended")
        number = next(self._ids)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[number] = future, time.monotonic()
        self._send({"id": number, **_call(method, params)})
        try:
            return await future
        except asyncio.CancelledError:
            _, sent = self._waiting.get(number, (future, 0.0))
            if sent:
                self._given_up[number] = sent
                self.tell("$/cancelRequest", {"id": number})
            raise
        finally:
            self._waiting.pop(number, None)

    def tell(self, method: str, params: object) -> None:
        """Send a notification."""
        self._send(_call(method, params))

    def kill(self) -> None:
        """End the child now. ``on_end`` is not called any more."""
        self._finish()
        if self._child is not None:
            self._child.kill()

    async def leave(self, seconds: float) -> None:
        """Take leave of the child as the protocol wants, within ``seconds``."""
        with suppress(NoAnswer, TimeoutError):
            await asyncio.wait_for(self.ask("shutdown", None), seconds / 2)
        self.tell("exit", None)
        self._finish()
        if self._child is not None:
            await asyncio.to_thread(self._child.leave, seconds / 2)

    def _send(self, message: dict[str, object]) -> None:
        if self._child is not None and not self._ended:
            text = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False)
            # Half a surrogate pair becomes "?": ty and pyrefly end at one, escaped or not.
            self._child.send(text.encode("utf-8", "replace"))

    def _finish(self) -> None:
        self._ended = True
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(NoAnswer("the checker has ended"))
        self._given_up.clear()

    def _deliver(self, body: bytes | FrameError | None) -> None:
        """In the reader's thread, where long answers are parsed as well."""
        message: Any = None
        if isinstance(body, FrameError):
            logger.debug("a frame of the checker cannot be read: %s", body.reason)
            return
        if body is not None:
            try:
                message = json.loads(body)
            except (ValueError, RecursionError):
                logger.debug("not JSON: %r", body[:_LONGEST_LOG])
                return
        with suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(self._receive, message)

    def _receive(self, message: Any) -> None:  # noqa: ANN401 - any JSON
        if self._ended:
            return
        if message is None:
            self._finish()
            self._on_end()
        elif not isinstance(message, dict):
            logger.debug("no message: %.300r", message)
        elif "method" in message:
            self._called(message)
        else:
            self._answered(message)

    def _called(self, message: dict[str, Any]) -> None:
        method, params = message["method"], message.get("params")
        if "id" not in message:
            self._on_notification(method, params)
            return
        try:
            self._send({"id": message["id"], "result": self._on_request(method, params)})
        except (KeyError, TypeError, AttributeError):
            error = {"code": _METHOD_NOT_FOUND, "message": f"{method} is not answered here"}
            self._send({"id": message["id"], "error": error})

    def _answered(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        if not isinstance(number, int):
            return
        if "result" in message or number in self._waiting:
            self._given_up.clear()  # unlike "cancelled", which one says who hangs all the same
        future, _ = self._waiting.get(number, (None, 0.0))
        if future is None or future.done():
            return
        if "error" in message:
            error = message["error"]
            text = error.get("message") if isinstance(error, dict) else error
            future.set_exception(NoAnswer(f"the checker says: {text}"))
        else:
            future.set_result(message.get("result"))


def _call(method: str, params: object) -> dict[str, object]:
    """A method's call; where it takes no parameters some servers refuse null for them."""
    return {"method": method} if params is None else {"method": method, "params": params}


def _kill_started(starting: asyncio.Future[Child]) -> None:
    """Nobody wants the child any more that was still being started."""
    if not starting.cancelled() and starting.exception() is None:
        starting.result().kill()
