"""Malformed and hostile messages: the server lives, answers the next request, shows no popup."""

import json
import sys
from pathlib import Path

import pytest

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
TEXT = "# model: answer 42\nx = "
OPEN, CHANGE, CLOSE = ("textDocument/did" + each for each in ("Open", "Change", "Close"))
INLINE = "textDocument/inlineCompletion"
SCRIPTED = [sys.executable, str(Path(__file__).parent / "scripted_server.py")]


@pytest.fixture(scope="module")
def victim(editors):
    """One server for all of it: what one message breaks must not be mended by a restart."""
    started = editors(SCRIPTED)
    started.initialize()
    started.wait_until_loaded()
    return started


@pytest.fixture
def editor(victim):
    yield victim
    # Whatever was sent: the server still serves, and nobody was bothered.
    uri = victim.open(TEXT, uri="file:///project/after.py")
    assert [each["insertText"] for each in victim.inline(uri, 1, 4)] == ["42"]
    victim.notify(CLOSE, {"textDocument": {"uri": uri}})
    assert victim.told("window/showMessage") == []


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: 9\r\n\r\nnot json!",
        b"Content-Length: 3\r\n\r\n\xff\xfe\xfd",
        b"Content-Length: 0\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 99999999999999\r\n\r\n{}\r\n",
        b"Content-Length: 1\r\n\r\n" + json.dumps({"longer": "than announced"}).encode(),
    ],
)
def test_frames_that_cannot_be_read(editor, data):
    editor.send_bytes(data)
    assert editor.answer(None)["error"]["code"] == PARSE_ERROR


@pytest.mark.parametrize(
    "data",
    [b"\r\n\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", bytes(range(256)) + b"\r\n"],
)
def test_noise_between_frames(editor, data):
    editor.send_bytes(data)


@pytest.mark.parametrize(
    "message", [[], 1, "x", {}, {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "id": {}, "method": "x"}]
)
def test_bodies_that_are_no_messages(editor, message):
    editor.send_body(json.dumps(message).encode())
    assert editor.answer(None)["error"]["code"] == INVALID_REQUEST


def test_a_body_nested_deeper_than_the_parser_goes(editor):
    editor.send_body(b"[" * 1_000_000)
    assert editor.answer(None)["error"]["code"] == PARSE_ERROR


def test_unknown_methods_and_commands(editor):
    assert editor.answer(editor.request("no/such", {}))["error"]["code"] == METHOD_NOT_FOUND
    editor.notify("no/such", {"a": None})
    unknown = editor.request("workspace/executeCommand", {"command": "rm"})
    assert "error" in editor.answer(unknown)


@pytest.mark.parametrize(
    "params",
    [
        {},
        [],
        "text",
        {"textDocument": None, "position": None, "context": None},
        {"textDocument": {"uri": []}, "position": {"line": "a"}, "context": {}},
    ],
)
def test_wrong_types_in_a_request_are_an_error_in_its_answer(editor, params):
    assert "error" in editor.answer(editor.request(INLINE, params))


@pytest.mark.parametrize("method", [OPEN, CHANGE, CLOSE, "$/cancelRequest", "$/setTrace"])
@pytest.mark.parametrize("params", [{}, [], 7, {"textDocument": 1, "contentChanges": 2, "id": {}}])
def test_wrong_types_in_notifications(editor, method, params):
    editor.notify(method, params)


@pytest.mark.parametrize("value", [-1, -(2**40), 2**31, 2**32 - 1, 2**63])
def test_positions_beyond_the_protocol_s_numbers(editor, value):
    uri = editor.open(TEXT)
    editor.change(uri, 2, (value, value), (value, value), "")
    items = editor.inline(uri, value, value)
    assert isinstance(items, list)


@pytest.mark.parametrize("uri", ["", "nonsense", "file://[", "%%%", "file:///\x00", "a" * 100_000])
def test_uris_that_are_none(editor, uri):
    editor.open(TEXT, uri=uri)
    assert [each["insertText"] for each in editor.inline(uri, 1, 4)] == ["42"]
    editor.notify(CLOSE, {"textDocument": {"uri": uri}})


def test_documents_that_are_not_open(editor):
    editor.change("file:///unknown.py", 1, (0, 0), (0, 0), "x")
    editor.notify(CLOSE, {"textDocument": {"uri": "file:///unknown.py"}})
    assert editor.inline("file:///unknown.py", 0, 0) == []


def test_opening_and_closing_twice(editor):
    uri = "file:///project/twice.py"
    editor.open("other text", uri=uri)
    editor.open(TEXT, uri=uri)
    assert [each["insertText"] for each in editor.inline(uri, 1, 4)] == ["42"]
    for _ in range(2):
        editor.notify(CLOSE, {"textDocument": {"uri": uri}})
    assert editor.inline(uri, 1, 4) == []


def test_ranges_outside_the_document_and_swapped(editor):
    uri = editor.open(TEXT)
    # From the second line's "x " on, backwards: all before it goes.
    editor.change(uri, 2, (1, 2), (0, 0), "# model: answer 7\nx ")
    editor.change(uri, 3, (90, 1), (99, 0), "")
    items = editor.inline(uri, 99, 99)
    assert [each["insertText"] for each in items] == ["7"]
    end = {"line": 1, "character": 4}
    assert items[0]["range"] == {"start": end, "end": end}


@pytest.mark.parametrize(
    "text",
    ["\ud83d", "x = '\ude00\ud83d'\n", "\x00\x01\x02", "\u2028\x0c\x85", "\r\r\n\n\r", "\ufeffx"],
)
def test_junk_in_a_document(editor, text):
    uri = editor.open(text)
    for line in range(3):
        editor.inline(uri, line, 1)
    editor.change(uri, 2, (0, 0), (0, 1), "\udfff")
    assert isinstance(editor.inline(uri, 0, 1), list)


def test_a_line_of_a_megabyte(editor):
    uri = editor.open("x = [" + "'é🎉', " * 150_000)
    editor.change(uri, 2, (0, 900_000), (0, 900_000), "1, ")
    assert isinstance(editor.inline(uri, 0, 900_003), list)


def test_answers_nobody_asked_for(editor):
    editor.send({"id": 99, "result": None}, {"id": "x", "error": {"code": 1, "message": "?"}})
    editor.send_body(b'{"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": "?"}}')
    editor.send_body(b'{"jsonrpc": "2.0", "id": [1], "result": 0}')


def test_cancelling_what_is_not_there(editor):
    editor.notify("$/cancelRequest", {"id": 12345})
    editor.notify("$/cancelRequest", {"id": "x"})


def test_a_second_initialize(editor):
    again = editor.request("initialize", {"processId": None, "capabilities": {}})
    assert editor.answer(again)["error"]["code"] == INVALID_REQUEST


def test_requests_before_initialize_and_behind_shutdown(scripted):
    editor = scripted()
    early = editor.request("workspace/executeCommand", {"command": "surefill.status"})
    assert editor.answer(early)["error"]["code"] == -32002
    editor.open(TEXT)
    editor.initialize()
    assert editor.status()["documents"] == 0
    assert editor.call("shutdown") is None
    late = editor.request(INLINE, {})
    assert "error" in editor.answer(late)
    editor.notify("exit")
    assert editor.process.wait(60) == 0


@pytest.mark.parametrize("uri", ["file://[", "nonsense", "\x00"])
def test_a_workspace_that_cannot_be_read(scripted, uri):
    editor = scripted()
    folders = [{"uri": uri, "name": "x"}]
    params = {"processId": -5, "capabilities": {}, "rootUri": uri, "workspaceFolders": folders}
    editor.call("initialize", params)
    editor.notify("initialized")
    assert editor.status()["documents"] == 0


def test_after_all_that_the_session_ends_in_order(victim):
    assert victim.leave() == 0
