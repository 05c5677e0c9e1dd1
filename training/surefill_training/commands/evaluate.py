"""Measures bundles on held-out code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands.shared import positive, share
from surefill_training.files import write_atomically

if TYPE_CHECKING:
    from surefill_training.evaluate.bundle import Result

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
    from surefill_training.commands.progress import console, progress_bar
    from surefill_training.evaluate.bundle import EvaluateOptions, Measured, measure, plan, results
    from surefill_training.evaluate.holes import find_task
    from surefill_training.evaluate.report import to_json

    names = [name.strip() for name in arguments.tasks.split(",") if name.strip()]
    options = EvaluateOptions(
        tasks=tuple(dict.fromkeys(find_task(name) for name in names)),
        holes=arguments.holes,
        chars=arguments.chars,
        seed=arguments.seed,
        min_confidence=arguments.min_confidence,
        against=arguments.against,
    )
    if arguments.training_run:
        from surefill_training.evaluate.report_folder import check_run

        check_run(arguments.training_run)
    planned = plan(arguments.bundles, arguments.corpus, options)
    for note in planned.notes:
        console.print(note, markup=False, highlight=False)
    measured: list[Measured] = []
    try:
        with progress_bar() as (progress, task):

            def report(what: str, done: int, total: int) -> None:
                progress.update(task, description=what, completed=done, total=total)

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
        write_atomically(arguments.json, to_json(scored).encode())
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
    _print_table(scored)
    return 0


def _print_table(scored: list[Result]) -> None:
    from rich.console import Console

    from surefill_training.evaluate.report import markdown

    Console().print(markdown(scored), markup=False, highlight=False, soft_wrap=True)
