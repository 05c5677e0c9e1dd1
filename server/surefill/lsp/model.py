"""The model in service: loaded in the background, swapped when settings ask for another one.

Joins the engine's worker thread, the pipeline and the event loop. The loop never waits: every
answer comes through a future, and whoever waits for one can be cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from surefill.budget import MODEL_GRACE_SECONDS, Cancellation
from surefill.completion.suggestion import CompletionRequest, CompletionResult
from surefill.engine.interface import Engine, ReadsAhead
from surefill.errors import EngineError, SurefillError
from surefill.lsp.client import Client
from surefill.lsp.counters import CountedEngine, Counters
from surefill.lsp.notify import Notifier
from surefill.lsp.progress import Progress
from surefill.settings import Settings

if TYPE_CHECKING:
    from surefill.completion.loading import LoadedModel
    from surefill.completion.pipeline import CompletionPipeline
    from surefill.engine.worker import EngineWorker
    from surefill.oracle.service import OracleService

logger = logging.getLogger(__name__)

T = TypeVar("T")

Loader = Callable[[Settings], "LoadedModel"]

State = Literal["idle", "starting", "loading", "ready", "failed"]


@dataclass(frozen=True)
class _Serving:
    """A loaded model and the pipeline made for it and for the settings in force."""

    model: LoadedModel
    pipeline: CompletionPipeline


class ModelService:
    """Loads, swaps and asks the model. All methods belong to the event loop."""

    def __init__(
        self,
        worker: EngineWorker,
        loader: Loader,
        client: Client,
        *,
        notifier: Notifier,
        counters: Counters,
        oracle: OracleService | None = None,
    ) -> None:
        self._oracle = oracle
        self._worker = worker
        self._loader = loader
        self._client = client
        self._notifier = notifier
        self._counters = counters
        self._settings = Settings()
        self._serving: _Serving | None = None
        self._followers: list[Callable[[LoadedModel | None], None]] = []
        self._loading: asyncio.Task[None] | None = None
        self._state: State = "idle"
        self._problem = ""

    def follow(self, follower: Callable[[LoadedModel | None], None]) -> None:
        """Call ``follower`` with each model that comes into service, and with None at the end."""
        self._followers.append(follower)

    def status(self) -> dict[str, object]:
        """State, bundle and provider, as JSON values."""
        model = self._serving.model if self._serving else None
        return {
            "state": self._state,
            "problem": self._problem,
            "bundle": {"name": model.name, "version": model.version} if model else None,
            "provider": model.provider if model else None,
        }

    def apply(self, settings: Settings) -> None:
        """Follow the settings: another model is loaded, other rules apply at once."""
        reload = _model_key(settings) != _model_key(self._settings)
        self._settings = settings
        if self._serving:
            self._serving = self._serve(self._serving.model, settings)
        if reload and self._state not in ("idle", "starting"):
            self._begin()

    def start(self, settled: Awaitable[None]) -> None:
        """Load the model in the background, once ``settled`` says that the settings are known."""
        self._state = "starting"
        self._begin(settled)

    def _begin(self, settled: Awaitable[None] | None = None) -> None:
        if self._loading is not None:
            self._loading.cancel()
        self._loading = asyncio.get_running_loop().create_task(self._load(settled))

    def lookup(self, request: CompletionRequest) -> CompletionResult | None:
        """What needs no model: typing through a suggestion, or a rule that says no."""
        return self._serving.pipeline.lookup(request) if self._serving else None

    def forget(self, uri: str) -> None:
        """The document is closed: drop what is remembered of it."""
        if self._serving:
            self._serving.pipeline.forget(uri)

    def explain(self, result: CompletionResult, language: str) -> str:
        """Why an answer was what it was, as Markdown."""
        from surefill.completion.explanation import Made, explain  # start stays quick

        model = self._serving.model if self._serving else None
        name = f"{model.name} {model.version}" if model else "A model that is not loaded any more"
        return explain(result, Made(name, model.provider if model else "nothing", language))

    async def complete(
        self, request: CompletionRequest, cancellation: Cancellation
    ) -> CompletionResult:
        """Ask the model; empty when it does not answer in time or was cancelled.

        While the first model loads, the request waits for it within its deadline.
        """
        if self._serving is None and self._loading is not None:
            await _until(self._loading, cancellation, grace=0.0)
        if self._serving is None:
            return CompletionResult(reason=f"the model is {self._state}")
        answer = asyncio.wrap_future(self._submit(request, cancellation))
        answer.add_done_callback(_retrieve)
        if not await _until(answer, cancellation, grace=MODEL_GRACE_SECONDS):
            return CompletionResult(reason="cancelled" if cancellation.cancelled else "deadline")
        return answer.result()

    def submit(
        self, work: Callable[[LoadedModel, Engine], T], cancellation: Cancellation
    ) -> Future[T]:
        """Have ``work`` done by the worker with the model in service; from any thread.

        The future carries EngineError where there is none, even if one is being loaded.
        """
        if self._serving is None:
            refused: Future[T] = Future()
            refused.set_exception(_NotInService("No model is in service."))
            return refused

        def with_engine(engine: Engine) -> T:
            serving = self._serving
            if serving is None or serving.model.engine is not engine:
                raise _NotInService("The model was changed.")
            return work(serving.model, CountedEngine(engine, self._counters))

        return self._worker.submit(with_engine, cancellation)

    def submit_idle(
        self,
        work: Callable[[CompletionPipeline, ReadsAhead], T],
        cancellation: Cancellation,
    ) -> Future[T] | None:
        """Have ``work`` done by the worker while nobody else wants it; None where it cannot be.

        Only a model of our own has idle time. ``cancellation`` is cancelled when that is over. What
        such work costs is not counted among the calls of the model.
        """
        serving = self._serving
        if serving is None or not isinstance(serving.model.engine, ReadsAhead):
            return None

        def with_pipeline(engine: Engine) -> T:
            serving = self._serving
            current = serving is not None and serving.model.engine is engine
            if serving is None or not current or not isinstance(engine, ReadsAhead):
                raise _NotInService("The model was changed.")
            return work(serving.pipeline, engine)

        return self._worker.submit_idle(with_pipeline, cancellation)

    async def run(
        self, work: Callable[[LoadedModel, Engine], T], cancellation: Cancellation
    ) -> T | None:
        """``submit``, and wait: None without a model, or when the answer is not in time.

        Raises what ``work`` raises.
        """
        answer = asyncio.wrap_future(self.submit(work, cancellation))
        answer.add_done_callback(_retrieve)
        if not await _until(answer, cancellation, grace=MODEL_GRACE_SECONDS):
            return None
        try:
            return answer.result()
        except _NotInService:
            return None

    async def close(self, seconds: float) -> None:
        """Stop loading and free the model, waiting at most ``seconds`` for it."""
        if self._loading is not None:
            self._loading.cancel()
        self._serving = None
        self._state = "idle"
        self._tell(None)
        self._worker.close(seconds)

    def _tell(self, model: LoadedModel | None) -> None:
        for follower in self._followers:
            follower(model)

    def _submit(
        self, request: CompletionRequest, cancellation: Cancellation
    ) -> Future[CompletionResult]:
        def work(engine: Engine) -> CompletionResult:
            serving = self._serving
            if serving is None or serving.model.engine is not engine:
                return CompletionResult(reason="the model was changed")
            counted = CountedEngine(engine, self._counters)
            return serving.pipeline.complete(request, counted, cancellation)

        return self._worker.submit(work, cancellation)

    async def _load(self, settled: Awaitable[None] | None) -> None:
        if settled is not None:
            await settled
        self._state = "loading"
        progress = Progress(self._client, "Surefill: loading the model")
        await progress.begin()
        started = time.perf_counter()
        try:
            model = await self._swap(self._settings)
        except asyncio.CancelledError:
            progress.end("replaced by another")
            raise
        except Exception as error:  # noqa: BLE001 - whatever a broken model raises: the server lives on
            self._fail(error)
            progress.end("failed")
            return
        self._notifier.forget(self._problem)
        self._state, self._problem = "ready", ""
        if model.note:
            logger.info("%s", model.note)
        seconds = time.perf_counter() - started
        progress.end(f"{model.name} {model.version} on {model.provider} in {seconds:.1f} s")

    async def _swap(self, settings: Settings) -> LoadedModel:
        """Load in the worker thread; the old model stays in service until the new one is there.

        What the worker installs is what serves from then on, whoever still waits for it.
        """
        loaded: list[LoadedModel] = []
        loop = asyncio.get_running_loop()

        def factory() -> Engine:
            import surefill.completion.pipeline  # noqa: F401 - here, so that the loop need not wait

            loaded.append(self._loader(settings))
            return loaded[0].engine

        def adopt() -> None:
            if self._state != "idle":
                self._serving = self._serve(loaded[0], self._settings)
                self._tell(loaded[0])

        def installed(swap: Future[None]) -> None:
            if not swap.cancelled() and swap.exception() is None:
                with contextlib.suppress(RuntimeError):  # the session has ended
                    loop.call_soon_threadsafe(adopt)

        swap = self._worker.swap(factory)
        swap.add_done_callback(installed)
        await asyncio.wrap_future(swap)
        return loaded[0]

    def _serve(self, model: LoadedModel, settings: Settings) -> _Serving:
        from surefill.completion.pipeline import CompletionPipeline  # start stays quick

        pipeline = CompletionPipeline(
            model.context,
            settings,
            oracle=self._oracle,
            languages=model.languages,
            display=model.display,
        )
        return _Serving(model, pipeline)

    def _fail(self, error: Exception) -> None:
        self._state = "failed"
        if isinstance(error, SurefillError):
            self._problem = str(error)
        else:
            reason = str(error) or type(error).__name__
            self._problem = (
                f"The model could not be loaded: {reason}. The log says more; surefill doctor "
                "examines the bundle."
            )
            logger.error("loading failed", exc_info=error)
        self._notifier.show_once(self._problem)


class _NotInService(EngineError):
    """The model that was to do something is not there, or not any more."""


def _model_key(settings: Settings) -> tuple[object, ...]:
    """The settings that decide which model is loaded and how."""
    engine, blend = settings.engine, settings.completion.blend
    return settings.bundle, engine.kind, engine.provider, engine.threads, settings.remote, blend


async def _until(
    awaited: asyncio.Future[Any],
    cancellation: Cancellation,
    *,
    grace: float,
) -> bool:
    """Wait for ``awaited`` until the request is cancelled or late; whether it came.

    ``awaited`` itself is never cancelled: others may wait for it too.
    """
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[None] = loop.create_future()

    def finish() -> None:
        if not gone.done():
            gone.set_result(None)

    def wake() -> None:
        loop.call_soon_threadsafe(finish)

    undo = cancellation.on_cancel(wake)
    seconds = cancellation.deadline.later(grace).timeout
    try:
        await asyncio.wait((awaited, gone), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        undo()
        gone.cancel()
    return awaited.done() and not cancellation.cancelled


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Look at an abandoned result, so that asyncio does not report its error as unnoticed."""
    with contextlib.suppress(asyncio.CancelledError):
        future.exception()
