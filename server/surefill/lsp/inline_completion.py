"""``textDocument/inlineCompletion``: from the editor's question to its list of items.

Order: the type-through cache, which needs no model and no await; then the model, off the event
loop. Whatever goes wrong, the answer is a list: with ``null`` some editors keep an old suggestion
on screen.
"""

from __future__ import annotations

import dataclasses
import logging

from lsprotocol import types

from surefill.budget import Cancellation, Deadline
from surefill.completion.suggestion import CompletionRequest, CompletionResult, Suggestion
from surefill.errors import SurefillError
from surefill.lsp.checker import Checker
from surefill.lsp.client import Client
from surefill.lsp.configuration import Configuration
from surefill.lsp.convert import from_lsp_position, from_lsp_range, to_lsp_range
from surefill.lsp.counters import Counters
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.live import LiveRequest, LiveRequests
from surefill.lsp.model import ModelService
from surefill.lsp.notify import Notifier, OncePerCause
from surefill.lsp.outcomes import Outcomes
from surefill.lsp.project import Project
from surefill.lsp.read_ahead import ReadAhead
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Range

logger = logging.getLogger(__name__)

ACCEPTED = "surefill.accepted"


class InlineCompletion:
    """Answers requests; at most one per document lives at a time."""

    def __init__(
        self,
        client: Client,
        *,
        configuration: Configuration,
        documents: OpenDocuments,
        model: ModelService,
        project: Project,
        checker: Checker,
        notifier: Notifier,
        counters: Counters,
        outcomes: Outcomes,
        ahead: ReadAhead,
    ) -> None:
        self._client = client
        self._configuration = configuration
        self._documents = documents
        self._model = model
        self._project = project
        self._checker = checker
        self._notifier = notifier
        self._counters = counters
        self._outcomes = outcomes
        self._ahead = ahead
        self._live = LiveRequests()
        self._errors = OncePerCause()
        self._answered: dict[str, tuple[Snapshot, CompletionResult]] = {}
        """The last answer for each document, for the user who asks why."""
        documents.listen(self._live)
        documents.listen(self)
        configuration.follow(lambda _: self.stop())

    @property
    def live(self) -> int:
        """How many requests are on their way."""
        return len(self._live)

    def explain(self, uri: str) -> str:
        """Why the last answer for a document was what it was, as Markdown; empty without one."""
        answered = self._answered.get(uri)
        if answered is None:
            return ""
        snapshot, result = answered
        return self._model.explain(result, snapshot.language.id if snapshot.language else "")

    def edited(self, uri: str, span: Range, new_text: str) -> None:
        """An answer explains itself as long as its document is open."""

    def replaced(self, uri: str) -> None:
        """As ``edited``."""

    def closed(self, uri: str) -> None:
        self._answered.pop(uri, None)

    def stop(self) -> None:
        """The session ends: nothing that is on its way is wanted any more."""
        self._live.outdate_all()

    async def answer(self, params: types.InlineCompletionParams) -> types.InlineCompletionList:
        """Items for one request; an empty list when there is nothing to show or it failed."""
        self._counters.requests += 1
        try:
            return await self._answer(params)
        except Exception as error:  # noqa: BLE001 - it must not reach the editor
            self._counters.failed += 1
            self._errors.log("inline completion failed", error)
            if isinstance(error, SurefillError) and error.remedy:
                self._notifier.show_once(str(error))
            return nothing()

    async def _answer(self, params: types.InlineCompletionParams) -> types.InlineCompletionList:
        uri = params.text_document.uri
        self._counters.superseded += self._live.supersede(uri)
        request = self._request(params)
        if request is None:
            return nothing()
        self._ahead.asked(uri, request.position)
        known = self._model.lookup(request)
        if known is not None:
            self._counters.cache_hits += 1
            return self._items(request, known)
        # Typing through a suggestion needs no other files.
        neighbours = self._project.neighbours(uri)
        self._checker.catch_up()
        request = dataclasses.replace(request, neighbours=neighbours)
        cancellation = Cancellation(Deadline.after(request.deadline_ms / 1000))
        live = self._live.begin(uri, request.position, cancellation)
        try:
            result = await self._model.complete(request, cancellation)
        finally:
            self._live.end(uri, live)
        return self._fitting(live, request, result)

    def _request(self, params: types.InlineCompletionParams) -> CompletionRequest | None:
        document = self._documents.get(params.text_document.uri)
        if document is None:
            logger.warning("asked about %s, which is not open", params.text_document.uri)
            return None
        snapshot, encoding = document.snapshot(), self._client.encoding
        settings = self._configuration.current.completion
        selected = params.context.selected_completion_info
        return CompletionRequest(
            snapshot,
            from_lsp_position(snapshot.lines, params.position, encoding),
            explicit=params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked,
            n=settings.alternatives,
            selected_text=selected.text if selected else None,
            selected_range=from_lsp_range(snapshot.lines, selected.range, encoding)
            if selected
            else None,
            deadline_ms=settings.deadline_ms,
            language_id=self._documents.language_id(document.uri),
            revision=self._checker.revision(document.uri),
        )

    def _fitting(
        self, live: LiveRequest, request: CompletionRequest, result: CompletionResult
    ) -> types.InlineCompletionList:
        """The answer to ``request`` in the document as it is now.

        Text typed at the cursor meanwhile is looked up like any typing through a suggestion; an
        edit elsewhere leaves nothing to show.
        """
        document = self._documents.get(request.snapshot.uri)
        if live.stale or document is None:
            self._counters.stale += 1
            return nothing()
        if not live.typed:
            return self._items(request, result)
        snapshot = document.snapshot()
        moved = dataclasses.replace(
            request,
            snapshot=snapshot,
            position=live.position,
            selected_text=None,
            selected_range=None,
            revision=self._checker.revision(snapshot.uri),
        )
        rest = self._model.lookup(moved)
        if rest is None:
            self._counters.stale += 1
            return nothing()
        return self._items(moved, rest)

    def _items(
        self, request: CompletionRequest, result: CompletionResult
    ) -> types.InlineCompletionList:
        snapshot = request.snapshot
        logger.debug(
            "%d suggestions%s %s",
            len(result.suggestions),
            " from the cache" if result.cached else f" in {result.timings.total:.0f} ms",
            result.reason,
        )
        self._counters.shown += bool(result.suggestions)
        self._outcomes.shown(snapshot.uri, request.position, result.suggestions)
        self._remember(snapshot, result)
        self._ahead.answered(request, result)
        return types.InlineCompletionList(
            [self._item(snapshot, suggestion) for suggestion in result.suggestions]
        )

    def _remember(self, snapshot: Snapshot, result: CompletionResult) -> None:
        before = self._answered.get(snapshot.uri)
        if result.cached and before is not None:
            # What the model saw and what was withheld is told of the answer that is typed through.
            _, made = before
            result = dataclasses.replace(result, context=made.context, withheld=made.withheld)
        self._answered[snapshot.uri] = snapshot, result

    def _item(self, snapshot: Snapshot, suggestion: Suggestion) -> types.InlineCompletionItem:
        """Plain text with a range always: without one Neovim does not shorten it while typing."""
        report = {
            "uri": snapshot.uri,
            "characters": len(suggestion.text),
            "verdicts": {name: each.outcome for name, each in suggestion.verdicts.items()},
            "checker": suggestion.evidence.checker,
            "apis": [
                {
                    "name": use.name,
                    "owner": use.owner,
                    "package": use.package,
                    "version": use.version,
                }
                for use in suggestion.evidence.uses
                if use.kind == "call"
            ],
        }
        return types.InlineCompletionItem(
            insert_text=suggestion.text,
            range=to_lsp_range(snapshot.lines, suggestion.range, self._client.encoding),
            command=types.Command("Suggestion accepted", ACCEPTED, arguments=[report]),
        )


def nothing() -> types.InlineCompletionList:
    return types.InlineCompletionList([])
