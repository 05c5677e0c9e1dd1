"""Optimiser recipes and the learning-rate schedule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from surefill_training.muon import Muon

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


class Optimizers:
    """The optimisers of one recipe, stepped together.

    ``muon`` is Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/) for the
    matrices of the layers and AdamW for the rest; ``adamw`` is AdamW for everything. ``precision``
    is what Muon orthogonalises in.
    """

    def __init__(
        self,
        model: nn.Module,
        options: OptimizerOptions,
        precision: torch.dtype = torch.bfloat16,
    ) -> None:
        self.options = options
        matrices, others = _split(model)
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


def _split(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Matrices inside the layers, and everything else."""
    inner: list[nn.Parameter] = []
    outer: list[nn.Parameter] = []
    for name, parameter in _named(model):
        (inner if parameter.ndim == 2 and ".layers." in name else outer).append(parameter)
    return inner, outer


def _named(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    yield from ((n, p) for n, p in model.named_parameters() if p.requires_grad)
