"""A server side without a stream: what it sends is collected as JSON."""

import asyncio
import json

import pytest
from lsprotocol import types
from pygls.lsp.server import LanguageServer

from surefill.lsp.client import Client
from surefill.lsp.protocol import SurefillProtocol, lenient_converter


class Sent:
    """A writer that keeps the messages."""

    def __init__(self):
        self.messages = []

    def write(self, data):
        _, body = data.split(b"\r\n\r\n", 1)
        self.messages.append(json.loads(body))

    def close(self):
        pass

    def take(self):
        taken, self.messages = self.messages, []
        return taken

    def notified(self, method):
        return [each["params"] for each in self.messages if each.get("method") == method]


class Session:
    """A bare pygls server with our protocol, and what it sent."""

    def __init__(self):
        self.server = LanguageServer(
            "test", "1", protocol_cls=SurefillProtocol, converter_factory=lenient_converter
        )
        self.protocol = self.server.protocol
        self.sent = Sent()
        self.protocol.set_writer(self.sent)
        self.client = Client(self.server)

    def receive(self, message):
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.protocol.receive(body)

    def request(self, method, params=None, request_id=1):
        message = {"jsonrpc": "2.0", "id": request_id, "method": method}
        self.receive(message if params is None else {**message, "params": params})

    def notify(self, method, params=None):
        message = {"jsonrpc": "2.0", "method": method}
        self.receive(message if params is None else {**message, "params": params})

    def initialize(self, capabilities=None):
        self.request(
            "initialize",
            {"processId": None, "rootUri": None, "capabilities": capabilities or {}},
            request_id=0,
        )
        return self.sent.take()[-1]["result"]

    async def reply(self, method, result=None, error=None):
        """Answer the server's last request ``method``."""
        asked = []
        while not asked:
            await asyncio.sleep(0)
            asked = [each for each in self.sent.messages if each.get("method") == method]
        answer = {"error": error} if error else {"result": result}
        self.receive({"jsonrpc": "2.0", "id": asked[-1]["id"], **answer})
        await asyncio.sleep(0)


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def open_item():
    def make(text, uri="file:///a.py", language="python", version=1):
        return types.TextDocumentItem(uri, language, version, text)

    return make
