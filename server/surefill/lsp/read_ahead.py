"""What the model does while nobody asks: it reads the next prompt, and makes the next answer.

Knows when an editor's user rests, and where the cursor is then: at the end of the last edit, or
where the last request was made, for there is no notification of it. The worker ends this work as
soon as there is anything else to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from surefill.completion.suggestion import CompletionRequest, CompletionResult, Suggestion
from surefill.engine.interface import Cancellation, Reading
from surefill.errors import SurefillError
from surefill.lsp.checker import Checker
from surefill.lsp.client import Client
from surefill.lsp.configuration import Configuration
from surefill.lsp.convert import from_lsp_position
from surefill.lsp.counters import Counters
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.model import ModelService
from surefill.lsp.project import Project
from surefill.settings import Settings
from surefill.syntax.document import end_of
from surefill.syntax.position import Position, Range

if TYPE_CHECKING:
    from surefill.completion.loading import LoadedModel

logger = logging.getLogger(__name__)

REST_SECONDS = 0.1
"""How long the cursor rests before the prompt there is read."""
LOOK_SECONDS = 0.3
"""How long a suggestion is looked at before what comes after it is made: longer than between two
keys, so that nothing is begun that the next key ends."""

_Place = tuple[str, Position, str]
"""A document, a cursor in it, and the line in which it stands."""


@dataclass
class _Running:
    """What the worker was given. ``again`` begins it anew if something came in between."""

    place: _Place
    cancellation: Cancellation
    again: Callable[[], None] | None


class ReadAhead:
    """Plans one piece of work at a time, the newest. A listener of the open documents."""

    def __init__(
        self,
        client: Client,
        *,
        configuration: Configuration,
        documents: OpenDocuments,
        model: ModelService,
        project: Project,
        checker: Checker,
        counters: Counters,
    ) -> None:
        self._client = client
        self._documents = documents
        self._model = model
        self._project = project
        self._checker = checker
        self._counters = counters
        self._settings = Settings()
        self._cursors: dict[str, Position] = {}
        """Where the cursor was last, in the documents of which that is known."""
        self._planned: tuple[str, asyncio.TimerHandle] | None = None
        self._running: _Running | None = None
        documents.listen(self)
        configuration.follow(self._apply)
        model.follow(self._serve)

    @property
    def at_work(self) -> bool:
        """Whether the model has something to do that nobody has asked for."""
        return self._running is not None

    # What the editor does.

    def opened(self, uri: str) -> None:
        """A document is open, its cursor anywhere: no reason to give up a place that is known."""
        if not self._cursors:
            self._plan(uri, 0.0, partial(self._read, uri))

    def edited(self, uri: str, span: Range, new_text: str) -> None:
        """What comes as a whole, as a suggestion does that is accepted, is followed by no key."""
        self._cursors[uri] = end_of(span.start, new_text)
        seconds = REST_SECONDS if len(new_text) <= 1 else 0.0
        self._plan(uri, seconds, partial(self._read, uri))

    def replaced(self, uri: str) -> None:
        """Where the cursor is now is not known."""
        self._cursors.pop(uri, None)
        self._give_up(uri)

    def closed(self, uri: str) -> None:
        self.replaced(uri)

    def seen(self, uri: str, span: types.Range) -> None:
        """A request tells where the cursor is, if it tells of one and not of a selection."""
        document = self._documents.get(uri)
        if document is None or span.start != span.end:
            return
        at = from_lsp_position(document.lines, span.end, self._client.encoding)
        if self._cursors.get(uri) != at:
            self._cursors[uri] = at
            self._plan(uri, REST_SECONDS, partial(self._read, uri))

    def asked(self, uri: str, position: Position) -> None:
        """An inline completion is asked for: its own answer needs nothing more of us."""
        self._cursors[uri] = position
        self._drop_plan()
        if self._running is not None:
            self._running.again = None

    def answered(self, request: CompletionRequest, result: CompletionResult) -> None:
        """An answer is shown: if it is one line, what follows it is made next."""
        shown = next(iter(result.suggestions), None)
        if shown is None or request.explicit or "\n" in shown.text:
            return
        follow = partial(self._follow, request, shown)
        self._plan(request.snapshot.uri, LOOK_SECONDS, follow)

    def stop(self) -> None:
        """The session ends, or nothing is wanted any more."""
        self._drop_plan()
        if self._running is not None:
            self._running.cancellation.cancel()
            self._running = None

    def _apply(self, settings: Settings) -> None:
        self._settings = settings
        self.stop()

    def _serve(self, model: LoadedModel | None) -> None:
        """A model has come into service and has read nothing yet."""
        self.stop()
        newest = next(iter(self._documents.recent()), None)
        if model is not None and newest is not None:
            self._plan(newest.uri, 0.0, partial(self._read, newest.uri))

    # What the model does.

    def _plan(self, uri: str, seconds: float, work: Callable[[], None]) -> None:
        """Do ``work`` for a document after a while, in place of what was planned before."""
        self._drop_plan()
        if self._settings.enabled and self._settings.engine.reads_ahead:
            timer = asyncio.get_running_loop().call_later(seconds, self._begin, work)
            self._planned = uri, timer

    def _begin(self, work: Callable[[], None]) -> None:
        self._planned = None
        work()

    def _drop_plan(self) -> None:
        if self._planned is not None:
            self._planned[1].cancel()
            self._planned = None

    def _give_up(self, uri: str) -> None:
        """Nothing about this document is wanted any more."""
        if self._planned is not None and self._planned[0] == uri:
            self._drop_plan()
        if self._running is not None and self._running.place[0] == uri:
            self._running.cancellation.cancel()
            self._running = None

    def _read(self, uri: str) -> None:
        """Have the prompt at the cursor read; where that is not known, the one at the end."""
        request = self._request(uri)
        if request is None or self._model.lookup(request) is not None:
            return
        line = request.snapshot.lines[request.position.line]
        running = self._start((uri, request.position, line), partial(self._read, uri))
        if running is None:
            return
        cancel = running.cancellation
        reading = self._model.submit_idle(
            lambda pipeline, engine: pipeline.read_ahead(request, engine, cancel), cancel
        )
        self._watch(running, reading)

    def _follow(self, request: CompletionRequest, shown: Suggestion) -> None:
        """Make the answer that will be asked for if what is shown is accepted."""
        uri = request.snapshot.uri
        document = self._documents.get(uri)
        if document is None or document.snapshot() is not request.snapshot:
            return
        end = end_of(shown.range.start, shown.text)
        before, after = shown.range
        line = request.snapshot.lines[before.line]
        line = line[: before.character] + shown.text + line[after.character :]
        again = partial(self._follow, request, shown)
        running = self._start((uri, end, line), again)
        if running is None:
            return
        self._checker.catch_up()
        request = replace(
            request,
            neighbours=self._project.neighbours(uri),
            revision=self._checker.revision(uri),
        )
        cancel = running.cancellation
        answer = self._model.submit_idle(
            lambda pipeline, engine: pipeline.follow_up(request, shown, engine, cancel), cancel
        )
        self._watch(running, answer)

    def _start(self, place: _Place, again: Callable[[], None]) -> _Running | None:
        """In place of what runs; None where that is about the same place already."""
        if self._running is not None:
            if self._running.place == place:
                return None
            self._running.cancellation.cancel()
        self._running = _Running(place, Cancellation(), again)
        return self._running

    def _watch(self, running: _Running, work: Future[Any] | None) -> None:
        if work is None:
            self._running = None
        else:
            asyncio.wrap_future(work).add_done_callback(partial(self._ended, running))

    def _ended(self, running: _Running, work: asyncio.Future[Any]) -> None:
        interrupted = running.cancellation.cancelled
        if not work.cancelled():
            error = work.exception()
            if error is None:
                self._count(work.result(), interrupted=interrupted)
            elif not isinstance(error, SurefillError):
                logger.error("reading ahead failed", exc_info=error)
        if self._running is running:
            self._running = None
            if interrupted and running.again is not None and self._planned is None:
                self._plan(running.place[0], REST_SECONDS, running.again)

    def _count(self, done: Reading | CompletionResult | None, *, interrupted: bool) -> None:
        if isinstance(done, CompletionResult):
            self._counters.follow_ups += not (interrupted or done.cached)
        elif done is not None and done.read_tokens:
            self._counters.read_aheads += 1
            self._counters.read_ahead_tokens += done.read_tokens
            logger.debug(
                "read %d of %d tokens ahead%s",
                done.read_tokens,
                done.prompt_tokens,
                "" if done.complete else ", then something else came",
            )

    def _request(self, uri: str) -> CompletionRequest | None:
        """The request that would be made at the cursor."""
        document = self._documents.get(uri)
        if document is None:
            return None
        snapshot, settings = document.snapshot(), self._settings.completion
        return CompletionRequest(
            snapshot,
            snapshot.clamp(self._cursors.get(uri, Position(len(snapshot.lines), 0))),
            n=settings.alternatives,
            deadline_ms=settings.deadline_ms,
            language_id=self._documents.language_id(uri),
            neighbours=self._project.neighbours(uri),
            revision=self._checker.revision(uri),
        )
