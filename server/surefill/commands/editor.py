"""A minimal editor for measurements: starts the real server and talks to it over stdio."""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from surefill.errors import SurefillError
from surefill.frames import FrameError, framed, read_frames

_PATIENCE_SECONDS = 120.0
_REST_SECONDS = 0.3
"""Longer than the server waits before it reads."""
_GONE = "The server has ended. Run surefill lsp to see what it says."


class MeasurementError(SurefillError):
    """The server did not do what a measurement needs."""


class Editor:
    """One session with a server of its own; positions are in UTF-32."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._ids = itertools.count(1)
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "surefill", "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        threading.Thread(target=self._read, daemon=True).start()
        began = time.perf_counter()
        self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": None,
                "capabilities": {"general": {"positionEncodings": ["utf-32"]}},
                "initializationOptions": dict(settings),
            },
        )
        self.initialize_seconds = time.perf_counter() - began
        self.tell("initialized", {})

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            self.ask("shutdown", None)
            self.tell("exit", None)
            self._process.wait(10)
        except (OSError, MeasurementError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()

    def tell(self, method: str, params: object) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def begin(self, method: str, params: object) -> int:
        """Send a request without waiting; give the number to ``wait``."""
        number = next(self._ids)
        self._answers[number] = queue.SimpleQueue()
        self._send({"id": number, "method": method, "params": params})
        return number

    def wait(self, number: int) -> Any:  # noqa: ANN401 - whatever the method returns
        """The result of a request; raises MeasurementError for an error or no answer."""
        try:
            answer = self._answers[number].get(timeout=_PATIENCE_SECONDS)
        except queue.Empty as error:
            raise MeasurementError("The server does not answer.") from error
        finally:
            del self._answers[number]
        if answer is None:
            raise MeasurementError(_GONE)
        if "error" in answer:
            raise MeasurementError(f"The server answered: {answer['error']['message']}")
        return answer["result"]

    def ask(self, method: str, params: object) -> Any:  # noqa: ANN401
        """Send a request and wait for its result."""
        return self.wait(self.begin(method, params))

    def status(self) -> Any:  # noqa: ANN401
        """What ``surefill.status`` says."""
        return self.ask("workspace/executeCommand", {"command": "surefill.status"})

    def wait_for_model(self) -> None:
        """Return when the model is loaded; raises MeasurementError when it cannot be."""
        limit = time.monotonic() + _PATIENCE_SECONDS
        while (status := self.status())["state"] != "ready":
            if status["state"] == "failed" or time.monotonic() > limit:
                raise MeasurementError(f"The model is not ready: {status['problem']}")
            time.sleep(0.02)

    def wait_for_reading(self) -> None:
        """Return when the model has read what it reads by itself after a change of a document."""
        time.sleep(_REST_SECONDS)
        limit = time.monotonic() + _PATIENCE_SECONDS
        while self.status()["ahead"]:
            if time.monotonic() > limit:
                raise MeasurementError("The model reads without end.")
            time.sleep(0.02)

    def open(self, uri: str, text: str) -> None:
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": item})

    def close(self, uri: str) -> None:
        self.tell("textDocument/didClose", {"textDocument": {"uri": uri}})

    def insert(self, uri: str, version: int, line: int, character: int, text: str) -> None:
        """Type ``text`` at a position."""
        place = {"line": line, "character": character}
        self.tell(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": version},
                "contentChanges": [{"range": {"start": place, "end": place}, "text": text}],
            },
        )

    def begin_inline(self, uri: str, line: int, character: int, *, explicit: bool = False) -> int:
        """Ask for an inline completion without waiting."""
        return self.begin(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": uri},
                "position": {"line": line, "character": character},
                "context": {"triggerKind": 1 if explicit else 2},
            },
        )

    def inline(self, uri: str, line: int, character: int) -> list[dict[str, Any]]:
        """The items of an inline completion."""
        answer = self.wait(self.begin_inline(uri, line, character))
        items: list[dict[str, Any]] = answer["items"]
        return items

    def _send(self, message: Mapping[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        with self._lock:
            try:
                self._process.stdin.write(framed(body))
                self._process.stdin.flush()
            except OSError as error:
                raise MeasurementError(_GONE) from error

    def _read(self) -> None:
        assert self._process.stdout is not None
        for frame in read_frames(self._process.stdout):
            if isinstance(frame, FrameError):
                continue
            message = json.loads(frame)
            if "method" in message:
                if "id" in message:
                    self._send({"id": message["id"], "result": None})
            elif message.get("id") in self._answers:
                self._answers[message["id"]].put(message)
        for waiting in list(self._answers.values()):
            waiting.put(None)
