"""Diagnostics: pulled by editors that ask for them, pushed to the others, never both.

A push waits until the text rests, and still longer for what stands in the line that is being typed
in: an unfinished line is no mistake yet. A pull is answered at once, without that line's; when the
line rests, the editor is asked to pull again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from surefill.diagnostics.problem import Problem
from surefill.lsp.client import Client
from surefill.lsp.configuration import Configuration
from surefill.lsp.convert import to_lsp_range
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.problems import Found, Problems
from surefill.settings import DiagnosticsSettings, Settings
from surefill.syntax.position import Range

logger = logging.getLogger(__name__)

SOURCE = "surefill"
QUIET_SECONDS = 0.4
"""How long a document rests after a change before its problems are pushed."""
TYPING_SECONDS = 1.5
"""How long it rests before those in the line of the last change are, too."""
_AGAIN_SECONDS = 2.0
"""After so long the checker is asked again, when it had no answer in time."""
_MOST_AGAIN = 5


class Diagnostics:
    """What the editor shows as problems. A listener of the open documents."""

    def __init__(
        self,
        client: Client,
        *,
        configuration: Configuration,
        documents: OpenDocuments,
        problems: Problems,
    ) -> None:
        self._client = client
        self._configuration = configuration
        self._documents = documents
        self._problems = problems
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._typed: dict[str, tuple[int, float]] = {}
        """The line of each document's last change, and when that was, by the loop's clock."""
        self._pushed: set[str] = set()
        """Documents that the editor shows problems of."""
        self._again: dict[str, int] = {}
        self._settings = DiagnosticsSettings()
        self._pulled = False
        self._stopped = False
        documents.listen(self)
        configuration.follow(self._apply)

    # Pull

    async def pull(self, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        """The report on one document; "unchanged" where the editor has it already."""
        self._pulled = True
        uri = params.text_document.uri
        found = await self._problems.of(uri)
        if found is None:
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        items = [self._item(found, problem) for problem in self._rested(found)]
        result_id = _result_id(items)
        if params.previous_result_id == result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
        return types.RelatedFullDocumentDiagnosticReport(items=items, result_id=result_id)

    def _rested(self, found: Found) -> Sequence[Problem]:
        """The problems to answer a pull with; where some are held back, it is asked for again."""
        uri = found.snapshot.uri
        line, since = self._typed.get(uri, (None, 0.0))
        left = since + TYPING_SECONDS - asyncio.get_running_loop().time()
        shown, held = _without(found.problems, line if left > 0 else None)
        if not held or not self._client.refreshes_diagnostics:
            self._ask_again(found)
            return found.problems
        self._forget_timer(uri)
        self._timers[uri] = asyncio.get_running_loop().call_later(left, self._pull_again, uri)
        return shown

    def refresh(self) -> None:
        """What was reported may not hold any more: everything is looked at anew."""
        if self._stopped:
            return
        if self._pushes:
            for document in self._documents:
                self._schedule(document.uri, 0.0, typing=False)
        elif self._client.refreshes_diagnostics:
            self._start(self._ask_to_pull())

    async def _ask_to_pull(self) -> None:
        try:
            await self._client.refresh_diagnostics()
        except JsonRpcException as error:
            logger.debug("the editor does not refresh its diagnostics: %s", error)

    # Push

    def opened(self, uri: str) -> None:
        """A document is open: its problems are shown at once."""
        self._again.pop(uri, None)
        self._schedule(uri, 0.0, typing=False)

    def edited(self, uri: str, span: Range, new_text: str) -> None:
        line = span.start.line + new_text.count("\n")
        self._typed[uri] = line, asyncio.get_running_loop().time()
        self._changed(uri)

    def replaced(self, uri: str) -> None:
        self._typed.pop(uri, None)
        self._changed(uri)

    def closed(self, uri: str) -> None:
        self._forget_timer(uri)
        self._typed.pop(uri, None)
        self._again.pop(uri, None)
        if uri in self._pushed:
            self._pushed.discard(uri)
            self._client.publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def stop(self) -> None:
        """The session ends: nothing is sent any more."""
        self._stopped = True
        for uri in list(self._timers):
            self._forget_timer(uri)
        for task in self._tasks:
            task.cancel()

    @property
    def _pushes(self) -> bool:
        return not self._stopped and not self._pulled and not self._client.pulls_diagnostics

    def _apply(self, settings: Settings) -> None:
        if settings.diagnostics != self._settings:
            self._settings = settings.diagnostics
            self.refresh()

    def _changed(self, uri: str) -> None:
        self._again.pop(uri, None)
        self._schedule(uri, QUIET_SECONDS, typing=True)

    def _schedule(self, uri: str, seconds: float, *, typing: bool) -> None:
        self._forget_timer(uri)
        if self._pushes:
            begin = partial(self._begin_push, uri, typing)
            self._timers[uri] = asyncio.get_running_loop().call_later(seconds, begin)

    def _begin_push(self, uri: str, typing: bool) -> None:
        self._timers.pop(uri, None)
        self._start(self._push(uri, typing=typing))

    async def _push(self, uri: str, *, typing: bool) -> None:
        found = await self._problems.of(uri)
        document = self._documents.get(uri)
        if found is None or document is None or document.snapshot() is not found.snapshot:
            return  # a later push is on its way
        if not self._pushes:
            return
        line, _ = self._typed.get(uri, (None, 0.0))
        shown, held = _without(found.problems, line if typing else None)
        items = [self._item(found, each) for each in shown]
        if items or uri in self._pushed:
            self._pushed.add(uri)
            params = types.PublishDiagnosticsParams(uri, items, found.snapshot.version)
            self._client.publish_diagnostics(params)
        if held:
            self._schedule(uri, TYPING_SECONDS - QUIET_SECONDS, typing=False)
        else:
            self._ask_again(found)

    def _ask_again(self, found: Found) -> None:
        """A checker that was too slow is asked once more, a few times."""
        uri = found.snapshot.uri
        times = self._again.get(uri, 0)
        if found.complete or times >= _MOST_AGAIN or uri in self._timers or self._stopped:
            return
        self._again[uri] = times + 1
        loop = asyncio.get_running_loop()
        if self._pushes:
            self._schedule(uri, _AGAIN_SECONDS, typing=False)
        elif self._client.refreshes_diagnostics:
            self._timers[uri] = loop.call_later(_AGAIN_SECONDS, partial(self._pull_again, uri))

    def _pull_again(self, uri: str) -> None:
        self._timers.pop(uri, None)
        self._start(self._ask_to_pull())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _forget_timer(self, uri: str) -> None:
        if timer := self._timers.pop(uri, None):
            timer.cancel()

    def _item(self, found: Found, problem: Problem) -> types.Diagnostic:
        return diagnostic(problem, found, self._client)


def diagnostic(problem: Problem, found: Found, client: Client) -> types.Diagnostic:
    """A problem as the editor shows it."""
    return types.Diagnostic(
        range=to_lsp_range(found.snapshot.lines, problem.range, client.encoding),
        message=problem.message,
        severity=types.DiagnosticSeverity.Error,
        code=f"surefill/{problem.category}",
        source=SOURCE,
    )


def _without(problems: Sequence[Problem], line: int | None) -> tuple[list[Problem], list[Problem]]:
    """The problems that have nothing to do with a line, and those that have."""
    held = [each for each in problems if line is not None and _in_line(each, line)]
    return [each for each in problems if each not in held], held


def _in_line(problem: Problem, line: int) -> bool:
    """Whether a problem begins or ends in a line, or in the one behind it because of that."""
    return problem.region.start.line <= line <= problem.region.end.line or (
        problem.range.start.line in (line, line + 1)
    )


def _result_id(items: list[types.Diagnostic]) -> str:
    said = "\n".join(f"{item.range} {item.code} {item.message}" for item in items)
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]
