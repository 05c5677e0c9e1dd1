"""``textDocument/completion``: calls for the menu, beside what the language's own server lists.

Found in a thread of its own, for as long as the settings allow; whatever goes wrong, the answer is
a list.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, TypeVar

from lsprotocol import types

from surefill.budget import MENU_GRACE_SECONDS, Cancellation, Deadline
from surefill.completion.call_items import CallItem, CallRequest
from surefill.errors import SurefillError
from surefill.lsp.checker import Checker
from surefill.lsp.client import Client
from surefill.lsp.configuration import Configuration
from surefill.lsp.convert import from_lsp_position, to_lsp_range
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.live import LiveRequest, LiveRequests
from surefill.lsp.menu import MenuForm
from surefill.lsp.model import ModelService
from surefill.lsp.notify import OncePerCause
from surefill.lsp.project import Project
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Range

if TYPE_CHECKING:
    from surefill.context.window import ContextBuilder
    from surefill.engine.interface import Engine

logger = logging.getLogger(__name__)

T = TypeVar("T")

TRIGGERS = [".", "("]
_LISTS_KEPT = 4
"""Of so many lists, the last ones, items can be told more about."""


class MenuCompletion:
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
    ) -> None:
        self._client = client
        self._configuration = configuration
        self._documents = documents
        self._model = model
        self._project = project
        self._checker = checker
        self._live = LiveRequests()
        self._errors = OncePerCause()
        self._thread = ThreadPoolExecutor(1, "surefill-menu")
        self._numbers = itertools.count()
        self._shown: OrderedDict[int, tuple[CallItem, ...]] = OrderedDict()
        documents.listen(self._live)
        configuration.follow(lambda _: self.stop())

    def stop(self) -> None:
        """The session ends: nothing that is on its way is wanted any more."""
        self._live.outdate_all()

    def close(self) -> None:
        """Free the thread; what it works at ends by itself soon."""
        self.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def answer(self, params: types.CompletionParams) -> types.CompletionList:
        """Items for one request; an empty list when there is nothing to offer or it failed."""
        try:
            return await self._answer(params)
        except Exception as error:  # noqa: BLE001 - it must not reach the editor
            self._errors.log("completion failed", error)
            return types.CompletionList(is_incomplete=False, items=[])

    def resolve(self, item: types.CompletionItem) -> types.CompletionItem:
        """The item with its signature and documentation, where it is one of the last lists'."""
        data = item.data
        if isinstance(data, list) and len(data) == 2 and all(isinstance(n, int) for n in data):
            shown = self._shown.get(data[0], ())
            if 0 <= data[1] < len(shown):
                self._form.explain(item, shown[data[1]])
        return item

    async def _answer(self, params: types.CompletionParams) -> types.CompletionList:
        uri = params.text_document.uri
        self._live.supersede(uri)
        request = self._request(params)
        if request is None:
            return types.CompletionList(is_incomplete=False, items=[])
        live = self._live.begin(uri, request.position, request.cancel)
        try:
            found, complete = await self._find(request)
        finally:
            self._live.end(uri, live)
        if not self._fits(live, request):
            return types.CompletionList(is_incomplete=True, items=[])
        items = self._items(request.snapshot, found)
        complete = complete and not live.typed
        return types.CompletionList(is_incomplete=not complete, items=items)

    def _request(self, params: types.CompletionParams) -> CallRequest | None:
        """What is to be found; None where nothing is wanted."""
        uri, settings = params.text_document.uri, self._configuration.current
        document = self._documents.get(uri)
        if document is None or not (settings.enabled and settings.snippets.enabled):
            return None
        language = document.language
        if language is None or not self._checker.service.answers_for(language.id):
            return None
        if self._documents.language_id(uri) in settings.disabled_languages:
            return None
        snapshot = document.snapshot()
        neighbours = self._project.neighbours(uri) if settings.context.related else None
        self._checker.catch_up()
        return CallRequest(
            snapshot,
            from_lsp_position(snapshot.lines, params.position, self._client.encoding),
            cancel=Cancellation(Deadline.after(settings.snippets.deadline_ms / 1000)),
            neighbours=neighbours,
        )

    async def _find(self, request: CallRequest) -> tuple[tuple[CallItem, ...], bool]:
        """The items that are there in time, and whether they are all, whatever is typed next."""
        ask = _Asking(self._model, request.cancel)
        service, settings = self._checker.service, self._configuration.current
        found: list[CallItem] = []

        def find() -> bool:
            from surefill.completion.calls import CallCompletion  # start stays quick

            return CallCompletion(service, settings).find(request, ask, found)

        finding = asyncio.get_running_loop().run_in_executor(self._thread, find)
        finding.add_done_callback(_retrieve)
        end = request.cancel.deadline.later(MENU_GRACE_SECONDS)
        done, _ = await asyncio.wait((finding,), timeout=end.timeout)
        complete = bool(done) and finding.result()
        return tuple(found), complete

    def _fits(self, live: LiveRequest, request: CallRequest) -> bool:
        """Whether the answer is still wanted: at most, a name was typed on meanwhile.

        Editors compare it with the items themselves, whose places are those of the request.
        """
        document = self._documents.get(request.snapshot.uri)
        if live.stale or document is None:
            return False
        typed = document.snapshot().text_in(Range(request.position, live.position))
        return all(character.isalnum() or character == "_" for character in typed)

    def _items(self, snapshot: Snapshot, found: tuple[CallItem, ...]) -> list[types.CompletionItem]:
        number = next(self._numbers)
        self._shown[number] = found
        if len(self._shown) > _LISTS_KEPT:
            self._shown.popitem(last=False)
        form, encoding = self._form, self._client.encoding

        def in_units(span: Range) -> types.Range:
            return to_lsp_range(snapshot.lines, span, encoding)

        return [
            form.item(item, rank, data=[number, rank], in_units=in_units)
            for rank, item in enumerate(found)
        ]

    @property
    def _form(self) -> MenuForm:
        return MenuForm(self._client.menu)


class _Asking:
    """``completion.wishes.AskModel`` for one request."""

    def __init__(self, model: ModelService, cancel: Cancellation) -> None:
        self._model = model
        self._cancel = cancel

    def __call__(self, job: Callable[[Engine, ContextBuilder], T]) -> T | None:
        try:
            answer = self._model.submit(
                lambda model, engine: job(engine, model.context), self._cancel
            )
            return answer.result(self._cancel.deadline.timeout)
        except (FutureTimeout, CancelledError):
            return None
        except SurefillError as error:
            logger.debug("calls are not ranked: %s", error)
            return None


def _retrieve(future: asyncio.Future[bool]) -> None:
    """Look at an abandoned result, so that asyncio does not report its error as unnoticed."""
    if not future.cancelled():
        future.exception()
