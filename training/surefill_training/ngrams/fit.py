"""Fits the weights of a mixture to what would have been right, by gradient descent.

First the gate, which weighs the experts; then the ranker, on what the fitted mixture proposes.
Knows moments; not where they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from surefill.engine.ngrams.gate import Gate
from surefill.engine.ngrams.opinions import Floats, Opinions
from surefill.engine.ngrams.ranker import (
    CANDIDATES,
    FEATURES,
    Ranker,
    describe_tokens,
    shortlist,
)
from surefill.engine.ngrams.weights import Weights
from surefill_training.ngrams.moment import Moment

_NEVER = -1e9


@dataclass(frozen=True)
class _Recipe:
    hidden: int
    steps: int
    batch: int
    decay: float
    rate: float = 3e-3


_PASSES = 60
"""Over few moments, at most: more would learn them by heart."""
_LEAST_STEPS = 200
_GATE = _Recipe(hidden=48, steps=500, batch=1024, decay=1e-3)
_RANKER = _Recipe(hidden=32, steps=2000, batch=256, decay=1e-2)


def fit(moments: Sequence[Moment], unigrams: Floats, *, seed: int = 0) -> Weights:
    """The weights under which the right tokens are likeliest; the same moments give the same ones.

    ``unigrams`` [vocabulary] are the natural log-probabilities of single tokens.
    """
    gate = fit_gate([_Votes.count(moment) for moment in moments], seed=seed)
    return Weights(gate, fit_ranker(moments, gate, unigrams, seed=seed))


@dataclass(frozen=True)
class _Votes:
    """What the gate learns from one moment."""

    features: Floats
    present: npt.NDArray[np.bool_]
    """Which experts knew anything, [experts], the base first."""
    truth: Floats
    """Share that each expert gave the right tokens, [experts]."""
    rest: Floats
    """Share that each expert leaves to the base, [experts]; that of the base itself is 0."""

    @classmethod
    def count(cls, moment: Moment) -> _Votes:
        opinions = moment.opinions.whole()
        features, present = opinions.describe()
        truth = np.zeros(len(present), np.float32)
        rest = np.zeros(len(present), np.float32)
        truth[0] = np.exp(opinions.base[[*moment.right]]).sum()
        for number, evidence in enumerate(opinions.experts, start=1):
            if evidence is not None:
                truth[number] = evidence.shares[np.isin(evidence.tokens, moment.right)].sum()
                rest[number] = max(0.0, 1.0 - float(evidence.shares.sum()))
        return cls(features, present, truth, rest)


def fit_gate(votes: Sequence[_Votes], *, seed: int = 0) -> Gate:
    """The gate that gives the right tokens the highest probability in the linear mixture."""
    features, truth, rest, present = (
        torch.from_numpy(np.stack([getattr(vote, name) for vote in votes]))
        for name in ("features", "truth", "rest", "present")
    )
    missing = ~present
    # What an expert leaves over counts for the base.
    given = truth + rest * truth[:, :1]
    generator = torch.Generator().manual_seed(seed)
    w1 = torch.randn(features.shape[1], _GATE.hidden, generator=generator) * 0.1
    w2 = torch.randn(_GATE.hidden, truth.shape[1], generator=generator) * 0.1
    layers = [w1, torch.zeros(_GATE.hidden), w2, torch.zeros(truth.shape[1])]

    def loss(rows: torch.Tensor) -> torch.Tensor:
        w1, b1, w2, b2 = layers
        logits = torch.relu(features[rows] @ w1 + b1) @ w2 + b2
        weights = torch.softmax(logits.masked_fill(missing[rows], float("-inf")), dim=1)
        return -torch.log((weights * given[rows]).sum(dim=1) + 1e-9).mean()

    _descend(layers, loss, len(votes), _GATE, generator)
    return Gate(*(layer.detach().numpy() for layer in layers))


def fit_ranker(moments: Sequence[Moment], gate: Gate, unigrams: Floats, *, seed: int = 0) -> Ranker:
    """The ranker under which the right ones are likeliest among what the mixture proposes.

    Moments at which nothing right is proposed teach nothing, nor do those without any evidence,
    which are served as the base has them.
    """
    heard = (moment for moment in moments if any(moment.opinions.experts))
    proposals = [_Proposals.make(moment, gate, unigrams) for moment in heard]
    proposals = [made for made in proposals if made.right.any()]
    generator = torch.Generator().manual_seed(seed)
    w1 = torch.randn(FEATURES, _RANKER.hidden, generator=generator) * 0.15
    layers = [w1, torch.zeros(_RANKER.hidden), torch.zeros(_RANKER.hidden)]
    if not proposals:
        return Ranker(*(layer.numpy() for layer in layers))
    features, mixed, right = (
        torch.from_numpy(np.stack([getattr(made, name) for made in proposals]))
        for name in ("features", "mixed", "right")
    )
    known = mixed > _NEVER
    mean = features[known].mean(dim=0)
    scale = features[known].std(dim=0) + 1e-3
    features = (features - mean) / scale
    layers[2] = torch.randn(_RANKER.hidden, generator=generator) * 0.02

    def loss(rows: torch.Tensor) -> torch.Tensor:
        w1, b1, w2 = layers
        scores = mixed[rows] + torch.relu(features[rows] @ w1 + b1) @ w2
        scores = scores.masked_fill(~known[rows], _NEVER)
        wanted = scores.masked_fill(~right[rows], _NEVER)
        return (torch.logsumexp(scores, dim=1) - torch.logsumexp(wanted, dim=1)).mean()

    _descend(layers, loss, len(proposals), _RANKER, generator)
    w1, b1, w2 = (layer.detach() for layer in layers)
    # For features as they come: the scaling goes into the first layer.
    return Ranker(*(layer.numpy() for layer in (w1 / scale[:, None], b1 - (mean / scale) @ w1, w2)))


@dataclass(frozen=True)
class _Proposals:
    """What the ranker learns from one moment: the candidates, filled up to CANDIDATES."""

    features: Floats
    """[CANDIDATES, FEATURES]"""
    mixed: Floats
    """Log-probabilities in the linear mixture, [CANDIDATES]; far below any where there is none."""
    right: npt.NDArray[np.bool_]

    @classmethod
    def make(cls, moment: Moment, gate: Gate, unigrams: Floats) -> _Proposals:
        opinions: Opinions = moment.opinions.whole()
        whole = opinions.mix(gate)
        ids = shortlist(whole)
        features = np.zeros((CANDIDATES, FEATURES), np.float32)
        mixed = np.full(CANDIDATES, 2 * _NEVER, np.float32)
        right = np.zeros(CANDIDATES, np.bool_)
        features[: len(ids)] = describe_tokens(ids, opinions, whole, unigrams)
        mixed[: len(ids)] = whole[ids]
        right[: len(ids)] = np.isin(ids, moment.right)
        return cls(features, mixed, right)


def _descend(
    layers: Sequence[torch.Tensor],
    loss: Callable[[torch.Tensor], torch.Tensor],
    count: int,
    recipe: _Recipe,
    generator: torch.Generator,
) -> None:
    """Lower ``loss``, the mean over the rows it is given of ``count``, with AdamW."""
    steps = min(recipe.steps, max(_LEAST_STEPS, _PASSES * count // recipe.batch))
    for layer in layers:
        layer.requires_grad_()
    optimizer = torch.optim.AdamW(layers, lr=recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, steps)
    for _ in range(steps):
        rows = torch.randint(count, (recipe.batch,), generator=generator)
        value = loss(rows)
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
