"""The wiring: a part that fails must not take the others with it."""

import asyncio
import logging

import pytest
from lsprotocol import types

from surefill.lsp import server as wiring
from surefill.lsp.server import create_server


@pytest.fixture
def no_model():
    def load(settings):
        raise AssertionError("nothing here needs a model")

    return load


def close(server):
    asyncio.run(server.close(1.0))


def test_two_servers_share_nothing(no_model):
    one, other = create_server(no_model), create_server(no_model)
    item = types.TextDocumentItem("file:///a.py", "python", 1, "x")
    one.documents.open(item)
    one.counters.requests += 1
    assert len(other.documents) == 0
    assert other.counters.requests == 0
    close(one)
    close(other)


def test_a_feature_that_cannot_be_set_up_is_logged_and_the_others_go_on(
    no_model, monkeypatch, caplog
):
    def _broken(server):
        raise RuntimeError("no such thing")

    monkeypatch.setattr(wiring, "_configuration", _broken)
    with caplog.at_level(logging.ERROR, "surefill"):
        server = create_server(no_model)
    assert "the feature broken is not available" in caplog.text
    features = server.protocol.fm.features
    assert types.TEXT_DOCUMENT_INLINE_COMPLETION in features
    assert types.WORKSPACE_DID_CHANGE_CONFIGURATION not in features
    close(server)


def test_an_error_inside_is_logged_once_and_never_shown(no_model, monkeypatch, caplog):
    server = create_server(no_model)
    sent = []
    monkeypatch.setattr(server.client, "show", lambda *message: sent.append(message))

    def broken(item):
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(server.documents, "open", broken)
    body = (
        b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument":'
        b'{"uri": "file:///a.py", "languageId": "python", "version": 1, "text": ""}}}'
    )
    server.protocol.receive(
        b'{"jsonrpc": "2.0", "id": 1, "method": "initialize",'
        b' "params": {"processId": null, "capabilities": {}}}'
    )
    with caplog.at_level(logging.ERROR, "surefill"):
        server.protocol.receive(body)
        server.protocol.receive(body)
    (record,) = [each for each in caplog.records if each.name.startswith("surefill")]
    assert "ZeroDivisionError: inside" in record.getMessage()
    assert sent == []
    close(server)
