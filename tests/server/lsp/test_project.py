"""Files are watched for a memory's sake only, and reports of them hold up nobody."""

import asyncio
import threading

import pytest
from lsprotocol import types

from surefill.completion.feed import MANY_FILES, ProjectFeed
from surefill.completion.loading import LoadedModel
from surefill.lsp import project as module
from surefill.lsp.configuration import Configuration
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.notify import Notifier
from surefill.lsp.project import Project
from surefill.lsp.watched import WatchedFiles
from surefill.syntax.languages import LANGUAGES

REGISTER, UNREGISTER = "client/registerCapability", "client/unregisterCapability"
WATCHES = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
PATIENCE = 30.0


class Texts(dict):
    """A memory that holds texts by URI."""

    def __init__(self):
        self.changed = threading.Event()

    def update(self, uri, text):
        self[uri] = text
        self.changed.set()

    def remove(self, uri):
        self.pop(uri, None)


def model(languages, memory):
    return LoadedModel(None, None, "m", "1", "cpu", languages=languages, memory=memory)


@pytest.fixture
async def project(session):
    configuration = Configuration(session.client, Notifier(session.client))
    watched = WatchedFiles(session.client)
    made = Project(
        session.client,
        configuration=configuration,
        documents=OpenDocuments(lambda: "utf-16"),
        feed=ProjectFeed(),
        watched=watched,
    )
    made.configuration, made.watched = configuration, watched
    yield made
    made.close()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def asked(session, *, error=None):
    """What the editor is asked about watching until it is asked nothing more; it says yes to it."""
    found = []
    await settle()
    while session.sent.messages:
        (message,) = session.sent.messages
        params = message["params"]
        for each in params.get("registrations", ()):
            found.append(each["registerOptions"]["watchers"][0]["globPattern"])
        found += ["none"] * len(params.get("unregisterations", ()))
        answer = {"error": error} if error else {"result": None}
        session.sent.take()
        session.receive({"jsonrpc": "2.0", "id": message["id"], **answer})
        await settle()
    return found


async def test_files_are_watched_as_long_as_a_memory_takes_them_in(session, project):
    session.initialize(WATCHES)
    project.folders_changed()
    project.serve(model(("python", "go"), None))
    assert await asked(session) == []
    project.serve(model(("python",), Texts()))
    assert await asked(session) == ["**/*.{py,pyi,pyw}"]
    project.serve(model(("python",), Texts()))
    assert await asked(session) == []
    project.serve(model(("python", "go"), Texts()))
    assert await asked(session) == ["none", "**/*.{go,py,pyi,pyw}"]
    project.configuration.start({"disabledLanguages": ["python"]})
    assert await asked(session) == ["none", "**/*.{go}"]
    project.serve(None)
    assert await asked(session) == ["none"]


async def test_a_model_of_all_languages_takes_in_the_files_of_all(session, project):
    session.initialize(WATCHES)
    project.serve(model((), Texts()))
    (pattern,) = await asked(session)
    endings = {ending for language in LANGUAGES for ending in language.extensions}
    assert {f".{each}" for each in pattern[len("**/*.{") : -1].split(",")} == endings


async def test_what_is_wanted_while_the_editor_is_asked_is_asked_for_next(session, project):
    session.initialize(WATCHES)
    project.serve(model(("python",), Texts()))
    await settle()
    project.serve(model(("rust",), Texts()))
    project.serve(model(("go",), Texts()))
    assert await asked(session) == ["**/*.{py,pyi,pyw}", "none", "**/*.{go}"]


async def test_an_editor_that_refuses_is_asked_again_for_something_else_only(session, project):
    session.initialize(WATCHES)
    project.serve(model(("python",), Texts()))
    assert await asked(session, error={"code": -32601, "message": "no"}) == ["**/*.{py,pyi,pyw}"]
    project.serve(model(("python",), Texts()))
    assert await asked(session) == []
    project.serve(model(("go",), Texts()))
    assert await asked(session) == ["**/*.{go}"]


async def test_the_end_of_the_session_asks_nothing(session, project):
    session.initialize(WATCHES)
    project.serve(model(("python",), Texts()))
    await asked(session)
    project.watched.close()
    project.serve(None)
    assert await asked(session) == []


async def test_an_editor_that_cannot_be_asked_is_not(session, project):
    session.initialize()
    project.serve(model(("python",), Texts()))
    assert await asked(session) == []


@pytest.fixture
def reported(session, project):
    @session.server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files(params):
        project.files_changed(params)

    def report(uris):
        changes = [{"uri": uri, "type": 2} for uri in uris]
        session.notify(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, {"changes": changes})

    return report


@pytest.fixture
def converted(monkeypatch):
    """The threads in which URIs were made paths."""
    threads = []
    original = module.path_of

    def path_of(uri):
        threads.append(threading.current_thread())
        return original(uri)

    monkeypatch.setattr(module, "path_of", path_of)
    return threads


async def test_ten_thousand_changed_files_are_not_gone_through_on_the_event_loop(
    session, project, reported, converted, tmp_path, monkeypatch
):
    old, new, memory = tmp_path / "old.py", tmp_path / "new.py", Texts()
    old.write_text("old = 1\n")
    session.initialize(WATCHES)
    monkeypatch.setattr(type(session.client), "folders", [tmp_path.as_uri()])
    project.folders_changed()
    project.serve(model(("python",), memory))
    assert await asyncio.to_thread(memory.changed.wait, PATIENCE)
    memory.changed.clear()
    converted.clear()
    new.write_text("new = 1\n")
    reported(f"file:///elsewhere/file{n}.py" for n in range(10_000))
    assert await asyncio.to_thread(memory.changed.wait, PATIENCE)  # looked through again
    assert memory == {old.as_uri(): "old = 1\n", new.as_uri(): "new = 1\n"}
    assert len(converted) <= MANY_FILES + 1
    assert threading.main_thread() not in converted


async def test_without_a_memory_changed_files_are_not_looked_at(
    session, project, reported, converted
):
    session.initialize(WATCHES)
    project.serve(model(("python",), None))
    reported(f"file:///elsewhere/file{n}.py" for n in range(10))
    project.close()
    for thread in threading.enumerate():
        if thread.name == "surefill-project":
            await asyncio.to_thread(thread.join, PATIENCE)
    assert converted == []
