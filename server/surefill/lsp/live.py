"""Live requests: at most one per document, ended by a newer one, by the editor, or by an edit.

Knows when a request is worth finishing, not what it computes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from surefill.engine.interface import Cancellation
from surefill.syntax.document import end_of
from surefill.syntax.position import Position, Range


@dataclass
class LiveRequest:
    """One request on its way, followed through the edits that happen meanwhile.

    ``position`` is where the cursor stands after what was typed since the request; ``typed`` says
    that something was. ``stale`` says that the document changed elsewhere, so that no answer to
    this request fits any more.
    """

    position: Position
    cancellation: Cancellation
    task: asyncio.Task[object] | None
    typed: bool = False
    stale: bool = False

    def supersede(self) -> None:
        """End it for a newer request: the model stops, the editor is told "cancelled"."""
        self.cancellation.cancel()
        if self.task is not None:
            self.task.cancel()

    def outdate(self) -> None:
        """End it because no answer fits any more: the model stops, the answer is empty."""
        self.stale = True
        self.cancellation.cancel()

    def follow(self, span: Range, new_text: str) -> None:
        """Move with text typed at the cursor; anything else makes the request stale."""
        if span.start == span.end == self.position and new_text:
            self.position = end_of(span.start, new_text)
            self.typed = True
        else:
            self.outdate()


class LiveRequests:
    """The live request of each document. A listener of the open documents."""

    def __init__(self) -> None:
        self._live: dict[str, LiveRequest] = {}

    def __len__(self) -> int:
        return len(self._live)

    def begin(self, uri: str, position: Position, cancellation: Cancellation) -> LiveRequest:
        """A new request for ``uri``, which ends the one before it."""
        self.supersede(uri)
        live = LiveRequest(position, cancellation, asyncio.current_task())
        self._live[uri] = live
        return live

    def end(self, uri: str, live: LiveRequest) -> None:
        """Forget a finished request; the model stops if it is still at it."""
        live.cancellation.cancel()
        if self._live.get(uri) is live:
            del self._live[uri]

    def supersede(self, uri: str) -> bool:
        """A newer request has come: the older one for ``uri`` ends; whether there was one."""
        older = self._live.pop(uri, None)
        if older is not None:
            older.supersede()
        return older is not None

    def outdate_all(self) -> None:
        """Whatever is being computed is not wanted any more: another model, other settings."""
        for live in self._live.values():
            live.outdate()

    def edited(self, uri: str, span: Range, new_text: str) -> None:
        if live := self._live.get(uri):
            live.follow(span, new_text)

    def replaced(self, uri: str) -> None:
        if live := self._live.get(uri):
            live.outdate()

    closed = replaced
