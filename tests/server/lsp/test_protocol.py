import pytest
from lsprotocol import types

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
NOT_INITIALIZED = -32002


def only_error(session):
    (answer,) = session.sent.take()
    return answer["id"], answer["error"]["code"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"jsonrpc": "2.0", ', b"\xff\xfe\xfa", b"[" * 100_000, b"nothing"],
)
def test_what_is_no_json_is_answered_without_an_id(session, body):
    session.initialize()
    session.receive(body)
    assert only_error(session) == (None, PARSE_ERROR)


@pytest.mark.parametrize(
    "message",
    [
        [],
        [{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}],
        3,
        None,
        {},
        {"jsonrpc": "2.0"},
        {"id": None, "jsonrpc": "2.0", "method": "shutdown"},
        {"id": [1], "jsonrpc": "2.0", "method": "shutdown"},
        {"id": True, "jsonrpc": "2.0", "method": "shutdown"},
    ],
)
def test_what_is_no_message_is_an_invalid_request(session, message):
    session.initialize()
    session.receive(message)
    assert only_error(session) == (None, INVALID_REQUEST)


@pytest.mark.parametrize(
    "message",
    [
        {"id": 7, "jsonrpc": "1.0", "method": "shutdown"},
        {"id": 7, "method": "shutdown"},
        {"id": 7, "jsonrpc": "2.0", "method": {}},
    ],
)
def test_an_id_that_can_be_read_is_answered(session, message):
    session.initialize()
    session.receive(message)
    assert only_error(session) == (7, INVALID_REQUEST)


def test_an_unknown_method_is_not_found_and_an_unknown_notification_ignored(session):
    session.initialize()
    session.request("surefill/unheard", {"a": [1]}, request_id="x")
    assert only_error(session) == ("x", METHOD_NOT_FOUND)
    session.notify("surefill/unheard", {"a": [1]})
    session.notify("$/unheard")
    assert session.sent.take() == []


@pytest.mark.parametrize("params", [None, {}, [], 3, {"textDocument": 1, "position": "x"}])
def test_wrong_parameters_are_answered_with_the_request_s_id(session, params):
    session.initialize()
    session.request("textDocument/inlineCompletion", params, request_id=9)
    request_id, code = only_error(session)
    assert request_id == 9
    assert code in (INVALID_PARAMS, METHOD_NOT_FOUND, -32603)


def test_wrong_parameters_of_a_notification_are_not_answered(session):
    session.initialize()
    session.notify("textDocument/didOpen", {"textDocument": 5})
    session.notify("textDocument/didChange", [1, 2])
    session.notify("$/cancelRequest", {"id": {"a": 1}})
    session.notify("$/cancelRequest", {})
    assert session.sent.take() == []


def test_an_error_in_an_answer_is_never_answered(session):
    session.initialize()
    session.receive({"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": "?"}})
    session.receive({"jsonrpc": "2.0", "id": 99, "result": None})
    session.receive({"jsonrpc": "2.0", "id": [1], "result": None})
    assert session.sent.take() == []


def test_nothing_but_initialize_is_in_order_at_first(session):
    session.request("workspace/executeCommand", {"command": "x"}, request_id=4)
    session.notify("textDocument/didOpen", {"textDocument": {}})
    assert only_error(session) == (4, NOT_INITIALIZED)
    assert session.initialize()["serverInfo"]["name"] == "test"


def test_initialize_is_in_order_once(session):
    session.initialize()
    session.request("initialize", {"processId": None, "capabilities": {}}, request_id=2)
    assert only_error(session) == (2, INVALID_REQUEST)


def test_behind_shutdown_only_exit_is_in_order(session):
    session.initialize()
    session.request("shutdown", request_id=2)
    assert session.sent.take() == [{"jsonrpc": "2.0", "id": 2, "result": None}]
    session.request("shutdown", request_id=3)
    assert only_error(session) == (3, INVALID_REQUEST)
    assert session.protocol.exit_status is None
    session.notify("exit")
    assert session.protocol.exit_status == 0


def test_exit_without_shutdown_is_a_failure(session):
    session.notify("exit")
    assert session.protocol.exit_status == 1


@pytest.mark.parametrize(
    "uri", ["file://[", "not a uri", "", "%%%", "file:///a\x00b", "untitled:x"]
)
def test_folders_that_cannot_be_read_do_not_stop_the_session(session, uri):
    params = {
        "processId": None,
        "capabilities": {},
        "rootUri": uri,
        "workspaceFolders": [{"uri": uri, "name": "a"}],
    }
    session.request("initialize", params, request_id=1)
    assert "result" in session.sent.take()[-1]


@pytest.mark.parametrize("number", [2**32 - 1, 2**63, -1, -(2**40), 1.5])
def test_positions_outside_the_protocol_s_numbers_are_clamped(session, number):
    seen = []

    @session.server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params):
        seen.append(params)

    session.initialize()
    corner = {"line": number, "character": number}
    change = {"range": {"start": corner, "end": corner}, "text": "x"}
    session.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": "file:///a", "version": 2}, "contentChanges": [change]},
    )
    (params,) = seen
    expected = max(0, min(int(number), 2**31 - 1))
    assert params.content_changes[0].range.start == types.Position(expected, expected)


def test_keystrokes_leave_nothing_behind_in_the_protocol(session):
    session.server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(lambda params: None)
    session.initialize()
    change = {"textDocument": {"uri": "file:///a", "version": 2}, "contentChanges": []}
    before = len(session.protocol._request_futures)
    for _ in range(50):
        session.notify("textDocument/didChange", change)
    assert len(session.protocol._request_futures) == before


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, "utf-16"),
        (["utf-8", "utf-16"], "utf-8"),
        (["utf-32", "utf-8"], "utf-32"),
        (["utf-7", "utf-16"], "utf-16"),
        (["utf-7"], "utf-16"),
        ([], "utf-16"),
    ],
)
def test_the_first_encoding_offered_that_is_known_is_taken(session, offered, chosen):
    capabilities = {"general": {"positionEncodings": offered}} if offered is not None else {}
    assert session.initialize(capabilities)["capabilities"]["positionEncoding"] == chosen
    assert session.client.encoding == chosen


@pytest.mark.parametrize(
    "method", ["textDocument/didClose", "workspace/didChangeConfiguration", "exit"]
)
def test_a_notification_with_an_id_is_answered(session, method):
    session.initialize()
    params = {"textDocument": {"uri": "file:///a"}, "settings": {}}
    session.request(method, params, request_id=8)
    assert only_error(session) == (8, INVALID_REQUEST)
    assert session.protocol.exit_status is None


@pytest.mark.parametrize(
    ("sent", "explicit"),
    [((1, 2, 2, 1), (True, False, False, True)), ((0, 1, 0, 1), (True, False, True, False))],
)
def test_triggers_come_in_the_protocols_numbers_or_in_vs_codes_own(session, sent, explicit):
    seen = []

    @session.server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    def answer(params: types.InlineCompletionParams):
        seen.append(params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked)
        return types.InlineCompletionList([])

    session.initialize()
    for number, kind in enumerate(sent):
        params = {
            "textDocument": {"uri": "file:///a"},
            "position": {"line": 0, "character": 0},
            "context": {"triggerKind": kind},
        }
        session.request("textDocument/inlineCompletion", params, request_id=number)
    assert tuple(seen) == explicit
