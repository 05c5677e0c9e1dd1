"""Fits the weights of a mixture to what would have been right, by gradient descent.

Knows features and what each expert gave the truth; not where they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from surefill.engine.ngrams.gate import Gate

_HIDDEN = 48
_STEPS = 500
_BATCH = 1024
_RATE = 3e-3
_DECAY = 1e-3


@dataclass(frozen=True)
class Moment:
    """One token that was to be predicted."""

    features: npt.NDArray[np.float32]
    present: npt.NDArray[np.bool_]
    """Which experts knew anything, [experts], the base first."""
    truth: npt.NDArray[np.float32]
    """Share that each expert gave the truth, [experts]."""
    rest: npt.NDArray[np.float32]
    """Share that each expert leaves to the base, [experts]; that of the base itself is 0."""


def fit(moments: Sequence[Moment], *, seed: int = 0) -> Gate:
    """The gate under which the truth is likeliest; the same moments give the same gate."""
    generator = torch.Generator().manual_seed(seed)
    features, truth, rest = (
        torch.from_numpy(np.stack([getattr(moment, name) for moment in moments]))
        for name in ("features", "truth", "rest")
    )
    missing = ~torch.from_numpy(np.stack([moment.present for moment in moments]))
    # What an expert leaves over counts for the base.
    given = truth + rest * truth[:, :1]
    w1 = torch.randn(features.shape[1], _HIDDEN, generator=generator) * 0.1
    w2 = torch.randn(_HIDDEN, truth.shape[1], generator=generator) * 0.1
    layers = [w1, torch.zeros(_HIDDEN), w2, torch.zeros(truth.shape[1])]
    layers = [layer.requires_grad_() for layer in layers]
    optimizer = torch.optim.AdamW(layers, lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, _STEPS)
    for _ in range(_STEPS):
        rows = torch.randint(len(moments), (_BATCH,), generator=generator)
        loss = _loss(layers, features[rows], missing[rows], given[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    # Rounded to what the file can hold, so that what was measured is what is served.
    return Gate(*(layer.detach().numpy().astype(np.float16).astype(np.float32) for layer in layers))


def _loss(
    layers: Sequence[torch.Tensor],
    features: torch.Tensor,
    missing: torch.Tensor,
    given: torch.Tensor,
) -> torch.Tensor:
    """Mean negative log-probability of the truth, in nats."""
    w1, b1, w2, b2 = layers
    logits = torch.relu(features @ w1 + b1) @ w2 + b2
    weights = torch.softmax(logits.masked_fill(missing, float("-inf")), dim=1)
    return -torch.log((weights * given).sum(dim=1) + 1e-9).mean()
