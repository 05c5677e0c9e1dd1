"""What a run starts from: a new model of a preset, or one that exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from surefill_training.errors import TrainingError
from surefill_training.inputs import load_tokenizer
from surefill_training.model import Preset, adjusted, build_model, preset
from surefill_training.options import TrainOptions
from surefill_training.templates import find_template
from surefill_training.train.dropout import hook_dropout

_VOCABULARY_STEP = 64


@dataclass(frozen=True)
class Start:
    """A model before its first step, and what goes with it."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    tokenizer_files: tuple[Path, ...]
    """``tokenizer.json`` first."""
    plan: Preset
    options: TrainOptions
    """The run's, with what only the source can say."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Name and hash of the weights that it starts from; empty for a new model."""
    history: Mapping[str, Any] = field(default_factory=dict)
    """The source's ``training.json``, where it has one."""
    adapter: Path | None = None
    """The folder of adapters to begin with."""


def new_model(tokenizer_path: Path, options: TrainOptions) -> Start:
    """A freshly initialised model of the options' preset, for a tokenizer that fits it."""
    plan = adjusted(preset(options.preset), options.overrides)
    tokenizer = load_tokenizer(tokenizer_path)
    size = tokenizer.get_vocab_size()
    if size > plan.shape.vocabulary:
        raise TrainingError(
            f"The tokenizer has {size} tokens, the preset {options.preset!r} room for "
            f"{plan.shape.vocabulary}.",
            f"Train the tokenizer with --vocabulary {plan.shape.vocabulary}.",
        )
    # A small corpus gives a small tokenizer; rows of the embedding for tokens that it does not
    # have would never be trained.
    vocabulary = -(-size // _VOCABULARY_STEP) * _VOCABULARY_STEP
    plan = replace(plan, shape=replace(plan.shape, vocabulary=vocabulary))
    end = tokenizer.token_to_id(find_template(options.template).ends[0])
    torch.manual_seed(options.seed)
    model = build_model(plan.shape, end, attention_dropout=options.dropout.attention)
    hook_dropout(model, model.config, options.dropout)
    return Start(model, tokenizer, (tokenizer_path,), plan, options)
