"""Measures bundles on held-out code."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands.shared import positive, positive_numbers, share
from surefill_training.files import write_atomically

if TYPE_CHECKING:
    from surefill_training.evaluate.bundle import Result
    from surefill_training.evaluate.functional import FunctionalScores
    from surefill_training.progress import Progress

HELP = "Measure bundles on held-out packages, with the server's own pipeline."

_TASKS = "line_end,lines,inside,call_arguments,member"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("bundles", type=Path, nargs="+", metavar="BUNDLE", help="one or more bundles to compare")
    add(
        "--corpus",
        type=Path,
        required=True,
        metavar="DIR",
        help="the corpus with held-out packages",
    )
    add(
        "--against",
        default="default",
        metavar="BUNDLE",
        help="the bundle to beat: a path, `default` for the one that ships, or `none`",
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
        help="holes for each task; else 500 line ends and 200 of each other task",
    )
    add(
        "--chars",
        type=positive,
        default=400_000,
        metavar="N",
        help="size of the sample that bits per byte are measured on",
    )
    add("--seed", type=int, default=0, help="which holes")
    add(
        "--min-confidence",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="leave out suggestions that the model is less sure of",
    )
    add(
        "--problems",
        type=Path,
        metavar="FILE",
        help="JSON lines in the format of HumanEval or HumanEval-infilling, to execute",
    )
    add(
        "--samples",
        type=positive,
        default=10,
        metavar="N",
        help="completions drawn for each problem, for pass@k with k above 1",
    )
    add("--k", type=positive_numbers, default=(1,), metavar="K,K", help="which pass@k, as in 1,10")
    add("--json", type=Path, metavar="FILE", help="also write the results to a file")
    add(
        "--report",
        type=Path,
        metavar="DIR",
        help="also write report.md with plots, and the result of each hole as JSON lines",
    )
    add(
        "--run",
        dest="training_run",
        type=Path,
        metavar="DIR",
        help="a folder that `pretrain` wrote, whose losses the report shows",
    )
    add(
        "--keep-text",
        action="store_true",
        help="write the texts of the holes into the report, which are the packages' own",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure bundles side by side and print a table."""
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
    measured: list[Measured] = []
    try:
        with shown_progress() as report:
            functional = _functional(arguments, report) if arguments.problems else []
            measured.extend(measure(planned, report))
    except KeyboardInterrupt:
        if not measured:
            raise
        _print_table(results(planned, measured))
        sys.stderr.write(
            "surefill-train: interrupted; the table has what was finished, no file was written.\n"
        )
        return 130
    scored = results(planned, measured)
    if arguments.json:
        write_atomically(arguments.json, _with_functional(to_json(scored), functional).encode())
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
    _print_table(scored, functional)
    return 0


def _print_table(scored: Sequence[Result], functional: Sequence[FunctionalScores] = ()) -> None:
    from rich.console import Console

    from surefill_training.evaluate.report import markdown

    tables = [markdown(scored)]
    if functional:
        from surefill_training.evaluate.functional import markdown as functional_table

        whole = [result.label for result in scored if result.kind == "bundle" and not result.note]
        tables.append(functional_table(whole, functional))
    Console().print("\n\n".join(tables), markup=False, highlight=False, soft_wrap=True)


def _functional(arguments: argparse.Namespace, report: Progress) -> list[FunctionalScores]:
    """Of each bundle, on the problems that were given."""
    from surefill.completion.loading import load_model
    from surefill.settings import Settings
    from surefill_training.evaluate.functional import check_samples, measure
    from surefill_training.evaluate.problems import load_problems

    check_samples(arguments.samples, arguments.k)
    problems = load_problems(arguments.problems)
    found = []
    for path in arguments.bundles:
        # Resolved, or a folder named "default" would be taken for the bundle that ships.
        settings = Settings(bundle=str(path.resolve()))
        model = load_model(settings)
        try:
            found.append(
                measure(model, settings, problems, arguments.samples, report, ks=arguments.k)
            )
        finally:
            model.engine.close()
    return found


def _with_functional(text: str, functional: Sequence[FunctionalScores]) -> str:
    """The results as JSON, those of whole bundles with what their programs were found to do."""
    from surefill_training.evaluate.functional import as_json

    if not functional:
        return text
    entries = json.loads(text)
    whole = [entry for entry in entries if entry["kind"] == "bundle" and not entry["note"]]
    for entry, scores in zip(whole, functional, strict=True):
        entry["functional"] = as_json(scores)
    return json.dumps(entries, indent=1)
