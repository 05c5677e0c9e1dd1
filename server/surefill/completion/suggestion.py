"""What the pipeline is asked and what it returns: suggestions with the verdicts that justify them.

Data only, so that the protocol side need not import the pipeline at start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from surefill.revision import ALONE, ProjectRevision
from surefill.syntax.position import Position, Range

if TYPE_CHECKING:
    from surefill.context.neighbours import Neighbours
    from surefill.syntax.document import Snapshot
    from surefill.syntax.uses import UseKind

Outcome = Literal["passed", "failed", "unchecked"]


@dataclass(frozen=True)
class CompletionRequest:
    """One request for suggestions.

    ``selected_text`` is what the editor's completion menu would insert in place of
    ``selected_range``; a suggestion then has to extend that text. ``language_id`` is the editor's
    name for the language, which may be one that we do not know. ``neighbours`` says which other
    files the model may see, ``revision`` what the project was like when it was made.
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
    revision: ProjectRevision = ALONE


@dataclass(frozen=True)
class Verdict:
    """The result of one check, with the reason in words a user understands."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class ApiUse:
    """A name that a suggestion takes from elsewhere; ``kind`` as in ``syntax.uses``."""

    kind: UseKind
    name: str
    owner: str
    """Source of what has to have it, shortened; empty where there is none."""
    offset: int
    """Where it stands, from the start of the suggestion's first line."""
    known: bool
    """Whether it could be looked up, and exists."""
    package: str = ""
    """The distribution that it was found in; "python" for the standard library."""
    version: str = ""

    def found_in(self, package: str, version: str) -> ApiUse:
        return replace(self, package=package, version=version)


@dataclass(frozen=True)
class Evidence:
    """What the verdicts on a suggestion rest on."""

    checker: str = ""
    """Name and version of the type checker; empty where there is none."""
    uses: tuple[ApiUse, ...] = ()


@dataclass(frozen=True)
class Suggestion:
    """A text to put in place of ``range`` and why it can be trusted.

    ``verdicts`` has the keys ``parses``, ``types``, ``apis`` and ``executed``. ``mean_logprob`` is
    the model's mean natural log-probability per token of the text before post-processing,
    ``chance`` and ``begins`` are the display filter's chances that all of the text is right, and
    that it begins right.
    """

    text: str
    range: Range
    verdicts: Mapping[str, Verdict]
    mean_logprob: float
    evidence: Evidence = field(default_factory=Evidence)
    chance: float = 1.0
    begins: float = 1.0


@dataclass(frozen=True)
class Withheld:
    """Something that the model wrote, or wanted to, and that is not shown."""

    text: str
    reason: str


@dataclass(frozen=True)
class Timings:
    """Milliseconds spent on one request."""

    total: float = 0.0
    context: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0
    checks: float = 0.0
    oracle: float = 0.0
    """Of ``decode`` and ``checks``, what was spent on waiting for the type checker."""


@dataclass(frozen=True)
class ContextSummary:
    """What the model saw of the document and of others, in tokens."""

    tokens: int
    reused: int
    """Of these, how many the model had seen before and need not be read again."""
    prefix_characters: int
    suffix_characters: int
    counted: bool
    """N-grams of the corpus, the document and the project had a say."""


@dataclass(frozen=True)
class CompletionResult:
    """The answer to one request, best suggestion first; empty when there is nothing to show."""

    suggestions: tuple[Suggestion, ...] = ()
    timings: Timings = field(default_factory=Timings)
    cached: bool = False
    reason: str = ""
    """Why ``suggestions`` is empty, for logs and for the user who asks."""
    withheld: tuple[Withheld, ...] = ()
    context: ContextSummary | None = None
    """What the model saw; None where it was not asked."""
