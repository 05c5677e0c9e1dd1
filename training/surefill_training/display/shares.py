"""What users would see with one bar or another: the server's choice, made again from numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surefill.completion.judging import LEAST_CHANCE
from surefill_training.display.collect import PlacePoints, Point
from surefill_training.evaluate.places import OUTCOMES, Outcome

MOST_WRONG = 0.15
"""Of all places, where something wrong may be shown unasked."""
BARS = tuple(number / 100 for number in range(5, 100, 5))
_BINS = 10


@dataclass(frozen=True)
class Shares:
    """Shares of places, 0 to 1, by what is shown there, with one bar."""

    bar: float
    of: dict[Outcome, float]
    characters: float
    """Right characters that are shown at a place, on average."""


@dataclass(frozen=True)
class ReliabilityBin:
    """Points with a similar chance."""

    chance: float
    right: float
    count: int


def shares(places: Sequence[PlacePoints], chances: Sequence[Sequence[float]], bar: float) -> Shares:
    """What is shown where nothing is that begins right with a lower chance than ``bar``."""
    count = dict.fromkeys(OUTCOMES, 0)
    characters = 0
    for place, known in zip(places, chances, strict=True):
        shown = _shown(place, known, bar)
        count[shown.outcome if shown else "silent"] += 1
        if shown is not None and shown.outcome == "right":
            characters += shown.characters
    total = max(1, len(places))
    return Shares(bar, {name: each / total for name, each in count.items()}, characters / total)


def _shown(place: PlacePoints, chances: Sequence[float], bar: float) -> Point | None:
    """As ``completion.judging`` chooses of the first candidate that passed the checks."""
    texts: list[tuple[Point, float]] = []
    begins = 1.0
    for point, chance in zip(place.points, chances, strict=True):
        if not point.beginning:
            texts.append((point, chance))
        elif texts:
            break
        else:
            begins = chance
    if not texts or begins < bar:
        return None
    least = max(bar, LEAST_CHANCE) if bar > 0 else 0.0
    return next((point for point, chance in texts if chance >= least), texts[-1][0])


def lowest_bar(places: Sequence[PlacePoints], chances: Sequence[Sequence[float]]) -> float | None:
    """The lowest bar, in hundredths, from which on no more than ``MOST_WRONG`` is wrong."""
    found = None
    for number in range(99, -1, -1):
        if shares(places, chances, number / 100).of["wrong"] > MOST_WRONG:
            break
        found = number / 100
    return found


def reliability(
    places: Sequence[PlacePoints], chances: Sequence[Sequence[float]]
) -> list[ReliabilityBin]:
    """How often what has a chance is right, in classes of chance."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for place, known in zip(places, chances, strict=True):
        for point, chance in zip(place.points, known, strict=True):
            if not point.beginning:
                bins[min(int(chance * _BINS), _BINS - 1)].append((chance, point.right))
    return [
        ReliabilityBin(
            chance=sum(chance for chance, _ in each) / len(each),
            right=sum(right for _, right in each) / len(each),
            count=len(each),
        )
        for each in bins
        if each
    ]
