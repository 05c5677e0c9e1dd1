"""``workspace/executeCommand``: what users and tests may ask the server, and what editors report.

Arguments come from outside and only go to the log: none of them can fail a command.
"""

from __future__ import annotations

import logging

from surefill import __version__
from surefill.lsp.checker import Checker
from surefill.lsp.counters import Counters
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.inline_completion import InlineCompletion
from surefill.lsp.model import ModelService

logger = logging.getLogger(__name__)

STATUS = "surefill.status"


class Commands:
    """The commands, as plain functions on the parts that they ask."""

    def __init__(
        self,
        documents: OpenDocuments,
        inline: InlineCompletion,
        model: ModelService,
        checker: Checker,
        counters: Counters,
    ) -> None:
        self._documents = documents
        self._inline = inline
        self._model = model
        self._checker = checker
        self._counters = counters

    def status(self) -> dict[str, object]:
        """What runs: the model, its provider, what is open, what was done."""
        return {
            "version": __version__,
            **self._model.status(),
            "checker": self._checker.status(),
            "documents": len(self._documents),
            "live": self._inline.live,
            "counters": self._counters.as_dict(),
        }

    def accepted(self, arguments: object) -> None:
        """A suggestion was taken over into the document."""
        self._counters.accepted += 1
        logger.debug("accepted: %.500s", arguments)
