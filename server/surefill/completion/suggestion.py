"""What the pipeline is asked and what it returns: suggestions with the verdicts that justify them.

Data only, so that the protocol side need not import the pipeline at start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from surefill.syntax.position import Position, Range

if TYPE_CHECKING:
    from surefill.context.neighbours import Neighbours
    from surefill.syntax.document import Snapshot

Outcome = Literal["passed", "failed", "unchecked"]


@dataclass(frozen=True)
class CompletionRequest:
    """One request for suggestions.

    ``selected_text`` is what the editor's completion menu would insert in place of
    ``selected_range``; a suggestion then has to extend that text. ``language_id`` is the editor's
    name for the language, which may be one that we do not know. ``neighbours`` says which other
    files the model may see.
    """

    snapshot: Snapshot
    position: Position
    explicit: bool = False
    n: int = 1
    selected_text: str | None = None
    selected_range: Range | None = None
    deadline_ms: float = 2000
    language_id: str = ""
    neighbours: Neighbours | None = None


@dataclass(frozen=True)
class Verdict:
    """The result of one check, with the reason in words a user understands."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class Suggestion:
    """A text to put in place of ``range`` and why it can be trusted.

    ``verdicts`` has the keys ``parses``, ``types`` and ``executed``. ``mean_logprob`` is the
    model's mean natural log-probability per token of the text before post-processing.
    """

    text: str
    range: Range
    verdicts: Mapping[str, Verdict]
    mean_logprob: float


@dataclass(frozen=True)
class Timings:
    """Milliseconds spent on one request."""

    total: float = 0.0
    context: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0
    checks: float = 0.0


@dataclass(frozen=True)
class CompletionResult:
    """The answer to one request, best suggestion first; empty when there is nothing to show."""

    suggestions: tuple[Suggestion, ...] = ()
    timings: Timings = field(default_factory=Timings)
    cached: bool = False
    reason: str = ""
    """Why ``suggestions`` is empty, for logs and for the user who asks."""
