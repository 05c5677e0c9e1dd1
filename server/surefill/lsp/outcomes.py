"""What becomes of suggestions that are shown: accepted, accepted in part, or rejected.

Editors report that a whole suggestion was accepted, by the item's command. That a word or a line of
one was, or that it was passed over, is seen by what happens to the document; so it is known of
every editor, whatever it can report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surefill.completion.suggestion import Suggestion
from surefill.lsp.counters import Counters
from surefill.lsp.documents import OpenDocuments
from surefill.syntax.document import Snapshot, end_of
from surefill.syntax.position import Position, Range


@dataclass
class _Shown:
    """The suggestions at one cursor, which moves along when what they say is typed."""

    cursor: Position
    suggestions: Sequence[Suggestion]
    begun: bool = False
    """Whether a part of one was accepted."""


class Outcomes:
    """Counts them. A listener of the open documents."""

    def __init__(self, documents: OpenDocuments, counters: Counters) -> None:
        self._documents = documents
        self._counters = counters
        self._shown: dict[str, _Shown] = {}
        documents.listen(self)

    def shown(self, uri: str, cursor: Position, suggestions: Sequence[Suggestion]) -> None:
        """The editor shows these now, in place of what it showed before."""
        before = self._shown.get(uri)
        if before is not None and before.cursor != cursor:
            self._reject(uri)
            before = None
        if suggestions:
            begun = before is not None and before.begun
            self._shown[uri] = _Shown(cursor, suggestions, begun)
        else:
            self._reject(uri)

    def accepted(self) -> None:
        """The editor reports that a whole suggestion is in the document."""
        self._counters.accepted += 1

    def edited(self, uri: str, span: Range, new_text: str) -> None:
        shown, document = self._shown.get(uri), self._documents.get(uri)
        if shown is None or document is None:
            return
        snapshot = document.snapshot()
        if any(_stands(each, snapshot) for each in shown.suggestions):
            del self._shown[uri]  # typed to its end, or accepted, as the editor will report
            return
        cursor = end_of(span.start, new_text)
        going_on = [each for each in shown.suggestions if _begins(each, snapshot, cursor)]
        if not going_on or not new_text or span.start > shown.cursor:
            self._reject(uri)
            return
        if len(new_text) > 1 and not shown.begun:
            self._counters.partially_accepted += 1
            shown.begun = True
        shown.cursor, shown.suggestions = cursor, going_on

    def replaced(self, uri: str) -> None:
        self._reject(uri)

    def closed(self, uri: str) -> None:
        self._reject(uri)

    def _reject(self, uri: str) -> None:
        shown = self._shown.pop(uri, None)
        if shown is not None and not shown.begun:
            self._counters.rejected += 1


def _stands(suggestion: Suggestion, snapshot: Snapshot) -> bool:
    """Whether all of it is in the document."""
    start = suggestion.range.start
    return snapshot.text_in(Range(start, end_of(start, suggestion.text))) == suggestion.text


def _begins(suggestion: Suggestion, snapshot: Snapshot, cursor: Position) -> bool:
    """Whether the text up to the cursor is its beginning."""
    start = suggestion.range.start
    written = snapshot.text_in(Range(start, cursor)) if start <= cursor else ""
    return bool(written) and suggestion.text.startswith(written)
