"""Candidates for a name that does not exist: existing names of which it is a slip of the finger.

A name that is only somewhat like another one is another one: ``label`` is not ``name``. So it is
with modules above all: one that is not installed is never replaced by one that is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from surefill.diagnostics.inquiry import Inquiry, declared_keywords
from surefill.diagnostics.problem import Problem
from surefill.oracle.locations import Location
from surefill.repair.edit import Candidate
from surefill.repair.packages import is_known, is_top_level
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range

_MOST = 6
_LEAST_LIKE = 0.8
"""Names that differ in more than a letter or two have to be as like as this."""
_LEAST_LETTERS = 5
"""Names as short as four letters are another name with two letters changed."""
_LEAD = 0.9
"""By so much the likeliest name has to stand out for it to be certain that it was meant."""
_EASY = 0.6
"""A letter doubled or not doubled, or two that are swapped, are so much of a slip."""
_ABOVE = 6
"""So many folders above a document its project's modules are looked for."""
_PART = re.compile(r"[^\W\d]\w*")


async def name_candidates(
    snapshot: Snapshot, problem: Problem, checker: Inquiry
) -> list[Candidate]:
    """Existing names in the place of the one that does not exist, the most similar first."""
    if problem.category == "unknown-keyword":
        signatures = await checker.signature(snapshot, problem.range.start)
        names = declared_keywords(signatures) if signatures else ()
        return slips(problem.range, problem.name, names)
    found: list[Candidate] = []
    for number, (start, part) in enumerate(_parts(problem)):
        members = await checker.members(snapshot, start)
        if members is None or part in members.names:
            continue
        span = Range(start, Position(start.line, start.character + len(part)))
        if number == 0 and is_top_level(snapshot, problem):
            found = _modules(snapshot, span, part, members.names)
        else:
            found = slips(span, part, members.names)
        if members.closed:
            break  # what follows is looked for in something that does not exist
    return found


def _parts(problem: Problem) -> list[tuple[Position, str]]:
    """The names in a dotted one, each with its place."""
    line, character = problem.range.start
    first = problem.name.rfind(" ") + 1  # some checkers mark all of ``from . import name``
    return [
        (Position(line, character + match.start()), match.group())
        for match in _PART.finditer(problem.name, first)
    ]


def slips(span: Range, name: str, existing: Iterable[str]) -> list[Candidate]:
    """Existing names in the place of ``name``; certain is one that stands out."""
    found = similar(name, existing)
    sure = bool(found) and is_slip(name, found[0][0])
    sure = sure and (len(found) == 1 or found[0][1] - found[1][1] >= _LEAD)
    return [
        Candidate(
            span,
            other,
            f"Replace `{name}` by `{other}`",
            prior,
            "certain" if sure and number == 0 else "guess",
        )
        for number, (other, prior) in enumerate(found)
    ]


def _modules(
    snapshot: Snapshot, span: Range, name: str, existing: Iterable[str]
) -> list[Candidate]:
    """Modules of which ``name`` is one slip, where there is no package of that name.

    None of them is certain: many a package is called nearly as another one is.
    """
    from rapidfuzz.distance import OSA

    if is_known(name):
        return []
    return [
        Candidate(span, other, f"Replace `{name}` by `{other}`", prior)
        for other, prior in similar(name, existing)
        if len(name) >= _LEAST_LETTERS - 1
        and OSA.distance(name, other) == 1
        and other[0] == name[0]
        and (is_known(other) or _is_own(snapshot.uri, other))
    ]


def _is_own(uri: str, module: str) -> bool:
    """Whether a module is the project's: it lies beside the document or above it."""
    path = Location(uri, 0).path
    return path is not None and any(
        (folder / f"{module}.py").is_file() or (folder / module).is_dir()
        for folder in path.parents[:_ABOVE]
    )


def is_slip(name: str, other: str) -> bool:
    """Whether ``name`` is ``other`` with a letter wrong, or two in a long name."""
    from rapidfuzz.distance import OSA

    distance = OSA.distance(name, other)
    shorter = min(len(name), len(other))
    return _folded(name) == _folded(other) or distance == 1 or (distance == 2 and shorter > 5)


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


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
        folded = _folded(name) == _folded(other)
        if not folded and not _is_like(name, other, distance, likeness):
            continue
        slips = 0.5 if folded else _slips(name, other, distance)
        likely = -2.5 * slips + 3.0 * (likeness - 1.0)
        likely -= 1.0 * (other[:1] != name[:1]) + 1.0 * (other.startswith("_") != hidden)
        found.append((other, likely))
    return sorted(found, key=lambda each: (-each[1], each[0]))[:most]


def _is_like(name: str, other: str, distance: int, likeness: float) -> bool:
    if distance <= 1:
        return min(len(name), len(other)) > 1
    if distance == 2 and min(len(name), len(other)) >= _LEAST_LETTERS:
        return True
    return likeness >= _LEAST_LIKE and distance <= max(2, len(name) // 3)


def _slips(name: str, other: str, distance: int) -> float:
    """How many slips of the finger lead from ``other`` to ``name``; some happen more easily."""
    if distance != 1:
        return float(distance)
    if len(name) == len(other):
        return _EASY if sorted(name) == sorted(other) else 1.0
    longer, shorter = (name, other) if len(name) > len(other) else (other, name)
    doubled = any(
        longer[at] == longer[at - 1] and longer[:at] + longer[at + 1 :] == shorter
        for at in range(1, len(longer))
    )
    return _EASY if doubled else 1.0
