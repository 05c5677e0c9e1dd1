"""``workspace/executeCommand``: what users and tests may ask the server, and what editors report.

Arguments come from outside and only go to the log: none of them can fail a command.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from surefill import __version__
from surefill.lsp.checker import Checker
from surefill.lsp.counters import Counters
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.inline_completion import InlineCompletion
from surefill.lsp.model import ModelService
from surefill.lsp.outcomes import Outcomes
from surefill.lsp.read_ahead import ReadAhead

logger = logging.getLogger(__name__)

STATUS = "surefill.status"
EXPLAIN = "surefill.explain"


class Commands:
    """The commands, as plain functions on the parts that they ask."""

    def __init__(
        self,
        *,
        documents: OpenDocuments,
        inline: InlineCompletion,
        model: ModelService,
        checker: Checker,
        outcomes: Outcomes,
        ahead: ReadAhead,
        counters: Counters,
    ) -> None:
        self._documents = documents
        self._inline = inline
        self._model = model
        self._checker = checker
        self._outcomes = outcomes
        self._ahead = ahead
        self._counters = counters

    def status(self) -> dict[str, object]:
        """What runs: the model, its provider, what is open, what was done."""
        return {
            "version": __version__,
            **self._model.status(),
            "checker": self._checker.status(),
            "documents": len(self._documents),
            "live": self._inline.live,
            "ahead": self._ahead.at_work,
            "counters": self._counters.as_dict(),
        }

    def explain(self, arguments: Sequence[object]) -> str:
        """Why the last answer was what it was, as Markdown.

        The argument is the document's URI, by itself or as ``uri`` of an object; without one it is
        the document that was changed last.
        """
        uri = _uri(arguments)
        if uri is None:
            uri = next((document.uri for document in self._documents.recent()), None)
        page = self._inline.explain(uri) if uri is not None else ""
        return page or "Nothing has been suggested here yet.\n"

    def accepted(self, arguments: object) -> None:
        """A suggestion was taken over into the document."""
        self._outcomes.accepted()
        logger.debug("accepted: %.500s", arguments)


def _uri(arguments: Sequence[object]) -> str | None:
    first = arguments[0] if arguments else None
    if isinstance(first, Mapping):
        first = first.get("uri")
    elif first is not None and not isinstance(first, str):
        first = getattr(first, "uri", None)  # pygls makes objects of JSON objects
    return first if isinstance(first, str) else None
