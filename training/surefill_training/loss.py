"""The weighted next-token loss of a causal language model, without all its logits at once.

The head is applied to a few positions at a time, and only to those that count: for 3,500 positions
and 49,152 tokens the logits alone would take 700 MB, several times over. Knows no optimiser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch.nn import functional
from transformers import PreTrainedModel

from surefill_training.data import Batch

_CHUNK_ELEMENTS = {"cpu": 2**25, "cuda": 2**28}
"""Logits that exist at once, in numbers."""
_SCALED = ("final_logit_softcapping", "logits_scaling", "logit_scale")
"""Settings of architectures that do more to logits than the head does."""


@dataclass(frozen=True)
class Rows:
    """Rows on a device: token ids, the weight of each as a target, the number of its example.

    All of shape (count, time + 1). Without ``examples`` tokens attend to all before them.
    """

    ids: torch.Tensor
    weights: torch.Tensor
    examples: torch.Tensor | None

    @classmethod
    def on(cls, device: torch.device, batch: Batch, *, isolated: bool) -> Rows:
        """A batch as tensors on ``device``; ``isolated`` keeps its examples from each other."""
        examples = torch.from_numpy(batch.examples).to(device) if isolated else None
        weights = torch.from_numpy(batch.weights.astype(np.float32)).to(device)
        return cls(torch.from_numpy(batch.ids).to(device), weights, examples)

    @classmethod
    def empty(cls, device: torch.device, count: int, length: int, *, isolated: bool) -> Rows:
        """Room for rows of ``length`` + 1 tokens."""
        shape = (count, length + 1)
        ids = torch.zeros(shape, dtype=torch.long, device=device)
        weights = torch.ones(shape, device=device)
        return cls(ids, weights, torch.zeros_like(ids) if isolated else None)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: slice) -> Rows:
        examples = None if self.examples is None else self.examples[index]
        return Rows(self.ids[index], self.weights[index], examples)

    def split(self, count: int) -> Sequence[Rows]:
        """Parts of at most ``count`` rows."""
        return [self[first : first + count] for first in range(0, len(self), count)]

    @property
    def total(self) -> torch.Tensor:
        """The weight of all targets."""
        return self.weights[:, 1:].sum()


class LanguageModelLoss:
    """Cross-entropy of the next tokens under a model, weighted and summed.

    With ``precision`` other than the weights' own, products are made in it by autocast.
    """

    def __init__(self, model: PreTrainedModel, precision: torch.dtype) -> None:
        self._model = model
        self._backbone = model.base_model
        self._head = cast(Any, model.get_output_embeddings())  # type: ignore[no-untyped-call]
        scaled = any(getattr(model.config, name, None) for name in _SCALED)
        self._in_chunks = not scaled and getattr(self._head, "bias", None) is None
        self._precision = precision

    def __call__(self, rows: Rows) -> torch.Tensor:
        """The sum over all targets of weight times nats, a scalar."""
        # A view would have another stride than a compiled shape, and be compiled anew.
        inputs = rows.ids[:, :-1].contiguous()
        targets, weights = rows.ids[:, 1:].flatten(), rows.weights[:, 1:].flatten()
        counts = weights.nonzero().squeeze(1)
        mask = None
        if rows.examples is not None:
            mask = attention_mask(rows.examples[:, :-1], self._mask_type())
        if not self._in_chunks:
            with self._autocast(inputs.device):
                output = self._model(input_ids=inputs, attention_mask=mask, use_cache=False)
            logits = output.logits.flatten(0, 1)[counts].float()
            nats = functional.cross_entropy(logits, targets[counts], reduction="none")
            return (nats * weights[counts]).sum()
        with self._autocast(inputs.device):
            output = self._backbone(input_ids=inputs, attention_mask=mask, use_cache=False)
        hidden = output.last_hidden_state.flatten(0, 1)[counts].to(self._precision)
        table = self._head.weight.to(self._precision)
        loss: torch.Tensor = _HeadLoss.apply(  # type: ignore[no-untyped-call]
            hidden, table, targets[counts], weights[counts]
        )
        return loss

    def _autocast(self, device: torch.device) -> torch.autocast:
        reduced = self._precision != self._weights_type()
        return torch.autocast(device.type, self._precision, enabled=reduced)

    def _weights_type(self) -> torch.dtype:
        return cast(torch.Tensor, self._head.weight).dtype

    def _mask_type(self) -> torch.dtype:
        """Attention wants the type that queries have."""
        return self._precision


def attention_mask(examples: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """What is added to attention scores so that tokens see earlier ones of their example only.

    From the numbers of the examples, shape (count, time), to (count, 1, time, time).
    """
    time = examples.shape[1]
    same = examples[:, :, None] == examples[:, None, :]
    seen = same & torch.ones((time, time), dtype=torch.bool, device=examples.device).tril()
    mask = torch.zeros(seen.shape, dtype=dtype, device=examples.device)
    return mask.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]


class _Context(Protocol):
    """What PyTorch passes to a function and its gradient."""

    needs_input_grad: tuple[bool, ...]
    saved_tensors: tuple[torch.Tensor | None, ...]

    def save_for_backward(self, *tensors: torch.Tensor | None) -> None: ...


class _HeadLoss(torch.autograd.Function):
    """Head and cross-entropy, whose gradients are made together with the loss.

    Nothing is computed twice, as checkpointing would, and no logits are kept.
    """

    @staticmethod
    def forward(
        ctx: _Context,
        hidden: torch.Tensor,
        table: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor,
    ) -> torch.Tensor:
        """From hidden states (count, width) and the head's (vocabulary, width) to a scalar."""
        wants_hidden, wants_table = ctx.needs_input_grad[:2]
        hidden_gradient = torch.empty_like(hidden) if wants_hidden else None
        table_gradient = torch.zeros_like(table, dtype=torch.float32) if wants_table else None
        loss = torch.zeros((), device=hidden.device)
        size = max(16, _CHUNK_ELEMENTS.get(hidden.device.type, 2**25) // len(table))
        for first in range(0, len(hidden), size):
            part = slice(first, first + size)
            logits = (hidden[part] @ table.T).float()
            own = targets[part, None]
            log_total = logits.logsumexp(1, keepdim=True)
            loss += (weights[part] * (log_total - logits.gather(1, own)).squeeze(1)).sum()
            if not (wants_hidden or wants_table):
                continue
            shares = logits.sub_(log_total).exp_()
            shares.scatter_add_(1, own, shares.new_full(own.shape, -1.0))
            gradient = shares.mul_(weights[part, None]).to(hidden.dtype)
            if hidden_gradient is not None:
                torch.mm(gradient, table, out=hidden_gradient[part])
            if table_gradient is not None:
                table_gradient += gradient.T @ hidden[part]
        if table_gradient is not None:
            table_gradient = table_gradient.to(table.dtype)
        ctx.save_for_backward(hidden_gradient, table_gradient)
        return loss

    @staticmethod
    def backward(ctx: _Context, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gradients that were made, for a gradient of the loss that is a scalar."""
        scale = gradients[0]
        made = [None if part is None else part * scale for part in ctx.saved_tensors]
        return (*made, None, None)
