"""Leaves out layers of a model."""

from __future__ import annotations

import argparse
from pathlib import Path

from surefill_training.commands.shared import numbers, positive

HELP = "Leave out layers of a model, those that a sample of training code misses least."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL_DIR", help="a Hugging Face model directory")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--drop", type=positive, metavar="N", help="how many layers to leave out; this or --keep"
    )
    what.add_argument(
        "--keep",
        type=numbers,
        metavar="LIST",
        help="which layers stay, like 0,1,3,5; this or --drop",
    )
    add("--corpus", type=Path, required=True, metavar="DIR", help="what `corpus` wrote")
    add(
        "--chars",
        type=positive,
        default=60_000,
        metavar="N",
        help="characters of the sample of training code that decides",
    )
    add("--seed", type=int, default=0, metavar="N", help="decides which sample is drawn")
    add("--out", type=Path, required=True, metavar="DIR", help="the new model directory")


def run(arguments: argparse.Namespace) -> int:
    """Prune, and say what is left."""
    from surefill_training.commands.progress import console, shown_progress
    from surefill_training.compression.prune import PruneOptions, prune

    options = PruneOptions(
        drop=arguments.drop,
        keep=arguments.keep,
        chars=arguments.chars,
        seed=arguments.seed,
    )
    with shown_progress() as report:
        kept = prune(arguments.model, arguments.corpus, arguments.out, options, report)
    console.print(f"{arguments.out} keeps the layers {', '.join(map(str, kept))}.")
    console.print(f"To heal it: surefill-train finetune {arguments.out} --corpus DIR --out DIR")
    return 0
