"""Trains a model from scratch."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands import recipe, training
from surefill_training.commands.shared import positive
from surefill_training.options import Overrides, RunOptions, TrainOptions

if TYPE_CHECKING:
    from surefill_training.train import Trainer

HELP = "Train a model from scratch; the same command resumes a run."

_SHAPE = {
    "layers": "number of layers",
    "width": "size of the hidden states",
    "feed_forward": "size inside the feed-forward parts, about three times the width",
    "heads": "attention heads, of 64 dimensions each",
    "kv_heads": "heads of keys and values, a divisor of --heads; few keep the cache small",
    "vocabulary": "most tokens that the tokenizer may have",
    "context": "longest input that the model will ever get",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("--corpus", type=Path, required=True, metavar="DIR", help="what `corpus` wrote")
    add(
        "--tokenizer",
        type=Path,
        required=True,
        metavar="FILE",
        help="the tokenizer.json that `tokenizer` wrote",
    )
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="checkpoints/, metrics.jsonl, tensorboard/ and model/ are written here",
    )
    add_recipe(parser)


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """All but the folders: what an ablation can vary."""
    add = parser.add_argument
    add(
        "--preset",
        default="nano",
        metavar="NAME",
        help="nano: two CPU cores, four hours; base: one CUDA GPU, 25 minutes; test: seconds",
    )
    add(
        "--template",
        default="qwen2.5-coder",
        metavar="NAME",
        help="how prompts are laid out; the one that the tokenizer was trained with",
    )
    shape = parser.add_argument_group(
        "shape", "To compare shapes; what is not given is as in the preset."
    )
    for name, text in _SHAPE.items():
        flag = f"--{name.replace('_', '-')}"
        shape.add_argument(flag, type=positive, metavar="N", help=text)
    defaults = recipe.Defaults()
    recipe.add_budget(parser, defaults)
    recipe.add_data(parser, defaults)
    recipe.add_optimization(parser, defaults)
    recipe.add_run(parser)


def options_of(arguments: argparse.Namespace) -> tuple[TrainOptions, RunOptions]:
    """What the arguments of ``add_recipe`` say."""
    overrides = Overrides(
        **{field.name: vars(arguments)[field.name] for field in fields(Overrides)}
    )
    options = replace(
        training.train_options(arguments),
        preset=arguments.preset,
        template=arguments.template,
        overrides=overrides,
    )
    return options, training.run_options(arguments)


def run(arguments: argparse.Namespace) -> int:
    """Train in this process, or in several."""
    options, run_options = options_of(arguments)

    def make() -> Trainer:
        from surefill_training.train import Trainer

        return Trainer(arguments.corpus, arguments.tokenizer, arguments.out, options, run_options)

    return training.execute(arguments, make)
