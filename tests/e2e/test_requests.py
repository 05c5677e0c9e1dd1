"""Requests with a scripted model: superseded, cancelled, stale, late, failing."""

import pytest

CANCELLED = -32800
LOADED = {"completion": {"deadlineMs": 60_000}, "oracle": {"engine": "off"}}


def document(directive, last="x = "):
    """A document and the position at its end."""
    text = f"# model: {directive}\n{last}"
    return text, (1, len(last))


@pytest.fixture
def editor(scripted):
    started = scripted()
    started.initialize(LOADED)
    started.wait_until_loaded()
    return started


def texts(items):
    return [each["insertText"] for each in items]


def wait_until_generating(editor):
    editor.wait_for_status(lambda status: status["counters"]["model_calls"] > 0)


def test_a_suggestion_is_plain_text_with_a_range_and_a_command(editor):
    text, cursor = document("answer 42")
    (item,) = editor.inline(editor.open(text), *cursor)
    corner = {"line": cursor[0], "character": cursor[1]}
    assert item["insertText"] == "42"
    assert item["range"] == {"start": corner, "end": corner}
    assert item["command"]["command"] == "surefill.accepted"
    (report,) = item["command"]["arguments"]
    assert report["verdicts"]["parses"] == "passed"


def test_in_a_language_that_the_model_was_not_trained_for_it_has_to_be_asked(editor):
    where = {"uri": "file:///project/example.ts", "language": "typescript"}
    uri = editor.open("// # model: answer 42\nlet x = ", **where)
    assert editor.inline(uri, 1, 8) == []
    asked = {"command": "surefill.explain", "arguments": [{"uri": uri}]}
    page = editor.call("workspace/executeCommand", asked)
    assert "The model was not trained for this language." in page
    assert editor.status()["counters"]["model_calls"] == 0
    assert texts(editor.inline(uri, 1, 8, triggerKind=1)) == ["42"]
    editor.change(uri, 2, (1, 8), (1, 8), "4")
    assert texts(editor.inline(uri, 1, 9)) == ["2"]


def test_accepting_is_counted(editor):
    text, cursor = document("answer 42")
    (item,) = editor.inline(editor.open(text), *cursor)
    command = item["command"]
    params = {"command": command["command"], "arguments": command["arguments"]}
    assert editor.call("workspace/executeCommand", params) is None
    assert editor.status()["counters"]["accepted"] == 1


OUTCOMES = ("accepted", "partially_accepted", "rejected")


def outcomes(editor):
    counters = editor.status()["counters"]
    return tuple(counters[name] for name in OUTCOMES)


def test_accepting_a_part_is_seen_in_the_document_once(editor):
    text, (line, column) = document("answer alpha + beta")
    uri = editor.open(text)
    assert editor.inline(uri, line, column)
    editor.change(uri, 2, (line, column), (line, column), "alpha")
    editor.change(uri, 3, (line, column + 5), (line, column + 5), " + ")
    assert outcomes(editor) == (0, 1, 0)
    editor.change(uri, 4, (line, column + 8), (line, column + 8), "!")
    assert outcomes(editor) == (0, 1, 0)


def test_typing_what_is_suggested_is_neither_accepting_nor_rejecting(editor):
    text, (line, column) = document("answer 4711")
    uri = editor.open(text)
    for index, character in enumerate("4711"):
        assert editor.inline(uri, line, column + index)
        at = (line, column + index)
        editor.change(uri, 2 + index, at, at, character)
    assert outcomes(editor) == (0, 0, 0)


def test_an_accepted_suggestion_is_not_rejected_by_what_comes_next(editor):
    text, (line, column) = document("answer 42")
    uri = editor.open(text)
    assert editor.inline(uri, line, column)
    editor.change(uri, 2, (line, column), (line, column), "42")
    editor.call("workspace/executeCommand", {"command": "surefill.accepted", "arguments": []})
    editor.change(uri, 3, (line, column + 2), (line, column + 2), "\n")
    assert outcomes(editor) == (1, 0, 0)


@pytest.mark.parametrize("how", ["typed", "deleted", "elsewhere", "moved", "closed", "replaced"])
def test_what_is_passed_over_is_rejected(editor, how):
    text, (line, column) = document("answer 42")
    uri = editor.open(text)
    assert editor.inline(uri, line, column)
    at = (line, column)
    if how == "typed":
        editor.change(uri, 2, at, at, "7")
    elif how == "deleted":
        editor.change(uri, 2, (line, column - 1), at, "")
    elif how == "elsewhere":
        editor.change(uri, 2, (0, 0), (0, 0), "\n")
    elif how == "moved":
        editor.inline(uri, line, 0)
    elif how == "closed":
        editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    else:
        changes = [{"text": "x = 1\n"}]
        where = {"uri": uri, "version": 2}
        editor.notify("textDocument/didChange", {"textDocument": where, "contentChanges": changes})
    assert outcomes(editor)[2] == 1


def test_nothing_to_show_is_an_empty_list(editor):
    text, cursor = document("answer ")
    message = editor.inline_message(editor.open(text), *cursor)
    editor.send(message)
    assert editor.answer(message["id"])["result"] == {"items": []}


def test_the_feature_is_announced(scripted):
    capabilities = scripted().initialize()["capabilities"]
    assert capabilities["inlineCompletionProvider"] == {}
    assert capabilities["textDocumentSync"]["change"] == 2
    assert set(capabilities["executeCommandProvider"]["commands"]) == {
        "surefill.status",
        "surefill.explain",
        "surefill.accepted",
        "surefill.howToInstall",
    }


def test_a_newer_request_ends_the_older_of_its_document(editor):
    uri = editor.open(document("hang")[0])
    other = editor.open(document("answer 1")[0], uri="file:///project/other.py")
    older = editor.inline_message(uri, 1, 4)
    editor.send(older)
    wait_until_generating(editor)
    newer = editor.inline_message(uri, 1, 4)
    elsewhere = editor.inline_message(other, 1, 4)
    editor.send(newer)
    assert editor.answer(older["id"])["error"]["code"] == CANCELLED
    editor.send(elsewhere, {"method": "$/cancelRequest", "params": {"id": newer["id"]}})
    assert texts(editor.items(elsewhere["id"])) == ["1"]
    assert editor.answer(newer["id"])["error"]["code"] == CANCELLED
    status = editor.status()
    assert status["counters"]["superseded"] == 1
    assert status["live"] == 0


def test_of_many_requests_at_once_only_the_last_lives(editor):
    uri = editor.open(document("hang")[0])
    *older, last = (editor.inline_message(uri, 1, 4) for _ in range(20))
    editor.send(*older, last)
    codes = [editor.answer(each["id"])["error"]["code"] for each in older]
    assert codes == [CANCELLED] * 19
    status = editor.status()
    assert status["live"] == 1
    assert status["counters"]["superseded"] == 19
    editor.notify("$/cancelRequest", {"id": last["id"]})
    assert editor.answer(last["id"])["error"]["code"] == CANCELLED


def test_a_cancelled_request_stops_the_model(editor):
    uri = editor.open(document("hang")[0])
    message = editor.inline_message(uri, 1, 4)
    editor.send(message)
    wait_until_generating(editor)
    editor.notify("$/cancelRequest", {"id": message["id"]})
    assert editor.answer(message["id"])["error"]["code"] == CANCELLED
    # The one worker thread is free again, or this would never be answered.
    other = editor.open(document("answer 1")[0], uri="file:///project/other.py")
    assert texts(editor.inline(other, 1, 4)) == ["1"]


def test_an_edit_elsewhere_stops_the_model_and_leaves_nothing_to_show(editor):
    uri = editor.open(document("hang")[0])
    message = editor.inline_message(uri, 1, 4)
    editor.send(message)
    wait_until_generating(editor)
    editor.change(uri, 2, (0, 0), (0, 0), "# above\n")
    assert editor.items(message["id"]) == []
    assert editor.status()["counters"]["stale"] == 1


def test_closing_the_document_ends_its_request(editor):
    uri = editor.open(document("hang")[0])
    message = editor.inline_message(uri, 1, 4)
    editor.send(message)
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert editor.items(message["id"]) == []


def test_a_request_sees_the_document_as_it_was_when_it_was_sent(editor):
    uri = editor.open("# model: answer 42\nx = ")
    asked = editor.inline_message(uri, 1, 4)
    typed = editor.change_message(uri, 2, (1, 4), (1, 4), "4")
    editor.send(asked, typed)
    items = editor.items(asked["id"])
    # Typed through: what is left of the answer, at the cursor as it is now.
    assert texts(items) == ["2"]
    assert items[0]["range"]["start"] == {"line": 1, "character": 5}


def test_typing_something_else_meanwhile_leaves_nothing_to_show(editor):
    uri = editor.open("# model: answer 42\nx = ")
    asked = editor.inline_message(uri, 1, 4)
    editor.send(asked, editor.change_message(uri, 2, (1, 4), (1, 4), "7"))
    assert editor.items(asked["id"]) == []


def test_typing_through_asks_no_model(editor):
    uri = editor.open("# model: answer call(first, 2)\nx = ")
    whole = "call(first, 2)"
    assert texts(editor.inline(uri, 1, 4)) == [whole]
    calls = editor.status()["counters"]["model_calls"]
    for typed in range(1, 6):
        column = 3 + typed
        editor.change(uri, 1 + typed, (1, column), (1, column), whole[typed - 1])
        assert texts(editor.inline(uri, 1, column + 1)) == [whole[typed:]]
    counters = editor.status()["counters"]
    assert counters["model_calls"] == calls
    assert counters["cache_hits"] == 5


def test_a_late_model_is_not_waited_for(scripted):
    editor = scripted()
    editor.initialize({"completion": {"deadlineMs": 50}})
    editor.wait_until_loaded()
    uri = editor.open(document("hang")[0])
    assert editor.inline(uri, 1, 4) == []
    assert editor.status()["live"] == 0


@pytest.mark.parametrize("fault", ["refuse", "crash"])
def test_a_failing_model_shows_nothing_and_is_logged_once(editor, fault):
    uri = editor.open(document(fault)[0])
    for _ in range(3):
        assert editor.inline(uri, 1, 4) == []
    assert editor.status()["counters"]["failed"] == 3
    errors = [each for each in editor.told("window/logMessage") if each["type"] == 1]
    assert len(errors) == 1
    assert editor.told("window/showMessage") == []
    other = editor.open(document("answer 1")[0], uri="file:///project/other.py")
    assert texts(editor.inline(other, 1, 4)) == ["1"]


def test_what_others_print_does_not_reach_the_editor(editor):
    text, cursor = document("answer 42")
    assert editor.inline(editor.open(text), *cursor)
    assert editor.leave() == 0
    assert any("noise on stdout from the model" in line for line in editor.errors)
    assert any("noise from native code" in line for line in editor.errors)


def test_a_request_while_loading_waits_for_the_model(scripted, tmp_path):
    gate = tmp_path / "gate"
    editor = scripted()
    editor.initialize({"bundle": str(gate), **LOADED})
    text, cursor = document("answer 42")
    message = editor.inline_message(editor.open(text), *cursor)
    editor.send(message)
    assert editor.status()["state"] in ("starting", "loading")
    gate.touch()
    assert texts(editor.items(message["id"])) == ["42"]


def test_a_request_while_loading_can_be_cancelled_and_ends_at_its_deadline(scripted, tmp_path):
    gate = tmp_path / "gate"
    editor = scripted()
    editor.initialize({"bundle": str(gate), "completion": {"deadlineMs": 50}})
    text, cursor = document("answer 42")
    uri = editor.open(text)
    assert editor.inline(uri, *cursor) == []
    first, second = (editor.inline_message(uri, *cursor) for _ in range(2))
    editor.send(first, second)
    assert editor.answer(first["id"])["error"]["code"] == CANCELLED
    assert editor.items(second["id"]) == []
    gate.touch()
    assert editor.wait_until_loaded()["state"] == "ready"


def test_the_completion_menu_s_choice_is_extended(editor):
    text = "# model: answer (1)\nx = pri"
    selected = {
        "range": {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 7}},
        "text": "print",
    }
    items = editor.inline(editor.open(text), 1, 7, selectedCompletionInfo=selected)
    for item in items:
        assert item["range"] == selected["range"]
        assert item["insertText"].startswith("print")
    assert items


@pytest.mark.parametrize(
    ("encoding", "before_units"), [("utf-8", 4 + 6), ("utf-16", 2 + 2), ("utf-32", 1 + 2)]
)
def test_positions_behind_emoji_and_cjk(scripted, encoding, before_units):
    editor = scripted()
    chosen = editor.initialize(LOADED, encodings=[encoding])["capabilities"]["positionEncoding"]
    assert chosen == encoding
    editor.wait_until_loaded()
    line = "'🎉漢字', "
    uri = editor.open(f"# model: answer 42]\nx = [{line}")
    column = 5 + before_units + 4
    (item,) = editor.inline(uri, 1, column)
    assert item["range"]["start"] == {"line": 1, "character": column}
    assert item["insertText"].startswith("42")
    # An edit behind them lands where the editor means it: typing through still fits.
    editor.change(uri, 2, (1, column), (1, column), "4")
    (rest,) = editor.inline(uri, 1, column + 1)
    assert rest["insertText"] == item["insertText"][1:]
