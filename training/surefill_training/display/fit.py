"""Fits the display filter: a logistic regression that begins as the model's own probability.

Without a reason to differ the chance is the probability of all tokens together, which is the
logistic function of ``total`` plus ``surety``; what is penalised is the distance from that. At a
few hundred places this is right more often than a regression that begins at nothing. And what makes
a suggestion likelier by the model must not make it less likely here, however little is fitted on:
the weights of probabilities are kept from the wrong side of zero.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from surefill.engine.display import FEATURES, DisplayWeights
from surefill_training.display.collect import PlacePoints
from surefill_training.errors import TrainingError

Floats = npt.NDArray[np.float64]

_RISING = ("total", "surety", "mean", "least", "first", "first_margin", "least_margin")
_RISING_TOO = ("whole", "types_passed")
_FALLING = ("end",)
_PRIOR = {"total": 1.0, "surety": 1.0}
_PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0)
"""Of squared distances from the prior's weights, for standardised features; cross-validation
chooses."""
_LEAST_SCALE = 0.02
"""A feature that varies less says nothing: its weight would be wild where it does vary."""
_FOLDS = 5
_FEWEST = 20
"""Places with something to show."""


@dataclass(frozen=True)
class Fitted:
    """A filter, and what filters say that were fitted without the package they are asked about."""

    weights: DisplayWeights
    penalty: float
    chances: Sequence[Sequence[float]]
    """By place and point, cross-validated."""
    log_loss: float
    """Of these, in nats; each place counts the same."""
    base_loss: float
    """The same of one chance for all."""


def fit(places: Sequence[PlacePoints]) -> Fitted:
    """Fit on all points of ``places``; raises TrainingError where there are too few to do so."""
    filled = [place for place in places if place.points]
    right = [point.right for place in filled for point in place.points]
    folds = np.array([_fold(place.package) for place in filled for _ in place.points])
    if len(filled) < _FEWEST or len(set(right)) < 2 or len(set(folds.tolist())) < 2:
        raise TrainingError(
            f"{len(filled)} places at which something could be shown are too few to fit a filter.",
            "Give more --places, or a corpus of more packages.",
        )
    data = _Data.of(filled)
    losses = {
        penalty: _loss(data, _cross_validated(data, folds, penalty)) for penalty in _PENALTIES
    }
    penalty = min(losses, key=lambda each: losses[each])
    chances = iter(_cross_validated(data, folds, penalty).tolist())
    share = np.full(len(data.right), float(np.average(data.right, weights=data.importance)))
    return Fitted(
        weights=data.weights(_minimise(data, np.ones(len(folds), bool), penalty)),
        penalty=penalty,
        chances=[[next(chances) for _ in place.points] for place in places],
        log_loss=losses[penalty],
        base_loss=_loss(data, share),
    )


@dataclass(frozen=True)
class _Data:
    """Points as arrays; the last columns are one for each language, of which none is the rule."""

    columns: Floats
    """[points, features + languages], features standardised."""
    right: Floats
    importance: Floats
    """Of each point: all points of a place have the importance of one."""
    centre: Floats
    scale: Floats
    languages: tuple[str, ...]

    @classmethod
    def of(cls, places: Sequence[PlacePoints]) -> _Data:
        points = [(place, point) for place in places for point in place.points]
        values = np.array([[point.features[name] for name in FEATURES] for _, point in points])
        importance = np.array([1.0 / len(place.points) for place, _ in points])
        centre = np.average(values, axis=0, weights=importance)
        scale = np.sqrt(np.average((values - centre) ** 2, axis=0, weights=importance))
        scale[scale < _LEAST_SCALE] = np.inf
        languages = tuple(sorted({place.language for place in places}))
        marks = np.array([[place.language == name for name in languages] for place, _ in points])
        return cls(
            columns=np.hstack([(values - centre) / scale, marks.astype(float)]),
            right=np.array([float(point.right) for _, point in points]),
            importance=importance,
            centre=centre,
            scale=scale,
            languages=languages,
        )

    def prior(self) -> Floats:
        """Bias and weights, for standardised features, of the model's own probability."""
        own = np.array([_PRIOR.get(name, 0.0) for name in FEATURES])
        scaled = own * np.where(np.isfinite(self.scale), self.scale, 0.0)
        bias = float(own @ self.centre)
        return np.concatenate([[bias], scaled, np.zeros(len(self.languages))])

    def weights(self, found: Floats) -> DisplayWeights:
        """What was found for standardised features, for features as they are."""
        bias, weights = found[0], found[1 : 1 + len(FEATURES)] / self.scale
        added = found[1 + len(FEATURES) :]
        return DisplayWeights(
            bias=_short(bias - float(weights @ self.centre)),
            weights={
                name: _short(value) for name, value in zip(FEATURES, weights, strict=True) if value
            },
            languages={
                name: _short(value) for name, value in zip(self.languages, added, strict=True)
            },
        )


def _short(value: float) -> float:
    return round(float(value), 4)


def _fold(package: str) -> int:
    return zlib.crc32(package.encode()) % _FOLDS


def _cross_validated(data: _Data, folds: npt.NDArray[np.int64], penalty: float) -> Floats:
    """The chance of each point by a model that has not seen its package."""
    chances = np.empty(len(folds))
    for fold in set(folds.tolist()):
        found = _minimise(data, folds != fold, penalty)
        inside = folds == fold
        chances[inside] = expit(found[0] + data.columns[inside] @ found[1:])
    return chances


def _minimise(data: _Data, used: npt.NDArray[np.bool_], penalty: float) -> Floats:
    """Bias and weights of the points that are ``used``."""
    columns, right, importance = data.columns[used], data.right[used], data.importance[used]
    prior = data.prior()

    def loss(found: Floats) -> tuple[float, Floats]:
        score, moved = found[0] + columns @ found[1:], found[1:] - prior[1:]
        value = importance @ (np.logaddexp(0.0, score) - right * score)
        error = importance * (expit(score) - right)
        slope = np.concatenate([[error.sum()], columns.T @ error + penalty * moved])
        return float(value + penalty / 2 * (moved @ moved)), slope

    start = prior
    result = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=_bounds(len(start)))
    found: Floats = result.x
    return found


def _bounds(count: int) -> list[tuple[float | None, float | None]]:
    signs: Mapping[str, tuple[float | None, float | None]] = {
        **dict.fromkeys((*_RISING, *_RISING_TOO), (0.0, None)),
        **dict.fromkeys(_FALLING, (None, 0.0)),
    }
    known = [(None, None), *(signs.get(name, (None, None)) for name in FEATURES)]
    return known + [(None, None)] * (count - len(known))


def _loss(data: _Data, chances: Floats) -> float:
    certain = np.clip(chances, 1e-9, 1 - 1e-9)
    losses = -(data.right * np.log(certain) + (1 - data.right) * np.log1p(-certain))
    return float(np.average(losses, weights=data.importance))
