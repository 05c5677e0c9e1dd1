"""Compares ways to train."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Compare ways to train at equal compute; the same command resumes."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add(
        "file",
        type=Path,
        metavar="FILE.toml",
        help="ablations, each with arms that set options of pretrain or finetune, like "
        "training/ablations.toml",
    )
    add(
        "--corpus",
        type=Path,
        required=True,
        metavar="DIR",
        help="what `corpus` wrote, with held-out packages",
    )
    origin = parser.add_mutually_exclusive_group(required=True)
    origin.add_argument(
        "--tokenizer",
        type=Path,
        metavar="FILE",
        help="train new models: the tokenizer.json that `tokenizer` wrote",
    )
    origin.add_argument(
        "--start",
        metavar="SOURCE",
        help="train a model further, as finetune takes it, where the file says "
        'command = "finetune"',
    )
    add("--only", metavar="NAME", help="one of the ablations; without it all of them")
    add(
        "--device",
        default="auto",
        metavar="NAME",
        help="auto, cpu or cuda; auto takes a GPU that works",
    )
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="ablations.json, ablations.md and a folder for each run are written here",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train and score all arms, and print the tables."""
    from rich.console import Console

    from surefill_training.ablation.plan import read_plan
    from surefill_training.ablation.result import markdown
    from surefill_training.ablation.runner import Runner
    from surefill_training.commands.progress import progress_bar
    from surefill_training.errors import TrainingError
    from surefill_training.metrics import Metrics

    plan = read_plan(arguments.file, arguments.only)
    command = "finetune" if arguments.start else "pretrain"
    if any(ablation.command != command for ablation in plan):
        raise TrainingError(
            f"{arguments.file} is about {plan[0].command}.",
            "Give --tokenizer to pretrain, and --start to finetune.",
        )
    origin = arguments.start or arguments.tokenizer
    runner = Runner(arguments.corpus, origin, arguments.out, arguments.device)
    with progress_bar() as (progress, task):

        def report(name: str, metrics: Metrics) -> None:
            text = f"{name}  step {metrics.step}  loss {metrics.loss:.3f}"
            progress.update(task, description=text, completed=metrics.progress, total=1.0)

        results = runner.run(plan, report)
    Console().print(markdown(results), markup=False, highlight=False, soft_wrap=True)
    return 0
