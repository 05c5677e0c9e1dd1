"""Trains an existing model further."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands import recipe, training
from surefill_training.commands.shared import positive, positive_float
from surefill_training.options import FurtherTraining, LoraOptions, Overrides
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
    add("--corpus", type=Path, required=True, metavar="DIR", help="what `corpus` wrote")
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
    lora(
        "--lora",
        action="store_true",
        help="train adapters, which are merged into model/ in the end; without it all weights",
    )
    lora(
        "--rank",
        type=positive,
        default=LoraOptions.rank,
        metavar="N",
        help="columns of the adapters",
    )
    lora(
        "--alpha",
        type=positive_float,
        default=LoraOptions.alpha,
        metavar="ALPHA",
        help="strength of the adapters, which count ALPHA / rank times",
    )
    lora(
        "--lora-targets",
        nargs="+",
        default=[],
        metavar="LAYER",
        help="names of linear layers, like q_proj v_proj; without it all but the head",
    )
    defaults = _defaults()
    recipe.add_budget(parser, defaults)
    recipe.add_data(parser, defaults)
    recipe.add_optimization(parser, defaults)
    recipe.add_run(parser)


def _defaults() -> recipe.Defaults:
    usual = FurtherTraining()
    return recipe.Defaults(
        recipe="adamw",
        learning_rate=None,
        rate_help=f"AdamW's peak; without it {_LORA_RATE:g} with LoRA and {_FULL_RATE:g} in full, "
        "which suits billions of parameters; the smaller the model, the higher",
        dropout=None,
        dropout_help=f"; without it {_FULL_DROPOUT:g} in full and none with LoRA",
        minutes=f"{usual.minutes:g} minutes do",
        sequence=f"{usual.sequence}, or the model's context where that is shorter",
        batch=f"as many as make {usual.batch * usual.sequence} tokens",
        micro_batch=f"as many as make {usual.micro_batch * usual.sequence} tokens",
        seeded="the order of the data, new adapters and what is dropped",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train in this process, or in several."""
    if arguments.learning_rate is None:
        arguments.learning_rate = _LORA_RATE if arguments.lora else _FULL_RATE
    if arguments.dropout is None:
        arguments.dropout = 0.0 if arguments.lora else _FULL_DROPOUT
    if arguments.template is not None:
        find_template(arguments.template)
    lora = LoraOptions(arguments.rank, arguments.alpha, tuple(arguments.lora_targets))
    options = replace(
        training.train_options(arguments),
        lora=lora if arguments.lora else None,
        isolated=True,
        overrides=Overrides(sequence=arguments.sequence, batch=arguments.batch),
    )

    def make() -> Trainer:
        from surefill_training.train import Trainer
        from surefill_training.train.source import existing_model

        start = existing_model(arguments.source, options, arguments.template)
        return Trainer(
            arguments.corpus, start, arguments.out, options, training.run_options(arguments)
        )

    return training.execute(arguments, make)
