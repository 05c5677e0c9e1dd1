"""Trains an existing model further."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands import recipe, training
from surefill_training.commands.shared import named_format, positive, positive_float, share
from surefill_training.options import (
    FURTHER_TRAINING,
    FurtherTraining,
    LoraOptions,
    Overrides,
    QuantizationFormat,
    QuantizationOptions,
    RunOptions,
    TrainOptions,
)
from surefill_training.templates import find_template

if TYPE_CHECKING:
    from surefill_training.train import Trainer

HELP = "Train an existing model further, in full or with LoRA; the same command resumes a run."

EXAMPLES = """\
A pretrained model of 135 million parameters on two cores, in parts of 100 minutes, each by the
same command; and on a GPU, at once:

  surefill-train finetune models/smollm2 --preset small --corpus corpus --out runs/small \\
    --stop-after 100
  surefill-train finetune models/smollm2 --preset base --corpus corpus --out runs/base

adapter/ is small, and all that is needed to go on elsewhere from the same SOURCE: give it as
--adapter.
"""


_FORMATS = (
    ("all", "4:32:asymmetric"),
    ("down_proj", "8:32"),
    ("v_proj", "8:32"),
    ("embed_tokens", "8:32"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = EXAMPLES
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
        "--adapter",
        type=Path,
        metavar="DIR",
        help="begin with the adapters of an earlier run, instead of new ones",
    )
    add_recipe(parser)


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """All but the folders: what an ablation can vary."""
    add = parser.add_argument
    add(
        "--preset",
        choices=tuple(FURTHER_TRAINING),
        help="small: LoRA on two CPU cores, ten hours; base: all weights on one CUDA GPU, 25 "
        "minutes; without it a modest recipe for whatever model it is. What is given besides has "
        "precedence",
    )
    add(
        "--template",
        metavar="NAME",
        help="how prompts are laid out; without it as the source was trained, by its record or by "
        "the special tokens of its tokenizer; plain where it has none",
    )
    lora = parser.add_argument_group(
        "what is trained", "LoRA trains small matrices beside the weights: little forgetting."
    ).add_argument
    lora(
        "--lora",
        action=argparse.BooleanOptionalAction,
        help="train adapters, which are merged into model/ in the end, and the special tokens of "
        "the template; without it what the preset says, or all weights",
    )
    lora(
        "--rank",
        type=positive,
        metavar="N",
        help=f"columns of the adapters; without it the preset's, or {LoraOptions.rank}",
    )
    lora(
        "--alpha",
        type=positive_float,
        metavar="ALPHA",
        help="strength of the adapters, which count ALPHA / rank times; without it twice the rank",
    )
    lora(
        "--lora-targets",
        nargs="+",
        default=[],
        metavar="LAYER",
        help="names of linear layers, like q_proj v_proj; without it all but the head",
    )
    lora(
        "--train-layers",
        type=positive,
        metavar="N",
        help="train the last N layers only, with or without LoRA, and the special tokens",
    )
    quantization = parser.add_argument_group(
        "quantisation", "The model learns to live with the rounding of its exported graph."
    ).add_argument
    quantization(
        "--quantize-aware",
        type=share,
        metavar="SHARE",
        help="share of the run, at its end, in which the model computes with rounded weights; "
        "without it never",
    )
    quantization(
        "--quantize-format",
        nargs="+",
        type=named_format,
        default=[QuantizationFormat(*pair) for pair in _FORMATS],
        metavar="LAYER=FORMAT",
        help="bits, weights that share a scale and kind, by names of layers, the last that fits; "
        f"without it {' '.join('='.join(pair) for pair in _FORMATS)}",
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
        rate_help=f"AdamW's peak; without it the preset's, or {usual.lora_rate:g} with LoRA and "
        f"{usual.full_rate:g} in full, which suits billions of parameters; the smaller the model, "
        "the higher",
        dropout=None,
        dropout_help=f"; without it {usual.dropout:g} in full, and none with LoRA or a preset",
        minutes=f"the preset's minutes do, or {usual.minutes:g}",
        sequence=f"the preset's, or {usual.sequence}, or the model's context where it is shorter",
        batch=f"the preset's, or as many as make {usual.batch * usual.sequence} tokens",
        micro_batch=f"the preset's, or as many as make {usual.micro_batch * usual.sequence} tokens",
        seeded="the order of the data, new adapters and what is dropped",
        context_weight=0.25,
        from_start=0.2,
        language_mix="balanced",
    )


def options_of(arguments: argparse.Namespace) -> tuple[TrainOptions, RunOptions]:
    """What the arguments of ``add_recipe`` say."""
    usual = FURTHER_TRAINING.get(arguments.preset, FurtherTraining())
    with_lora = usual.lora is not None if arguments.lora is None else arguments.lora
    if arguments.learning_rate is None:
        arguments.learning_rate = usual.lora_rate if with_lora else usual.full_rate
    if arguments.dropout is None:
        arguments.dropout = 0.0 if with_lora else usual.dropout
    if arguments.template is not None:
        find_template(arguments.template)
    adapters = usual.lora or LoraOptions()
    rank = arguments.rank or adapters.rank
    alpha = arguments.alpha or 2.0 * rank
    options = replace(
        training.train_options(arguments),
        preset=arguments.preset or "",
        lora=LoraOptions(rank, alpha, tuple(arguments.lora_targets)) if with_lora else None,
        train_layers=arguments.train_layers,
        quantization=(
            QuantizationOptions(arguments.quantize_aware, tuple(arguments.quantize_format))
            if arguments.quantize_aware
            else None
        ),
        isolated=True,
        overrides=Overrides(sequence=arguments.sequence, batch=arguments.batch),
    )
    return options, training.run_options(arguments)


def run(arguments: argparse.Namespace) -> int:
    """Train in this process, or in several."""
    options, run_options = options_of(arguments)

    def make() -> Trainer:
        from surefill_training.train import Trainer
        from surefill_training.train.source import existing_model

        start = existing_model(arguments.source, options, arguments.template, arguments.adapter)
        return Trainer(arguments.corpus, start, arguments.out, options, run_options)

    return training.execute(arguments, make)
