"""Model presets, and building a model from one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from surefill_training.errors import TrainingError
from surefill_training.options import Overrides


@dataclass(frozen=True)
class ModelShape:
    """Size of a Llama-architecture model. Heads have 64 dimensions; embeddings are tied."""

    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int


@dataclass(frozen=True)
class Preset:
    """A model size with the budget and batch it is meant for."""

    shape: ModelShape
    sequence: int
    """Tokens of a training row."""
    batch: int
    """Rows of an optimiser step."""
    micro_batch: int
    """Rows forwarded at once; the gradients of several make one step."""
    minutes: float
    """Training time on the hardware that the preset is meant for."""
    hardware: str


PRESETS: dict[str, Preset] = {
    "nano": Preset(ModelShape(4, 256, 768, 4, 2, 8192, 1024), 1024, 4, 4, 240, "two CPU cores"),
    "base": Preset(
        ModelShape(12, 640, 1792, 10, 2, 16384, 2048), 2048, 128, 32, 25, "one CUDA GPU"
    ),
    "test": Preset(ModelShape(2, 64, 128, 1, 1, 512, 128), 64, 4, 2, 0.2, "any, in seconds"),
}


def preset(name: str) -> Preset:
    """A preset by name."""
    try:
        return PRESETS[name]
    except KeyError as error:
        raise TrainingError(
            f"There is no preset {name!r}.", f"Choose one of {', '.join(PRESETS)}."
        ) from error


def adjusted(plan: Preset, overrides: Overrides) -> Preset:
    """A preset with some of its values replaced; raises TrainingError when they do not fit.

    Where the length of rows changes and the batch is not given, a step keeps its tokens.
    """
    shape = replace(plan.shape, **overrides.shape())
    sequence = overrides.sequence or min(plan.sequence, shape.context)
    if sequence > shape.context:
        raise TrainingError(
            f"Rows of {sequence} tokens are longer than the model's context of {shape.context}.",
            f"Choose a --sequence of at most {shape.context}.",
        )
    if shape.heads % shape.kv_heads:
        raise TrainingError(
            f"{shape.heads} heads cannot share {shape.kv_heads} key-value heads evenly.",
            "Choose --kv-heads so that it divides --heads.",
        )
    return replace(
        plan,
        shape=shape,
        sequence=sequence,
        batch=overrides.batch or max(1, plan.batch * plan.sequence // sequence),
        micro_batch=max(1, plan.micro_batch * plan.sequence // sequence),
    )


def build_model(
    shape: ModelShape, end_token: int, *, attention_dropout: float = 0.0
) -> PreTrainedModel:
    """A freshly initialised model; the caller seeds torch."""
    config = LlamaConfig(  # type: ignore[no-untyped-call]
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=64,
        max_position_embeddings=shape.context,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        attention_dropout=attention_dropout,
        bos_token_id=end_token,
        eos_token_id=end_token,
        pad_token_id=end_token,
    )
    model: PreTrainedModel = LlamaForCausalLM(config)  # type: ignore[no-untyped-call]
    return model


def count_parameters(model: PreTrainedModel) -> int:
    """Parameters, shared ones counted once."""
    return sum(p.numel() for p in model.parameters())
