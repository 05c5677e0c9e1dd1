"""The options that all training has in common, in groups, and running what they describe."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands.shared import not_negative, positive, positive_float, share
from surefill_training.launching import launch, launched
from surefill_training.options import (
    Curriculum,
    DropoutOptions,
    OptimizerOptions,
    Recipe,
    RunOptions,
    StoppingOptions,
    TrainOptions,
)
from surefill_training.tasks.infilling import InfillingOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from surefill_training.train import Trainer


@dataclass(frozen=True)
class Defaults:
    """Where the kinds of training differ."""

    recipe: Recipe = "muon"
    learning_rate: float | None = OptimizerOptions.adamw_lr
    """None where it depends on more than the kind of training."""
    rate_help: str = "AdamW's peak, for all that Muon does not train"
    dropout: float | None = 0.0


def add_budget(parser: argparse.ArgumentParser) -> None:
    """How long, and when to stop early."""
    add = parser.add_argument_group(
        "budget", "The first that is given of steps, tokens and minutes bounds the run."
    ).add_argument
    add(
        "--minutes",
        type=positive_float,
        metavar="M",
        help="training time in all, over all parts of the run; without it the preset's",
    )
    add("--steps", type=positive, metavar="N", help="optimiser steps in all")
    add("--tokens", type=positive, metavar="N", help="tokens in all")
    add(
        "--stop-after",
        type=positive_float,
        metavar="M",
        help="end this part after M minutes, with a checkpoint, to be resumed",
    )
    add(
        "--patience",
        type=positive,
        metavar="N",
        help="stop early when N evaluations in a row did not better the held-out loss, and keep "
        "the best model; for a small corpus, which is learned by heart",
    )
    add(
        "--min-delta",
        type=not_negative,
        default=0.0,
        metavar="BITS",
        help="bits per byte by which the best must be beaten to count",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Rows, and what is in them."""
    add = parser.add_argument_group("rows").add_argument
    add(
        "--sequence",
        type=positive,
        metavar="N",
        help="tokens of a row; short ones are faster, the model learns to use no more than that",
    )
    add(
        "--sequence-start",
        type=positive,
        metavar="N",
        help="begin with rows of N tokens, while the model learns what needs little context",
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
        help="rows of an optimiser step, over all processes; "
        "without it as many as make the preset's tokens",
    )
    add(
        "--micro-batch",
        type=positive,
        metavar="N",
        help="rows forwarded at once, gradients accumulate to the batch; "
        "as many as fit into memory",
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
    add("--seed", type=int, default=0, help="of the weights and of the order of the data")


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
        help="Muon's peak; updates are orthogonal, so it hardly depends on the model's size",
    )
    add(
        "--weight-decay",
        type=not_negative,
        default=OptimizerOptions.weight_decay,
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
        help="of what attention and feed-forward add; against overfitting where texts are seen "
        "many times, harmful where about once",
    )
    add(
        "--attention-dropout",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="of the attention weights; slow on a CPU",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """What may differ between the parts of a run."""
    add = parser.add_argument_group(
        "this part of the run", "May differ when the command is given again to resume the run."
    ).add_argument
    add("--device", default="auto", metavar="NAME", help="auto, cpu or cuda")
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
        help="between checkpoints",
    )
    add(
        "--evaluate-minutes",
        type=positive_float,
        default=RunOptions.evaluate_minutes,
        metavar="M",
        help="between evaluations on held-out packages",
    )
    add("--evaluate-steps", type=positive, metavar="N", help="evaluate by steps, not by minutes")
    add(
        "--heldout-chars",
        type=positive,
        default=RunOptions.heldout_chars,
        metavar="N",
        help="size of the sample that evaluations score",
    )
    add("--wandb", metavar="PROJECT", help="send metrics to Weights & Biases too, if installed")


def train_options(arguments: argparse.Namespace) -> TrainOptions:
    """What the common groups say; what kinds of training differ in is for them to replace."""
    return TrainOptions(
        seed=arguments.seed,
        minutes=arguments.minutes,
        steps=arguments.steps,
        tokens=arguments.tokens,
        optimizer=OptimizerOptions(
            recipe=arguments.recipe,
            muon_lr=arguments.muon_lr,
            adamw_lr=arguments.learning_rate,
            weight_decay=arguments.weight_decay,
            warmup=arguments.warmup,
            decay=arguments.decay,
            clip=arguments.clip,
        ),
        infilling=InfillingOptions(fim_rate=arguments.fim_rate, spm_share=arguments.spm_share),
        dropout=DropoutOptions(arguments.attention_dropout, arguments.dropout),
        stopping=(
            StoppingOptions(arguments.patience, arguments.min_delta) if arguments.patience else None
        ),
        curriculum=(
            Curriculum(arguments.sequence_start, arguments.sequence_switch)
            if arguments.sequence_start
            else None
        ),
    )


def run_options(arguments: argparse.Namespace) -> RunOptions:
    return RunOptions(
        device=arguments.device,
        precision=arguments.precision,
        compile=not arguments.no_compile,
        micro_batch=arguments.micro_batch,
        checkpoint_minutes=arguments.checkpoint_minutes,
        evaluate_minutes=arguments.evaluate_minutes,
        evaluate_steps=arguments.evaluate_steps,
        heldout_chars=arguments.heldout_chars,
        stop_after_minutes=arguments.stop_after,
        wandb=arguments.wandb,
    )


def execute(arguments: argparse.Namespace, make: Callable[[], Trainer]) -> int:
    """Train in as many processes as were asked for; the exit status."""
    if arguments.processes > 1 and not launched():
        logs: Path = arguments.out / "processes"
        on_cpu = arguments.device == "cpu"
        return launch(arguments.processes, arguments.argv, logs, on_cpu=on_cpu)
    trainer = make()
    if trainer.writes:
        _follow(trainer, compiling=not arguments.no_compile)
    else:
        trainer.train()
    return 0


def _follow(trainer: Trainer, *, compiling: bool) -> None:
    """Train, showing loss, held-out bits per byte and the time that is left."""
    from surefill_training.commands.progress import console, progress_bar
    from surefill_training.metrics import Metrics

    bits = "-"
    with progress_bar() as (progress, task):
        progress.update(task, description="compiling" if compiling else "starting", total=1.0)

        def report(metrics: Metrics) -> None:
            nonlocal bits
            if metrics.heldout_bits_per_byte is not None:
                bits = f"{metrics.heldout_bits_per_byte:.3f}"
            progress.update(
                task,
                completed=metrics.progress,
                description=(
                    f"step {metrics.step}  loss {metrics.loss:.3f}  held-out {bits} bits/byte  "
                    f"{metrics.tokens / 1e6:.1f}M tokens  {metrics.tokens_per_second:.0f}/s"
                ),
            )

        model = trainer.train(report)
    if not trainer.finished:
        state = "stopped; the same command continues"
    elif trainer.new_steps:
        state = f"finished{' early' if trainer.stopped_early else ''}"
    else:
        state = f"was already finished after {trainer.steps} steps, so nothing was trained"
    console.print(f"{state}: {model}")
