"""``textDocument/codeAction``: a quick fix for each proven repair of the problems asked about.

A request ends with the next change of its document, and at its deadline; whatever goes wrong, the
answer is a list. Where the editor asks for the edit of the action that was chosen, it gets it then.
"""

from __future__ import annotations

import itertools
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types

from surefill.budget import QUICK_FIX_SECONDS, Cancellation, Deadline
from surefill.diagnostics.problem import Problem
from surefill.engine.interface import Engine
from surefill.errors import EngineError
from surefill.lsp.background import Background
from surefill.lsp.client import Client
from surefill.lsp.convert import from_lsp_range, to_lsp_range
from surefill.lsp.diagnostics import SOURCE, diagnostic
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.model import ModelService
from surefill.lsp.notify import OncePerCause
from surefill.lsp.problems import Found, Problems
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Range

if TYPE_CHECKING:
    from surefill.completion.loading import LoadedModel
    from surefill.repair.edit import Repair
    from surefill.repair.model import Author

logger = logging.getLogger(__name__)

T = TypeVar("T")

HOW_TO_INSTALL = "surefill.howToInstall"
"""The command of an action that changes nothing, and says how a module is installed."""
_MOST_PROBLEMS = 4
"""For so many problems repairs are looked for in one request."""
_MOST_KEPT = 200
"""Edits that may still be asked for."""


@dataclass(frozen=True)
class _Offer:
    """A repair that was offered, for the version of the text that it is for."""

    snapshot: Snapshot
    repair: Repair


class CodeActions:
    """Offers repairs. Lives on the event loop."""

    def __init__(
        self,
        client: Client,
        *,
        documents: OpenDocuments,
        problems: Problems,
        model: ModelService,
        background: Background,
    ) -> None:
        self._client = client
        self._documents = documents
        self._problems = problems
        self._helpers = _Helpers(model, background)
        self._running: dict[str, list[Cancellation]] = {}
        self._known: OrderedDict[tuple[str, Problem], tuple[Found, tuple[Repair, ...]]]
        self._known = OrderedDict()
        self._offers: OrderedDict[int, _Offer] = OrderedDict()
        self._numbers = itertools.count(1)
        self._errors = OncePerCause()
        documents.listen(self)

    def stop(self) -> None:
        """The session ends: nothing that is on its way is wanted any more."""
        for uri in list(self._running):
            self.replaced(uri)

    def edited(self, uri: str, span: Range, new_text: str) -> None:
        self.replaced(uri)

    def replaced(self, uri: str) -> None:
        """Repairs of the text as it was are not wanted any more."""
        for cancel in list(self._running.get(uri, ())):
            cancel.cancel()

    closed = replaced

    async def answer(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """Quick fixes for the problems in a range; an empty list when there are none."""
        only = params.context.only
        if only and not any(_is_quick_fix(kind) for kind in only):
            return []
        try:
            return await self._answer(params)
        except Exception as error:  # noqa: BLE001 - it must not reach the editor
            self._errors.log("looking for repairs failed", error)
            return []

    def resolve(self, action: types.CodeAction) -> types.CodeAction:
        """The action with its edit; without one where the document is another by now."""
        number = action.data.get("number") if isinstance(action.data, dict) else None
        offer = self._offers.get(number) if isinstance(number, int) else None
        if offer is None or not self._current(offer.snapshot):
            logger.info("a repair was chosen for a text that has changed since")
            return action
        action.edit = self._edit(offer.snapshot, offer.repair)
        return action

    async def _answer(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        found = await self._problems.of(uri)
        if found is None:
            return []
        wanted = self._wanted(found, params)
        cancel = Cancellation(Deadline.after(QUICK_FIX_SECONDS))
        self._running.setdefault(uri, []).append(cancel)
        try:
            actions: list[types.CodeAction] = []
            changes: set[tuple[Range, str]] = set()
            for problem in wanted:
                for repair in await self._repairs(found, problem, cancel):
                    if (repair.range, repair.text) in changes:
                        continue  # it mends another problem as well
                    changes.add((repair.range, repair.text))
                    action = self._action(found, problem, repair, params.context)
                    if any(action.title == each.title for each in actions):
                        action.title += f" in line {repair.range.start.line + 1}"
                    actions.append(action)
                actions += self._advice(found, problem, params.context)
            return actions if self._current(found.snapshot) else []
        finally:
            self._end(uri, cancel)

    def _end(self, uri: str, cancel: Cancellation) -> None:
        cancel.cancel()
        running = self._running[uri]
        running.remove(cancel)
        if not running:
            del self._running[uri]

    def _wanted(self, found: Found, params: types.CodeActionParams) -> list[Problem]:
        """The problems in the lines of the range, those at the range itself first.

        An editor that asks by itself, after every key, is answered only about what it has been
        told: of a line that is being typed in it shows no problem yet, and wants no fix.
        """
        snapshot, encoding = found.snapshot, self._client.encoding
        span = from_lsp_range(snapshot.lines, params.range, encoding)
        ours = [each for each in params.context.diagnostics if each.source == SOURCE]
        named = [from_lsp_range(snapshot.lines, each.range, encoding).start for each in ours]
        by_itself = params.context.trigger_kind == types.CodeActionTriggerKind.Automatic
        near = [
            problem
            for problem in found.problems
            if problem.range.start in named
            or (not by_itself and _share_a_line(problem.range, span))
        ]
        near.sort(key=lambda each: (each.range.start not in named, not _meet(each.range, span)))
        return near[:_MOST_PROBLEMS]

    async def _repairs(
        self, found: Found, problem: Problem, cancel: Cancellation
    ) -> tuple[Repair, ...]:
        """As found before for this version in the same project, or found now."""
        from surefill.repair.service import RepairRequest, find_repairs  # a start needs no repairs

        key = found.snapshot.uri, problem
        known = self._known.get(key)
        if known is not None and known[0].state == found.state:
            return known[1]
        request = RepairRequest(found.snapshot, problem, cancel)
        checker = self._problems.checker_for(found.snapshot, cancel)
        repairs = tuple(await find_repairs(request, self._helpers, checker))
        if not (request.late or (checker is not None and checker.late)):
            self._known[key] = found, repairs
            _forget_oldest(self._known)
        return repairs

    def show_how_to_install(self, arguments: Sequence[object]) -> None:
        """Tell the user what to type; nothing for a module of whose package we do not know."""
        from surefill.repair.packages import how_to_install

        module = arguments[0] if arguments else None
        if isinstance(module, str) and (line := how_to_install(module)):
            message = f"Type this where the project's environment is active: {line}"
            self._client.show(message, types.MessageType.Info)

    def _advice(
        self, found: Found, problem: Problem, context: types.CodeActionContext
    ) -> list[types.CodeAction]:
        """How to get a package that is not installed: no other one does what it does."""
        from surefill.repair.packages import how_to_install, missing_package

        module = missing_package(found.snapshot, problem)
        if not module:
            return []
        title = f"Not installed: {how_to_install(module)}"
        return [
            types.CodeAction(
                title=title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=self._mended(found, problem, context),
                is_preferred=False,
                command=types.Command(title, HOW_TO_INSTALL, arguments=[module]),
            )
        ]

    def _mended(
        self, found: Found, problem: Problem, context: types.CodeActionContext
    ) -> list[types.Diagnostic]:
        """The editor's own diagnostic of a problem, or what we would have sent."""
        item = diagnostic(problem, found, self._client)
        same = [
            each
            for each in context.diagnostics
            if (each.range, each.code, each.source) == (item.range, item.code, SOURCE)
        ]
        return same[:1] or [item]

    def _action(
        self,
        found: Found,
        problem: Problem,
        repair: Repair,
        context: types.CodeActionContext,
    ) -> types.CodeAction:
        action = types.CodeAction(
            title=repair.title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=self._mended(found, problem, context),
            is_preferred=repair.preferred,
        )
        if self._client.resolves_edits:
            number = next(self._numbers)
            self._offers[number] = _Offer(found.snapshot, repair)
            _forget_oldest(self._offers)
            action.data = {"number": number}
        else:
            action.edit = self._edit(found.snapshot, repair)
        return action

    def _edit(self, snapshot: Snapshot, repair: Repair) -> types.WorkspaceEdit:
        span = to_lsp_range(snapshot.lines, repair.range, self._client.encoding)
        change = types.TextEdit(span, repair.text)
        if not self._client.edits_versions:
            return types.WorkspaceEdit(changes={snapshot.uri: [change]})
        document = types.OptionalVersionedTextDocumentIdentifier(snapshot.uri, snapshot.version)
        edit = types.TextDocumentEdit(document, [change])
        return types.WorkspaceEdit(document_changes=[edit])

    def _current(self, snapshot: Snapshot) -> bool:
        document = self._documents.get(snapshot.uri)
        return document is not None and document.snapshot() is snapshot


class _Helpers:
    """Where repairs are worked at: in a thread of their own, and in the model's."""

    def __init__(self, model: ModelService, background: Background) -> None:
        self._model = model
        self._background = background

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await self._background.run(work)

    async def with_model(self, work: Callable[[Author], T], cancel: Cancellation) -> T | None:
        from surefill.repair.model import Author

        def with_author(model: LoadedModel, engine: Engine) -> T:
            return work(Author(engine, model.context, cancel))

        try:
            return await self._model.run(with_author, cancel)
        except EngineError as error:
            logger.info("repairs are found without the model: %s", error)
            return None


def _is_quick_fix(kind: types.CodeActionKind | str) -> bool:
    value = kind.value if isinstance(kind, types.CodeActionKind) else kind
    return value == "" or value.split(".")[0] == "quickfix"


def _share_a_line(one: Range, other: Range) -> bool:
    return one.start.line <= other.end.line and other.start.line <= one.end.line


def _meet(one: Range, other: Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def _forget_oldest(kept: OrderedDict[Any, Any]) -> None:
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
