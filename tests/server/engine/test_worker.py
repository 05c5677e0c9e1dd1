import threading
import time
from concurrent.futures import CancelledError, Future

import pytest

from fakes import FakeEngine, fake_factory
from surefill.engine.interface import Cancellation, Engine, Generation, Prompt
from surefill.engine.worker import EngineWorker, WorkerState
from surefill.errors import BundleError, EngineError

PROMPT = Prompt((1, 2, 3), "pre", "suf")


def ask(engine: Engine, cancel: Cancellation | None = None) -> Generation:
    return engine.generate(PROMPT, max_new_tokens=10, cancel=cancel)


def text(generation: Generation) -> str:
    return generation.candidates[0].text


@pytest.fixture
def worker():
    worker = EngineWorker()
    yield worker
    worker.close()


def test_jobs_run_in_order_in_one_thread(worker):
    worker.swap(fake_factory()).result(5)
    seen: list[tuple[int, int]] = []
    futures = [
        worker.submit(lambda engine, i=i: seen.append((i, threading.get_ident())))
        for i in range(20)
    ]
    for future in futures:
        future.result(5)
    assert [index for index, _ in seen] == list(range(20))
    assert len({thread for _, thread in seen}) == 1
    assert seen[0][1] != threading.get_ident()


def test_a_job_waits_for_the_first_engine(worker):
    loaded = threading.Event()

    def factory() -> Engine:
        assert loaded.wait(5)
        return FakeEngine(["hello"])

    worker.swap(factory)
    assert worker.state == "loading"
    future = worker.submit(ask)
    assert not future.done()
    loaded.set()
    assert text(future.result(5)) == "hello"
    assert worker.state == "ready"


def test_without_any_load_a_job_is_refused(worker):
    with pytest.raises(EngineError, match="No model is loaded"):
        worker.submit(ask).result(5)
    assert worker.state == "empty"


def test_a_failing_job_fails_alone(worker):
    engine = FakeEngine([EngineError("broken"), "fine"])
    worker.swap(lambda: engine).result(5)
    first, second = worker.submit(ask), worker.submit(ask)
    with pytest.raises(EngineError, match="broken"):
        first.result(5)
    assert text(second.result(5)) == "fine"
    with pytest.raises(ZeroDivisionError):
        worker.submit(lambda engine: 1 // 0).result(5)
    assert worker.submit(lambda engine: 7).result(5) == 7


def test_a_failing_first_load_fails_the_waiting_jobs_and_can_be_tried_again(worker):
    go = threading.Event()

    def factory() -> Engine:
        assert go.wait(5)
        raise BundleError("no bundle", "make one")

    load = worker.swap(factory)
    waiting = worker.submit(ask)
    go.set()
    with pytest.raises(BundleError, match="no bundle"):
        load.result(5)
    with pytest.raises(BundleError, match="no bundle"):
        waiting.result(5)
    assert worker.state == "failed"
    assert isinstance(worker.error, BundleError)
    with pytest.raises(BundleError):
        worker.submit(ask).result(5)
    worker.swap(fake_factory(["again"])).result(5)
    assert worker.error is None
    assert text(worker.submit(ask).result(5)) == "again"


def test_the_old_engine_serves_until_the_new_one_is_there(worker):
    old, new, go = FakeEngine(default="old"), FakeEngine(default="new"), threading.Event()

    def factory() -> Engine:
        assert go.wait(5)
        return new

    worker.swap(lambda: old).result(5)
    load = worker.swap(factory)
    assert text(worker.submit(ask).result(5)) == "old"
    assert not old.closed
    go.set()
    load.result(5)
    assert old.closed
    assert text(worker.submit(ask).result(5)) == "new"


def test_a_failing_new_engine_leaves_the_old_one(worker):
    def factory() -> Engine:
        raise EngineError("too large")

    worker.swap(fake_factory(["old"])).result(5)
    with pytest.raises(EngineError, match="too large"):
        worker.swap(factory).result(5)
    assert worker.state == "ready"
    assert text(worker.submit(ask).result(5)) == "old"


def test_the_engine_wanted_last_wins(worker):
    first, last, go = FakeEngine(default="first"), FakeEngine(default="last"), threading.Event()

    def factory() -> Engine:
        assert go.wait(5)
        return first

    loading = worker.swap(factory)
    while loading.running() is False:
        time.sleep(0.001)
    skipped = worker.swap(fake_factory(["never"]))
    wanted = worker.swap(lambda: last)
    assert skipped.cancelled()
    go.set()
    wanted.result(5)
    with pytest.raises(EngineError, match="Another model"):
        loading.result(5)
    assert first.closed
    assert text(worker.submit(ask).result(5)) == "last"


def test_a_job_cancelled_before_its_turn_never_runs(worker):
    gate = threading.Event()
    engine = FakeEngine(default="x", gate=gate)
    worker.swap(lambda: engine).result(5)
    busy = worker.submit(ask)
    assert engine.started.wait(5)
    cancel = Cancellation()
    waiting: Future[Generation] = worker.submit(lambda e: ask(e, cancel), cancel)
    cancel.cancel()
    assert waiting.cancelled()
    gate.set()
    busy.result(5)
    worker.submit(lambda engine: None).result(5)
    assert len(engine.calls) == 1
    already = Cancellation()
    already.cancel()
    with pytest.raises(CancelledError):
        worker.submit(ask, already).result(5)


def test_a_running_job_ends_at_cancellation(worker):
    engine = FakeEngine(default="x", gate=threading.Event())
    worker.swap(lambda: engine).result(5)
    cancel = Cancellation()
    future = worker.submit(lambda e: ask(e, cancel), cancel)
    assert engine.started.wait(5)
    cancel.cancel()
    assert future.result(5).candidates[0].stop_reason == "cancelled"


def test_close_cancels_what_waits_and_frees_the_engine():
    states: list[WorkerState] = []
    worker = EngineWorker(states.append)
    engine = FakeEngine(default="x", gate=threading.Event())
    worker.swap(lambda: engine).result(5)
    cancel = Cancellation()
    running = worker.submit(lambda e: ask(e, cancel), cancel)
    assert engine.started.wait(5)
    waiting = worker.submit(ask)
    worker.close()
    assert waiting.cancelled()
    assert running.result(5).candidates[0].stop_reason == "cancelled"
    assert engine.closed
    assert states == ["loading", "ready", "closed"]
    with pytest.raises(EngineError, match="closed"):
        worker.submit(ask).result(5)
    with pytest.raises(EngineError, match="closed"):
        worker.swap(fake_factory()).result(5)
    worker.close()


def test_closing_an_unused_worker_is_fine():
    worker = EngineWorker()
    worker.close()
    assert worker.state == "closed"


class Panic(BaseException):
    """What native code raises past every ``except Exception``."""


def test_a_load_that_panics_fails_and_the_next_one_is_served(worker):
    def panic() -> Engine:
        raise Panic("called `Option::unwrap()` on a `None` value")

    with pytest.raises(EngineError, match="could not be loaded: called"):
        worker.swap(panic).result(5)
    assert worker.state == "failed"
    worker.swap(fake_factory(["hello"])).result(5)
    assert text(worker.submit(ask).result(5)) == "hello"


def test_a_job_that_panics_is_an_error_and_the_next_one_runs(worker):
    def panic(_engine: Engine) -> None:
        raise Panic("index out of bounds")

    worker.swap(fake_factory(["hello"])).result(5)
    with pytest.raises(EngineError, match="The model failed: index out of bounds"):
        worker.submit(panic).result(5)
    assert text(worker.submit(ask).result(5)) == "hello"


def test_idle_work_waits_until_nothing_else_is_to_be_done(worker):
    gate = threading.Event()
    engine = FakeEngine(default="x", gate=gate)
    worker.swap(lambda: engine).result(5)
    order: list[str] = []
    busy = worker.submit(lambda e: order.append(text(ask(e))))
    assert engine.started.wait(5)
    idle = worker.submit_idle(lambda _: order.append("idle"), Cancellation())
    gate.set()
    busy.result(5)
    idle.result(5)
    assert order == ["x", "idle"]


def test_a_job_ends_idle_work_and_comes_next(worker):
    engine = FakeEngine(default="x", gate=threading.Event())
    worker.swap(lambda: engine).result(5)
    cancel = Cancellation()
    idle = worker.submit_idle(lambda e: ask(e, cancel), cancel)
    assert engine.started.wait(5)
    # The gate never opens: without an end to the idle work the job would not come at all.
    assert worker.submit(lambda _: "job").result(5) == "job"
    assert idle.result(5).candidates[0].stop_reason == "cancelled"


def test_a_job_ends_idle_work_that_waits(worker):
    gate = threading.Event()
    engine = FakeEngine(default="x", gate=gate)
    worker.swap(lambda: engine).result(5)
    busy = worker.submit(ask)
    assert engine.started.wait(5)
    cancel = Cancellation()
    idle = worker.submit_idle(ask, cancel)
    job = worker.submit(lambda _: "job")
    assert idle.cancelled()
    assert cancel.cancelled
    gate.set()
    busy.result(5)
    assert job.result(5) == "job"
    assert len(engine.calls) == 1


def test_newer_idle_work_takes_the_place_of_older(worker):
    engine = FakeEngine(default="x", gate=threading.Event())
    worker.swap(lambda: engine).result(5)
    cancels = [Cancellation() for _ in range(3)]
    first = worker.submit_idle(lambda e: ask(e, cancels[0]), cancels[0])
    assert engine.started.wait(5)
    second = worker.submit_idle(lambda _: "second", cancels[1])
    third = worker.submit_idle(lambda _: "third", cancels[2])
    assert third.result(5) == "third"
    assert first.result(5).candidates[0].stop_reason == "cancelled"
    assert second.cancelled() or second.result(5) == "second"  # it may have had its turn
    assert [cancel.cancelled for cancel in cancels[::2]] == [True, False]


def test_idle_work_waits_for_a_load_and_ends_with_the_old_engine(worker):
    old, new, go = FakeEngine(default="old"), FakeEngine(default="new"), threading.Event()

    def factory() -> Engine:
        assert go.wait(5)
        return new

    worker.swap(lambda: old).result(5)
    load = worker.swap(factory)
    idle = worker.submit_idle(ask, Cancellation())
    assert text(worker.submit(ask).result(5)) == "old"
    waiting = worker.submit_idle(ask, Cancellation())
    go.set()
    load.result(5)
    assert idle.cancelled()
    assert waiting.cancelled()
    assert len(old.calls) == 1
    assert text(worker.submit_idle(ask, Cancellation()).result(5)) == "new"


def test_idle_work_goes_on_after_a_load_that_failed(worker):
    go = threading.Event()

    def factory() -> Engine:
        assert go.wait(5)
        raise EngineError("too large")

    worker.swap(fake_factory(["old"])).result(5)
    load = worker.swap(factory)
    idle = worker.submit_idle(ask, Cancellation())
    go.set()
    with pytest.raises(EngineError, match="too large"):
        load.result(5)
    assert text(idle.result(5)) == "old"


def test_a_load_that_begins_ends_idle_work(worker):
    old = FakeEngine(default="old", gate=threading.Event())
    worker.swap(lambda: old).result(5)
    cancel = Cancellation()
    idle = worker.submit_idle(lambda e: ask(e, cancel), cancel)
    assert old.started.wait(5)
    worker.swap(fake_factory(["new"])).result(5)
    assert idle.result(5).candidates[0].stop_reason == "cancelled"


def test_close_ends_idle_work():
    worker = EngineWorker()
    engine = FakeEngine(default="x", gate=threading.Event())
    worker.swap(lambda: engine).result(5)
    cancel = Cancellation()
    idle = worker.submit_idle(lambda e: ask(e, cancel), cancel)
    assert engine.started.wait(5)
    worker.close()
    assert idle.result(5).candidates[0].stop_reason == "cancelled"
    with pytest.raises(EngineError, match="closed"):
        worker.submit_idle(ask, Cancellation()).result(5)
