"""Measures bundles on held-out code and on problems with tests."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefill_training.commands import evaluate_programs
from surefill_training.commands.shared import positive, positive_numbers, share
from surefill_training.errors import TrainingError
from surefill_training.files import write_atomically

if TYPE_CHECKING:
    from surefill_training.commands.evaluate_programs import ProgramRun
    from surefill_training.evaluate.bundle import Result
    from surefill_training.evaluate.contestants import Contestant
    from surefill_training.evaluate.functional import FunctionalScores
    from surefill_training.progress import Progress

HELP = "Measure bundles on code or on problems with tests, with the server's own pipeline."

_TASKS = "line_end,lines,inside,call_arguments,member"
_NEED_CORPUS = ("--holes", "--ablate-blend", "--run", "--keep-text")
"""What says nothing about the others; the rest of its kind have defaults that do no harm."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("bundles", type=Path, nargs="+", metavar="BUNDLE", help="one or more bundles to compare")
    _add_heldout(parser)
    evaluate_programs.add_arguments(parser)
    _add_problems(parser)
    add("--json", type=Path, metavar="FILE", help="also write the results to a file")
    add(
        "--report",
        type=Path,
        metavar="DIR",
        help="also write report.md, with plots where holes were measured, and the result of each "
        "hole and place as JSON lines",
    )
    add(
        "--against",
        default="default",
        metavar="BUNDLE",
        help="the bundle to beat: a path, `default` for the one that ships, or `none`",
    )
    add("--seed", type=int, default=0, metavar="N", help="decides which holes and places are drawn")


def _add_heldout(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group(
        "held-out packages", "What is missing in code that the model has not seen."
    ).add_argument
    add(
        "--corpus",
        type=Path,
        metavar="DIR",
        help="the corpus with held-out packages; needed by all others of this group",
    )
    add(
        "--ablate-blend",
        action="store_true",
        help="also measure the bundles with their n-grams turned off",
    )
    add("--tasks", default=_TASKS, metavar="LIST", help="what is asked, separated by commas")
    add(
        "--holes",
        type=positive,
        metavar="N",
        help="holes for each task; without it 500 line ends and 200 of each other task",
    )
    add(
        "--chars",
        type=positive,
        default=400_000,
        metavar="N",
        help="characters of the sample that bits per byte are measured on",
    )
    add(
        "--min-confidence",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="leave out suggestions that the model is less sure of; 0 counts all, also those that "
        "the server would not show",
    )
    add(
        "--run",
        dest="training_run",
        type=Path,
        metavar="DIR",
        help="a folder that `pretrain` or `finetune` wrote, whose losses the report shows",
    )
    add(
        "--keep-text",
        action="store_true",
        help="write the texts of the holes into the report, which are the packages' own",
    )


def _add_problems(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group(
        "problems", "Whether programs do what they should, by executing them in the sandbox."
    ).add_argument
    add(
        "--problems",
        type=Path,
        metavar="FILE",
        help="JSON lines in the format of HumanEval or HumanEval-infilling; without --corpus "
        "nothing else is measured",
    )
    add(
        "--samples",
        type=positive,
        default=10,
        metavar="N",
        help="completions drawn for each problem, for pass@k with k above 1",
    )
    add(
        "--k",
        type=positive_numbers,
        default=(1,),
        metavar="K,K",
        help="which pass@k, as in 1,10",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure bundles side by side and print tables."""
    _require_something(arguments)
    if arguments.corpus is None or arguments.programs_only:
        return _run_without_corpus(arguments)
    return _run_on_code(arguments)


def _require_something(arguments: argparse.Namespace) -> None:
    evaluate_programs.check(arguments)
    if arguments.corpus is not None:
        return
    if arguments.problems is None and arguments.programs is None:
        raise TrainingError(
            "There is nothing to measure on.",
            "Give --corpus DIR for held-out packages, --programs for ordinary programs, "
            "--problems FILE for programs with tests, or several of them.",
        )
    given = vars(arguments) | {"run": arguments.training_run}
    refused = [flag for flag in _NEED_CORPUS if given[flag[2:].replace("-", "_")]]
    if refused:
        raise TrainingError(
            f"{', '.join(refused)} can only be used on held-out packages.",
            "Give --corpus DIR too, or leave it out.",
        )
    if arguments.report and arguments.programs is None:
        raise TrainingError(
            "There is no report of problems.", "Give --corpus DIR or --programs too."
        )


def _run_without_corpus(arguments: argparse.Namespace) -> int:
    from surefill_training.commands.progress import shown_progress

    programs = evaluate_programs.prepare(arguments)
    with_problems = arguments.problems and not arguments.programs_only
    functional: list[tuple[Contestant, FunctionalScores]] = []
    try:
        with shown_progress() as report:
            functional = _functional(arguments, report) if with_problems else []
            if programs is not None:
                programs.measure(report)
    except KeyboardInterrupt:
        return _interrupted([], functional, programs)
    if arguments.json:
        entries = [{**_entry(each), "functional": _as_json(scores)} for each, scores in functional]
        if programs is not None:
            programs.add_to(entries, _entry)
        write_atomically(arguments.json, json.dumps(entries, indent=1).encode())
    if arguments.report and programs is not None:
        programs.write_report(arguments.report)
    _print_tables([], functional, programs)
    return 0


def _run_on_code(arguments: argparse.Namespace) -> int:
    from surefill_training.commands.progress import console, shown_progress
    from surefill_training.evaluate.bundle import EvaluateOptions, Measured, measure, plan, results
    from surefill_training.evaluate.holes import find_tasks
    from surefill_training.evaluate.report import to_json

    options = EvaluateOptions(
        tasks=find_tasks(arguments.tasks),
        holes=arguments.holes,
        chars=arguments.chars,
        seed=arguments.seed,
        min_confidence=arguments.min_confidence,
        against=arguments.against,
        ablate_blend=arguments.ablate_blend,
    )
    if arguments.training_run:
        from surefill_training.evaluate.report_folder import check_run

        check_run(arguments.training_run)
    planned = plan(arguments.bundles, arguments.corpus, options)
    for note in planned.notes:
        console.print(note, markup=False, highlight=False)
    programs = evaluate_programs.prepare(arguments)
    functional: list[tuple[Contestant, FunctionalScores]] = []
    measured: list[Measured] = []
    try:
        with shown_progress() as report:
            functional = _functional(arguments, report) if arguments.problems else []
            if programs is not None:
                programs.measure(report)
            measured.extend(measure(planned, report))
    except KeyboardInterrupt:
        return _interrupted(results(planned, measured), functional, programs)
    scored = results(planned, measured)
    if arguments.json:
        entries = json.loads(to_json(scored))
        _add_functional(entries, functional)
        if programs is not None:
            programs.add_to(entries, _entry)
        write_atomically(arguments.json, json.dumps(entries, indent=1).encode())
    if arguments.report:
        from surefill_training.evaluate.report_folder import write_report

        write_report(
            arguments.report,
            planned,
            measured,
            scored,
            run=arguments.training_run,
            keep_text=arguments.keep_text,
        )
        if programs is not None:
            programs.write_report(arguments.report)
    _print_tables(scored, functional, programs)
    return 0


def _interrupted(
    scored: Sequence[Result],
    functional: Sequence[tuple[Contestant, FunctionalScores]],
    programs: ProgramRun | None,
) -> int:
    """Show what was finished; raises KeyboardInterrupt where nothing was."""
    if not (scored or functional or (programs and programs.measured)):
        raise KeyboardInterrupt
    _print_tables(scored, functional, programs)
    sys.stderr.write(
        "surefill-train: interrupted; the table has what was finished, no file was written.\n"
    )
    return 130


def _print_tables(
    scored: Sequence[Result],
    functional: Sequence[tuple[Contestant, FunctionalScores]] = (),
    programs: ProgramRun | None = None,
) -> None:
    from rich.console import Console

    from surefill_training.evaluate.functional import markdown as functional_table
    from surefill_training.evaluate.report import markdown

    tables = [markdown(scored)] if scored else []
    if programs is not None and programs.measured:
        tables.append(programs.markdown())
    if functional:
        labels = [contestant.label for contestant, _ in functional]
        tables.append(functional_table(labels, [scores for _, scores in functional]))
    Console().print("\n\n".join(tables), markup=False, highlight=False, soft_wrap=True)


def _functional(
    arguments: argparse.Namespace, report: Progress
) -> list[tuple[Contestant, FunctionalScores]]:
    """Of each bundle, on the problems that were given."""
    from surefill_training.evaluate.functional import check_samples, measure_bundles
    from surefill_training.evaluate.problems import load_problems

    check_samples(arguments.samples, arguments.k)
    problems = load_problems(arguments.problems)
    return measure_bundles(arguments.bundles, problems, arguments.samples, report, arguments.k)


def _entry(contestant: Contestant) -> dict[str, Any]:
    """What a contestant is known by in the results."""
    return {
        "name": contestant.name,
        "version": contestant.version,
        "precision": contestant.precision,
        "kind": contestant.kind,
        "label": contestant.label,
        "weights": contestant.weights,
    }


def _as_json(scores: FunctionalScores) -> dict[str, Any]:
    from surefill_training.evaluate.functional import as_json

    return as_json(scores)


def _add_functional(
    entries: Sequence[dict[str, Any]],
    functional: Sequence[tuple[Contestant, FunctionalScores]],
) -> None:
    """Say of whole bundles what their programs were found to do."""
    if not functional:
        return
    whole = [entry for entry in entries if entry["kind"] == "bundle" and not entry["note"]]
    for entry, (_, scores) in zip(whole, functional, strict=True):
        entry["functional"] = _as_json(scores)
