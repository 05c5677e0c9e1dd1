"""Attention for training in bfloat16 on a CPU.

PyTorch's flash attention makes its gradients on a CPU without the matrix units, which then take a
quarter of a step. Plain products use them, for the price of the scores' memory: rows are short.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

_NAME = "surefill_products"


def use_products(model: PreTrainedModel, device: torch.device, precision: torch.dtype) -> None:
    """Let ``model`` attend by products where they are faster, and it is of such architecture."""
    config = model.config
    supported = config._attn_implementation == "sdpa" and not getattr(config, "softcap", None)
    if device.type == "cpu" and precision == torch.bfloat16 and supported:
        ALL_ATTENTION_FUNCTIONS.register(_NAME, _attend)
        ALL_MASK_ATTENTION_FUNCTIONS.register(_NAME, sdpa_mask)
        config._attn_implementation = _NAME


def _attend(  # noqa: PLR0917 - transformers passes them so
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **others: Any,  # noqa: ANN401 - what architectures add
) -> tuple[torch.Tensor, None]:
    """Attention of queries (count, heads, time, size), heads of a group sharing keys and values.

    In transformers' terms: the output has the shape (count, time, heads, size).
    """
    if dropout or not query.requires_grad:
        found: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **others
        )
        return found
    count, heads, time, size = query.shape
    groups, seen = key.shape[1], key.shape[2]
    folded = query.reshape(count * groups, heads // groups * time, size)
    keys, values = (part.reshape(count * groups, seen, size) for part in (key, value))
    if attention_mask is None:
        causal = torch.ones((time, seen), dtype=torch.bool, device=query.device).tril(seen - time)
        attention_mask = causal[None, None]
    if attention_mask.dtype == torch.bool:
        lowest = torch.finfo(query.dtype).min
        empty = torch.zeros(attention_mask.shape, dtype=query.dtype, device=query.device)
        attention_mask = empty.masked_fill_(~attention_mask, lowest)
    scale = size**-0.5 if scaling is None else scaling
    mask = attention_mask.expand(count, 1, time, seen)
    output: torch.Tensor = _Attention.apply(  # type: ignore[no-untyped-call]
        folded, keys, values, mask, scale
    )
    return output.view(count, heads, time, size).transpose(1, 2).contiguous(), None


class _Context(Protocol):
    """What PyTorch passes to a function and its gradient."""

    saved_tensors: tuple[torch.Tensor, ...]
    scale: float

    def save_for_backward(self, *tensors: torch.Tensor) -> None: ...


class _Attention(torch.autograd.Function):
    """Softmax attention that keeps its probabilities for the gradient."""

    @staticmethod
    def forward(  # noqa: PLR0917 - PyTorch passes them so
        ctx: _Context,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        """Queries (groups, heads x time, size), keys and values (groups, time, size)."""
        scores = torch.bmm(query, key.transpose(1, 2))
        masked = scores.view(len(mask), -1, *mask.shape[2:]).mul_(scale).add_(mask)
        shares = torch.softmax(masked, -1).view_as(scores)
        ctx.save_for_backward(query, key, value, shares)
        ctx.scale = scale
        return torch.bmm(shares, value)

    @staticmethod
    def backward(ctx: _Context, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, shares = ctx.saved_tensors
        (gradient,) = gradients
        of_shares = torch.bmm(gradient, value.transpose(1, 2))
        of_scores = torch._softmax_backward_data(of_shares, shares, -1, shares.dtype)
        of_scores = of_scores.mul_(ctx.scale)
        of_value = torch.bmm(shares.transpose(1, 2), gradient)
        of_key = torch.bmm(of_scores.transpose(1, 2), query)
        return torch.bmm(of_scores, key), of_key, of_value, None, None
