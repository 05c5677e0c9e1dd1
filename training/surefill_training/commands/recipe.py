"""The arguments that all training has in common, in groups.

Knows how they are called and what they mean; what becomes of them is said in ``training``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from surefill_training.commands.shared import (
    named_share,
    not_negative,
    positive,
    positive_float,
    share,
)
from surefill_training.options import Curriculum, OptimizerOptions, Recipe, RunOptions
from surefill_training.tasks.infilling import InfillingOptions


@dataclass(frozen=True)
class Defaults:
    """Where the kinds of training differ."""

    recipe: Recipe = "muon"
    learning_rate: float | None = OptimizerOptions.adamw_lr
    """None where it depends on more than the kind of training."""
    rate_help: str = "AdamW's peak, for all that Muon does not train"
    dropout: float | None = 0.0
    """None as for the learning rate."""
    dropout_help: str = ""
    minutes: str = "the preset's minutes do"
    """What bounds the run when nothing is given; below what is taken then."""
    sequence: str = "the preset's"
    batch: str = "as many as make the preset's tokens"
    micro_batch: str = "the preset's"
    seeded: str = "the weights and the order of the data"
    context_weight: float = InfillingOptions.context_weight
    from_start: float = InfillingOptions.from_start
    language_mix: str = "natural"


def add_budget(parser: argparse.ArgumentParser, defaults: Defaults) -> None:
    """How long, and when to stop early."""
    add = parser.add_argument_group(
        "budget",
        "The first that is given of steps, tokens and minutes bounds the run; without any of them "
        f"{defaults.minutes}.",
    ).add_argument
    add(
        "--minutes",
        type=positive_float,
        metavar="M",
        help="training time in all, over all parts of the run",
    )
    add("--steps", type=positive, metavar="N", help="optimiser steps in all")
    add("--tokens", type=positive, metavar="N", help="tokens in all")
    add(
        "--stop-after",
        type=positive_float,
        metavar="M",
        help="end this part after M minutes, with a checkpoint, to be resumed; without it the run "
        "goes on to its end",
    )
    add(
        "--patience",
        type=positive,
        metavar="N",
        help="stop early when N evaluations in a row did not better the held-out loss, and keep "
        "the best model; for a small corpus, which is learned by heart; without it the budget "
        "alone ends the run",
    )
    add(
        "--min-delta",
        type=not_negative,
        default=0.0,
        metavar="BITS",
        help="with --patience, the bits per byte by which the best must be beaten to count",
    )


def add_data(parser: argparse.ArgumentParser, defaults: Defaults) -> None:
    """Rows, and what is in them."""
    add = parser.add_argument_group("rows").add_argument
    add(
        "--sequence",
        type=positive,
        metavar="N",
        help="tokens of a row; short ones are faster, the model learns to use no more than that; "
        f"without it {defaults.sequence}",
    )
    add(
        "--sequence-start",
        type=positive,
        metavar="N",
        help="begin with rows of N tokens, while the model learns what needs little context; "
        "without it all rows are full",
    )
    add(
        "--sequence-switch",
        type=share,
        default=Curriculum.switch,
        metavar="SHARE",
        help="with --sequence-start, the share of the run after which rows are full",
    )
    add(
        "--batch",
        type=positive,
        metavar="N",
        help=f"rows of an optimiser step, over all processes; without it {defaults.batch}",
    )
    add(
        "--micro-batch",
        type=positive,
        metavar="N",
        help="rows forwarded at once, whose gradients accumulate to the batch; without it "
        f"{defaults.micro_batch}; fewer where memory is short",
    )
    add(
        "--fim-rate",
        type=share,
        default=InfillingOptions.fim_rate,
        metavar="SHARE",
        help="share of pieces with a hole to fill; the others are read left to right",
    )
    add(
        "--spm-share",
        type=share,
        default=InfillingOptions.spm_share,
        metavar="SHARE",
        help="share of holes in suffix-first order, the order of serving",
    )
    add(
        "--no-suffix",
        type=share,
        default=InfillingOptions.no_suffix,
        metavar="SHARE",
        help="share of those pieces with nothing below the hole, which are read left to right, too",
    )
    add(
        "--related",
        type=share,
        default=InfillingOptions.related,
        metavar="SHARE",
        help="share of pieces with excerpts of other files of their package in front",
    )
    add(
        "--from-start",
        type=share,
        default=defaults.from_start,
        metavar="SHARE",
        help="share of the pieces from within a file that are exchanged for the file's beginning",
    )
    add(
        "--context-weight",
        type=share,
        default=defaults.context_weight,
        metavar="SHARE",
        help="how much the text around a hole counts in the loss; what fills it counts 1",
    )
    add(
        "--language-mix",
        choices=("natural", "balanced"),
        default=defaults.language_mix,
        help="natural: languages as often as they occur; balanced: half Python where there are "
        "others, and these by the square root of their sizes",
    )
    add(
        "--language-share",
        nargs="+",
        type=named_share,
        default=[],
        metavar="ID=SHARE",
        help="shares of languages by their ids, like python=0.5 go=0.1; the others share the rest",
    )
    add("--seed", type=int, default=0, metavar="N", help=f"decides {defaults.seeded}")


def add_optimization(parser: argparse.ArgumentParser, defaults: Defaults) -> None:
    """The recipe."""
    add = parser.add_argument_group("optimisation").add_argument
    add(
        "--recipe",
        choices=("muon", "adamw"),
        default=defaults.recipe,
        help="muon: Muon for the matrices of the layers and AdamW for the rest, learns faster from "
        "scratch; adamw: for everything",
    )
    add(
        "--learning-rate",
        type=positive_float,
        default=defaults.learning_rate,
        metavar="RATE",
        help=defaults.rate_help,
    )
    add(
        "--muon-lr",
        type=positive_float,
        default=OptimizerOptions.muon_lr,
        metavar="RATE",
        help="Muon's peak, with --recipe muon; updates are orthogonal, so it hardly depends on the "
        "model's size",
    )
    add(
        "--weight-decay",
        type=not_negative,
        default=OptimizerOptions.weight_decay,
        metavar="SHARE",
        help="pulls matrices towards zero, in proportion to the learning rate",
    )
    add(
        "--warmup",
        type=share,
        default=OptimizerOptions.warmup,
        metavar="SHARE",
        help="share of the run over which the rate rises to its peak",
    )
    add(
        "--decay",
        type=share,
        default=OptimizerOptions.decay,
        metavar="SHARE",
        help="share of the run, at its end, over which the rate falls; 0 keeps it",
    )
    add(
        "--clip",
        type=positive_float,
        default=OptimizerOptions.clip,
        metavar="NORM",
        help="largest norm of the gradient",
    )
    add(
        "--dropout",
        type=share,
        default=defaults.dropout,
        metavar="SHARE",
        help="share of what attention and feed-forward add that is dropped; against overfitting "
        f"where texts are seen many times, harmful where about once{defaults.dropout_help}",
    )
    add(
        "--attention-dropout",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="share of the attention weights that is dropped; slow on a CPU",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """What may differ between the parts of a run."""
    add = parser.add_argument_group(
        "this part of the run", "May differ when the command is given again to resume the run."
    ).add_argument
    add(
        "--device",
        default="auto",
        metavar="NAME",
        help="auto, cpu or cuda; auto takes a GPU that works",
    )
    add(
        "--precision",
        choices=("auto", "bf16", "fp32"),
        default="auto",
        help="of the matrix products; auto takes bf16 where the device is faster with it",
    )
    add("--no-compile", action="store_true", help="do not compile the model with torch.compile")
    add(
        "--processes",
        type=positive,
        default=1,
        metavar="N",
        help="train on N GPUs, or in N processes with --device cpu; `accelerate launch -m "
        "surefill_training.cli` does it over several machines",
    )
    add(
        "--checkpoint-minutes",
        type=positive_float,
        default=RunOptions.checkpoint_minutes,
        metavar="M",
        help="minutes between checkpoints",
    )
    add(
        "--evaluate-minutes",
        type=positive_float,
        default=RunOptions.evaluate_minutes,
        metavar="M",
        help="minutes between evaluations on held-out packages",
    )
    add(
        "--evaluate-steps",
        type=positive,
        metavar="N",
        help="evaluate every N steps, instead of by minutes",
    )
    add(
        "--heldout-chars",
        type=positive,
        default=RunOptions.heldout_chars,
        metavar="N",
        help="characters of the sample that evaluations score",
    )
    add(
        "--wandb",
        metavar="PROJECT",
        help="send metrics to this project of Weights & Biases too, where wandb is installed",
    )
