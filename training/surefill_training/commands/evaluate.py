"""Measures bundles on held-out code."""

from __future__ import annotations

import argparse
from pathlib import Path

from surefill_training.commands.shared import positive
from surefill_training.files import write_atomically

HELP = "Measure bundles on held-out packages, with the server's own pipeline."


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
    add("--holes", type=positive, default=500, metavar="N", help="line ends to complete")
    add(
        "--chars",
        type=positive,
        default=400_000,
        metavar="N",
        help="size of the sample that bits per byte are measured on",
    )
    add("--seed", type=int, default=0, help="which holes")
    add("--json", type=Path, metavar="FILE", help="also write the results to a file")


def run(arguments: argparse.Namespace) -> int:
    """Measure bundles side by side and print a table."""
    from rich.console import Console

    from surefill_training.commands.progress import progress_bar
    from surefill_training.evaluate.bundle import EvaluateOptions, compare
    from surefill_training.evaluate.report import markdown, to_json

    options = EvaluateOptions(holes=arguments.holes, chars=arguments.chars, seed=arguments.seed)
    with progress_bar() as (progress, task):

        def report(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        results = compare(arguments.bundles, arguments.corpus, options, report)
    if arguments.json:
        write_atomically(arguments.json, to_json(results).encode())
    Console().print(markdown(results), markup=False, highlight=False, soft_wrap=True)
    return 0
