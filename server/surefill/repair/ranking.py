"""Which of several candidates comes first: what is usual, and what the model would have written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surefill.repair.edit import Candidate, advanced
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range

_BEHIND = 24
"""Characters behind a candidate's change that the model is asked about, too."""
_TRUST = 0.5
"""How much a natural logarithm of the model's counts beside one of the rules'."""
_MISSING = 2.0
"""What a candidate loses that the model cannot be asked about."""


@dataclass(frozen=True)
class Ballot:
    """What the model has to choose from: texts in place of ``span``, one for each of ``chosen``."""

    span: Range
    texts: tuple[str, ...]
    chosen: tuple[int, ...]
    """The candidates' numbers."""


def ballot(snapshot: Snapshot, candidates: Sequence[Candidate]) -> Ballot | None:
    """The candidates as continuations of what they have in common; None for fewer than two.

    Those that change lines of their own cannot be compared to the others.
    """
    if len(candidates) < 2:
        return None
    first = candidates[0].range
    near = [number for number, each in enumerate(candidates) if _meets(each.range, first)]
    if len(near) < 2:
        return None
    ranges = [candidates[number].range for number in near]
    start = min(each.start for each in ranges)
    end = max(each.end for each in ranges)
    end = Position(end.line, len(snapshot.line(end.line)))
    begin = Position(start.line, _word_start(snapshot.line(start.line), start.character))
    base = snapshot.text_in(Range(begin, end))
    texts = [_changed(snapshot, base, begin, candidates[number]) for number in near]
    changed = max(len(snapshot.text_in(Range(begin, each.end))) for each in ranges)
    tail = max(0, len(base) - changed - _BEHIND)
    end = advanced(begin, base[: len(base) - tail])
    cut = tuple(text[: len(text) - tail] for text in texts)
    return Ballot(Range(begin, end), cut, tuple(near))


def ranked(
    candidates: Sequence[Candidate], choices: Ballot, scores: Sequence[float]
) -> list[Candidate]:
    """The candidates with the model's ``scores`` of a ballot taken into account, best first."""
    known = dict(zip(choices.chosen, scores, strict=True))
    lowest = min(scores) - _MISSING
    order = sorted(
        range(len(candidates)),
        key=lambda number: -(candidates[number].prior + _TRUST * known.get(number, lowest)),
    )
    return [candidates[number] for number in order]


def _meets(span: Range, other: Range) -> bool:
    """Whether two changes are so near each other that one text can hold both."""
    return abs(span.start.line - other.start.line) <= 3


def _word_start(line: str, character: int) -> int:
    while character > 0 and (line[character - 1].isalnum() or line[character - 1] == "_"):
        character -= 1
    return character


def _changed(snapshot: Snapshot, base: str, begin: Position, candidate: Candidate) -> str:
    start = len(snapshot.text_in(Range(begin, candidate.range.start)))
    end = len(snapshot.text_in(Range(begin, candidate.range.end)))
    return base[:start] + candidate.text + base[end:]
