"""Candidates for any syntax problem, and which of them leave the document with fewer problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from surefill.diagnostics.problem import Problem, shifted
from surefill.diagnostics.statement import StatementParser
from surefill.diagnostics.syntax import syntax_problems
from surefill.repair.blocks import block_candidates
from surefill.repair.brackets import LINES_ABOVE, bracket_candidates
from surefill.repair.edit import Candidate, distinct, edited
from surefill.repair.judge import Mark, better
from surefill.repair.region import Region
from surefill.repair.strings import string_candidates
from surefill.repair.tokens import token_candidates
from surefill.syntax.document import Snapshot, with_newlines
from surefill.syntax.excerpt import excerpt
from surefill.syntax.position import Position, Range

_MOST_PARSED = 120
"""So many candidates are parsed at most, and so many of those that parse are kept."""
_MOST_KEPT = 8
_EXCERPT_BYTES = 4_000
"""In longer documents candidates are compared by what stands around the problem."""

Makers = Callable[[Region], Iterator[Candidate]]

_MAKERS: dict[str, Makers] = {
    "bracket": bracket_candidates,
    "stray": bracket_candidates,
    "mismatch": bracket_candidates,
    "string": string_candidates,
    "colon": token_candidates,
    "missing": token_candidates,
    "unexpected": token_candidates,
    "block": block_candidates,
    "indentation": block_candidates,
    "order": block_candidates,
}


class SyntaxJudge:
    """Judges changes of one document by its syntax problems. For one thread."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._before = [_mark(each) for each in syntax_problems(snapshot)]

    def better(self, candidate: Candidate, *, equal: bool = False) -> bool:
        """Whether there are fewer syntax problems with it and none new; ``equal``: not more."""
        after = syntax_problems(edited(self._snapshot, candidate.range, candidate.text))
        marks = [_mark(each) for each in after]
        if equal and not marks and not self._before:
            return True
        return better(self._before, marks, candidate.range, candidate.text)


def syntax_candidates(
    snapshot: Snapshot, problem: Problem, late: Callable[[], bool], more: Sequence[Candidate] = ()
) -> list[Candidate]:
    """Changes that mend ``problem`` and bring no other problem near it, likeliest first.

    ``more`` are candidates from elsewhere. Ends early when it is ``late``. Only what is around the
    problem is judged here: before one is offered, a ``SyntaxJudge`` has to look at the whole.
    """
    local, moved = excerpt(snapshot, _surroundings(problem), _EXCERPT_BYTES)
    lines = problem.region.start.line - _surroundings(problem).start.line
    lines = problem.region.start.line - (moved.start.line + lines)
    found = _local_candidates(
        snapshot, local, shifted(problem, -lines), late, [each.lower(-lines) for each in more]
    )
    return [each.lower(lines) for each in found]


def _local_candidates(
    whole: Snapshot,
    snapshot: Snapshot,
    problem: Problem,
    late: Callable[[], bool],
    more: Sequence[Candidate],
) -> list[Candidate]:
    region = Region(snapshot, problem, whole)
    made = _MAKERS.get(problem.cause)
    candidates = distinct([*more, *(made(region) if made else ())])
    parser = _parser(snapshot)
    judge = SyntaxJudge(snapshot)
    kept: list[Candidate] = []
    for candidate in candidates[:_MOST_PARSED]:
        if late() or len(kept) == _MOST_KEPT:
            break
        if _parses(parser, region, candidate) and judge.better(candidate):
            kept.append(candidate)
    return kept


def _surroundings(problem: Problem) -> Range:
    """What a repair may change: a bracket may have been lost in the lines above."""
    start = Position(max(0, problem.region.start.line - LINES_ABOVE), 0)
    return Range(start, problem.region.end)


def _parser(snapshot: Snapshot) -> StatementParser | None:
    language = snapshot.language
    return StatementParser(language) if language and language.id == "python" else None


def _parses(parser: StatementParser | None, region: Region, candidate: Candidate) -> bool:
    """Whether the statement is right by itself; cheap, and rules most candidates out."""
    if parser is None or region.problem.cause in ("block", "indentation", "order"):
        return True
    code = region.result(candidate)
    return code is None or parser.parses(with_newlines(code))


def _mark(problem: Problem) -> Mark:
    return Mark(problem.category, f"{problem.cause}: {problem.message}", problem.range.start)
