"""What the store, the open document and the project say at one prompt; not whom to believe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefill.engine.interface import Prompt
from surefill.engine.ngrams.cache import View
from surefill.engine.ngrams.document import OpenDocument
from surefill.engine.ngrams.evidence import Evidence
from surefill.engine.ngrams.layout import DOCUMENT_ORDERS, LONGEST_CONTEXT, PROJECT_ORDERS
from surefill.engine.ngrams.opinions import Familiarity
from surefill.engine.ngrams.store import NgramStore


class Sources:
    """All that can be known of the next token at one prompt, apart from the base."""

    def __init__(self, store: NgramStore, project: View, prompt: Prompt) -> None:
        self._store = store
        self._project = project
        self._key = prompt.document
        self._before = tuple(prompt.before[-LONGEST_CONTEXT:])
        self._document = OpenDocument(prompt.before, prompt.after, store.vocabulary)
        self.gap = prompt.after[0] if prompt.after else None
        """The token behind the cursor."""
        self.familiarity = self._familiarity()

    def ends(self, end: int | None, *, gap_ends: bool) -> tuple[int, int] | None:
        """Two tokens that say the same, that nothing is missing: the model's ``end``, and the gap.

        ``gap_ends``: whether the token behind the cursor means that here.
        """
        if not gap_ends or end is None or self.gap is None:
            return None
        return end, self.gap

    def _familiarity(self) -> Familiarity:
        own = np.log1p(self._document.occurrences())
        distance = np.log1p(self._document.distances())
        project = np.log1p(self._project.occurrences(self._key))
        return np.stack([own, distance, project], axis=1, dtype=np.float32, casting="same_kind")

    def experts(self, generated: Sequence[int]) -> list[Evidence | None]:
        """What each sparse expert says behind ``generated``, [SPARSE_EXPERTS]."""
        context = (*self._before, *generated)[-LONGEST_CONTEXT:]
        own, nearest = self._document.evidence(context, DOCUMENT_ORDERS)
        project = self._project.evidence(context, PROJECT_ORDERS, self._key)
        return [
            *self._store.evidence(context),
            *(own.get(order) for order in DOCUMENT_ORDERS),
            nearest,
            *(project.get(order) for order in PROJECT_ORDERS),
        ]
