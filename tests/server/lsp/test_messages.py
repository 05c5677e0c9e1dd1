"""What reaches the editor unasked: messages, log lines, progress."""

import asyncio
import logging
import threading

import pytest

from surefill.lsp.logs import EditorLog
from surefill.lsp.notify import Notifier, OncePerCause
from surefill.lsp.progress import Progress

SHOW, LOG, PROGRESS = "window/showMessage", "window/logMessage", "$/progress"
CREATE = "window/workDoneProgress/create"


def test_a_message_is_shown_once_per_cause(session):
    session.initialize()
    notifier = Notifier(session.client)
    for message in ("a", "b", "a"):
        notifier.show_once(message)
    notifier.forget("a")
    notifier.show_once("a")
    assert [each["message"] for each in session.sent.notified(SHOW)] == ["a", "b", "a"]


def test_an_error_is_logged_with_its_traceback_once(caplog):
    errors = OncePerCause()
    with caplog.at_level(logging.DEBUG, "surefill"):
        for _ in range(3):
            errors.log("completion failed", ValueError("x"))
        errors.log("completion failed", ValueError("y"))
    levels = [record.levelname for record in caplog.records]
    assert levels == ["ERROR", "DEBUG", "DEBUG", "ERROR"]
    assert caplog.records[0].exc_info is not None


@pytest.fixture
def log(session):
    handler = EditorLog(session.client)
    handler.attach()
    handler.set_level("debug")
    yield handler
    handler.detach()
    handler.set_level("warning")


async def test_records_wait_for_the_editor_and_come_from_any_thread(session, log):
    logging.getLogger("surefill.early").warning("before")
    session.initialize()
    assert session.sent.notified(LOG) == []
    log.start()
    thread = threading.Thread(target=logging.getLogger("surefill.engine").info, args=("inside",))
    thread.start()
    thread.join()
    await asyncio.sleep(0)
    lines = [(each["type"], each["message"]) for each in session.sent.notified(LOG)]
    assert lines == [(2, "surefill.early: before"), (3, "surefill.engine: inside")]


async def test_the_level_of_the_settings_applies(session, log):
    session.initialize()
    log.start()
    log.set_level("error")
    logging.getLogger("surefill.x").warning("quiet")
    logging.getLogger("surefill.x").error("loud")
    await asyncio.sleep(0)
    assert [each["message"] for each in session.sent.notified(LOG)] == ["surefill.x: loud"]


async def test_progress_where_the_editor_shows_it(session):
    session.initialize({"window": {"workDoneProgress": True}})
    progress = Progress(session.client, "loading")
    begin = asyncio.create_task(progress.begin())
    await session.reply(CREATE)
    await begin
    progress.end("done")
    values = [each["value"] for each in session.sent.notified(PROGRESS)]
    assert [each["kind"] for each in values] == ["begin", "end"]
    assert values[0]["title"] == "loading"
    assert session.server.work_done_progress.tokens == {}


@pytest.mark.parametrize("refused", [True, False])
async def test_progress_is_logged_where_the_editor_shows_none(session, caplog, refused):
    session.initialize({"window": {"workDoneProgress": True}} if refused else {})
    progress = Progress(session.client, "loading")
    begin = asyncio.create_task(progress.begin())
    if refused:
        await session.reply(CREATE, error={"code": -1, "message": "no"})
    with caplog.at_level(logging.INFO, "surefill"):
        await begin
        progress.end("done")
    assert session.sent.notified(PROGRESS) == []
    assert "loading: done" in caplog.text
