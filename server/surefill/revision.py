"""Freshness as a value: what an answer about a document rests on besides the document's own text.

A request carries the revision that it was asked at, and whatever remembers an answer keeps the
revision with it. An answer of another revision is refused when it is looked up, so that no cache
has to be told of a change, and nobody has to hear of one in the right order.
"""

from __future__ import annotations

from dataclasses import dataclass

CheckerRevision = tuple[int, int]
"""How often the type checker was configured, and how often the present one was started."""


@dataclass(frozen=True)
class ProjectRevision:
    """The state of everything around one document. To be compared for equality, never ordered.

    No state that a session has left comes back: numbers only grow.
    """

    documents: frozenset[int] = frozenset()
    """The revisions of all other open documents; see `Document.revision`."""
    files: int = 0
    """Counts the changes of files on the disk, as far as they matter to the document."""
    checker: CheckerRevision = (0, 0)
    """Whose answers they are. A checker that comes back is another one: what could not be looked up
    while it was away can be looked up now."""


ALONE = ProjectRevision()
"""Of a document that has nothing around it which could change."""
