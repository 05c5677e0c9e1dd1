"""Trains an existing model further."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands import recipe
from surefill_training.commands.shared import positive, positive_float, share
from surefill_training.options import LoraOptions, Overrides
from surefill_training.templates import find_template

if TYPE_CHECKING:
    from surefill_training.train import Trainer

HELP = "Train an existing model further, in full or with LoRA; the same command resumes a run."

_FULL_RATE, _LORA_RATE = 2e-5, 2e-4
_FULL_DROPOUT = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="the folder of a run, a Hugging Face model directory, or an id of its hub",
    )
    add("--corpus", type=Path, required=True, metavar="DIR", help="a corpus built before")
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="checkpoints/, metrics.jsonl, tensorboard/, model/ and adapter/ are written here",
    )
    add(
        "--template",
        metavar="NAME",
        help="how prompts are laid out; without it as the source was trained, by its record or by "
        "the special tokens of its tokenizer; plain where it has none",
    )
    lora = parser.add_argument_group(
        "LoRA", "Trains small matrices beside the weights: little memory, little forgetting."
    ).add_argument
    lora("--lora", action="store_true", help="train adapters; merged into model/ in the end")
    lora("--rank", type=positive, default=LoraOptions.rank, help="columns of the adapters")
    lora(
        "--alpha",
        type=positive_float,
        default=LoraOptions.alpha,
        help="strength of the adapters, which count ALPHA / RANK times",
    )
    lora(
        "--lora-dropout",
        type=share,
        default=LoraOptions.dropout,
        metavar="SHARE",
        help="of the adapters' inputs",
    )
    lora(
        "--lora-targets",
        nargs="+",
        default=[],
        metavar="LAYER",
        help="names of linear layers, like q_proj v_proj; without it all but the head",
    )
    recipe.add_budget(parser)
    recipe.add_data(parser)
    rates = (
        f"AdamW's peak; without it {_LORA_RATE:g} with LoRA and {_FULL_RATE:g} in full, which "
        "suits billions of parameters; the smaller the model, the higher"
    )
    recipe.add_optimization(parser, recipe.Defaults("adamw", None, rates, None))
    recipe.add_run(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train in this process, or in several."""
    if arguments.learning_rate is None:
        arguments.learning_rate = _LORA_RATE if arguments.lora else _FULL_RATE
    if arguments.dropout is None:
        arguments.dropout = 0.0 if arguments.lora else _FULL_DROPOUT
    if arguments.template is not None:
        find_template(arguments.template)
    lora = LoraOptions(
        arguments.rank, arguments.alpha, arguments.lora_dropout, tuple(arguments.lora_targets)
    )
    options = replace(
        recipe.train_options(arguments),
        lora=lora if arguments.lora else None,
        overrides=Overrides(sequence=arguments.sequence, batch=arguments.batch),
    )

    def make() -> Trainer:
        from surefill_training.train import Trainer
        from surefill_training.train.source import existing_model

        start = existing_model(arguments.source, options, arguments.template)
        return Trainer(
            arguments.corpus, start, arguments.out, options, recipe.run_options(arguments)
        )

    return recipe.execute(arguments, make)
