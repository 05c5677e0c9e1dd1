"""Makes and measures smaller forms of a model, and says which one to ship."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands.shared import call, numbers, positive, positive_float
from surefill_training.errors import TrainingError
from surefill_training.files import write_atomically

if TYPE_CHECKING:
    from surefill_training.compression.variants import Plan, Precision

HELP = "Make and measure a model in fewer bits and fewer layers, and say which one to ship."

_PRECISIONS: tuple[Precision, ...] = ("fp32", "int8", "int4")
_HEALING = ("--recipe", "muon", "--muon-lr", 0.005, "--learning-rate", 0.001, "--dropout", 0)
"""A quarter and a third of the rates that new small models are trained with. The defaults of
``finetune`` are for models a hundred times larger and hardly move one that has lost a layer."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL_DIR", help="a Hugging Face model directory")
    add(
        "--corpus",
        type=Path,
        required=True,
        metavar="DIR",
        help="the corpus with held-out packages",
    )
    add(
        "--precisions",
        default=",".join(_PRECISIONS),
        metavar="LIST",
        help="precisions of the weights, separated by commas",
    )
    add(
        "--int4-blocks",
        type=numbers,
        default=(128,),
        metavar="LIST",
        help="weights that share a scale, for each int4 variant, like 128,32",
    )
    add(
        "--keep-layers",
        type=numbers,
        action="append",
        default=[],
        metavar="LIST",
        help="also a model of these layers only, like 0,1,3,5; may be given several times; "
        "surefill-train prune --drop N tells which are missed least",
    )
    add(
        "--heal-minutes",
        type=positive_float,
        metavar="M",
        help="also each pruned model after M minutes of further training; without it none is "
        "trained",
    )
    add("--holes", type=positive, default=500, metavar="N", help="line ends to complete")
    add(
        "--chars",
        type=positive,
        default=400_000,
        metavar="N",
        help="characters of the sample that bits per byte are measured on",
    )
    add("--seed", type=int, default=0, metavar="N", help="decides which holes are drawn")
    add("--rounds", type=positive, default=20, metavar="N", help="samples of the engine's times")
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="bundles/, compression.json and compression.md are written here",
    )


def run(arguments: argparse.Namespace) -> int:
    """Make every variant, measure it, and print the table."""
    from rich.console import Console

    from surefill_training.commands.progress import console, shown_progress
    from surefill_training.compression import table
    from surefill_training.compression.measure import MeasureOptions, measured
    from surefill_training.compression.variants import make

    planned = _plan(arguments)
    options = MeasureOptions(arguments.holes, arguments.chars, arguments.seed, arguments.rounds)
    corpus, out = arguments.corpus, arguments.out
    # All are made before any is measured: training would disturb the times. It has a bar of its
    # own, so there is none around it.
    variants = list(make(arguments.model, corpus, out, planned, heal=heal, say=console.print))
    with shown_progress() as report:
        found = table.rows([measured(each, corpus, out, options, report) for each in variants])
    write_atomically(out / "compression.json", table.to_json(found).encode())
    write_atomically(out / "compression.md", table.markdown(found).encode())
    Console().print(table.markdown(found), markup=False, highlight=False, soft_wrap=True)
    return 0


def heal(model: Path, corpus: Path, minutes: float, out: Path) -> Path:
    """Train ``model`` further by the recipe of ``finetune``; the folder of the new model.

    It goes on where an earlier call was interrupted, and does nothing when that was finished.
    """
    from surefill_training.commands import finetune

    call(finetune, model, "--corpus", corpus, "--minutes", minutes, *_HEALING, "--out", out)
    return out / "model"


def _plan(arguments: argparse.Namespace) -> Plan:
    from surefill_training.compression.variants import Plan

    names = dict.fromkeys(name.strip() for name in arguments.precisions.split(","))
    unknown = [name for name in names if name not in _PRECISIONS]
    if unknown:
        raise TrainingError(
            f"There is no precision {unknown[0]!r}.", f"Choose of {', '.join(_PRECISIONS)}."
        )
    blocks = arguments.int4_blocks
    wrong = [block for block in blocks if block < 16 or block & (block - 1)]
    if wrong:
        raise TrainingError(
            f"Blocks of {wrong[0]} weights cannot be made.", "Choose powers of two from 16 on."
        )
    return Plan(
        precisions=tuple(name for name in _PRECISIONS if name in names),
        int4_blocks=tuple(dict.fromkeys(blocks)),
        keeps=tuple(dict.fromkeys(tuple(sorted(keep)) for keep in arguments.keep_layers)),
        heal_minutes=arguments.heal_minutes,
    )
