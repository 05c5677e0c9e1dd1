"""The project around a document: excerpts in its prompts, and a memory that follows files."""

import itertools
import os
import sys
import time
from pathlib import Path

import pytest

CLOSE = "textDocument/didClose"
WATCHED = "workspace/didChangeWatchedFiles"
SLOW = {"completion": {"deadlineMs": 60_000}}
PATIENCE = 60.0
TURNS = itertools.count()
SCRIPTED = [sys.executable, str(Path(__file__).parent / "scripted_server.py")]
WATCHES = {"didChangeWatchedFiles": {"dynamicRegistration": True}}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def editor(editors, root):
    """One session for all of it, as an editor has it: tests keep to files of their own."""
    started = editors(SCRIPTED)
    started.initialize(SLOW, folders=[root], workspace=WATCHES)
    started.wait_until_loaded()
    return started


@pytest.fixture
def write(root):
    def file(name, text):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return file


def configure(editor, **settings):
    editor.configure({**SLOW, **settings})


def report(editor, kind, *files):
    """Files were made (1), changed (2) or deleted (3)."""
    editor.notify(WATCHED, {"changes": [{"uri": each.as_uri(), "type": kind} for each in files]})


class Question:
    """A document that asks the scripted model; each time it is a little different."""

    def __init__(self, editor, uri, above=""):
        self.editor, self.uri, self.above = editor, uri, above

    def ask(self, directive):
        text = f"{self.above}# model: {directive}\nx = "
        below = f"\n# {next(TURNS)}"  # another place every time: no choice is settled
        self.editor.open(text + below, self.uri)
        (item,) = self.editor.inline(self.uri, text.count("\n"), 4)
        self.close()
        return item["insertText"]

    def close(self):
        self.editor.notify(CLOSE, {"textDocument": {"uri": self.uri}})

    def until(self, directive, answer):
        """Ask until it is ``answer``: what is fed comes when it comes."""
        give_up = time.monotonic() + PATIENCE
        while (given := self.ask(directive)) != answer:
            assert time.monotonic() < give_up, f"{directive}: {given}"
            time.sleep(0.02)


@pytest.fixture
def question(editor, root):
    return lambda above="": Question(editor, (root / "ask.py").as_uri(), above)


def test_signatures_of_imported_modules_are_in_front(write, question):
    write("shop/till.py", "class Till:\n    def ring_up(self, item): ...\n")
    asked = question("from shop.till import Till\n")
    assert asked.ask("sees def ring_up(self, item)") == "True"
    assert asked.ask("sees def ring_off") == "False"
    assert question().ask("sees ring_up") == "False"


def test_what_is_on_screen_counts_before_what_is_on_disk(editor, write, question):
    file = write("till.py", "def on_disk(): ...\n")
    asked = question("import till\n")
    editor.open("def on_screen(): ...\n", file.as_uri())
    assert asked.ask("sees def on_screen") == "True"
    assert asked.ask("sees def on_disk") == "False"
    editor.notify(CLOSE, {"textDocument": {"uri": file.as_uri()}})
    assert asked.ask("sees def on_disk") == "True"


def test_open_documents_that_look_alike_are_in_front(editor, question):
    text = "model = 1\nsees = 2\nlikeness = 3\nother = 4\nmore = 5\n"
    asked = question()
    for uri, content in (
        ("file:///elsewhere/alike.py", text),
        ("file:///elsewhere/.env", text.replace("likeness", "secret")),
    ):
        editor.open(content, uri)
    assert asked.ask("sees likeness = 3") == "True"
    assert asked.ask("sees secret = 3") == "False"
    assert asked.ask("knows secret = 3") == "False"


@pytest.mark.parametrize(
    ("settings", "seen"),
    [({"context": {"related": False}}, "False"), ({"context": {"related": 7}}, "True")],
)
def test_excerpts_can_be_turned_off(editor, write, question, settings, seen):
    write("off.py", "def ring_up(): ...\n")
    configure(editor, **settings)
    try:
        assert question("import off\n").ask("sees def ring_up") == seen
    finally:
        configure(editor)


def test_files_nobody_can_read_are_passed_over(editor, write, question, root):
    write("bad/fine.py", "def fine(): ...\n")
    (root / "bad" / "binary.py").write_bytes(b"\0\xff" * 100)
    (root / "bad" / "folder.py").mkdir()
    (root / "bad" / "loop.py").symlink_to("loop.py")
    os.mkfifo(root / "bad" / "pipe.py")
    write("bad/huge.py", "x = 1\n" * 100_000)
    write("bad/locked.py", "def locked(): ...\n").chmod(0)
    names = ("binary", "folder", "loop", "pipe", "huge", "locked", "fine")
    asked = question("".join(f"from bad import {name}\n" for name in names))
    assert asked.ask("sees def fine") == "True"
    report(editor, 1, *(root / "bad" / f"{name}.py" for name in names))
    asked.until("knows def fine", "True")


def test_the_memory_follows_open_documents_and_what_happens_on_disk(editor, write, question):
    file, gone = write("names.py", "on_disk = 1\n"), write("gone.py", "soon_gone = 1\n")
    asked = question()
    report(editor, 1, file, gone)
    asked.until("knows soon_gone =", "True")
    uri = editor.open("typed_ = 1\n", file.as_uri())
    asked.until("knows on_disk =", "False")
    for version, character in enumerate("later", start=2):
        editor.change(uri, version, (0, 4 + version), (0, 4 + version), character)
    asked.until("knows typed_later =", "True")
    editor.notify(CLOSE, {"textDocument": {"uri": uri}})
    asked.until("knows on_disk =", "True")
    gone.unlink()
    report(editor, 3, gone)
    asked.until("knows soon_gone =", "False")


def test_another_model_is_fed_anew(editor, write, question):
    report(editor, 1, write("fed.py", "from_disk = 1\n"))
    asked = question()
    editor.open("from_screen = 1\n", "untitled:1")
    for bundle in ("one", "default"):
        configure(editor, bundle=bundle)
        editor.wait_for_status(lambda status, name=bundle: status["bundle"]["name"] == name)
        asked.until("knows from_disk =", "True")
        asked.until("knows from_screen =", "True")


def test_workspace_folders_come_and_go(editor, write, question, root):
    report(editor, 1, write("mine.py", "mine = 1\n"))
    asked = question()
    folder = [{"uri": root.as_uri(), "name": "mine"}]
    for added, removed, known in (([], [], "True"), ([], folder, "False"), (folder, [], "True")):
        change = {"event": {"added": added, "removed": removed}}
        editor.notify("workspace/didChangeWorkspaceFolders", change)
        asked.until("knows mine = 1", known)


def test_an_editor_that_watches_files_was_asked_to(editor):
    asked = [
        registration
        for request in editor.requests
        if request["method"] == "client/registerCapability"
        for registration in request["params"]["registrations"]
    ]
    (files,) = asked
    assert files["method"] == WATCHED
    (watcher,) = files["registerOptions"]["watchers"]
    assert watcher["globPattern"].startswith("**/*.{py,")


def test_malformed_notifications_about_files(editor, question):
    for uri in ("", "nonsense", "file://[", "file:///\0", "file:relative.py", "untitled:x"):
        editor.notify(WATCHED, {"changes": [{"uri": uri, "type": 2}]})
        event = {"added": [{"uri": uri, "name": "x"}], "removed": [{"uri": uri, "name": "x"}]}
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": event})
    editor.notify(WATCHED, {"changes": 7})
    assert question().ask("answer 42") == "42"


def test_after_all_that_nobody_was_bothered_and_the_session_ends_in_order(editor):
    shown = [each["message"] for each in editor.told("window/showMessage")]
    assert all("surefill.context.related" in message for message in shown)
    assert editor.leave() == 0


@pytest.mark.slow
def test_a_project_of_5000_files_is_known_in_part_and_holds_up_nobody(scripted, tmp_path):
    for number in range(50):
        folder = tmp_path / f"p{number}"
        folder.mkdir()
        first = folder / "f0.py"
        first.write_text(f"name{number} = 1\n")
        for copy in range(1, 100):
            (folder / f"f{copy}.py").hardlink_to(first)  # quicker than to write them all
    started = scripted()
    started.initialize(SLOW, folders=[tmp_path])
    started.wait_until_loaded()
    asked = Question(started, (tmp_path / "p7" / "ask.py").as_uri())
    # It takes seconds to feed; meanwhile requests are answered.
    assert int(asked.ask("counts")) < 400
    asked.until("knows name7 = 1", "True")
    assert started.leave() == 0
