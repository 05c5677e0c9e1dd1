"""What becomes of the arguments of ``recipe``: options, and a run that a bar follows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.launching import launch, launched
from surefill_training.options import (
    Curriculum,
    DropoutOptions,
    OptimizerOptions,
    RunOptions,
    StoppingOptions,
    TrainOptions,
)
from surefill_training.tasks.infilling import InfillingOptions
from surefill_training.tasks.mixture import MixtureOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from surefill_training.train import Trainer


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
        infilling=InfillingOptions(
            fim_rate=arguments.fim_rate,
            spm_share=arguments.spm_share,
            no_suffix=arguments.no_suffix,
            related=arguments.related,
            from_start=arguments.from_start,
            context_weight=arguments.context_weight,
        ),
        mixture=MixtureOptions(
            arguments.language_mix == "balanced" or bool(arguments.language_share),
            tuple(arguments.language_share),
        ),
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
            if metrics.infilling_bits_per_byte is not None:
                bits += f" (holes {metrics.infilling_bits_per_byte:.3f})"
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
