"""What the answers in ordinary programs come to: shares with intervals over programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from surefill_training.evaluate.places import KINDS, Outcome
from surefill_training.evaluate.program_answers import PlaceAnswer
from surefill_training.evaluate.statistics import Estimate, bootstrap, paired_difference
from surefill_training.evaluate.typing_simulation import TypedProgram

T = TypeVar("T")

ALL = "all"
OTHERS = "all but python"
BELOW, NOTHING_BELOW = "program below", "nothing below"
_PYTHON = "python"


@dataclass(frozen=True)
class OutcomeShares:
    """Of the places of one group; the four outcomes come to one."""

    places: int
    right: Estimate
    """All that is shown is what follows."""
    right_or_begins: Estimate
    wrong: Estimate
    silent: Estimate


@dataclass(frozen=True)
class TypingScores:
    """Of programs typed from an empty file."""

    programs: int
    characters: int
    saved: Estimate
    """Characters saved of those that came to stand there."""
    accepted: int
    requests: int
    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class ProgramScores:
    """All that was measured of one contestant on programs; each mapping by the name of a group."""

    languages: Mapping[str, OutcomeShares]
    """``all``, then each language; where there are several, also all but Python."""
    kinds: Mapping[str, OutcomeShares]
    below: Mapping[str, OutcomeShares]
    typing: Mapping[str, TypingScores]
    """By language as ``languages``; empty where nothing was typed."""
    median_ms: float
    """Of the requests at places, each without anything that was read before."""
    p95_ms: float


def score_programs(answers: Sequence[PlaceAnswer], typed: Sequence[TypedProgram]) -> ProgramScores:
    """Scores of the answers to places, which must not be empty, and of what was typed."""
    times = [answer.milliseconds for answer in answers]
    kinds = {kind: [a for a in answers if a.place.kind == kind] for kind in KINDS}
    sides = {
        name: [a for a in answers if a.place.below == below]
        for name, below in ((BELOW, True), (NOTHING_BELOW, False))
    }
    languages = _by_language(answers, lambda answer: answer.place.program.language_id)
    typed_in = _by_language(typed, lambda each: each.program.language_id)
    return ProgramScores(
        languages={name: shares(group) for name, group in languages.items()},
        kinds={name: shares(group) for name, group in kinds.items() if group},
        below={name: shares(group) for name, group in sides.items() if group},
        typing={name: _typing(group) for name, group in typed_in.items()},
        median_ms=float(np.percentile(times, 50)),
        p95_ms=float(np.percentile(times, 95)),
    )


def shares(answers: Sequence[PlaceAnswer]) -> OutcomeShares:
    """Shares of the outcomes; a place counts once with the rest below and once without."""
    programs = programs_of(answers)

    def share(*wanted: Outcome) -> Estimate:
        return bootstrap([float(answer.outcome in wanted) for answer in answers], programs)

    return OutcomeShares(
        places=len(answers),
        right=share("right"),
        right_or_begins=share("right", "begins"),
        wrong=share("wrong"),
        silent=share("silent"),
    )


def useful_difference(answers: Sequence[PlaceAnswer], others: Sequence[PlaceAnswer]) -> Estimate:
    """Share of right or begins less that of the answers to the same places in the same order."""
    mine, theirs = (
        [float(answer.outcome in {"right", "begins"}) for answer in side]
        for side in (answers, others)
    )
    return paired_difference(mine, theirs, programs_of(answers))


def programs_of(answers: Iterable[PlaceAnswer]) -> list[str]:
    """The program of each answer's place, which intervals are over."""
    return [answer.place.program.id for answer in answers]


def _by_language(items: Sequence[T], language_of: Callable[[T], str]) -> dict[str, list[T]]:
    """All, then those of each language, and all but Python where that says something."""
    if not items:
        return {}
    found: dict[str, list[T]] = {ALL: list(items)}
    for item in items:
        found.setdefault(language_of(item), []).append(item)
    others = [item for item in items if language_of(item) != _PYTHON]
    if _PYTHON in found and len(found) > 3:
        found[OTHERS] = others
    return found


def _typing(typed: Sequence[TypedProgram]) -> TypingScores:
    times = [ms for each in typed for ms in each.milliseconds]
    return TypingScores(
        programs=len(typed),
        characters=sum(each.characters for each in typed),
        saved=_saved(typed),
        accepted=sum(each.accepted for each in typed),
        requests=sum(each.requests for each in typed),
        median_ms=float(np.percentile(times, 50)) if times else float("nan"),
        p95_ms=float(np.percentile(times, 95)) if times else float("nan"),
    )


def _saved(typed: Sequence[TypedProgram], resamples: int = 1000) -> Estimate:
    """Characters saved of all, with an interval from programs drawn anew.

    A share of sums and no mean of shares, so that long programs count for more; as such it is
    drawn here and not by ``bootstrap``, which takes means.
    """
    saved = np.array([each.saved for each in typed], float)
    characters = np.array([each.characters for each in typed], float)
    drawn = np.random.default_rng(0).integers(0, len(typed), (resamples, len(typed)))
    ratios = saved[drawn].sum(axis=1) / np.maximum(1.0, characters[drawn].sum(axis=1))
    low, high = np.percentile(ratios, [2.5, 97.5])
    total = float(saved.sum() / max(1.0, characters.sum()))
    return Estimate(total, float(low), float(high), len(typed))
