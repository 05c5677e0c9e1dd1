"""A checker that dies, hangs, chatters or is not there: answers by the deadline, or Unknown."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import psutil
import pytest

from surefill.oracle.answers import Source
from surefill.oracle.server import Patience
from surefill.settings import OracleSettings
from surefill.syntax.position import Position

SHORT = Patience(first_pause=0.05, longest_pause=0.2, hang=0.3)
START = Position(0, 0)


async def hover(asker, seconds=60.0, text="text", **named):
    source = Source(asker.uri(), text)
    deadline = time.monotonic() + seconds
    return await asker.oracle.hover(source, START, deadline=deadline, **named)


def server_of(asker):
    return asker.oracle._server


async def until(condition):
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        await asyncio.sleep(0.02)


async def test_a_well_behaved_server_answers(fake):
    asker = fake("none")
    assert (await hover(asker)).markdown == "text"
    assert [status.state for status in asker.statuses] == ["ready"]


async def test_noise_on_the_stream_is_skipped(fake):
    asker = fake("junk")
    assert (await hover(asker)).markdown == "text"


async def test_one_that_refuses_says_why(fake):
    answer = await hover(fake("error"))
    assert not answer and "no idea" in answer.reason


@pytest.mark.parametrize("question", ["members", "signature", "diagnostics", "hover", "origin"])
async def test_nonsense_is_unknown_or_empty(fake, question):
    asker = fake("nonsense")
    answer = await asker.ask(question, "text¦")
    assert not answer or (question == "members" and not answer.closed)
    assert [status.state for status in asker.statuses] == ["ready"]


async def test_answers_that_cannot_be_read_cost_their_deadline(fake):
    answer = await hover(fake("broken"), seconds=0.5)
    assert not answer and "too long" in answer.reason


async def test_a_server_that_is_missing_is_told_once_with_a_remedy(asker):
    settings = OracleSettings(servers={"fake": ("no-such-language-server",)})
    asker = asker(settings, "fake", patience=SHORT)
    for _ in range(5):
        answer = await hover(asker)
        assert not answer and "no-such-language-server" in answer.reason
        await asyncio.sleep(0.1)
    (status,) = asker.statuses
    assert status.state == "missing" and "surefill.oracle.servers" in status.advice


async def test_one_that_dies_at_the_question_is_restarted_and_told_once(fake):
    asker = fake("dies", patience=SHORT)
    for times in range(3):
        await until(lambda: server_of(asker)._state == "ready")
        generation = server_of(asker).generation
        answer = await hover(asker)
        assert not answer, times
        await until(lambda before=generation: server_of(asker).generation > before)
    assert [status.state for status in asker.statuses] == ["ready", "restarting"]


async def test_in_the_pause_questions_are_unknown_at_once(fake):
    asker = fake("dies", patience=Patience(first_pause=1000))
    assert not await hover(asker)
    await asker.state("restarting")
    answer = await asyncio.wait_for(hover(asker, seconds=10_000), 60)
    assert not answer and "started again" in answer.reason


async def test_pauses_grow(fake):
    asker = fake("dies-at-start", patience=Patience(first_pause=0.01, longest_pause=0.05))
    await until(lambda: server_of(asker)._failures > 4)
    assert [status.state for status in asker.statuses] == ["restarting"]


async def test_a_hanging_server_is_restarted_after_several_questions(fake):
    asker = fake("hangs", patience=SHORT)
    await asker.state("ready")
    first = server_of(asker).pid
    for _ in range(20):
        assert not await hover(asker, seconds=0.1)
        if any(status.state == "hanging" for status in asker.statuses):
            break
    else:
        pytest.fail("it was not found to hang")
    await until(lambda: not psutil.pid_exists(first))
    await until(lambda: server_of(asker).pid not in (None, first))


async def test_a_slow_question_alone_is_no_hang(fake):
    asker = fake("hangs", patience=SHORT)
    assert not await hover(asker, seconds=1.0)
    assert [status.state for status in asker.statuses] == ["ready"]


async def test_a_server_that_never_starts_is_given_up(fake):
    asker = fake("deaf", patience=Patience(start=0.5))
    answer = await hover(asker, seconds=0.1)
    assert not answer and "too long" in answer.reason
    await asker.state("hanging")


async def test_cancelling_ends_a_question_early_from_any_thread(fake):
    asker = fake("hangs")
    await asker.state("ready")
    cancel = Cancel()
    threading.Timer(0.05, cancel.cancel).start()
    answer = await asyncio.wait_for(hover(asker, seconds=10_000, cancel=cancel), 60)
    assert not answer and answer.reason == "cancelled"
    answer = await hover(asker, cancel=cancel)
    assert answer.reason == "cancelled"


class Cancel:
    """As the engine's ``Cancellation``."""

    def __init__(self):
        self.cancelled = False
        self._callbacks = []

    def cancel(self):
        self.cancelled = True
        for callback in self._callbacks:
            callback()

    def on_cancel(self, callback):
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)


async def test_a_passed_deadline_is_unknown_at_once(fake):
    assert not await hover(fake("none"), seconds=-1)


async def test_diagnostics_that_a_server_tells_unasked(fake):
    asker = fake("pushes")
    for text in ("one", "two", "two", "three"):
        found = await asker.ask("diagnostics", text)
        assert [item.message for item in found.items] == [f"It says {text}."]
    assert found.items[0].severity == "warning"


async def test_nothing_runs_before_it_is_needed(fake, tmp_path):
    log = tmp_path / "log"
    asker = fake("counts", log, opened=None)
    await asyncio.sleep(0.3)
    assert not log.exists() and server_of(asker).pid is None
    await hover(asker)
    assert log.read_text().split()[:2] == ["initialize", "initialized"]


async def test_what_the_user_types_costs_nothing_until_somebody_asks(fake, tmp_path):
    log = tmp_path / "log"
    asker = fake("counts", log)
    await asker.oracles.warmed()
    before = log.read_text()
    for number in range(100):
        asker.oracle.update(asker.uri(), f"text {number}")
    await hover(asker, text="text 99")
    assert log.read_text()[len(before) :].split() == [
        "textDocument/didChange",
        "textDocument/hover",
    ]


async def test_a_language_without_checker_is_unknown(fake):
    oracle = fake("none").oracles.of("brainfuck")
    answer = await oracle.members(Source("file:///a", ""), START, deadline=time.monotonic() + 1)
    assert not oracle.available and not answer and "brainfuck" in answer.reason
    oracle.open("file:///a", "")
    oracle.update("file:///a", "")
    oracle.close_document("file:///a")


async def test_python_s_checker_can_be_turned_off(asker):
    oracle = asker(OracleSettings(engine="off")).oracle
    assert not oracle.available


async def test_a_closed_oracle_answers_unknown_and_its_process_is_gone(fake):
    asker = fake("none")
    await hover(asker)
    pid = server_of(asker).pid
    await asker.oracles.close()
    assert not psutil.pid_exists(pid)
    assert not await asyncio.wait_for(hover(asker, seconds=10_000), 60)


@pytest.mark.parametrize("fault", ["hangs", "deaf"])
async def test_closing_does_not_wait_for_one_that_hangs(fake, fault):
    asker = fake(fault)
    asking = asyncio.ensure_future(hover(asker, seconds=10_000))
    await until(lambda: server_of(asker).pid is not None)
    pid = server_of(asker).pid
    await asyncio.wait_for(asker.oracles.close(), 60)
    assert not psutil.pid_exists(pid)
    assert not await asyncio.wait_for(asking, 60)


# The real ones


async def test_killed_in_the_middle_of_a_question_it_comes_back(asker, engine):
    asker = asker(OracleSettings(engine=engine), patience=SHORT)
    assert await asker.codes("print(nowhere)\n")
    asking = asyncio.ensure_future(asker.members("import asyncio\nasyncio.¦\n"))
    await asyncio.sleep(0)
    os.kill(server_of(asker).pid, signal.SIGKILL)
    await asking  # answered just before, or Unknown
    await asker.state("restarting")
    await until(lambda: server_of(asker)._state == "ready")
    assert await asker.codes("print(nowhere)\n")


async def test_stopped_it_is_found_to_hang_and_comes_back(asker, engine):
    asker = asker(OracleSettings(engine=engine), patience=Patience(hang=0.5, first_pause=0.05))
    assert await asker.codes("print(nowhere)\n")
    process = psutil.Process(server_of(asker).pid)
    process.suspend()
    await until(lambda: process.status() == psutil.STATUS_STOPPED)
    while not any(status.state == "hanging" for status in asker.statuses):
        answer = await asker.ask("hover", "x = 1\nx¦\n", seconds=0.1)
        assert not answer
    await until(lambda: server_of(asker)._state == "ready")
    assert await asker.codes("print(nowhere)\n")


async def test_a_burst_is_answered_or_unknown_by_the_deadline(asker, engine):
    asker = asker(OracleSettings(engine=engine))
    await asker.codes("x = 1\n")
    started = time.monotonic()
    answers = await asyncio.gather(
        *(asker.members(f"import os\nx{n} = os.¦\n", seconds=1.0) for n in range(100))
    )
    took = time.monotonic() - started
    assert all("getcwd" in answer.names for answer in answers if answer)
    assert any(answers) or took > 0.9
    assert await asker.codes("print(nowhere)\n")


async def test_a_workspace_of_5000_files(asker, engine):
    for number in range(5000):
        package = asker.folder / f"pack_{number // 100}"
        package.mkdir(exist_ok=True)
        (package / f"module_{number}.py").write_text(f"value_{number} = {number}\n")
    asker = asker(OracleSettings(engine=engine))
    members = await asker.members("from pack_49 import module_4999\nmodule_4999.¦\n")
    assert "value_4999" in members.names and members.closed


async def test_a_file_of_nothing_but_brackets_and_one_of_a_megabyte(asker, engine):
    asker = asker(OracleSettings(engine=engine))
    for text in ("(" * 2000, "\x00\x01\x02" * 100, "x = '" + "a" * 2**20 + "'\n"):
        assert await asker.ask("diagnostics", text) is not None
    assert await asker.codes("print(nowhere)\n")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_when_our_process_is_killed_the_checker_ends_too(tmp_path, engine, how):
    script = textwrap.dedent(
        """
        import asyncio, sys, time
        from pathlib import Path
        from surefill.oracle.answers import Source
        from surefill.oracle.factory import create_oracles
        from surefill.settings import OracleSettings

        async def main():
            folder = Path(sys.argv[1])
            oracles = create_oracles(OracleSettings(engine=sys.argv[2]), [folder])
            source = Source((folder / "a.py").as_uri(), "x = 1")
            oracle = oracles.of("python")
            assert await oracle.diagnostics(source, deadline=time.monotonic() + 60)
            print(oracles._servers[0].pid, flush=True)
            await asyncio.sleep(1000)

        asyncio.run(main())
        """
    )
    command = [sys.executable, "-c", script, str(tmp_path), engine]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        checker = psutil.Process(int(process.stdout.readline()))
        process.send_signal(how)
        process.wait(60)
        checker.wait(60)
