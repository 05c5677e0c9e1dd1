"""What the model does while nobody asks: when it reads, and that nothing waits for it."""

import time

import pytest

PATIENT = {"completion": {"deadlineMs": 60_000, "minConfidence": 0.0}}
BODY = "".join(f"def number_{n}():\n    return {n}\n\n\n" for n in range(30))
ANSWER = "# model: answer 42\nx = "
QUIET = 0.5
"""Seconds in which whatever was going to begin has begun."""


@pytest.fixture
def shipped(start_editor):
    """Start an editor with the bundle that ships and some settings."""

    def start(**engine):
        editor = start_editor()
        editor.initialize({**PATIENT, "engine": engine})
        assert editor.wait_until_loaded()["state"] == "ready"
        return editor

    return start


@pytest.fixture
def reading(scripted):
    """An editor whose model reads ahead until it is stopped; ``ahead`` waits until it does."""

    def start(**settings):
        editor = scripted(SUREFILL_TEST_READS="1")
        editor.initialize({"completion": {"deadlineMs": 60_000}, **settings})
        editor.wait_until_loaded()
        return editor

    return start


def ahead(editor, *, at_work=True):
    return editor.wait_for_status(lambda status: status["ahead"] == at_work)


def have_read(editor, times=1):
    return editor.wait_for_status(
        lambda status: status["counters"]["read_aheads"] >= times and not status["ahead"]
    )


def close(editor, uri):
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


def tokens_of(editor, uri, line, character):
    """Tokens of the prompt, of those that were there, and of those that were read ahead."""
    names = "prompt_tokens", "reused_tokens", "ahead_tokens"
    before = editor.status()["counters"]
    editor.inline(uri, line, character)
    after = editor.status()["counters"]
    return [after[name] - before[name] for name in names]


def test_an_opened_document_is_read_to_its_end(shipped):
    editor = shipped()
    uri = editor.open(BODY)
    have_read(editor)
    prompt, reused, read = tokens_of(editor, uri, BODY.count("\n"), 0)
    assert prompt > 100
    assert prompt - reused < 20
    assert prompt - read < 20


def test_a_document_that_was_open_before_the_model_was_there_is_read_then(start_editor):
    editor = start_editor()
    editor.initialize(PATIENT)
    uri = editor.open(BODY)
    have_read(editor)
    prompt, _, read = tokens_of(editor, uri, BODY.count("\n"), 0)
    assert prompt - read < 20


def test_the_prompt_is_read_where_the_last_edit_was(shipped):
    editor = shipped()
    uri = editor.open(BODY)
    have_read(editor)
    editor.change(uri, 2, (61, 14), (61, 14), " +")
    have_read(editor, 2)
    prompt, reused, read = tokens_of(editor, uri, 61, 16)
    assert prompt > 100
    assert prompt - reused < 20
    assert read > prompt / 2


def test_the_prompt_is_read_where_a_request_says_that_the_cursor_is(shipped):
    editor = shipped()
    uri = editor.open(BODY)
    have_read(editor)
    at = {"line": 61, "character": 13}
    editor.call(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": uri},
            "range": {"start": at, "end": at},
            "context": {"diagnostics": [], "triggerKind": 2},
        },
    )
    have_read(editor, 2)
    prompt, reused, _ = tokens_of(editor, uri, 61, 13)
    assert prompt - reused < 20


def test_another_document_that_is_opened_takes_no_known_place_s_prompt(shipped):
    editor = shipped()
    uri = editor.open(BODY)
    editor.change(uri, 2, (61, 14), (61, 14), " +")
    have_read(editor)
    editor.open(BODY.replace("number", "other"), uri="file:///project/other.py")
    time.sleep(QUIET)
    ahead(editor, at_work=False)
    prompt, reused, _ = tokens_of(editor, uri, 61, 16)
    assert prompt - reused < 20


def test_what_follows_a_suggestion_of_one_line_is_known_when_it_is_accepted(shipped):
    editor = shipped()
    text = BODY + "def number_30():\n    "
    uri = editor.open(text)
    line, column = text.count("\n"), 4
    (item, *_) = editor.inline(uri, line, column)
    assert "\n" not in item["insertText"]
    editor.wait_for_status(lambda status: status["counters"]["follow_ups"] == 1)
    before = editor.status()["counters"]
    editor.change(uri, 2, (line, column), (line, column), item["insertText"])
    editor.inline(uri, line, column + len(item["insertText"]))
    after = editor.status()["counters"]
    assert after["cache_hits"] - before["cache_hits"] == 1
    assert after["model_calls"] == before["model_calls"]


@pytest.mark.parametrize("engine", [{"readAhead": "off"}, {"onBattery": True}])
def test_the_settings_turn_it_off_and_on_without_loading_the_model_again(shipped, engine):
    editor = shipped(**engine)
    uri = editor.open(BODY)
    editor.change(uri, 2, (61, 14), (61, 14), " +")
    time.sleep(QUIET)
    counters = editor.status()["counters"]
    assert (counters["read_aheads"], counters["follow_ups"]) == (0, 0)
    settings = {"surefill": {**PATIENT, "engine": {"readAhead": "on", "onBattery": True}}}
    editor.notify("workspace/didChangeConfiguration", {"settings": settings})
    editor.change(uri, 3, (61, 16), (61, 16), " 1")
    have_read(editor)
    loaded = [each for each in editor.told("window/logMessage") if "on cpu in" in each["message"]]
    assert len(loaded) <= 1


def test_a_language_without_suggestions_is_not_read(reading):
    editor = reading(disabledLanguages=["python"])
    uri = editor.open(ANSWER)
    editor.change(uri, 2, (1, 4), (1, 4), "1")
    time.sleep(QUIET)
    assert not editor.status()["ahead"]
    settings = {"surefill": {"disabledLanguages": []}}
    editor.notify("workspace/didChangeConfiguration", {"settings": settings})
    editor.change(uri, 3, (1, 5), (1, 5), "2")
    ahead(editor)


def test_a_request_ends_a_reading_that_would_not_end_by_itself(reading):
    editor = reading()
    uri = editor.open(ANSWER)
    ahead(editor)
    assert [item["insertText"] for item in editor.inline(uri, 1, 4)] == ["42"]


def test_a_reading_that_a_request_ended_does_not_begin_again(reading):
    editor = reading()
    uri = editor.open(ANSWER)
    ahead(editor)
    editor.inline(uri, 1, 4, triggerKind=1)
    time.sleep(QUIET)
    assert editor.status()["ahead"] is False


def test_a_request_ends_a_follow_up_that_would_not_end_by_itself(reading):
    editor = reading()
    uri = editor.open("# model: once 42\nx = ")
    assert [item["insertText"] for item in editor.inline(uri, 1, 4)] == ["42"]
    ahead(editor)
    other = editor.open(ANSWER, uri="file:///project/other.py")
    assert [item["insertText"] for item in editor.inline(other, 1, 4)] == ["42"]


def test_an_answer_from_the_cache_does_not_end_what_goes_on(reading):
    editor = reading()
    other = editor.open("y = ", uri="file:///project/other.py")
    uri = editor.open(ANSWER)
    ahead(editor)
    editor.inline(uri, 1, 4, triggerKind=1)
    calls = editor.status()["counters"]["model_calls"]
    # A question tells where the cursor is, and changes nothing that the answer rests on.
    at_end = {"line": 0, "character": 4}
    editor.call("textDocument/completion", {"textDocument": {"uri": other}, "position": at_end})
    ahead(editor)
    assert [item["insertText"] for item in editor.inline(uri, 1, 4, triggerKind=1)] == ["42"]
    status = editor.status()
    assert status["ahead"]
    assert status["counters"]["model_calls"] == calls


def test_a_newer_place_takes_the_turn(reading):
    editor = reading()
    uri = editor.open("x = \ny = \n")
    ahead(editor)
    editor.change(uri, 2, (0, 4), (0, 4), "1 + ")
    editor.wait_for_status(lambda status: status["counters"]["read_aheads"] == 1)
    ahead(editor)


def test_nothing_is_read_of_a_closed_document(reading):
    editor = reading()
    uri = editor.open(ANSWER)
    ahead(editor)
    close(editor, uri)
    assert not editor.status()["ahead"]
    editor.open(ANSWER)
    ahead(editor)
    editor.change(uri, 2, (1, 4), (1, 4), "1")
    close(editor, uri)
    time.sleep(QUIET)
    assert not editor.status()["ahead"]


def test_another_bundle_ends_the_reading_and_reads_itself(reading):
    editor = reading(bundle="first")
    uri = editor.open(ANSWER)
    ahead(editor)
    settings = {"surefill": {"bundle": "second", "completion": {"deadlineMs": 60_000}}}
    editor.notify("workspace/didChangeConfiguration", {"settings": settings})
    editor.wait_for_status(lambda s: s["bundle"]["name"] == "second" and s["state"] == "ready")
    ahead(editor)
    assert [item["insertText"] for item in editor.inline(uri, 1, 4)] == ["42"]


@pytest.mark.parametrize("ending", ["shutdown", "exit"])
def test_a_reading_does_not_keep_the_process_alive(reading, ending):
    editor = reading()
    editor.open(ANSWER)
    ahead(editor)
    if ending == "shutdown":
        assert editor.leave() == 0
    else:
        editor.notify("exit")
        assert editor.process.wait(60) == 1
