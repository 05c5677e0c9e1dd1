"""Optimiser recipes and the learning-rate schedule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from surefill_training.muon import Muon
from surefill_training.options import OptimizerOptions

_LAYERS = re.compile(r"\.(?:layers|h)\.\d+\.")
"""How the architectures of transformers name what is inside their layers."""


class Optimizers:
    """The optimisers of one recipe, stepped together.

    ``muon`` is Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/) for the
    matrices of the layers and AdamW for the rest; ``adamw`` is AdamW for everything. ``precision``
    is what Muon orthogonalises in.
    """

    def __init__(
        self,
        parameters: Mapping[str, nn.Parameter],
        options: OptimizerOptions,
        precision: torch.dtype = torch.bfloat16,
    ) -> None:
        self.options = options
        matrices, others = _split(parameters)
        if options.recipe == "adamw":
            matrices, others = [], [*matrices, *others]
        self._optimizers: list[torch.optim.Optimizer] = []
        if matrices:
            self._optimizers.append(
                Muon(
                    matrices,
                    lr=options.muon_lr,
                    weight_decay=options.weight_decay,
                    precision=precision,
                )
            )
        decayed = [p for p in others if p.ndim > 1]
        plain = [p for p in others if p.ndim <= 1]
        self._optimizers.append(
            torch.optim.AdamW(
                [
                    {"params": decayed, "weight_decay": options.weight_decay},
                    {"params": plain, "weight_decay": 0.0},
                ],
                lr=options.adamw_lr,
                betas=(0.9, 0.95),
            )
        )
        self._peaks = [[group["lr"] for group in o.param_groups] for o in self._optimizers]

    def step(self, progress: float) -> None:
        """One update at ``progress`` (0 to 1) of the run, and gradients back to none."""
        factor = rate(progress, self.options)
        for optimizer, peaks in zip(self._optimizers, self._peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        return [o.state_dict() for o in self._optimizers]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        for optimizer, state in zip(self._optimizers, states, strict=True):
            optimizer.load_state_dict(state)


def rate(progress: float, options: OptimizerOptions) -> float:
    """Factor on the peak learning rate: linear warm-up, constant, linear decay to 0.01."""
    if progress < options.warmup:
        return max(0.01, progress / options.warmup)
    remaining = max(0.0, 1.0 - progress)
    return min(1.0, max(0.01, remaining / options.decay)) if options.decay else 1.0


def _split(
    parameters: Mapping[str, nn.Parameter],
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Matrices inside the layers, and everything else that is trained."""
    inner: list[nn.Parameter] = []
    outer: list[nn.Parameter] = []
    for name, parameter in parameters.items():
        is_matrix = parameter.ndim == 2 and _LAYERS.search(name) is not None
        (inner if is_matrix else outer).append(parameter)
    return inner, outer
