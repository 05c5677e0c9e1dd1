"""From a model's candidates to suggestions that may be shown, with the reasons for the others."""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from surefill.checks.syntax import check_syntax
from surefill.completion.checking import Checked, OracleChecks
from surefill.completion.openings import with_colon
from surefill.completion.policy import Decision
from surefill.completion.postprocess import Surroundings, cut_before, postprocess, versions
from surefill.completion.suggestion import Evidence, Suggestion, Verdict, Withheld
from surefill.engine.interface import Cancellation, Candidate
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range

_MOST_VERSIONS = 8
_LONGEST_VERSIONS = 4
"""How many shortened versions of one candidate are checked, and how many of the longest."""

_NAME = re.compile(r"[^\W\d]\w*")
_WORD_OR_SIGN = re.compile(r"\s*(\w+|\W)")
_BEHIND_DOT = re.compile(r"[\w)\]}\"']\.\w*$")

_GOES_ON = Verdict("passed", "its line goes on, and is no more wrong with the name")
_UNCHECKED = Checked(
    Verdict("unchecked", "no type checker is configured"),
    Verdict("unchecked", "no type checker is configured"),
)


@dataclass(frozen=True)
class Limits:
    """Until when a request is worked at."""

    end: float
    """When the answer is due, in seconds of ``time.monotonic``."""
    cancel: Cancellation

    @property
    def late(self) -> bool:
        return time.monotonic() > self.end


@dataclass(frozen=True)
class _Refused:
    """Why nothing of a candidate may be shown."""

    text: str
    reason: str
    beginning: str = ""
    """Up to the end of what is wrong; empty where the candidate failed no check."""
    ended: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of the candidates of one request."""

    suggestions: tuple[Suggestion, ...]
    withheld: tuple[Withheld, ...] = ()
    reason: str = ""
    """Why there are no suggestions."""
    refused: tuple[str, ...] = ()
    """Beginnings of candidates that failed a check: another answer must not have them."""
    ended: bool = False
    """Whether the first candidate was withheld because the model would rather say nothing."""


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
        checks: OracleChecks | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._span = Range(position, position)
        self._around = around
        self._decision = decision
        self._special_tokens = special_tokens
        self._checks = checks

    def all(self, candidates: Iterable[Candidate], limits: Limits) -> Outcome:
        """The candidates that are worth showing, and why others are not."""
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
            return Outcome(tuple(found.values()), withheld)
        return Outcome(
            (),
            withheld,
            refused[0].reason if refused else "the model suggests nothing",
            tuple(each.beginning for each in refused if each.beginning),
            bool(refused) and refused[0].ended,
        )

    def _one(self, candidate: Candidate, limits: Limits) -> Suggestion | _Refused:
        """The longest part of a candidate that passes, or why there is none."""
        if unsure := self._unsure(candidate):
            return unsure
        text = postprocess(candidate.text, self._around, self._special_tokens)
        if not text:
            return _Refused("", "the model suggests nothing new")
        finished = candidate.stop_reason in ("end", "stop")
        if finished:
            text = with_colon(text, self._around.cursor, self._around.language)
        waiting = deque(_some(versions(text, self._around, complete=finished)))
        failure, cut, beginning = "", False, ""
        while waiting:
            version = waiting.popleft()
            if limits.cancel.cancelled or (failure and limits.late):
                break
            name_alone = cut and self._is_member(version)
            parses = _GOES_ON
            if not name_alone:
                parses = check_syntax(self._snapshot, self._span, version)
            failed = f"it would not parse: {parses.reason}" if parses.outcome == "failed" else ""
            wrong_at, invented = 0, False
            if not failed:
                checked = _UNCHECKED
                if self._checks:
                    checked = self._checks.check(version, unfinished=name_alone)
                if not checked.failure:
                    return self._suggestion(version, parses, checked, candidate.mean_logprob)
                failed, wrong_at = checked.failure, checked.wrong_at
                row = checked.wrong_row
                if row is not None and not cut:  # what keeps that line is as wrong
                    waiting = deque(each for each in waiting if each.count("\n") < row)
                invented = checked.apis.outcome == "failed" and checked.wrong_at == 0
            failure = failure or failed
            beginning = _up_to_name(version, wrong_at)
            if not waiting and not cut:  # not even its first line passes, but a part of it may
                behind_dot = self._behind_dot and not invented
                language = self._around.language
                waiting.extend(cut_before(version, wrong_at, language, behind_dot=behind_dot))
                cut = True
        if not failure:
            return _Refused(text, "the model suggests nothing new")
        return _Refused(text, failure, beginning)

    def _unsure(self, candidate: Candidate) -> _Refused | None:
        """Why the model's own probabilities speak against a candidate; None where they do not."""
        if candidate.end_probability > self._decision.most_end_probability:
            return _Refused("", "the model suggests nothing", ended=True)
        if math.exp(min(candidate.mean_logprob, 0.0)) < self._decision.min_confidence:
            return _Refused(candidate.text, "the model is not sure enough")
        return None

    def _is_member(self, version: str) -> bool:
        """Whether it is a member's name, of which somebody can say whether it exists."""
        known = self._checks is not None and self._behind_dot
        return known and _NAME.fullmatch(version) is not None

    @property
    def _behind_dot(self) -> bool:
        return _BEHIND_DOT.search(self._around.cursor.line_prefix) is not None

    def _suggestion(
        self, text: str, parses: Verdict, checked: Checked, logprob: float
    ) -> Suggestion:
        evidence = Evidence()
        if self._checks is not None:
            checked = self._checks.with_origins(text, checked)
            evidence = Evidence(self._checks.checker, checked.uses)
        verdicts = {
            "parses": parses,
            "types": checked.types,
            "apis": checked.apis,
            "executed": Verdict("unchecked", "not run"),
        }
        return Suggestion(text, self._span, verdicts, logprob, evidence)
