"""Measures bundles on held-out code."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands.shared import positive
from surefill_training.files import write_atomically

if TYPE_CHECKING:
    from surefill_training.evaluate.functional import FunctionalScores

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
    add("--k", type=_numbers, default=[1], metavar="K,K", help="which pass@k, as in 1,10")
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

        functional = _functional(arguments, report) if arguments.problems else []
        results = compare(arguments.bundles, arguments.corpus, options, report)
    if arguments.json:
        text = _with_functional(to_json(results), functional)
        write_atomically(arguments.json, text.encode())
    tables = [markdown(results)]
    if functional:
        from surefill_training.evaluate.functional import markdown as functional_table

        tables.append(functional_table([result.name for result in results], functional))
    Console().print("\n\n".join(tables), markup=False, highlight=False, soft_wrap=True)
    return 0


def _functional(
    arguments: argparse.Namespace, report: Callable[[str, int, int], None]
) -> list[FunctionalScores]:
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
    """The results as JSON, each with what its bundle's programs were found to do."""
    from surefill_training.evaluate.functional import as_json

    if not functional:
        return text
    entries = zip(json.loads(text), functional, strict=True)
    return json.dumps(
        [{**entry, "functional": as_json(scores)} for entry, scores in entries], indent=1
    )


def _numbers(text: str) -> list[int]:
    return [positive(part) for part in text.split(",")]
