"""One thread that owns an engine: runs requests in order, and swaps engines without a restart.

Knows futures and threads; neither bundles nor what a request is.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from surefill.engine.interface import Cancellation, Engine
from surefill.errors import EngineError

logger = logging.getLogger(__name__)

T = TypeVar("T")
WorkerState = Literal["empty", "loading", "ready", "failed", "closed"]
"""Before the first load, while the first one runs, an engine serves, none could be loaded, over."""


@dataclass
class _Job(Generic[T]):
    work: Callable[[Engine], T]
    future: Future[T]
    cancel: Cancellation | None
    idle: bool = False


@dataclass
class _Load:
    factory: Callable[[], Engine]
    future: Future[None]


class EngineWorker:
    """Runs ``submit``-ted functions one after another with the engine that ``swap`` loaded.

    Loading has a thread of its own, so that the old engine serves until the new one is there; one
    that fails to load changes nothing. ``on_state`` hears of every new state, in some thread.

    Besides, there is at most one piece of idle work. It waits while anything else is to be done or
    an engine is loaded, and ends as soon as there is.
    """

    def __init__(self, on_state: Callable[[WorkerState], None] | None = None) -> None:
        self._on_state = on_state
        self._changed = threading.Condition()
        self._jobs: deque[_Job[Any]] = deque()
        self._running: _Job[Any] | None = None
        self._idle: _Job[Any] | None = None
        """What waits for the thread to have nothing else to do."""
        self._load: _Load | None = None
        """The load wanted last; the loader thread takes it."""
        self._loading: _Load | None = None
        self._arrived: tuple[_Load, Engine] | None = None
        self._engine: Engine | None = None
        self._error: Exception | None = None
        self._closed = False
        self._threads: list[threading.Thread] = []
        self._reported: WorkerState = "empty"

    @property
    def state(self) -> WorkerState:
        with self._changed:
            return self._state()

    @property
    def error(self) -> Exception | None:
        """Why the last load failed; None if it did not."""
        with self._changed:
            return self._error

    def swap(self, factory: Callable[[], Engine]) -> Future[None]:
        """Load an engine in the background and put it in the place of the present one.

        The future is done when the new engine serves, and carries the error if it cannot be loaded.
        A load that has not finished when the next one is wanted is given up: its future is
        cancelled, or carries EngineError if it had begun.
        """
        load = _Load(factory, Future())
        with self._changed:
            if self._closed:
                load.future.set_exception(EngineError("The engine is closed."))
                return load.future
            superseded, self._load = self._load, load
            idle = self._end_idle()
            self._start_threads()
            self._changed.notify_all()
        for cancel in idle:
            cancel.cancel()
        if superseded is not None:
            superseded.future.cancel()
        self._report()
        return load.future

    def submit(self, work: Callable[[Engine], T], cancel: Cancellation | None = None) -> Future[T]:
        """Run ``work`` with the engine when its turn comes.

        Waits for the first engine while it loads. If ``cancel`` strikes before its turn, the future
        is cancelled; later it is up to ``work``. An exception in ``work`` goes to its future only.
        Idle work is cancelled.
        """
        return self._take(_Job(work, Future(), cancel))

    def submit_idle(self, work: Callable[[Engine], T], cancel: Cancellation) -> Future[T]:
        """Run ``work`` as ``submit`` does, once nothing else is to be done.

        ``cancel`` is cancelled as soon as there is: a job, another engine, other idle work.
        """
        return self._take(_Job(work, Future(), cancel, idle=True))

    def _take(self, job: _Job[T]) -> Future[T]:
        future, cancel = job.future, job.cancel
        with self._changed:
            problem = self._refusal()
            ended = self._end_idle() if problem is None else []
            if problem is None and job.idle:
                self._idle = job
            elif problem is None:
                self._jobs.append(job)
            self._changed.notify_all()
        for each in ended:
            each.cancel()
        if problem is not None:
            future.set_exception(problem)
        elif cancel is not None:
            undo = cancel.on_cancel(lambda: _give_up(future))
            future.add_done_callback(lambda _: undo())
        return future

    def _end_idle(self) -> list[Cancellation]:
        """Take back the idle work that waits; what is to be cancelled, once the lock is free."""
        found = [job.cancel for job in (self._idle, self._running) if job is not None and job.idle]
        self._idle = None
        return [cancel for cancel in found if cancel is not None]

    def close(self, timeout: float = 5.0) -> None:
        """Cancel what waits and runs and free the engine, waiting at most ``timeout`` seconds."""
        with self._changed:
            self._closed = True
            jobs, running = list(self._jobs), self._running
            idle = self._end_idle()
            load, self._load = self._load, None
            self._jobs.clear()
            threads = list(self._threads)
            self._changed.notify_all()
        for job in jobs:
            job.future.cancel()
        for cancel in idle:
            cancel.cancel()
        if load is not None:
            load.future.cancel()
        if running is not None and running.cancel is not None:
            running.cancel.cancel()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(timeout / len(threads))
        self._report()

    def _start_threads(self) -> None:
        if not self._threads:
            for name, target in (("engine", self._serve), ("engine-loader", self._load_engines)):
                thread = threading.Thread(target=target, name=f"surefill-{name}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _state(self) -> WorkerState:
        if self._closed:
            return "closed"
        if self._engine is not None:
            return "ready"
        if self._load or self._loading or self._arrived:
            return "loading"
        return "failed" if self._error else "empty"

    def _report(self) -> None:
        """Tell the listener, outside the lock, if the state is another one now."""
        with self._changed:
            state = self._state()
            news = state != self._reported
            self._reported = state
        if news and self._on_state is not None:
            self._on_state(state)

    def _refusal(self) -> Exception | None:
        """Why a job cannot be taken at present."""
        state = self._state()
        if state == "closed":
            return EngineError("The engine is closed.")
        if state == "empty":
            return EngineError("No model is loaded.")
        return self._error if state == "failed" else None

    # The loader thread.

    def _load_engines(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._load is not None or self._closed)
                if self._closed:
                    return
                load, self._load = self._load, None
                self._loading = load
            if load is not None and load.future.set_running_or_notify_cancel():
                self._load_one(load)
            else:
                self._end_loading(None)

    def _load_one(self, load: _Load) -> None:
        try:
            engine = load.factory()
        except BaseException as error:  # noqa: BLE001 - native code panics past Exception
            failure = (
                error
                if isinstance(error, Exception)
                else EngineError(f"The model could not be loaded: {error}.")
            )
            self._end_loading(failure)
            load.future.set_exception(failure)
            return
        overtaken: tuple[_Load, Engine] | None = load, engine
        idle: list[Cancellation] = []
        with self._changed:
            if not self._closed and self._load is None:
                # One that arrived before and was not taken up yet is out of date now.
                overtaken, self._arrived = self._arrived, (load, engine)
                idle = self._end_idle()
                self._changed.notify_all()
        for cancel in idle:
            cancel.cancel()
        self._end_loading(None)
        if overtaken is not None:
            _drop(*overtaken)

    def _end_loading(self, error: Exception | None) -> None:
        hopeless: list[_Job[Any]] = []
        with self._changed:
            self._loading = None
            self._error = error or self._error
            if self._state() in ("failed", "empty"):
                # With no engine and none to come, nobody will ever run the jobs that wait.
                hopeless = [*self._jobs, *([self._idle] if self._idle else [])]
                self._jobs.clear()
                self._idle = None
            reason = self._error or EngineError("No model is loaded.")
            self._changed.notify_all()  # idle work has waited for this
        for job in hopeless:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(reason)
        self._report()

    # The engine's thread.

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work)
                if self._closed:
                    engine, self._engine = self._engine, None
                    arrived, self._arrived = self._arrived, None
                    break
                arrived, self._arrived = self._arrived, None
                if arrived is None:
                    if self._jobs:
                        self._running = self._jobs.popleft()
                    else:
                        self._running, self._idle = self._idle, None
                    overtaken = False
                else:
                    overtaken = self._load is not None or self._loading not in (None, arrived[0])
            if arrived is not None and overtaken:
                _drop(*arrived)
            elif arrived is not None:
                self._install(*arrived)
            else:
                self._run_job()
        if engine is not None:
            _close(engine)
        if arrived is not None:
            _drop(*arrived)

    def _has_work(self) -> bool:
        loading = self._load or self._loading
        waiting = bool(self._jobs or (self._idle and not loading)) and self._engine is not None
        return self._closed or self._arrived is not None or waiting

    def _install(self, load: _Load, engine: Engine) -> None:
        with self._changed:
            old, self._engine = self._engine, engine
            self._error = None
        if old is not None:
            _close(old)
        self._report()
        load.future.set_result(None)

    def _run_job(self) -> None:
        job, engine = self._running, self._engine
        assert job is not None and engine is not None
        try:
            if job.future.set_running_or_notify_cancel():
                job.future.set_result(job.work(engine))
        except Exception as error:  # noqa: BLE001 - handed to whoever submitted the job
            job.future.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - native code panics past Exception
            failure = EngineError(f"The model failed: {error}.")
            failure.__cause__ = error
            job.future.set_exception(failure)
        finally:
            with self._changed:
                self._running = None


def _give_up(future: Future[T]) -> None:
    future.cancel()


def _drop(load: _Load, engine: Engine) -> None:
    _close(engine)
    load.future.set_exception(EngineError("Another model was asked for before this one was used."))


def _close(engine: Engine) -> None:
    try:
        engine.close()
    except Exception:
        logger.exception("closing an engine failed")
