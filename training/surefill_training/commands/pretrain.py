"""Trains a model from scratch."""

from __future__ import annotations

import argparse
from pathlib import Path

from surefill_training.commands.shared import positive, positive_float

HELP = "Train a model from scratch; the same command resumes a run."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("--corpus", type=Path, required=True, metavar="DIR", help="a corpus built before")
    add("--tokenizer", type=Path, required=True, metavar="FILE", help="its tokenizer.json")
    add(
        "--preset",
        default="nano",
        metavar="NAME",
        help="nano: two CPU cores, two hours; base: one CUDA GPU, 25 minutes; test: seconds",
    )
    add(
        "--minutes",
        type=positive_float,
        metavar="M",
        help="training time in all, over all parts of the run, instead of the preset's",
    )
    add("--steps", type=positive, metavar="N", help="optimiser steps in all, instead of minutes")
    add(
        "--stop-after",
        type=positive_float,
        metavar="M",
        help="end this part after M minutes, with a checkpoint, to be resumed",
    )
    add("--recipe", choices=("muon", "adamw"), default="muon", help="optimiser recipe")
    add("--seed", type=int, default=0, help="of the weights and of the order of the data")
    add(
        "--template",
        default="qwen2.5-coder",
        metavar="NAME",
        help="how prompts are laid out; the one that the tokenizer was trained with",
    )
    add("--device", default="auto", metavar="NAME", help="auto, cpu or cuda")
    add(
        "--precision",
        choices=("auto", "bf16", "fp32"),
        default="auto",
        help="of the matrix products; auto takes bf16 where the device is faster with it",
    )
    add("--no-compile", action="store_true", help="do not compile the model with torch.compile")
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="checkpoints/, metrics.jsonl, tensorboard/ and model/ are written here",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, showing loss, held-out bits per byte and the time that is left."""
    from surefill_training.commands.progress import console, progress_bar
    from surefill_training.metrics import Metrics
    from surefill_training.optimizer import OptimizerOptions
    from surefill_training.train import RunOptions, Trainer, TrainOptions

    options = TrainOptions(
        preset=arguments.preset,
        seed=arguments.seed,
        minutes=arguments.minutes,
        steps=arguments.steps,
        template=arguments.template,
        optimizer=OptimizerOptions(recipe=arguments.recipe),
    )
    run = RunOptions(
        device=arguments.device,
        precision=arguments.precision,
        compile=not arguments.no_compile,
        stop_after_minutes=arguments.stop_after,
    )
    trainer = Trainer(arguments.corpus, arguments.tokenizer, arguments.out, options, run)
    bits = "-"
    with progress_bar() as (progress, task):
        progress.update(task, description="compiling" if run.compile else "starting", total=1.0)

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
        state = "finished"
    else:
        state = f"was already finished after {trainer.steps} steps, so nothing was trained"
    console.print(f"{state}: {model}")
    return 0
