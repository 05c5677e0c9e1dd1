"""Muon with equally shaped matrices orthogonalised together, in a precision of choice.

``torch.optim.Muon`` does the same arithmetic one matrix after the other and always in bfloat16,
which takes many times longer than single precision on a CPU without instructions for it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Momentum whose update is orthogonalised, for matrices (Jordan et al., 2024).

    https://kellerjordan.github.io/posts/muon/; Nesterov momentum, decoupled weight decay, and the
    rate scaled by ``sqrt(rows / columns)`` where a matrix is tall.
    """

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        *,
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
        precision: torch.dtype = torch.bfloat16,
    ) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self._precision = precision

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient; a closure is not supported."""
        if closure is not None:
            raise ValueError("Muon takes no closure")
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    by_shape[matrix.shape].append(matrix)
            for matrices in by_shape.values():
                self._update(matrices, group["lr"], group["weight_decay"], group["momentum"])

    def _update(
        self, matrices: list[nn.Parameter], lr: float, weight_decay: float, momentum: float
    ) -> None:
        grads = [matrix.grad for matrix in matrices if matrix.grad is not None]
        velocities = [self._velocity(matrix) for matrix in matrices]
        torch._foreach_lerp_(velocities, grads, 1 - momentum)
        ahead = torch._foreach_lerp(grads, velocities, momentum)
        updates = orthogonalize(torch.stack(ahead).to(self._precision))  # (matrices, rows, columns)
        rows, columns = matrices[0].shape
        scale = lr * math.sqrt(max(1.0, rows / columns))
        for matrix, update in zip(matrices, updates.to(matrices[0].dtype), strict=True):
            matrix.mul_(1 - lr * weight_decay).add_(update, alpha=-scale)

    def _velocity(self, matrix: nn.Parameter) -> torch.Tensor:
        state = self.state[matrix]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        velocity: torch.Tensor = state["momentum_buffer"]
        return velocity


def orthogonalize(matrices: torch.Tensor) -> torch.Tensor:
    """Each of ``matrices`` (count, rows, columns) with its singular values moved close to one.

    Newton-Schulz iteration with the quintic of Jordan et al., whose results lie between about 0.7
    and 1.2 for all but the smallest singular values.
    """
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
