"""A real bundle, end to end: what is shown, what is reused, what stays bounded."""

import functools
import json
import shutil

import psutil
import pytest

from small_bundle import SMALL_BUNDLE

CANCELLED = -32800
PATIENT = {"completion": {"deadlineMs": 60_000}}
INVOKED = {"triggerKind": 1}
FUNCTIONS = (
    "def first(self):\n    return self.first\n\n\n"
    "def second(self):\n    return self.second\n\n\n"
    "def third(self):\n    return self."
)


@pytest.fixture(scope="module")
def shared(editors):
    started = editors()
    started.initialize(PATIENT)
    status = started.wait_until_loaded()
    assert status["state"] == "ready", status
    return started


def close(editor, uri):
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


def end(text):
    return text.count("\n"), len(text) - text.rfind("\n") - 1


def suggest(editor, text, **context):
    """The first suggestion at the end of ``text``, in a document of its own."""
    uri = editor.open(text)
    items = editor.inline(uri, *end(text), **(context or INVOKED))
    close(editor, uri)
    return items[0]["insertText"] if items else None


def test_the_status_names_the_bundle_and_its_provider(shared):
    status = shared.status()
    manifest = json.loads((SMALL_BUNDLE / "bundle.json").read_text())
    assert status["bundle"] == {"name": manifest["name"], "version": manifest["version"]}
    assert status["provider"] in ("cpu", "cuda")
    assert status["problem"] == ""


def test_a_suggestion_continues_repetitive_code(shared):
    suggestion = suggest(shared, FUNCTIONS)
    assert suggestion
    assert suggestion.isprintable()


def test_typing_through_a_suggestion_asks_no_model(shared):
    uri = shared.open(FUNCTIONS)
    line, column = end(FUNCTIONS)
    (item, *_) = shared.inline(uri, line, column, **INVOKED)
    suggestion = item["insertText"].partition("\n")[0]
    before = shared.status()["counters"]
    for typed, character in enumerate(suggestion[:-1], 1):
        at = (line, column + typed - 1)
        shared.change(uri, 1 + typed, at, at, character)
        (rest, *_) = shared.inline(uri, line, column + typed, **INVOKED)
        assert rest["insertText"] == item["insertText"][typed:]
    after = shared.status()["counters"]
    assert after["model_calls"] == before["model_calls"]
    assert after["cache_hits"] - before["cache_hits"] == len(suggestion) - 1
    close(shared, uri)


def test_typing_on_computes_only_what_was_typed(shared):
    text = "".join(f"def number_{n}():\n    return {n}\n\n\n" for n in range(20))
    uri = shared.open(text)
    line, _ = end(text)
    shared.inline(uri, line, 0, **INVOKED)
    before = shared.status()["counters"]
    shared.change(uri, 2, (line, 0), (line, 0), "zebra = ")
    shared.inline(uri, line, 8, **INVOKED)
    after = shared.status()["counters"]
    prompt = after["prompt_tokens"] - before["prompt_tokens"]
    assert prompt > 100
    assert prompt - (after["reused_tokens"] - before["reused_tokens"]) < prompt / 2
    close(shared, uri)


@pytest.mark.parametrize(
    ("encoding", "codec", "width"),
    [("utf-8", "utf-8", 1), ("utf-16", "utf-16-le", 2), ("utf-32", "utf-32-le", 4)],
)
def test_the_same_place_gets_the_same_suggestion_in_every_encoding(
    shared, start_editor, encoding, codec, width
):
    text = FUNCTIONS.replace("return", "label = '🎉🎉漢字é'; return")
    row, line = text.count("\n"), text.rpartition("\n")[2]
    editor = start_editor()
    editor.initialize(PATIENT, encodings=[encoding])
    editor.wait_until_loaded()
    column = len(line.encode(codec)) // width
    # The rest of the line goes by an edit behind emoji and CJK, which has to land there.
    uri = editor.open(text + "🎉x")
    editor.change(uri, 2, (row, column), (row, column + 99), "")
    shown = [each["insertText"] for each in editor.inline(uri, row, column, **INVOKED)]
    uri = shared.open(text)
    expected = shared.inline(uri, row, len(line.encode("utf-16-le")) // 2, **INVOKED)
    close(shared, uri)
    assert shown, "nothing to compare"
    assert shown == [each["insertText"] for each in expected]


def test_of_two_requests_at_once_only_the_newer_keeps_the_model_busy(shared):
    def generated():
        return shared.status()["counters"]["generated_tokens"]

    start = generated()
    uri = shared.open(FUNCTIONS)
    expected = shared.inline(uri, *end(FUNCTIONS), **INVOKED)
    close(shared, uri)
    alone = generated() - start
    shared.open(FUNCTIONS)  # closing forgot the answer
    older, newer = (shared.inline_message(uri, *end(FUNCTIONS), **INVOKED) for _ in range(2))
    shared.send(older, newer)
    assert shared.answer(older["id"])["error"]["code"] == CANCELLED
    assert shared.items(newer["id"]) == expected
    # What the older one still cost: 50 ms of the model's time are more than 10 tokens.
    assert generated() - start - 2 * alone <= 10
    close(shared, uri)


SPECIAL = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>", "<|file_sep|>"]


def test_special_tokens_in_user_text_are_ordinary_text(shared):
    def prompt_tokens(text):
        before = shared.status()["counters"]["prompt_tokens"]
        suggestion = suggest(shared, text)
        assert not any(token in (suggestion or "") for token in SPECIAL)
        return shared.status()["counters"]["prompt_tokens"] - before

    base = FUNCTIONS
    marked = "".join(f"# {token} {token}\n" for token in SPECIAL * 4) + base
    # As special tokens they would be one each; as text they are several.
    assert prompt_tokens(marked) - prompt_tokens(base) > 40 * 3


@pytest.mark.slow
def test_twenty_documents_opened_and_closed_leave_nothing_behind(shared):
    process = psutil.Process(shared.process.pid)

    def round_of_documents(number):
        uris = [f"file:///project/round_{number}/module_{n}.py" for n in range(20)]
        body = "".join(f"def f{number}_{n}():\n    return {n}\n" for n in range(300))
        for uri in uris:
            shared.open(body, uri=uri)
            shared.change(uri, 2, (0, 0), (0, 0), "import os\n")
        shared.inline(uris[0], 1, 0)
        assert shared.status()["documents"] == 20
        for uri in uris:
            close(shared, uri)
        status = shared.status()
        assert (status["documents"], status["live"]) == (0, 0)
        return process.memory_info().rss

    for number in range(3):  # what is loaded once, and what caches may hold
        before = round_of_documents(number)
    for number in range(3, 10):
        after = round_of_documents(number)
    assert after - before < 20 * 2**20


def test_a_document_of_50_000_lines(shared):
    block = "def number_{0}():\n    value = {0}\n    return value\n\n\n"
    text = "".join(block.format(n) for n in range(10_000))
    uri = shared.open(text)
    middle = 5 * 5_000 + 2
    version = 1
    for typed, character in enumerate("    return val"[4:], 1):
        version += 1
        at = (middle, 10 + typed)
        shared.change(uri, version, at, at, character)
    shared.change(uri, version + 1, (middle, 4), (middle, 99), "ret")
    message = shared.inline_message(uri, middle, 7, **INVOKED)
    shared.send(message)
    # The loop answers while the worker parses a megabyte.
    status = shared.status()
    assert (status["documents"], status["live"]) == (1, 1)
    for item in shared.items(message["id"]):
        assert item["range"]["end"] == {"line": middle, "character": 7}
    close(shared, uri)


def broken_bundles(folder):
    """A missing, several damaged and several foreign bundles, with a word of the message each."""
    yield folder / "missing", "no bundle"

    def copy(name):
        shutil.copytree(SMALL_BUNDLE, folder / name)
        return folder / name

    damaged = copy("damaged")
    with (damaged / "model.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    yield damaged, "damaged"
    incomplete = copy("incomplete")
    (incomplete / "tokenizer.json").unlink()
    yield incomplete, "tokenizer.json"
    torn = copy("torn")
    (torn / "bundle.json").write_text((torn / "bundle.json").read_text()[:50])
    yield torn, "not valid JSON"
    newer = copy("newer")
    manifest = json.loads((newer / "bundle.json").read_text())
    (newer / "bundle.json").write_text(json.dumps({**manifest, "schema": 99}))
    yield newer, "schema"
    foreign = folder / "foreign"
    foreign.mkdir()
    (foreign / "config.json").write_text("{}")
    yield foreign, "not a bundle"


def has_problem(word, status):
    return word in status["problem"]


def test_broken_bundles_are_one_message_each_and_a_good_one_mends_it(start_editor, tmp_path):
    editor = start_editor()
    bundles = list(broken_bundles(tmp_path))
    editor.initialize({"bundle": str(bundles[0][0])})
    uri = editor.open(FUNCTIONS)
    for path, word in bundles:
        editor.configure({"bundle": str(path), **PATIENT})
        editor.wait_for_status(functools.partial(has_problem, word))
        assert editor.inline(uri, *end(FUNCTIONS), **INVOKED) == []
    messages = [each["message"] for each in editor.told("window/showMessage")]
    assert len(messages) == len(bundles)
    assert all(word in message for (_, word), message in zip(bundles, messages, strict=True))
    editor.configure(PATIENT)
    editor.wait_for_status(lambda status: status["state"] == "ready")
    assert editor.inline(uri, *end(FUNCTIONS), **INVOKED)
    assert editor.leave() == 0
