"""The problems of open documents as they are now, found once for every version of a text.

Joins the documents, the settings and the two ways of finding problems. Knows nothing of how
editors are told.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from surefill.budget import PROBLEMS_SECONDS, Cancellation, Deadline
from surefill.diagnostics.calls import KnownCalls
from surefill.diagnostics.inquiry import Inquiry
from surefill.diagnostics.problem import Problem
from surefill.lsp.background import Background
from surefill.lsp.checker import Checker
from surefill.lsp.configuration import Configuration
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.notify import OncePerCause
from surefill.oracle.answers import Unknown
from surefill.revision import ProjectRevision
from surefill.settings import DiagnosticsSettings
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Range

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from surefill.oracle.oracle import Oracle

T = TypeVar("T")
_State = tuple[Snapshot, DiagnosticsSettings, ProjectRevision]
"""What problems rest on."""


@dataclass(frozen=True)
class Found:
    """The problems of one version, in a project as it was at ``revision``.

    Not ``complete`` where the checker has not answered.
    """

    snapshot: Snapshot
    settings: DiagnosticsSettings
    revision: ProjectRevision
    problems: tuple[Problem, ...]
    complete: bool

    @property
    def state(self) -> _State:
        """What they rest on."""
        return self.snapshot, self.settings, self.revision


class Problems:
    """Finds and remembers the problems of open documents. A listener of them."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        documents: OpenDocuments,
        background: Background,
        checker: Checker,
    ) -> None:
        self._configuration = configuration
        self._documents = documents
        self._background = background
        self._checker = checker
        self._found: dict[str, Found] = {}
        self._finding: dict[str, tuple[_State, asyncio.Task[Found]]] = {}
        self._known_calls = KnownCalls()
        self._errors = OncePerCause()
        self._closed = False
        documents.listen(self)

    async def of(self, uri: str) -> Found | None:
        """The problems of a document in its present version; None when it is not open."""
        document = self._documents.get(uri)
        if document is None or self._closed:
            return None
        settings = self._configuration.current.diagnostics
        state = document.snapshot(), settings, self._checker.revision(uri)
        found = self._found.get(uri)
        if found and found.complete and found.state == state:
            return found
        running = self._finding.get(uri)
        if running is None or running[0] != state:
            if running is not None:
                running[1].cancel()
            task = asyncio.ensure_future(self._find(*state))
            running = self._finding[uri] = state, task
            task.add_done_callback(functools.partial(self._done, uri))
        # Others may wait for the same, so that one who is cancelled must not take it along.
        return await asyncio.shield(running[1])

    def checker_for(self, snapshot: Snapshot, cancel: Cancellation) -> Inquiry | None:
        """The checker of a document's language, for one request; None where there is none."""
        language = snapshot.language.id if snapshot.language else ""
        if not self._checker.service.answers_for(language):
            return None

        async def ask(
            question: Callable[[Oracle], Coroutine[Any, Any, T | Unknown]],
        ) -> T | Unknown:
            return await self._checker.ask(language, question)

        deadline = min(cancel.deadline, Deadline.after(PROBLEMS_SECONDS))
        return Inquiry(ask, deadline.at, cancel)

    def edited(self, uri: str, span: Range, new_text: str) -> None:
        """Nothing: who asks compares versions."""

    def replaced(self, uri: str) -> None:
        """Nothing: who asks compares versions."""

    def closed(self, uri: str) -> None:
        self._found.pop(uri, None)
        if running := self._finding.pop(uri, None):
            running[1].cancel()

    def close(self) -> None:
        """The session ends: nothing is looked for any more."""
        self._closed = True
        for _, task in self._finding.values():
            task.cancel()

    async def _find(
        self, snapshot: Snapshot, settings: DiagnosticsSettings, revision: ProjectRevision
    ) -> Found:
        from surefill.diagnostics.apis import api_problems  # a start needs none of these
        from surefill.diagnostics.calls import keyword_calls
        from surefill.diagnostics.syntax import syntax_problems

        cancel = Cancellation(Deadline.after(PROBLEMS_SECONDS))
        try:
            problems = await self._background.run(lambda: syntax_problems(snapshot))
            shown = problems if settings.syntax else []
            complete = True
            checker = self.checker_for(snapshot, cancel) if settings.apis else None
            if checker is not None:
                calls = await self._background.run(lambda: keyword_calls(snapshot))
                known = self._known_calls.at(snapshot, revision)
                apis = await api_problems(snapshot, checker, problems, calls, known)
                complete = apis is not None and not checker.late
                shown = sorted([*shown, *(apis or ())], key=lambda problem: problem.range)
        except Exception as error:  # noqa: BLE001 - it must not reach the editor
            self._errors.log("looking for problems failed", error)
            return Found(snapshot, settings, revision, (), complete=True)
        finally:
            cancel.cancel()
        return Found(snapshot, settings, revision, tuple(shown), complete)

    def _done(self, uri: str, task: asyncio.Task[Found]) -> None:
        running = self._finding.get(uri)
        if running is not None and running[1] is task:
            del self._finding[uri]
            if not task.cancelled() and not self._closed:
                self._found[uri] = task.result()
