"""Candidates for any syntax problem, and which of them leave the document with fewer problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from surefill.diagnostics.problem import Problem, shifted
from surefill.diagnostics.syntax import syntax_problems
from surefill.repair import foreign_script
from surefill.repair.blocks import block_candidates
from surefill.repair.brackets import LINES_ABOVE, bracket_candidates
from surefill.repair.compiled import compiles_at, stands_alone
from surefill.repair.edit import Candidate, distinct, edited
from surefill.repair.foreign import foreign_candidates, is_foreign
from surefill.repair.judge import Mark, better, none_new
from surefill.repair.keywords import keyword_candidates
from surefill.repair.region import Region
from surefill.repair.strings import apostrophe_candidates, string_candidates
from surefill.repair.tokens import token_candidates
from surefill.syntax.document import Snapshot
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


class _Spelling(NamedTuple):
    """How what is spelt as in other languages is known, and what it is in this one."""

    candidates: Makers
    suspected: Callable[[Region], bool]


_SCRIPT = _Spelling(foreign_script.foreign_candidates, foreign_script.is_foreign)
_SPELLINGS = {
    "python": _Spelling(foreign_candidates, is_foreign),
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "typescriptreact": _SCRIPT,
    "sql": _Spelling(keyword_candidates, lambda _: False),
}


class SyntaxJudge:
    """Judges changes of one document by its syntax problems. For one thread."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._before = [_mark(each) for each in syntax_problems(snapshot)]

    def better(self, candidate: Candidate, region: Range) -> bool:
        """Whether there are fewer syntax problems with it and none new.

        ``region`` is what it mends: in there Python's compiler has to be content.
        """
        after = edited(self._snapshot, candidate.range, candidate.text)
        marks = [_mark(each) for each in syntax_problems(after)]
        if not better(self._before, marks, candidate.range, candidate.text):
            return False
        return not _is_python(after) or compiles_at(after, candidate, region)

    def no_worse(self, candidate: Candidate) -> bool:
        """Whether it brings no syntax problem that was not there before."""
        after = edited(self._snapshot, candidate.range, candidate.text)
        marks = [_mark(each) for each in syntax_problems(after)]
        return none_new(self._before, marks, candidate.range, candidate.text)


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
    candidates = distinct([*more, *_made(region)])
    judge = SyntaxJudge(snapshot)
    kept: list[Candidate] = []
    results: set[str] = set()
    for candidate in candidates[:_MOST_PARSED]:
        if late() or len(kept) == _MOST_KEPT:
            break
        result = edited(snapshot, candidate.range, candidate.text).text
        if result in results:
            continue
        if _parses(region, candidate) and judge.better(candidate, region.span):
            results.add(result)
            kept.append(candidate)
    return kept


def _made(region: Region) -> Iterator[Candidate]:
    """Candidates of all rules for a problem.

    Of what is spelt as in another language, no parser can tell which other change is meant: there
    only the rules of such spellings count.
    """
    language = region.snapshot.language
    spelling = _SPELLINGS.get(language.id) if language else None
    known = list(apostrophe_candidates(region))
    known += spelling.candidates(region) if spelling else ()
    yield from known
    if spelling and spelling.suspected(region):
        return
    if _is_python(region.snapshot) and any(_parses(region, each) for each in known):
        return
    made = _MAKERS.get(region.problem.cause)
    if made is not None:
        yield from made(region)


def _surroundings(problem: Problem) -> Range:
    """What a repair may change: a bracket may have been lost in the lines above."""
    start = Position(max(0, problem.region.start.line - LINES_ABOVE), 0)
    return Range(start, problem.region.end)


def _parses(region: Region, candidate: Candidate) -> bool:
    """Whether the statement is right by itself; cheap, and rules most candidates out."""
    if not _is_python(region.snapshot):
        return True
    if region.problem.cause in ("block", "indentation", "order"):
        return True
    code = region.result(candidate)
    return code is None or stands_alone(region.indent + code)


def _is_python(snapshot: Snapshot) -> bool:
    return snapshot.language is not None and snapshot.language.id == "python"


def _mark(problem: Problem) -> Mark:
    return Mark(problem.category, f"{problem.cause}: {problem.message}", problem.range.start)
