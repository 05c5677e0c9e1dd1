"""A raw editor: JSON-RPC frames to and from a server in a subprocess, broken ones included."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from small_bundle import SMALL_BUNDLE

PATIENCE = 60.0
"""Seconds until a missing answer fails a test. Not a bound on anything that is tested."""

SERVER = [sys.executable, "-m", "surefill", "lsp"]
SCRIPTED = [sys.executable, str(Path(__file__).parent / "scripted_server.py")]


class Editor:
    """Speaks to one server. Answers what the server asks, collects what it tells.

    Settings that it sends name ``bundle``, unless they name one themselves or it is None.
    """

    def __init__(self, command, environment=None, bundle=None):
        self._bundle = {"bundle": str(bundle)} if bundle else {}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        self.configuration = None
        self.initialized = None
        self.notifications = []
        self.requests = []
        self._answers = queue.Queue()
        self._early = {}
        self._told = threading.Condition()
        self._last_id = 0
        self.errors = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._drain, daemon=True).start()

    # Sending

    def send_bytes(self, data: bytes):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send_body(self, body: bytes):
        self.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def send(self, *messages):
        """Several messages in one write: the server has them all at once."""
        bodies = [json.dumps({"jsonrpc": "2.0", **each}).encode() for each in messages]
        self.send_bytes(b"".join(b"Content-Length: %d\r\n\r\n" % len(b) + b for b in bodies))

    def notification(self, method, params=None):
        return {"method": method, "params": params if params is not None else {}}

    def notify(self, method, params=None):
        self.send(self.notification(method, params))

    def request_message(self, method, params=None):
        self._last_id += 1
        message = {"id": self._last_id, "method": method}
        return message if params is None else {**message, "params": params}

    def request(self, method, params=None):
        message = self.request_message(method, params)
        self.send(message)
        return message["id"]

    # Receiving

    def answer(self, request_id):
        """The whole answer to one request, result or error."""
        while request_id not in self._early:
            message = self._answers.get(timeout=PATIENCE)
            assert message is not None, "the server is gone: " + "".join(self.errors)
            self._early[message.get("id")] = message
        return self._early.pop(request_id)

    def has_answer(self, request_id):
        """Whether the answer to a request has come before the last one that was waited for."""
        return request_id in self._early

    def call(self, method, params=None):
        """Ask and return the result; an error fails the test."""
        answer = self.answer(self.request(method, params))
        assert "error" not in answer, answer
        return answer["result"]

    def told(self, method):
        with self._told:
            return [each["params"] for each in self.notifications if each["method"] == method]

    def wait_until_told(self, method, wanted=lambda params: True):
        """The first notification ``method`` whose parameters are ``wanted``."""
        with self._told:
            found = self._told.wait_for(
                lambda: any(wanted(p) for p in self._params(method)) or self.closed, PATIENCE
            )
            assert found, f"never told {method}"
            return next(p for p in self._params(method) if wanted(p))

    def wait_until_asked(self, method):
        """The server has sent the request ``method``, which is answered already."""
        with self._told:
            found = self._told.wait_for(
                lambda: method in [each["method"] for each in self.requests] or self.closed,
                PATIENCE,
            )
        assert found and not self.closed, f"never asked {method}"

    @property
    def closed(self):
        return self.process.poll() is not None

    def _params(self, method):
        return [each["params"] for each in self.notifications if each["method"] == method]

    def _drain(self):
        for line in self.process.stderr:
            self.errors.append(line.decode(errors="replace"))

    def _read(self):
        stream = self.process.stdout
        while header := stream.readline():
            name, value = header.split(b":")
            assert name == b"Content-Length", header
            while stream.readline().strip():
                pass
            self._take(json.loads(stream.read(int(value))))
        self._answers.put(None)
        with self._told:
            self._told.notify_all()

    def _take(self, message):
        if "method" not in message:
            self._answers.put(message)
            return
        if "id" in message:
            with self._told:
                self.requests.append(message)
                self._told.notify_all()
            settings = self.configuration
            asked = message["method"] == "workspace/configuration"
            self.send({"id": message["id"], "result": [settings] if asked else None})
            return
        with self._told:
            self.notifications.append(message)
            self._told.notify_all()

    # An editor's habits

    def initialize(
        self,
        options=None,
        *,
        encodings=None,
        window=None,
        workspace=None,
        document=None,
        folders=None,
    ):
        capabilities = {
            "general": {"positionEncodings": encodings} if encodings else {},
            "window": window or {},
            "workspace": workspace or {},
            "textDocument": document or {},
        }
        self.initialized = self.call(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": None,
                "capabilities": capabilities,
                "initializationOptions": self._with_bundle(options) or None,
                "workspaceFolders": [
                    {"uri": folder.as_uri(), "name": folder.name} for folder in folders or []
                ],
            },
        )
        self.notify("initialized")
        return self.initialized

    def configure(self, settings):
        """Change the settings: ``settings`` are all that are other than the defaults."""
        told = {"settings": {"surefill": self._with_bundle(settings)}}
        self.notify("workspace/didChangeConfiguration", told)

    def _with_bundle(self, settings):
        return {**self._bundle, **(settings or {})}

    def open(self, text, uri="file:///project/example.py", language="python", version=1):
        self.notify(
            "textDocument/didOpen",
            {
                "textDocument": {
                    "uri": uri,
                    "languageId": language,
                    "version": version,
                    "text": text,
                }
            },
        )
        return uri

    def change_message(self, uri, version, start, end, text):
        span = {"start": position(*start), "end": position(*end)}
        return self.notification(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": version},
                "contentChanges": [{"range": span, "text": text}],
            },
        )

    def change(self, *arguments):
        self.send(self.change_message(*arguments))

    def inline_message(self, uri, line, character, **context):
        return self.request_message(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": uri},
                "position": position(line, character),
                "context": {"triggerKind": 2, **context},
            },
        )

    def inline(self, uri, line, character, **context):
        """The items at a position; the answer must be a list."""
        message = self.inline_message(uri, line, character, **context)
        self.send(message)
        return self.items(message["id"])

    def items(self, request_id):
        answer = self.answer(request_id)
        assert "error" not in answer, answer
        return answer["result"]["items"]

    def status(self):
        return self.call("workspace/executeCommand", {"command": "surefill.status"})

    def wait_for_status(self, wanted):
        """Ask for the status until it is ``wanted``; returns it."""
        give_up = time.monotonic() + PATIENCE
        while not wanted(status := self.status()):
            assert time.monotonic() < give_up, status
            time.sleep(0.02)
        return status

    def wait_until_loaded(self):
        """Loading is over, well or badly."""
        return self.wait_for_status(lambda status: status["state"] in ("ready", "failed"))

    def leave(self):
        """Shut down in order; returns the exit status."""
        assert self.call("shutdown") is None
        self.notify("exit")
        return self.process.wait(PATIENCE)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


def position(line, character):
    return {"line": line, "character": character}


def running_editors():
    """Starts servers; all are gone when the test or the module that asked ends."""
    started = []

    def start(command=None, environment=None, bundle=SMALL_BUNDLE):
        """The real server with a small bundle, or another command, which knows no bundles."""
        started.append(Editor(command or SERVER, environment, None if command else bundle))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture
def start_editor():
    """Start servers that live as long as the test."""
    yield from running_editors()


@pytest.fixture(scope="module")
def editors():
    """Start servers that live as long as the module's tests."""
    yield from running_editors()


@pytest.fixture
def scripted(start_editor):
    """Start an editor whose server's model does what the document's first line says."""
    return lambda **environment: start_editor(SCRIPTED, environment)
