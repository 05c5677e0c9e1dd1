"""Candidates for a name that does not exist: the existing names that are spelt most like it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from surefill.diagnostics.inquiry import Inquiry, declared_keywords
from surefill.diagnostics.problem import Problem
from surefill.repair.edit import Candidate
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range

_MOST = 6
_LEAST_LIKE = 0.55
"""Names less similar than this are no repair but another call."""
_PART = re.compile(r"[^\W\d]\w*")


async def name_candidates(
    snapshot: Snapshot, problem: Problem, checker: Inquiry
) -> list[Candidate]:
    """Existing names in the place of the one that does not exist, the most similar first."""
    if problem.category == "unknown-keyword":
        signatures = await checker.signature(snapshot, problem.range.start)
        names = declared_keywords(signatures) if signatures else ()
        return _candidates(problem.range, problem.name, names)
    found: list[Candidate] = []
    for start, part in _parts(problem):
        members = await checker.members(snapshot, start)
        if members is None or part in members.names:
            continue
        span = Range(start, Position(start.line, start.character + len(part)))
        found = _candidates(span, part, members.names)
        if members.closed:
            break  # what follows is looked for in something that does not exist
    return found


def _parts(problem: Problem) -> list[tuple[Position, str]]:
    """The names in a dotted one, each with its place."""
    line, character = problem.range.start
    return [
        (Position(line, character + match.start()), match.group())
        for match in _PART.finditer(problem.name)
    ]


def _candidates(span: Range, name: str, existing: Iterable[str]) -> list[Candidate]:
    return [
        Candidate(span, other, f"Replace `{name}` by `{other}`", prior)
        for other, prior in similar(name, existing)
    ]


def similar(name: str, existing: Iterable[str], most: int = _MOST) -> list[tuple[str, float]]:
    """The names most like ``name``, at most ``most``, each with how likely it was meant.

    That is the logarithm of a likelihood: each letter lost, doubled, swapped or mistaken makes a
    name less likely, and so does another first letter.
    """
    from rapidfuzz.distance import OSA, JaroWinkler  # with the first name that does not exist

    hidden = name.startswith("_")
    found: list[tuple[str, float]] = []
    for other in existing:
        if other == name or (other.startswith("__") and not name.startswith("__")):
            continue
        distance = OSA.distance(name, other)
        likeness = JaroWinkler.similarity(name, other)
        folded = name.replace("_", "").lower() == other.replace("_", "").lower()
        if not folded and distance > 1 and likeness < _LEAST_LIKE + 0.25 * (distance > 4):
            continue
        likely = -2.5 * (0.5 if folded else distance) + 3.0 * (likeness - 1.0)
        likely -= 1.0 * (other[:1] != name[:1]) + 1.0 * (other.startswith("_") != hidden)
        found.append((other, likely))
    return sorted(found, key=lambda each: (-each[1], each[0]))[:most]
