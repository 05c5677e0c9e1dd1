"""Measures bundles as they are served, by the real engine and pipeline on held-out packages."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from surefill.completion.pipeline import CompletionPipeline
from surefill.engine.bundle import TOKENIZER, Bundle
from surefill.settings import Settings
from surefill_training.corpus import build
from surefill_training.corpus.documents import Document
from surefill_training.corpus.sample import take
from surefill_training.corpus.sources import canonical
from surefill_training.errors import CorpusError, TrainingError
from surefill_training.evaluate.answers import EVERY_SUGGESTION, Answer, answer_all
from surefill_training.evaluate.contestants import (
    MODEL_ALONE,
    PREVIOUS,
    SHIPPED,
    Contestant,
    from_bundle,
    model_alone,
    ngrams_alone,
    previous,
)
from surefill_training.evaluate.holes import TASKS, Hole, Task, draw_holes
from surefill_training.evaluate.scores import (
    CalibrationBin,
    TaskScores,
    calibration,
    calibration_error,
    packages,
    score,
)
from surefill_training.evaluate.served_bits import bits_per_byte
from surefill_training.evaluate.statistics import Estimate, paired_difference
from surefill_training.progress import Progress

_HOLES: Mapping[Task, int] = {task: 500 if task == "line_end" else 200 for task in TASKS}


@dataclass(frozen=True)
class EvaluateOptions:
    """What is measured, and on how much; equal options give equal samples."""

    tasks: tuple[Task, ...] = TASKS
    holes: int | None = None
    """For each task; None takes 500 line ends and 200 of the others."""
    chars: int = 400_000
    """Size of the sample that bits per byte are measured on."""
    seed: int = 0
    min_confidence: float = 0.0
    """0: every suggestion counts, however unsure the model is; the server's own bars, which differ
    by place, are not in force."""
    against: str = SHIPPED
    """The bundle to beat, by name or path; ``none`` for none."""
    ngrams: bool = True
    """Also measure the n-grams of the bundles without their models."""
    ablate_blend: bool = False
    """Also measure the bundles with their n-grams turned off."""


@dataclass(frozen=True)
class Plan:
    """Who is measured on what."""

    contestants: Sequence[Contestant]
    documents: Sequence[Document]
    texts: Sequence[str]
    holes: Sequence[Hole]
    corpus: str
    options: EvaluateOptions
    notes: Sequence[str] = ()
    """Sentences about what is not measured."""


@dataclass(frozen=True)
class Measured:
    """What one contestant did: all that the scores are computed from."""

    contestant: Contestant
    answers: Sequence[Answer]
    bits_per_byte: float | None
    """Of the model alone; None where there is none."""

    def of(self, task: str) -> list[Answer]:
        """The answers to one task's holes."""
        return [answer for answer in self.answers if answer.hole.task == task]


@dataclass(frozen=True)
class Result:
    """One contestant's scores, as ``--json`` writes them."""

    name: str
    version: str
    precision: str
    kind: str
    label: str
    note: str
    """What tells it from others of that name, as ``previous``."""
    bits_per_byte: float | None
    megabytes: float
    weights: Sequence[str]
    unseen: bool
    corpus: str
    seed: int
    min_confidence: float
    blend: bool
    tasks: Mapping[str, TaskScores]
    calibration: Sequence[CalibrationBin]
    calibration_error: float | None
    against: str | None = None
    """Label of the bundle that ``difference`` is with."""
    difference: Mapping[str, Estimate] = field(default_factory=dict)
    """By task: exact match less that of ``against``, on the same holes."""
    gains: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    """The same by label for what else is to beat: n-grams alone, and the model without them."""


def plan(bundles: Sequence[Path], corpus: Path, options: EvaluateOptions) -> Plan:
    """Load the corpus, draw the holes, and find the contestants.

    Raises CorpusError for a corpus that holds nothing out or nothing to ask, and for a bundle that
    was trained on a package which it holds out.
    """
    documents = list(build.load(corpus, "heldout"))
    if not documents:
        raise CorpusError("The corpus holds nothing out.", "Build it again with --heldout PACKAGE.")
    holes = [
        hole
        for task in options.tasks
        for hole in draw_holes(documents, task, options.holes or _HOLES[task], options.seed)
    ]
    contestants, notes = _contestants(bundles, documents, options)
    return Plan(
        contestants=contestants,
        documents=documents,
        texts=take((d.text for d in documents), options.chars, options.seed),
        holes=holes,
        corpus=build.manifest(corpus)["hash"],
        options=options,
        notes=notes,
    )


def _contestants(
    bundles: Sequence[Path], documents: Sequence[Document], options: EvaluateOptions
) -> tuple[list[Contestant], list[str]]:
    """The bundles and their parts, then what they have to beat; and what of this is missing."""
    heldout = {canonical(document.source) for document in documents}
    settings = Settings()
    asked = replace(settings.completion, min_confidence=EVERY_SUGGESTION)
    settings = replace(settings, completion=asked)
    whole = [from_bundle(path, heldout, settings) for path in bundles]
    if options.ablate_blend and not any(each.blend for each in whole):
        raise TrainingError(
            "None of the bundles has n-grams that could be turned off.",
            "Leave --ablate-blend out, or bundle the model with --ngrams.",
        )
    found = [
        each
        for contestant in whole
        for each in (
            [contestant, model_alone(contestant)]
            if options.ablate_blend and contestant.blend
            else [contestant]
        )
    ]
    before, note = previous(options.against, whole, heldout, settings)
    notes = [note] if note else []
    if before is not None:
        found.append(before)
    counted = ngrams_alone(found) if options.ngrams else []
    if options.ngrams and not counted:
        notes.append("There is no baseline of n-grams: none of the bundles has any.")
    return [*found, *counted], notes


def measure(plan: Plan, progress: Progress) -> Iterator[Measured]:
    """Measure one contestant after the other; what was measured stays when this is broken off."""
    bits: dict[Hashable, float] = {}
    for contestant in plan.contestants:
        yield _measure(contestant, plan, bits, progress)


def _measure(
    contestant: Contestant, plan: Plan, bits: dict[Hashable, float], progress: Progress
) -> Measured:
    label = contestant.label
    found = None
    if contestant.bundle is not None:
        found = _bits(contestant, contestant.bundle, plan.texts, bits, progress)
    model = contestant.open(contestant.settings)
    try:
        answers = answer_all(
            CompletionPipeline(model.context, contestant.settings, display=model.display),
            model.engine,
            model.memory,
            plan.holes,
            documents=plan.documents,
            min_confidence=plan.options.min_confidence,
            on_done=lambda done: progress(f"{label}: holes", done, len(plan.holes)),
        )
    finally:
        if model.memory is not None:
            model.memory.close()
        model.engine.close()
    return Measured(contestant, answers, found)


def _bits(
    contestant: Contestant,
    bundle: Bundle,
    texts: Sequence[str],
    known: dict[Hashable, float],
    progress: Progress,
) -> float:
    """Bits per byte of a bundle's model, measured once for all who have the same model."""
    manifest = bundle.manifest
    model = (
        contestant.weights,
        manifest.files[TOKENIZER],
        manifest.context_length,
        manifest.prompt.ends[0],
    )
    if model not in known:
        what = f"{contestant.label}: bits per byte"
        known[model] = bits_per_byte(bundle, texts, lambda done, total: progress(what, done, total))
    return known[model]


def results(plan: Plan, measured: Sequence[Measured]) -> list[Result]:
    """Scores of all that was measured, with what the bundles gain over what they have to beat."""
    return [_result(plan, each, _rivals(each, measured)) for each in measured]


def _rivals(measured: Measured, others: Sequence[Measured]) -> list[Measured]:
    """Whom to beat: the baselines, and for a blend its own model."""
    own = measured.contestant
    if own.kind == "baseline":
        return []
    return [
        other
        for other in others
        if other.contestant.kind == "baseline"
        or (
            own.blend
            and other.contestant.note == MODEL_ALONE
            and other.contestant.weights == own.weights
        )
    ]


def _result(plan: Plan, measured: Measured, rivals: Sequence[Measured]) -> Result:
    contestant, bins = measured.contestant, calibration(measured.answers)
    gains: dict[str, dict[str, Estimate]] = {}
    against: str | None = None
    difference: dict[str, Estimate] = {}
    for rival in rivals:
        gained: dict[str, Estimate] = {
            task: _difference(measured.of(task), rival.of(task)) for task in plan.options.tasks
        }
        if rival.contestant.note == PREVIOUS:
            against, difference = rival.contestant.label, gained
        else:
            gains[rival.contestant.label] = gained
    return Result(
        name=contestant.name,
        version=contestant.version,
        precision=contestant.precision,
        kind=contestant.kind,
        label=contestant.label,
        note=contestant.note,
        bits_per_byte=measured.bits_per_byte,
        megabytes=contestant.megabytes,
        weights=contestant.weights,
        unseen=contestant.unseen,
        corpus=plan.corpus,
        seed=plan.options.seed,
        min_confidence=plan.options.min_confidence,
        blend=contestant.blend,
        tasks={task: score(measured.of(task)) for task in plan.options.tasks},
        calibration=bins,
        calibration_error=calibration_error(bins),
        against=against,
        difference=difference,
        gains=gains,
    )


def _difference(answers: Sequence[Answer], others: Sequence[Answer]) -> Estimate:
    """Exact match less that of the answers to the same holes in the same order."""
    exact, theirs = ([float(each.exact) for each in side] for side in (answers, others))
    return paired_difference(exact, theirs, packages(answers))
