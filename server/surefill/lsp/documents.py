"""Open documents: what the editor shows, kept in step by its notifications.

Knows positions of both sides and nothing of suggestions; whoever follows a document's changes
registers as a listener.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Protocol
from urllib.parse import unquote, urlsplit

from lsprotocol import types

from surefill.lsp.convert import Encoding, from_lsp_range
from surefill.syntax.document import Document
from surefill.syntax.languages import Language, language_for
from surefill.syntax.position import Range

logger = logging.getLogger(__name__)


class DocumentListener(Protocol):
    """Is told of every change, right after it happened."""

    def edited(self, uri: str, span: Range, new_text: str) -> None: ...

    def replaced(self, uri: str) -> None: ...

    def closed(self, uri: str) -> None: ...


class OpenDocuments:
    """The documents that are open in the editor, by their URI exactly as the editor spells it.

    In iteration, those opened or changed last come last.
    """

    def __init__(self, encoding: Callable[[], Encoding]) -> None:
        self._encoding = encoding
        self._documents: dict[str, Document] = {}
        self._language_ids: dict[str, str] = {}
        self._listeners: list[DocumentListener] = []

    def __len__(self) -> int:
        return len(self._documents)

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents.values())

    def recent(self) -> Iterator[Document]:
        """The documents, those opened or changed last first."""
        return reversed(self._documents.values())

    def listen(self, listener: DocumentListener) -> None:
        self._listeners.append(listener)

    def get(self, uri: str) -> Document | None:
        return self._documents.get(uri)

    def language_id(self, uri: str) -> str:
        """What the editor calls the document's language, known to us or not."""
        return self._language_ids[uri]

    def open(self, item: types.TextDocumentItem) -> Document:
        """Take a document in; one that is open already is replaced."""
        if item.uri in self._documents:
            logger.warning("%s was opened twice; the later text counts", item.uri)
            self.close(item.uri)
        language = _language(item.language_id, item.uri)
        self._language_ids[item.uri] = item.language_id
        document = Document(item.uri, language, item.text, item.version)
        self._documents[item.uri] = document
        return document

    def change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Apply an editor's changes in their order; an older version than ours is ignored."""
        uri, version = params.text_document.uri, params.text_document.version
        document = self._documents.get(uri)
        if document is None:
            logger.warning("ignored a change of %s, which is not open", uri)
            return
        if version < document.version:
            logger.warning("ignored version %d of %s: it is at %d", version, uri, document.version)
            return
        for change in params.content_changes:
            self._apply(document, change)
        document.version = version
        self._documents[uri] = self._documents.pop(uri)

    def close(self, uri: str) -> None:
        """Forget a document and everything that listeners know of it."""
        if self._documents.pop(uri, None) is None:
            logger.warning("%s was closed and is not open", uri)
            return
        del self._language_ids[uri]
        for listener in self._listeners:
            listener.closed(uri)

    def _apply(self, document: Document, change: types.TextDocumentContentChangeEvent) -> None:
        if isinstance(change, types.TextDocumentContentChangePartial):
            span = from_lsp_range(document.lines, change.range, self._encoding())
            document.edit(span, change.text)
            for listener in self._listeners:
                listener.edited(document.uri, span, change.text)
            return
        document.replace(change.text)
        for listener in self._listeners:
            listener.replaced(document.uri)


def _language(language_id: str, uri: str) -> Language | None:
    try:
        path = unquote(urlsplit(uri).path)
    except ValueError:  # not a URI; the language id may still say enough
        path = uri
    return language_for(language_id, path)
