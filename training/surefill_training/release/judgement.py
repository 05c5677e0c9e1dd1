"""Measures a bundle against the present default and says whether it may replace it."""

from __future__ import annotations

import json
import logging
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from surefill.commands import bench
from surefill.commands.editor import MeasurementError
from surefill.engine.bundle import Bundle
from surefill_training.evaluate.bundle import EvaluateOptions, Result, measure, plan, results
from surefill_training.evaluate.contestants import NO_PREVIOUS, PREVIOUS
from surefill_training.evaluate.holes import Task
from surefill_training.evaluate.places import PLACES
from surefill_training.evaluate.program_results import (
    ProgramOptions,
    ProgramResult,
    measure_programs,
    plan_programs,
    program_results,
)
from surefill_training.evaluate.program_scores import ALL
from surefill_training.evaluate.report import to_json
from surefill_training.progress import Progress
from surefill_training.release.criteria import Bounds, Check, Figures, check

TASK: Task = "line_end"
GATE_SEED = 1
"""Other than that of ``EvaluateOptions``: recipes are chosen by what ``evaluate`` finds day by day,
so on its holes the gate would judge a model by what it was chosen for. With few held-out documents
the two sets of holes still overlap, and they are of the same packages."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GateOptions:
    """On how much a bundle is judged."""

    holes: int = 500
    chars: int = 100_000
    """Size of the sample for bits per byte, which are information."""
    seed: int = GATE_SEED
    rounds: int = 40
    """Samples of each latency."""
    programs: Path | None = None
    """The folder of ordinary programs; None for those that are shipped."""
    places: int = PLACES
    """Of each program."""


@dataclass(frozen=True)
class Judgement:
    """The verdict on a bundle, and what it rests on."""

    checks: Sequence[Check]
    bounds: Bounds
    results: Sequence[Result]
    """Scores of the candidate first, then of the present default and of any other baseline."""
    programs: Sequence[ProgramResult]
    """The same in ordinary programs."""
    latency: Sequence[Mapping[str, Any]]
    """What ``surefill bench`` measured of the candidate."""

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def record(self, decision: str) -> dict[str, Any]:
        """All of it as plain values, with the machine that it was measured on."""
        return {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "decision": decision,
            "checks": [asdict(check) for check in self.checks],
            "bounds": asdict(self.bounds),
            "baselines": self.against_baselines(),
            "results": json.loads(to_json(self.results)),
            "programs": [
                {"label": result.contestant.label, **result.as_plain()} for result in self.programs
            ],
            "latency": list(self.latency),
            "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        }

    def against_baselines(self) -> list[dict[str, Any]]:
        """Exact match as a multiple of that of each baseline that is no bundle: information."""
        own = self.results[0].tasks[TASK].exact_match.mean
        found = []
        for result in self.results:
            if result.kind == "baseline" and result.note != PREVIOUS:
                theirs = result.tasks[TASK].exact_match.mean
                times = round(own / theirs, 3) if theirs else None
                found.append({"name": result.label, "exact_match": theirs, "times": times})
        return found


def judge(
    candidate: Bundle,
    present: Path | None,
    corpus: Path,
    bounds: Bounds,
    *,
    options: GateOptions,
    progress: Progress,
) -> Judgement:
    """Measure ``candidate`` and ``present`` on the same holes and in the same programs; then the
    candidate's latency on this machine.

    Raises CorpusError for a corpus that holds out what one of them was trained on, ProgramsError
    for programs that cannot be measured in.
    """
    against = str(present.resolve()) if present else NO_PREVIOUS
    planned = plan(
        [candidate.path],
        corpus,
        EvaluateOptions(
            tasks=(TASK,),
            holes=options.holes,
            chars=options.chars,
            seed=options.seed,
            against=against,
        ),
    )
    in_programs = plan_programs(
        [candidate.path],
        ProgramOptions(
            folder=options.programs,
            places=options.places,
            typing_requests=0,
            seed=options.seed,
            against=against,
        ),
    )
    scored = results(planned, list(measure(planned, progress)))
    programs = program_results(in_programs, list(measure_programs(in_programs, progress)))
    rows = _latency(candidate, options.rounds, progress)
    own = scored[0]
    typing = next((row for row in rows if row.name == bench.TYPING), None)
    figures = Figures(
        difference=own.difference.get(TASK),
        parses=own.tasks[TASK].parses,
        typing_ms=typing.percentile(50) if typing else math.nan,
        megabytes=own.megabytes,
        unseen=own.unseen,
        useful_difference=programs[0].difference,
        wrong=programs[0].scores.languages[ALL].wrong,
        divergence=(candidate.manifest.made.get("fidelity") or {}).get("divergence"),
        quantised=candidate.manifest.precision not in ("fp32", "fp16"),
    )
    return Judgement(check(figures, bounds), bounds, scored, programs, _as_plain(rows))


def _latency(candidate: Bundle, rounds: int, progress: Progress) -> list[bench.Row]:
    """The server's own benchmark; nothing where the bundle suggests too little to be timed."""
    try:
        return bench.measure(
            {"bundle": str(candidate.path.resolve())},
            rounds,
            lambda what: progress(f"latency: {what}", 0, 1),
        )
    except MeasurementError as error:
        logger.warning("%s", error)
        return []


def _as_plain(rows: Sequence[bench.Row]) -> list[dict[str, Any]]:
    """The measures as JSON, which has no NaN, can hold them."""
    return [
        {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in row.items()
        }
        for row in bench.as_json(rows)
    ]
