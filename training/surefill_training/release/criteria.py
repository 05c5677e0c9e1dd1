"""What a bundle has to show before it becomes the default: bounds, and checks of its figures.

Judges numbers; measures nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from surefill.engine.bundle import Manifest
from surefill_training.evaluate.statistics import Estimate
from surefill_training.fidelity import MOST_DIVERGENCE

_LARGEST_NANO, _LARGEST_SMALL = 20_000_000, 200_000_000
"""Parameters; a bundle that names no preset is held to the bounds of its size."""


@dataclass(frozen=True)
class Bounds:
    """What a bundle may cost, and how often it has to be right about syntax."""

    typing_ms: float
    """Median of an answer while typing on, on the machine that decides."""
    megabytes: float
    """All files of the bundle, in millions of bytes."""
    parses: float = 0.99
    """Share of what is shown and can be judged, by Python's own parser where it is Python."""
    wrong: float = 0.15
    """Share of places in ordinary programs at which something wrong may be shown. The nano bundle
    of the second release was wrong at 26 % of them and right, or right at its beginning, at 14 %:
    it disturbed twice for each time it helped. With 60 % that help, 15 % are one for four."""


BOUNDS = {
    "nano": Bounds(60.0, 20.0),
    "small": Bounds(90.0, 130.0),
    "base": Bounds(80.0, 90.0),
}
"""By preset. The small one's weights are 126 MB in 8 bits, and fewer cost it right answers."""


@dataclass(frozen=True)
class Figures:
    """What was measured of a bundle."""

    difference: Estimate | None
    """Exact match of line ends less that of the present default, on the same holes; None where
    there is no default to beat."""
    parses: Estimate
    typing_ms: float
    megabytes: float
    unseen: bool
    """Whether it says what it was trained on, and none of that was held out."""
    useful_difference: Estimate | None
    """Share of places in ordinary programs at which what is shown is right or begins right, less
    that of the present default at the same places; None where there is no default to beat."""
    wrong: Estimate
    """Share of these places at which something wrong is shown."""
    divergence: float | None = None
    """Of the graph from its source weights, nats per token; None where nobody compared them."""
    quantised: bool = False


@dataclass(frozen=True)
class Check:
    """One condition: whether it holds, and a sentence with the figures."""

    name: str
    passed: bool
    sentence: str


def bounds_for(manifest: Manifest) -> Bounds:
    """The bounds of the preset that a bundle was made with, or of its size."""
    parameters = manifest.parameters
    size = (
        "nano"
        if parameters <= _LARGEST_NANO
        else "small"
        if parameters <= _LARGEST_SMALL
        else "base"
    )
    return BOUNDS.get(str(manifest.made.get("preset")), BOUNDS[size])


def check(figures: Figures, bounds: Bounds) -> list[Check]:
    """Every condition, those that hold included."""
    return [
        _unseen(figures),
        _better(figures.difference),
        _useful(figures.useful_difference),
        _wrong(figures.wrong, bounds.wrong),
        _parses(figures.parses, bounds.parses),
        _at_most("latency", "answer while typing on", figures.typing_ms, bounds.typing_ms, "ms"),
        _at_most("size", "size", figures.megabytes, bounds.megabytes, "MB"),
        _kept(figures),
    ]


def _kept(figures: Figures) -> Check:
    if not figures.quantised:
        return Check("fidelity", True, "Its weights are not quantised.")
    if figures.divergence is None:
        return Check(
            "fidelity",
            False,
            "It does not say what quantisation cost it; bundle it again, which compares.",
        )
    return Check(
        "fidelity",
        figures.divergence <= MOST_DIVERGENCE,
        f"Its graph diverges from its source weights by {figures.divergence:.3f} nats a token; "
        f"the bound is {MOST_DIVERGENCE:g}.",
    )


def _unseen(figures: Figures) -> Check:
    if figures.unseen:
        return Check("unseen", True, "It was trained on none of the held-out packages.")
    return Check(
        "unseen", False, "It does not say what it was trained on, so it may know the answers."
    )


def _better(difference: Estimate | None) -> Check:
    what = "exact match of line ends", "packages and their holes", "holes"
    return _beats("exact match", difference, *what)


def _useful(difference: Estimate | None) -> Check:
    what = "what is right or begins right in ordinary programs", "programs", "places"
    return _beats("programs", difference, *what)


def _beats(name: str, difference: Estimate | None, what: str, groups: str, units: str) -> Check:
    """Whether a difference to the present default is above chance."""
    if difference is None:
        return Check(name, True, f"There is no default to beat in {what}.")
    figures = (
        f"{what} differs by {100 * difference.mean:+.1f} points "
        f"({100 * difference.low:+.1f} to {100 * difference.high:+.1f}, 95 % over {groups}, "
        f"{difference.count} {units})"
    )
    if difference.low > 0:
        return Check(name, True, f"It beats the present default: {figures}.")
    verdict = "It is worse" if difference.high < 0 else "It is not proven to be better"
    return Check(name, False, f"{verdict} than the present default: {figures}.")


def _wrong(wrong: Estimate, bound: float) -> Check:
    return Check(
        "wrong",
        wrong.mean <= bound,
        f"It shows something wrong at {100 * wrong.mean:.1f} % of {wrong.count} places in ordinary "
        f"programs; at most {100 * bound:g} % are allowed.",
    )


def _parses(parses: Estimate, bound: float) -> Check:
    if not parses.count:
        return Check("parses", False, "It suggested nothing of which syntax could be judged.")
    passed = parses.mean >= bound
    return Check(
        "parses",
        passed,
        f"With {100 * parses.mean:.1f} % of {parses.count} suggestions the whole document parses, "
        f"judged apart from the server; at least {100 * bound:g} % must.",
    )


def _at_most(name: str, what: str, value: float, bound: float, unit: str) -> Check:
    if math.isnan(value):
        return Check(name, False, f"Its {what} could not be measured.")
    return Check(
        name, value <= bound, f"Its {what} is {value:.1f} {unit}; the bound is {bound:g} {unit}."
    )
