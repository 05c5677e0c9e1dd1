"""Repairs for one problem, from its candidates to what is offered: at most three, each proven.

Joins rules, model and checker. Knows them by what they answer, and nothing of editors.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from surefill.budget import Cancellation, repair_answer
from surefill.diagnostics.inquiry import Inquiry
from surefill.diagnostics.problem import Problem
from surefill.oracle.answers import Diagnostic
from surefill.repair.edit import KNOWN, Candidate, Repair, edited
from surefill.repair.judge import Mark, better, no_worse_within
from surefill.repair.model import Author
from surefill.repair.names import name_candidates
from surefill.repair.ranking import ballot, ranked
from surefill.repair.region import Region
from surefill.repair.syntax import SyntaxJudge, syntax_candidates
from surefill.repair.undefined import undefined_candidates
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Range

MOST_REPAIRS = 3
UNDEFINED = "undefined-name"
"""The category of a name that is defined nowhere."""
_REWRITES = 2
_MOST_TRIED = 10
_CLEAR = 2.0
"""By so much a candidate's prior may stand out that the model is not asked: one slip less."""
_LEAST_ALIKE = 60.0
"""A line of the model's that is less like the one there was, in percent, is another line."""

_QUOTED = re.compile(r"`([^\W\d]\w*)`")

T = TypeVar("T")


class Helpers(Protocol):
    """Where the work is done. Both return None where it cannot be done, or not in time."""

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run ``work`` where it holds nobody up."""
        ...

    async def with_model(self, work: Callable[[Author], T], cancel: Cancellation) -> T | None:
        """Run ``work`` with the model in service; None without one."""
        ...


@dataclass(frozen=True)
class RepairRequest:
    """One problem of one document, and until when repairs for it are wanted."""

    snapshot: Snapshot
    problem: Problem
    cancel: Cancellation
    """Its deadline is that of the request."""

    @property
    def late(self) -> bool:
        return self.cancel.cancelled or self.cancel.expired


async def find_repairs(
    request: RepairRequest, helpers: Helpers, checker: Inquiry | None
) -> list[Repair]:
    """At most three repairs, the likeliest first; without a checker only of syntax problems."""
    judge = await _Judge.of(request, helpers, checker)
    candidates = await _candidates(request, helpers, checker)
    candidates = await _in_order(request, helpers, candidates)
    found = await judge.proven(candidates, MOST_REPAIRS)
    if len(found) < MOST_REPAIRS and not request.late and _may_be_rewritten(request, found):
        found += await judge.proven(await _rewritten(request, helpers), MOST_REPAIRS - len(found))
    return _offered(request, found)


def _may_be_rewritten(request: RepairRequest, found: Sequence[Candidate]) -> bool:
    """Whether the model may say what else was meant.

    Not of a module that is not installed: there it would write another one that is.
    """
    known = any(each.prior >= KNOWN for each in found)
    return request.problem.category != "unresolved-import" and not known


def _offered(request: RepairRequest, found: Sequence[Candidate]) -> list[Repair]:
    """What was proven, under titles that tell each from the others."""
    titles = Counter(each.title for each in found)
    repairs: list[Repair] = []
    for number, each in enumerate(found):
        title = each.title
        if titles[title] > 1:
            title = f"{title} in line {each.range.start.line + 1}"
        if any(title == other.title for other in repairs):
            title = f"{title}, column {each.range.start.character + 1}"
        if any(title == other.title for other in repairs):
            title = f"{title} ({number + 1})"
        preferred = number == 0 and _is_preferred(request, found)
        repairs.append(Repair(each.range, each.text, title, preferred))
    return repairs


def _is_preferred(request: RepairRequest, found: Sequence[Candidate]) -> bool:
    """Whether the first of what was proven is what was meant, with all that was written."""
    if found[0].trust == "only":
        return not request.late and all(each.trust == "guess" for each in found[1:])
    return found[0].trust == "certain"


async def _candidates(
    request: RepairRequest, helpers: Helpers, checker: Inquiry | None
) -> list[Candidate]:
    snapshot, problem = request.snapshot, request.problem
    if problem.category == "syntax":
        return await helpers.in_thread(
            lambda: syntax_candidates(snapshot, problem, lambda: request.late)
        )
    if checker is None:
        return []
    category: str = problem.category
    if category == UNDEFINED:
        return await undefined_candidates(snapshot, problem, checker)
    return await name_candidates(snapshot, problem, checker)


async def _in_order(
    request: RepairRequest, helpers: Helpers, candidates: list[Candidate]
) -> list[Candidate]:
    """The candidates, likeliest first, by the model's word where it has one."""
    if candidates and candidates[0].prior >= KNOWN:
        return candidates
    choices = ballot(request.snapshot, candidates)
    if choices is None or request.late or _is_clear(candidates):
        return candidates
    scores = await helpers.with_model(
        lambda author: author.score(request.snapshot, choices.span, choices.texts),
        repair_answer(request.cancel),
    )
    return ranked(candidates, choices, scores) if scores else candidates


def _is_clear(candidates: list[Candidate]) -> bool:
    """Whether the first one is so much likelier that the model need not be asked."""
    return candidates[0].prior - candidates[1].prior > _CLEAR


async def _rewritten(request: RepairRequest, helpers: Helpers) -> list[Candidate]:
    """The problem's lines as the model would have written them, where that is much alike."""
    from rapidfuzz import fuzz  # with the first repair

    region = Region(request.snapshot, request.problem)
    texts = await helpers.with_model(
        lambda author: author.rewrite(request.snapshot, region.span, _REWRITES),
        repair_answer(request.cancel),
    )
    found = []
    for text in dict.fromkeys(texts or ()):
        written = text.strip() if region.span.start.character else text
        alike = fuzz.ratio(" ".join(written.split()), " ".join(region.code.split()))
        if _LEAST_ALIKE <= alike < 100.0:
            title = f"Write `{_first_line(written)}`"
            found.append(Candidate(region.span, written, title))
    return found


def _first_line(text: str) -> str:
    first, _, rest = text.strip().partition("\n")
    return first + (" …" if rest else "")


class _Judge:
    """Lets those through with which the document is better, by its tree and by the checker."""

    def __init__(
        self,
        request: RepairRequest,
        helpers: Helpers,
        checker: Inquiry | None,
        syntax: SyntaxJudge,
        errors: tuple[Diagnostic, ...] | None,
    ) -> None:
        self._request = request
        self._helpers = helpers
        self._checker = checker
        self._syntax = syntax
        self._errors = errors
        self._left: int | None = None
        """How many errors the first repair of a syntax problem leaves."""
        self._results: set[str] = set()

    @classmethod
    async def of(cls, request: RepairRequest, helpers: Helpers, checker: Inquiry | None) -> _Judge:
        snapshot = request.snapshot
        errors = await checker.errors(snapshot) if checker else None
        syntax = await helpers.in_thread(lambda: SyntaxJudge(snapshot))
        return cls(request, helpers, checker, syntax, errors)

    async def proven(self, candidates: Sequence[Candidate], most: int) -> list[Candidate]:
        """The first ``most`` that make the document better, each result once."""
        found: list[Candidate] = []
        for candidate in candidates[:_MOST_TRIED]:
            if len(found) == most or self._request.late:
                break
            result = edited(self._request.snapshot, candidate.range, candidate.text).text
            if result not in self._results and await self._better(candidate):
                found.append(candidate)
                self._results.add(result)
        return found

    def _unseen(self) -> list[Mark]:
        """The problem itself, where it is one of the names that the checker lets pass."""
        problem = self._request.problem
        if problem.category != "unknown-keyword":
            return []
        if any(_meet(each.range, problem.range) for each in self._errors or ()):
            return []
        return [Mark(problem.category, problem.message, problem.range.start)]

    async def _better(self, candidate: Candidate) -> bool:
        is_syntax = self._request.problem.category == "syntax"
        region = self._request.problem.region
        parses = await self._helpers.in_thread(
            lambda: (
                self._syntax.better(candidate, region)
                if is_syntax
                else self._syntax.no_worse(candidate)
            )
        )
        if not parses:
            return False
        if self._checker is None or self._errors is None:
            return is_syntax
        changed = edited(self._request.snapshot, candidate.range, candidate.text)
        errors = await self._checker.errors(changed)
        if errors is None:
            return False
        before, after = _marks(self._errors), _marks(errors)
        before += self._unseen()
        if is_syntax:
            # Much was hidden before; the first that parses shows how little may be wrong.
            if self._left is not None and len(after) > self._left:
                return False
            written = self._request.snapshot.text
            after = [each for each in after if not _was_unknown(each, written)]
            good = no_worse_within(before, after, region, candidate)
            if good and self._left is None:
                self._left = len(after)
            return good
        return better(before, after, candidate.range, candidate.text)


def _meet(one: Range, other: Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def _was_unknown(mark: Mark, written: str) -> bool:
    """Whether a checker minds a name that was there before: what did not parse only hid it."""
    if mark.code not in ("unresolved-reference", "unknown-name"):
        return False
    names = _QUOTED.findall(mark.message)
    return bool(names) and all(re.search(rf"\b{each}\b", written) for each in names)


def _marks(errors: tuple[Diagnostic, ...]) -> list[Mark]:
    return [Mark(each.code, each.message, each.range.start) for each in errors]
