"""Measures bundles in ordinary programs, as they are served by default to everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from surefill.engine.bundle import find_bundle
from surefill.errors import BundleError
from surefill.settings import Settings
from surefill_training.errors import ProgramsError
from surefill_training.evaluate.contestants import (
    PREVIOUS,
    SHIPPED,
    Contestant,
    from_bundle,
    previous,
)
from surefill_training.evaluate.places import PLACES, Place, draw_places
from surefill_training.evaluate.program_answers import PlaceAnswer, answer_places
from surefill_training.evaluate.program_editor import open_editor
from surefill_training.evaluate.program_scores import (
    ProgramScores,
    score_programs,
    useful_difference,
)
from surefill_training.evaluate.programs import Program, load_programs
from surefill_training.evaluate.report import without_nan
from surefill_training.evaluate.statistics import Estimate
from surefill_training.evaluate.typing_simulation import TypedProgram, type_programs
from surefill_training.progress import Progress


@dataclass(frozen=True)
class ProgramOptions:
    """What is measured in programs, and how much; equal options give equal places."""

    folder: Path | None = None
    """Where the programs are; None for those that are shipped."""
    languages: tuple[str, ...] = ()
    """Which of them; empty for all."""
    places: int = PLACES
    """Of each program, each asked with the rest below and with nothing below."""
    typing_requests: int = 400
    """Over all programs, when they are typed from an empty file; 0 leaves that out."""
    seed: int = 0
    checker: bool = True
    """The type checker has its say, as it is served."""
    against: str = SHIPPED
    """The bundle to beat, by name or path; ``none`` for none."""


@dataclass(frozen=True)
class ProgramPlan:
    """Who is measured on what."""

    contestants: Sequence[Contestant]
    programs: Sequence[Program]
    places: Sequence[Place]
    options: ProgramOptions
    notes: Sequence[str] = ()
    """Sentences about what is not measured."""


@dataclass(frozen=True)
class MeasuredPrograms:
    """What one contestant did: all that its scores are computed from."""

    contestant: Contestant
    answers: Sequence[PlaceAnswer]
    typed: Sequence[TypedProgram]


@dataclass(frozen=True)
class ProgramResult:
    """One contestant's scores."""

    contestant: Contestant
    scores: ProgramScores
    seed: int
    checker: bool
    against: str | None = None
    """Label of the bundle that ``difference`` is with."""
    difference: Estimate | None = None
    """Share of right or begins less that of ``against``, at the same places."""

    def as_plain(self) -> dict[str, Any]:
        """All but the contestant in values that JSON knows."""
        plain = {
            **asdict(self.scores),
            "seed": self.seed,
            "checker": self.checker,
            "against": self.against,
            "difference": asdict(self.difference) if self.difference else None,
        }
        found = without_nan(plain)
        assert isinstance(found, dict)
        return found


def plan_programs(bundles: Sequence[Path], options: ProgramOptions) -> ProgramPlan:
    """Load the programs, draw the places and find the contestants; nothing is measured yet.

    Raises ProgramsError for programs that cannot be had, and for such as have no place to ask at.
    """
    programs = load_programs(options.folder, options.languages)
    places = draw_places(programs, options.seed, options.places)
    if not places:
        raise ProgramsError(
            f"The programs in {options.folder} have no place to ask at.",
            "Give programs of some lines, of which the next one could be guessed.",
        )
    settings = Settings()
    found = [from_bundle(path, set(), settings) for path in bundles]
    before, note = _rival(options.against, found, settings)
    if before is not None:
        found.append(before)
    return ProgramPlan(found, programs, places, options, [note] if note else [])


def _rival(
    against: str, measured: Sequence[Contestant], settings: Settings
) -> tuple[Contestant | None, str]:
    """As ``previous``; but no corpus holds anything out, so any bundle can be compared."""
    if against != SHIPPED:
        return previous(against, measured, set(), settings)
    try:
        path = find_bundle(SHIPPED)
    except BundleError as error:
        return None, f"The bundle that ships is left out: {error.message}"
    before, note = previous(str(path), measured, set(), settings)
    if before is not None and before.weights in [each.weights for each in measured]:
        return None, "The bundle that ships is left out: it is among those measured."
    return before, note


def measure_programs(plan: ProgramPlan, progress: Progress) -> Iterator[MeasuredPrograms]:
    """Measure one contestant after the other; what was measured stays when this is broken off."""
    for contestant in plan.contestants:
        yield _measure(contestant, plan, progress)


def _measure(contestant: Contestant, plan: ProgramPlan, progress: Progress) -> MeasuredPrograms:
    label, options = contestant.label, plan.options
    model = contestant.open(contestant.settings)
    try:
        with open_editor(model, contestant.settings, checker=options.checker) as editor:
            answers = answer_places(
                editor,
                plan.places,
                lambda done: progress(f"{label}: places in programs", done, len(plan.places)),
            )
            typed = []
            if options.typing_requests:
                typed = type_programs(
                    editor,
                    plan.programs,
                    options.typing_requests,
                    lambda done: progress(f"{label}: typed programs", done, len(plan.programs)),
                    seed=options.seed,
                )
    finally:
        if model.memory is not None:
            model.memory.close()
        model.engine.close()
    return MeasuredPrograms(contestant, answers, typed)


def program_results(plan: ProgramPlan, measured: Sequence[MeasuredPrograms]) -> list[ProgramResult]:
    """Scores of all that was measured, with what the bundles gain over the one to beat."""
    rival = next((each for each in measured if each.contestant.note == PREVIOUS), None)
    return [_result(plan, each, None if each is rival else rival) for each in measured]


def _result(
    plan: ProgramPlan, measured: MeasuredPrograms, rival: MeasuredPrograms | None
) -> ProgramResult:
    return ProgramResult(
        contestant=measured.contestant,
        scores=score_programs(measured.answers, measured.typed),
        seed=plan.options.seed,
        checker=plan.options.checker,
        against=rival.contestant.label if rival else None,
        difference=useful_difference(measured.answers, rival.answers) if rival else None,
    )


def place_rows(measured: Sequence[MeasuredPrograms]) -> Iterator[Mapping[str, object]]:
    """What came at each place with each contestant; the programs' text is this package's own."""
    for each in measured:
        for answer in each.answers:
            place = answer.place
            yield {
                "contestant": each.contestant.label,
                "place": place.id,
                "language": place.program.language_id,
                "kind": place.kind,
                "line": place.position.line + 1,
                "below": place.below,
                "outcome": answer.outcome,
                "missing": place.middle,
                "shown": answer.text,
                "reason": answer.reason,
                "confidence": round(answer.confidence, 4),
                "ms": round(answer.milliseconds, 1),
            }
