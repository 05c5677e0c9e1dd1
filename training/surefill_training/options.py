"""What a training run can be told: its options, with the reasons for their defaults.

Imports nothing heavy, so that the command line can show the defaults.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from surefill_training.tasks.infilling import InfillingOptions
from surefill_training.tasks.mixture import MixtureOptions

Precision = Literal["auto", "bf16", "fp32"]
Recipe = Literal["muon", "adamw"]


@dataclass(frozen=True)
class OptimizerOptions:
    """Hyperparameters of a recipe; learning rates are peaks."""

    recipe: Recipe = "muon"
    muon_lr: float = 0.02
    """For the weight matrices, with orthogonalised updates."""
    adamw_lr: float = 3e-3
    """For embeddings and norms, or for everything under the recipe ``adamw``."""
    weight_decay: float = 0.01
    warmup: float = 0.03
    """Share of the run over which the rate rises."""
    decay: float = 0.4
    """Share of the run, at its end, over which the rate falls to a hundredth of its peak."""
    clip: float = 1.0
    """Largest norm of the gradient."""


@dataclass(frozen=True)
class DropoutOptions:
    """Shares of activations that are dropped while training.

    None for a model that sees every text about once; some where a small corpus is seen many times.
    """

    attention: float = 0.0
    """Of the attention weights."""
    hidden: float = 0.0
    """Of what attention and feed-forward add to the residual stream."""


@dataclass(frozen=True)
class LoraOptions:
    """Low-rank adapters instead of all weights (Hu et al., 2021, arXiv:2106.09685)."""

    rank: int = 16
    alpha: float = 32.0
    """The adapters' output counts ``alpha / rank`` times."""
    targets: tuple[str, ...] = ()
    """Names of the linear layers that get one; empty for all but the head."""
    norms: bool = True
    """Whether the norms of the layers, a few thousand numbers, are trained as well."""


@dataclass(frozen=True)
class QuantizationFormat:
    """How matrices of a name are held in an exported graph."""

    name: str
    """Of a layer, like down_proj; ``all`` for all linear layers."""
    format: str
    """Bits, block and kind, like ``4:32:asymmetric``."""


@dataclass(frozen=True)
class QuantizationOptions:
    """Training with weights rounded as they will be served."""

    share: float
    """Of the run, at its end."""
    formats: tuple[QuantizationFormat, ...]
    """Later ones have precedence."""


@dataclass(frozen=True)
class FurtherTraining:
    """How a model is trained further, where nothing else is asked for."""

    sequence: int = 1024
    """Tokens of a row; as many as the model's context has where that is less."""
    batch: int = 16
    """Rows of an optimiser step; as many more as they are shorter."""
    micro_batch: int = 4
    minutes: float = 30.0
    full_rate: float = 2e-5
    """AdamW's peak where all weights are trained; the smaller the model, the higher."""
    lora_rate: float = 2e-4
    """AdamW's peak where adapters are."""
    dropout: float = 0.05
    """Of hidden activations, where all weights are trained."""
    lora: LoraOptions | None = None
    hardware: str = "any"


FURTHER_TRAINING = {
    "small": FurtherTraining(
        sequence=768,
        batch=12,
        minutes=600.0,
        full_rate=1e-4,
        lora_rate=6e-4,
        dropout=0.0,
        lora=LoraOptions(rank=32, alpha=64.0),
        hardware="two CPU cores",
    ),
    "base": FurtherTraining(
        sequence=1024,
        batch=192,
        micro_batch=64,
        minutes=25.0,
        full_rate=2e-4,
        lora_rate=6e-4,
        dropout=0.0,
        hardware="one CUDA GPU",
    ),
}
"""Presets for a pretrained model of 100 to 500 million parameters."""


@dataclass(frozen=True)
class StoppingOptions:
    """When a held-out loss that no longer falls ends the run; the best model is then kept."""

    patience: int
    """Evaluations without an improvement before the run ends."""
    min_delta: float = 0.0
    """Bits per byte by which the best must be beaten for an improvement."""


@dataclass(frozen=True)
class Curriculum:
    """Short rows first, full ones later: attention is cheap while the model learns the basics."""

    sequence: int
    """Tokens of a row in the beginning; as many more rows keep the tokens of a step."""
    switch: float = 0.7
    """Share of the run after which rows are of full length."""


@dataclass(frozen=True)
class Overrides:
    """Values to take instead of the preset's; None takes the preset's."""

    layers: int | None = None
    width: int | None = None
    feed_forward: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    vocabulary: int | None = None
    context: int | None = None
    sequence: int | None = None
    """Tokens of a training row."""
    batch: int | None = None
    """Rows of an optimiser step, over all processes."""

    def shape(self) -> dict[str, int]:
        """Those that are given and concern the shape of the model."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: given[name] for name in given.keys() - {"sequence", "batch"}}


@dataclass(frozen=True)
class TrainOptions:
    """Everything that decides a run's result, saved beside its checkpoints."""

    preset: str = "nano"
    """Size of a new model, or how one is trained further: a name of FURTHER_TRAINING, or what the
    source was."""
    seed: int = 0
    minutes: float | None = None
    """Training time in all, resumed runs included; None takes the preset's."""
    steps: int | None = None
    """Optimiser steps in all; takes precedence over ``minutes``."""
    template: str = "qwen2.5-coder"
    optimizer: OptimizerOptions = field(default_factory=OptimizerOptions)
    infilling: InfillingOptions = field(default_factory=InfillingOptions)
    mixture: MixtureOptions = field(default_factory=MixtureOptions)
    tokens: int | None = None
    """Tokens in all; takes precedence over ``minutes``, ``steps`` over it."""
    dropout: DropoutOptions = field(default_factory=DropoutOptions)
    stopping: StoppingOptions | None = None
    curriculum: Curriculum | None = None
    lora: LoraOptions | None = None
    """For fine-tuning only; None trains all weights."""
    train_layers: int | None = None
    """For fine-tuning only: how many layers are trained, from the last; None for all."""
    quantization: QuantizationOptions | None = None
    """For fine-tuning only."""
    isolated: bool = False
    """Whether the examples of a row do not see each other, as prompts do not."""
    overrides: Overrides = field(default_factory=Overrides)

    def record(self) -> dict[str, Any]:
        """The options as plain values, but for the overrides: what they come to is noted apart."""
        values = asdict(self)
        del values["overrides"]
        return values


@dataclass(frozen=True)
class RunOptions:
    """What may differ between the parts of one run."""

    device: str = "auto"
    precision: Precision = "auto"
    """Of the matrix products; ``auto`` takes bfloat16 where that is the faster."""
    compile: bool = True
    micro_batch: int | None = None
    """Rows forwarded at once; None takes the preset's. The gradient is the same."""
    checkpoint_minutes: float = 5.0
    evaluate_minutes: float = 10.0
    evaluate_steps: int | None = None
    """Score after every so many steps, instead of minutes: the same places in every run."""
    heldout_chars: int = 120_000
    """Size of the held-out sample that is scored while training."""
    stop_after_minutes: float | None = None
    """End this part early, with a checkpoint, to be continued by the same command."""
    wandb: str | None = None
    """Project of Weights & Biases that the metrics also go to."""
