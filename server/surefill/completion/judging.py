"""From a model's candidates to suggestions that may be shown, with the reasons for the others."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from surefill.budget import Cancellation, Deadline
from surefill.checks.syntax import check_syntax
from surefill.completion.checking import Checked, OracleChecks
from surefill.completion.display_filter import DisplayFilter
from surefill.completion.openings import with_colon
from surefill.completion.policy import Decision
from surefill.completion.postprocess import Surroundings, cut_before, postprocess, versions
from surefill.completion.suggestion import Evidence, Suggestion, Verdict, Withheld
from surefill.engine.interface import Candidate
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range

_MOST_VERSIONS = 8
_LONGEST_VERSIONS = 4
"""How many shortened versions of one candidate are checked, and how many of the longest; the same
of the parts of its first line."""

_NAME = re.compile(r"[^\W\d]\w*")
_WORD_OR_SIGN = re.compile(r"\s*(\w+|\W)")
_BEHIND_DOT = re.compile(r"[\w)\]}\"']\.\w*$")

LEAST_CHANCE = 0.5
"""Of more than the shortest, so much is shown unasked as is right with this chance. Between 0.3 and
0.6 it changes little; here most right characters were shown at 200 places in packages."""

_NOTHING_NEW = "the model suggests nothing new"
_UNSURE = "the model is not sure enough"
_GOES_ON = Verdict("passed", "its line goes on, and is no more wrong with the name")
_UNCHECKED = Checked(
    Verdict("unchecked", "no type checker is configured"),
    Verdict("unchecked", "no type checker is configured"),
)


@dataclass(frozen=True)
class Limits:
    """Until when a request is worked at."""

    end: Deadline
    """When the answer is due."""
    cancel: Cancellation

    @property
    def late(self) -> bool:
        return self.end.passed


@dataclass(frozen=True)
class _Refused:
    """Why nothing of a candidate may be shown."""

    text: str
    reason: str
    beginning: str = ""
    """Up to the end of what is wrong; empty where it is not shown for another reason."""


@dataclass(frozen=True)
class _Judged:
    """What the checks say of one text."""

    parses: Verdict
    checked: Checked
    failure: str = ""
    """Why it must not be shown."""
    wrong_at: int = 0
    """Offset of what is wrong, if that is on its first line."""
    wrong_row: int | None = None
    invented: bool = False
    """It begins with a name that does not exist."""


@dataclass(frozen=True)
class Outcome:
    """What became of the candidates of one request."""

    suggestions: tuple[Suggestion, ...]
    withheld: tuple[Withheld, ...] = ()
    reason: str = ""
    """Why there are no suggestions."""
    refused: tuple[str, ...] = ()
    """Beginnings of candidates that failed a check: another answer must not have them."""


def _up_to_name(text: str, offset: int) -> str:
    """``text`` up to the end of the name or sign that stands at ``offset`` of its first line."""
    line = text.split("\n", 1)[0]
    found = _WORD_OR_SIGN.match(line, offset)
    return line[: found.end()] if found else line


def _some(versions: list[str]) -> list[str]:
    """As many as may be checked: the longest, some in between, and the shortest."""
    left = len(versions) - _LONGEST_VERSIONS
    if len(versions) <= _MOST_VERSIONS:
        return versions
    steps = _MOST_VERSIONS - _LONGEST_VERSIONS
    between = [
        versions[_LONGEST_VERSIONS + left * step // steps - 1] for step in range(1, steps + 1)
    ]
    return versions[:_LONGEST_VERSIONS] + between


class Judge:
    """Judges candidates for one position. ``special_tokens`` are those of the model in use."""

    def __init__(
        self,
        snapshot: Snapshot,
        position: Position,
        around: Surroundings,
        decision: Decision,
        *,
        special_tokens: tuple[str, ...],
        display: DisplayFilter,
        checks: OracleChecks | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._span = Range(position, position)
        self._special_tokens = special_tokens
        self._checks = checks
        self.around = around
        self.display = display
        self.bar = decision.min_confidence

    def all(self, candidates: Iterable[Candidate], limits: Limits) -> Outcome:
        """The candidates that are worth showing, likeliest first, and why others are not."""
        found: dict[str, Suggestion] = {}
        refused: list[_Refused] = []
        for candidate in candidates:
            if limits.late:
                refused.append(_Refused("", "there was no time left to check it"))
                break
            answer = self._one(candidate, limits)
            if isinstance(answer, Suggestion):
                found.setdefault(answer.text, answer)
            else:
                refused.append(answer)
        withheld = tuple(Withheld(each.text, each.reason) for each in refused if each.text)
        if found:
            best = sorted(found.values(), key=lambda suggestion: -suggestion.chance)
            return Outcome(tuple(best), withheld)
        return Outcome(
            (),
            withheld,
            refused[0].reason if refused else "the model suggests nothing",
            tuple(each.beginning for each in refused if each.beginning),
        )

    def _one(self, candidate: Candidate, limits: Limits) -> Suggestion | _Refused:
        """What of a candidate passes, as far as it is likely to be right, or why there is nothing.

        The longest that is likely enough; the shortest that passes where only how it begins is.
        """
        text = postprocess(candidate.text, self.around, self._special_tokens)
        if not text:
            return _Refused("", _NOTHING_NEW)
        finished = candidate.stop_reason in ("end", "stop")
        if finished:
            text = with_colon(text, self.around.cursor, self.around.language)
        if self.bar > 0 and self.display.begins_at_best(candidate, text) < self.bar:
            return _Refused(text, _UNSURE)
        search = _Search(self, candidate, limits)
        # Where something was cut after it, the last line that is left was written to its end.
        whole = finished or text.count("\n") < candidate.text.count("\n")
        shorter = versions(text, self.around, complete=whole)
        found = search.among_lines(shorter) or search.among_parts() or search.shortest
        return found or search.refusal(text)

    @property
    def least_chance(self) -> float:
        """Of being right that more than the shortest needs."""
        return max(self.bar, LEAST_CHANCE) if self.bar > 0 else 0.0

    def check(self, version: str, *, name_alone: bool) -> _Judged:
        """All checks of one text; one that is a name alone will be gone on from."""
        parses = _GOES_ON
        if not name_alone:
            parses = check_syntax(self._snapshot, self._span, version)
        if parses.outcome == "failed":
            return _Judged(parses, _UNCHECKED, f"it would not parse: {parses.reason}")
        if self._checks is None:
            return _Judged(parses, _UNCHECKED)
        checked = self._checks.check(version, unfinished=name_alone)
        invented = checked.apis.outcome == "failed" and checked.wrong_at == 0
        return _Judged(
            parses, checked, checked.failure, checked.wrong_at, checked.wrong_row, invented
        )

    def is_member(self, version: str) -> bool:
        """Whether it is a member's name, of which somebody can say whether it exists."""
        known = self._checks is not None and self.behind_dot
        return known and _NAME.fullmatch(version) is not None

    @property
    def behind_dot(self) -> bool:
        return _BEHIND_DOT.search(self.around.cursor.line_prefix) is not None

    def suggestion(self, text: str, judged: _Judged, candidate: Candidate) -> Suggestion:
        """A text that has passed, with what it rests on."""
        checked, evidence = judged.checked, Evidence()
        passed = checked.types.outcome == "passed"
        if self._checks is not None:
            checked = self._checks.with_origins(text, checked)
            evidence = Evidence(self._checks.checker, checked.uses)
        verdicts = {
            "parses": judged.parses,
            "types": checked.types,
            "apis": checked.apis,
            "executed": Verdict("unchecked", "not run"),
        }
        return Suggestion(
            text,
            self._span,
            verdicts,
            candidate.mean_logprob,
            evidence,
            chance=self.display.chance(candidate, text, types_passed=passed),
            begins=self.display.begins(candidate, text, types_passed=passed),
        )


class _Search:
    """Looks for what of one candidate may be shown, and remembers why it was not the rest."""

    def __init__(self, judge: Judge, candidate: Candidate, limits: Limits) -> None:
        self._judge = judge
        self._candidate = candidate
        self._limits = limits
        self._version = ""
        """The shortest of whole lines that was tried."""
        self.shortest: Suggestion | None = None
        """The shortest that passed the checks, though it is not likely enough to be right."""
        self._wrong: _Judged | None = None
        """Why that, or what was left of it, failed a check; None where it did not."""
        self._failure = ""
        """Why the longest that failed a check did."""

    def among_lines(self, versions: list[str]) -> Suggestion | None:
        """The longest of some versions, which are whole lines."""
        waiting = deque(_some(versions))
        while waiting and not self._over:
            self._version = waiting.popleft()
            # Checks cost more than the filter; but the shortest may be shown all the same.
            if waiting and not self._may_go_on_right(self._version):
                continue
            found = self._try(self._version)
            if isinstance(found, Suggestion):
                return found
            self._wrong = found
            if found is not None and found.wrong_row is not None:
                # What keeps that line is as wrong.
                waiting = deque(v for v in waiting if v.count("\n") < found.wrong_row)
        return None

    def among_parts(self) -> Suggestion | None:
        """The longest part of the first line, where not even that passes or is likely enough."""
        judge, wrong = self._judge, self._wrong
        if wrong is not None:
            behind_dot = judge.behind_dot and not wrong.invented
            language = judge.around.language
            parts = cut_before(self._version, wrong.wrong_at, language, behind_dot=behind_dot)
        else:
            parts = self._likely(judge.display.cuts(self._candidate, self._version))
        for part in parts:
            if self._over:
                break
            found = self._try(part, name_alone=judge.is_member(part))
            if isinstance(found, Suggestion):
                return found
            if wrong is not None and found is not None:
                self._version, self._wrong = part, found
        return None

    def refusal(self, text: str) -> _Refused:
        """Why nothing was found."""
        if self._wrong is not None:
            beginning = _up_to_name(self._version, self._wrong.wrong_at)
            return _Refused(text, self._failure, beginning)
        return _Refused(text, _UNSURE if self._version else _NOTHING_NEW)

    @property
    def _over(self) -> bool:
        late = bool(self._failure) and self._limits.late
        return self._limits.cancel.cancelled or late

    def _likely(self, cuts: list[str]) -> list[str]:
        """Those of ``cuts``, longest first, that may be right; else the shortest."""
        likely = [cut for cut in cuts if self._may_go_on_right(cut)]
        return _some(likely) if likely else cuts[-1:]

    def _try(self, version: str, *, name_alone: bool = False) -> Suggestion | _Judged | None:
        """What is shown of a text, or which check it failed; None where it is not likely enough."""
        judge, candidate = self._judge, self._candidate
        judged = judge.check(version, name_alone=name_alone)
        if judged.failure:
            self._failure = self._failure or judged.failure
            return judged
        found = judge.suggestion(version, judged, candidate)
        if found.begins < judge.bar:
            return None
        if found.chance >= judge.least_chance:
            return found
        self.shortest = found
        return None

    def _may_go_on_right(self, version: str) -> bool:
        """Whether a text can be likely enough to be right, whatever the checks say."""
        least = self._judge.least_chance
        return least <= 0 or self._judge.display.at_best(self._candidate, version) >= least
