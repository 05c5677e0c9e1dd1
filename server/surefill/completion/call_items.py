"""What is asked about calls at a position, and the menu's entries that are answered.

Plain values, kept apart from those who find them: a server's start needs only these.
"""

from __future__ import annotations

from dataclasses import dataclass

from surefill.apis.results import Way
from surefill.apis.snippets import Snippet
from surefill.budget import Cancellation
from surefill.context.neighbours import Neighbours
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range


@dataclass(frozen=True)
class CallRequest:
    """One question, to be answered by the deadline of ``cancel``."""

    snapshot: Snapshot
    position: Position
    cancel: Cancellation
    neighbours: Neighbours | None = None


@dataclass(frozen=True)
class CallItem:
    """One entry of a menu."""

    label: str
    snippet: Snippet
    span: Range
    """What it takes the place of, up to the position."""
    removes: Range | None
    """What is taken out besides, right in front of ``span``."""
    matches: str
    """What a user types who wants it, in the place of ``span``; empty where that is no name."""
    kind: str
    """The checker's word for what is called: "method", "function", "class"; else empty."""
    way: Way | None
    """How the result is handled, where it is."""
    signature: str
    documentation: str
    indent: str
    """Of the line, which further lines of the snippet do not have."""
