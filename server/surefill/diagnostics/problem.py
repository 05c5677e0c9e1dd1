"""One problem of a document: where it is, and in words that need no parser to understand.

Data only. Knows nothing of how problems are found, shown or repaired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from surefill.syntax.position import Position, Range

Category = Literal["syntax", "unknown-member", "unknown-keyword", "unresolved-import"]

Cause = Literal[
    "bracket",
    "stray",
    "mismatch",
    "string",
    "colon",
    "block",
    "indentation",
    "order",
    "missing",
    "unexpected",
    "name",
]
"""What a repair has to do with: an opener that is never closed, a closer that closes nothing, one
of the wrong kind, a string without its end, a header without its colon, a header without its
block, a line at the wrong indentation, a clause that belongs to nothing, something that is not
there, something that may not be there, a name that does not exist."""


@dataclass(frozen=True)
class Problem:
    """One problem. ``region`` is the part of the document that has to be changed to mend it."""

    category: Category
    cause: Cause
    range: Range
    message: str
    region: Range
    wanted: str = ""
    """What would mend it where that is known: the closers, the quote, the token."""
    name: str = ""
    """The name that does not exist, as it stands in ``range``."""


def shifted(problem: Problem, lines: int) -> Problem:
    """``problem`` so many lines further down."""

    def moved(span: Range) -> Range:
        start, end = (Position(at.line + lines, at.character) for at in span)
        return Range(start, end)

    return Problem(
        problem.category,
        problem.cause,
        moved(problem.range),
        problem.message,
        moved(problem.region),
        problem.wanted,
        problem.name,
    )
