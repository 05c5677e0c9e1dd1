"""A memory is kept in step with what is open and what is on disk, whatever happens to files."""

import inspect
import threading

import pytest

from surefill.completion import feed as module
from surefill.completion.feed import ProjectFeed
from surefill.engine.ngrams.cache import TokenCache
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for

PATIENCE = 30.0


class Recorded:
    """A memory that only writes down what it would know."""

    def __init__(self):
        self.texts = {}
        self.updates = 0
        self._changed = threading.Condition()

    def update(self, uri, text):
        with self._changed:
            self.texts[uri] = text
            self.updates += 1
            self._changed.notify_all()
        if "poison" in text:
            raise RuntimeError("the memory fails")

    def remove(self, uri):
        with self._changed:
            self.texts.pop(uri, None)
            self._changed.notify_all()

    def wait_for(self, texts):
        with self._changed:
            reached = self._changed.wait_for(lambda: self.texts == texts, PATIENCE)
        assert reached, f"knows {self.texts}"


@pytest.fixture
def feed(monkeypatch):
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)
    made = ProjectFeed()
    yield made
    made.close()


@pytest.fixture
def memory(feed):
    recorded = Recorded()
    feed.serve(recorded, frozenset({"python"}))
    return recorded


@pytest.fixture
def write(tmp_path):
    def file(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return file


def shown(path, text, uri=None):
    return Document(uri or path.as_uri(), language_for(None, path.name), text).snapshot(), path


def test_a_project_is_fed_and_what_is_open_counts_before_what_is_on_disk(
    feed, memory, write, tmp_path
):
    a, b = write("a.py", "disk a\n"), write("in/b.py", "disk b\n")
    write("notes.txt", "no code\n")
    write("binary.py", "\0\n")
    feed.show(*shown(a, "screen a\n"))
    feed.explore([tmp_path])
    memory.wait_for({a.as_uri(): "screen a\n", b.as_uri(): "disk b\n"})
    feed.show(*shown(b, "screen b\n"))
    memory.wait_for({a.as_uri(): "screen a\n", b.as_uri(): "screen b\n"})
    feed.hide(a.as_uri())
    b.unlink()
    feed.hide(b.as_uri())
    memory.wait_for({a.as_uri(): "disk a\n"})


def test_an_editor_s_own_spelling_of_a_uri_does_not_make_two_of_a_file(
    feed, memory, write, tmp_path
):
    file = write("a.py", "disk\n")
    feed.explore([tmp_path])
    memory.wait_for({file.as_uri(): "disk\n"})
    spelled = file.as_uri().replace("a.py", "%61.py")
    feed.show(*shown(file, "screen\n", spelled))
    memory.wait_for({spelled: "screen\n"})
    feed.hide(spelled)
    memory.wait_for({file.as_uri(): "disk\n"})


def test_documents_outside_the_project_are_forgotten_when_they_are_closed(
    feed, memory, write, tmp_path
):
    outside = write("outside/a.py", "x\n")
    library = write("project/.venv/b.py", "x\n")
    feed.explore([tmp_path / "project"])
    unsaved = Document("untitled:1", language_for("python", None), "y\n").snapshot()
    feed.show(unsaved, None)
    feed.show(*shown(outside, "x\n"))
    feed.show(*shown(library, "x\n"))
    memory.wait_for({"untitled:1": "y\n", outside.as_uri(): "x\n", library.as_uri(): "x\n"})
    for uri in ("untitled:1", outside.as_uri(), library.as_uri(), "file:///never/open.py"):
        feed.hide(uri)
    memory.wait_for({})


def test_languages_and_files_that_are_not_wanted(feed, memory, write, tmp_path):
    write("b.js", "let b\n")
    write("secrets.py", "key = 1\n")
    feed.explore([tmp_path])
    feed.show(*shown(tmp_path / "open.js", "let a\n"))
    feed.show(*shown(tmp_path / "credentials.py", "key = 2\n"))
    feed.show(*shown(tmp_path / "last.py", "x\n"))
    memory.wait_for({(tmp_path / "last.py").as_uri(): "x\n"})
    assert memory.updates == 1


def test_files_that_are_made_changed_and_deleted(feed, memory, write, tmp_path):
    a = write("a.py", "1\n")
    feed.explore([tmp_path])
    memory.wait_for({a.as_uri(): "1\n"})
    write("a.py", "2\n")
    b, ignored = write("b.py", "b\n"), write(".tox/c.py", "c\n")
    feed.changed([a, b, ignored, tmp_path / "gone.py"])
    memory.wait_for({a.as_uri(): "2\n", b.as_uri(): "b\n"})
    a.unlink()
    feed.changed([a])
    memory.wait_for({b.as_uri(): "b\n"})


def test_after_many_changes_the_project_is_looked_through_again(feed, memory, write, tmp_path):
    files = [write(f"f{n}.py", "old\n") for n in range(150)]
    feed.explore([tmp_path])
    memory.wait_for({file.as_uri(): "old\n" for file in files})
    for file in files[:140]:
        file.unlink()
    new = write("new.py", "new\n")
    feed.changed(files)
    memory.wait_for({new.as_uri(): "new\n"} | {file.as_uri(): "old\n" for file in files[140:]})
    feed.explore([])
    memory.wait_for({})


def test_only_so_much_is_fed(feed, memory, write, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 5)
    monkeypatch.setattr(module, "MOST_CHARACTERS", 100)
    near = [write(f"near/f{n}.py", "x\n") for n in range(3)]
    for n in range(10):
        write(f"far/f{n}.py", "x\n")
    feed.show(*shown(near[0], "x\n"))
    feed.explore([tmp_path])
    wanted = {file.as_uri(): "x\n" for file in near}
    wanted |= {(tmp_path / f"far/f{n}.py").as_uri(): "x\n" for n in range(3)}
    memory.wait_for(wanted)
    feed.changed([tmp_path / "far/f9.py"])
    feed.hide(near[0].as_uri())  # there is no room for it, now that it is not open
    del wanted[near[0].as_uri()]
    memory.wait_for(wanted)


def test_files_that_come_back_take_room_like_any_other(feed, memory, write, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 2)
    names = [f"{letter}.py" for letter in "abcd"]
    files = [write(name, "x\n") for name in names[:2]]
    feed.explore([tmp_path])
    memory.wait_for({file.as_uri(): "x\n" for file in files})
    for file in files:
        file.unlink()
    feed.explore([tmp_path])
    memory.wait_for({})
    feed.changed([write(name, "back\n") for name in names])
    feed.show(Document("untitled:1", language_for("python", None), "last\n").snapshot(), None)
    memory.wait_for({**{file.as_uri(): "back\n" for file in files}, "untitled:1": "last\n"})


def test_another_memory_gets_all_of_it_and_the_first_nothing_more(feed, memory, write, tmp_path):
    a, b = write("a.py", "a\n"), write("b.py", "b\n")
    feed.show(*shown(a, "screen\n"))
    feed.explore([tmp_path])
    known = {a.as_uri(): "screen\n", b.as_uri(): "b\n"}
    memory.wait_for(known)
    updates = memory.updates
    other = Recorded()
    feed.serve(other, frozenset({"python"}))
    other.wait_for(known)
    feed.serve(None, frozenset())
    feed.show(*shown(a, "later\n"))
    third = Recorded()
    feed.serve(third, frozenset({"python"}))
    third.wait_for({a.as_uri(): "later\n", b.as_uri(): "b\n"})
    assert memory.updates == updates
    assert other.texts == known


def test_a_memory_that_fails_does_not_end_the_feeding(feed, memory, write, tmp_path):
    files = [write(name, "poison\n") for name in ("a.py", "b.py")]
    feed.explore([tmp_path])
    memory.wait_for({file.as_uri(): "poison\n" for file in files})


def test_closing_ends_the_thread_in_the_middle_of_a_large_project(write, tmp_path):
    for n in range(50):
        write(f"f{n}.py", "x\n")
    before = set(threading.enumerate())
    feed, memory = ProjectFeed(), Recorded()
    feed.serve(memory, frozenset({"python"}))
    feed.explore([tmp_path])
    (thread,) = set(threading.enumerate()) - before
    feed.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    feed.show(*shown(tmp_path / "late.py", "x\n"))
    assert set(threading.enumerate()) <= before


def test_what_is_opened_later_draws_its_neighbours_in(feed, memory, write, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 3)
    files = {name: write(name, f"{name}\n") for name in ("a/1.py", "a/2.py", "a/3.py", "z/1.py")}
    feed.explore([tmp_path])
    memory.wait_for({files[name].as_uri(): f"{name}\n" for name in ("a/1.py", "a/2.py", "a/3.py")})
    updates = memory.updates
    opened = shown(tmp_path / "z" / "open.py", "open\n")
    feed.show(*opened)
    wanted = {files[name].as_uri(): f"{name}\n" for name in ("z/1.py", "a/1.py", "a/2.py")}
    memory.wait_for({**wanted, opened[0].uri: "open\n"})
    assert memory.updates == updates + 2  # what is known and unchanged is not fed again


def test_of_another_set_of_languages_only_the_new_ones_stay(feed, memory, write, tmp_path):
    a, b = write("a.py", "x\n"), write("b.go", "package b\n")
    feed.explore([tmp_path])
    feed.show(*shown(write("c.py", "disk\n"), "screen\n"))
    memory.wait_for({a.as_uri(): "x\n", (tmp_path / "c.py").as_uri(): "screen\n"})
    feed.serve(memory, frozenset({"go"}))
    memory.wait_for({b.as_uri(): "package b\n"})
    feed.serve(memory, frozenset({"python"}))
    memory.wait_for({a.as_uri(): "x\n", (tmp_path / "c.py").as_uri(): "screen\n"})


def test_a_document_that_becomes_something_else_is_forgotten(feed, memory, write):
    a = write("a.py", "x\n")
    feed.show(*shown(a, "screen\n"))
    memory.wait_for({a.as_uri(): "screen\n"})
    feed.show(Document(a.as_uri(), None, "plain text\n").snapshot(), a)
    memory.wait_for({})


def test_two_spellings_of_one_file_are_closed_one_after_the_other(feed, memory, write, tmp_path):
    a = write("a.py", "disk\n")
    spelled = a.as_uri().replace("a.py", "%61.py")
    feed.explore([tmp_path])
    feed.show(*shown(a, "screen\n"))
    feed.show(*shown(a, "screen\n", spelled))
    feed.hide(spelled)
    feed.hide(a.as_uri())
    memory.wait_for({a.as_uri(): "disk\n"})


def test_what_is_fed_leaves_room_for_what_is_open():
    tokens = module.MOST_CHARACTERS / 3
    limit = inspect.signature(TokenCache).parameters["limit"].default
    assert tokens < 0.85 * limit
