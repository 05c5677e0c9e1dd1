"""Dropout in models of any architecture, also in those that were made without."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional
from transformers import PretrainedConfig

from surefill_training.options import DropoutOptions

_ATTENTION = ("attention_dropout", "attn_pdrop")
_HIDDEN = ("residual_dropout", "resid_pdrop", "embedding_dropout", "embd_pdrop")
_RESIDUAL = ("o_proj", "down_proj")
"""Layers of Llama and its relatives whose output is added to the residual stream."""


def set_dropout(config: PretrainedConfig, options: DropoutOptions) -> None:
    """Let a model that is built from ``config`` drop what ``options`` say, and no more."""
    shares = dict.fromkeys(_ATTENTION, options.attention)
    shares |= dict.fromkeys(_HIDDEN, options.hidden)
    for name, share in shares.items():
        if hasattr(config, name):
            setattr(config, name, share)


def hook_dropout(model: nn.Module, config: PretrainedConfig, options: DropoutOptions) -> None:
    """Drop hidden activations of an architecture that has no setting for it.

    Hooks do it, which leave no trace in what is saved. Adapters must be in place before.
    """
    if not options.hidden or any(hasattr(config, name) for name in _HIDDEN):
        return
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in _RESIDUAL:
            module.register_forward_hook(_Dropping(options.hidden))


class _Dropping:
    """A forward hook that drops a share of a module's output while it trains."""

    def __init__(self, share: float) -> None:
        self._share = share

    def __call__(self, module: nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        return functional.dropout(output, self._share, module.training)
