"""What was fitted, how reliable it is, and what users would see: a page and a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from surefill.engine.display import FEATURES
from surefill_training.display.collect import PlacePoints
from surefill_training.display.fit import Fitted
from surefill_training.display.shares import (
    BARS,
    MOST_WRONG,
    ReliabilityBin,
    lowest_bar,
    reliability,
    shares,
)
from surefill_training.files import make_folder, not_written, write_atomically

REPORT = "display.md"
PLOT = "reliability.png"


def write_report(
    folder: Path, names: Sequence[str], places: Sequence[PlacePoints], fitted: Fitted
) -> None:
    """Write the page and its plot; raises TrainingError where that is not possible."""
    make_folder(folder)
    bins = reliability(places, fitted.chances)
    _plot(bins, folder / PLOT)
    write_atomically(folder / REPORT, _page(names, places, fitted, bins).encode())


def _page(
    names: Sequence[str],
    places: Sequence[PlacePoints],
    fitted: Fitted,
    bins: Sequence[ReliabilityBin],
) -> str:
    packages = len({place.package for place in places})
    bar = lowest_bar(places, fitted.chances)
    found = "no bar keeps" if bar is None else f"from a bar of **{bar:.2f}** on, showing keeps"
    rows = [_row(f"{each:.2f}", places, fitted.chances, each) for each in (0.0, *BARS)]
    languages = sorted({place.language for place in places})
    chosen = bar if bar is not None else 0.5
    by_language = [_of_language(name, places, fitted, chosen) for name in languages]
    table = [f"| {b.chance:.0%} | {b.right:.0%} | {b.count} |" for b in bins]
    weights = [
        f"| {name} | {fitted.weights.weights.get(name, 0.0):+.3f} | {meaning} |"
        for name, meaning in FEATURES.items()
    ]
    added = ", ".join(f"{k} {v:+.2f}" for k, v in fitted.weights.languages.items())
    return "\n".join(
        [
            "# Display filter",
            "",
            f"Fitted for {', '.join(names)} at {len(places)} places in {packages} packages, by "
            "logistic regression with signs that are known beforehand. All chances below are "
            "cross-validated: each comes from a fit without the package that it is about.",
            "",
            f"Log loss of a chance: {fitted.log_loss:.3f} nats, {fitted.base_loss:.3f} with the "
            f"same chance for all; penalty {fitted.penalty:g}.",
            "",
            "## What users would see",
            "",
            f"Unasked, {found} at most {MOST_WRONG:.0%} of places wrong.",
            "",
            "| bar | right | begins right | wrong | silent | right characters a place |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"With a bar of {chosen:.2f}, by language:",
            "",
            "| language (places) | right | begins right | wrong | silent | right characters |",
            "|---|---|---|---|---|---|",
            *by_language,
            "",
            "## Reliability",
            "",
            f"![How often what has a chance is right]({PLOT})",
            "",
            "| chance | right | texts |",
            "|---|---|---|",
            *table,
            "",
            "## Weights",
            "",
            "| feature | weight | meaning |",
            "|---|---|---|",
            *weights,
            "",
            f"Bias {fitted.weights.bias:+.3f}; by language {added}.",
            "",
        ]
    )


def _row(
    name: str, places: Sequence[PlacePoints], chances: Sequence[Sequence[float]], bar: float
) -> str:
    found = shares(places, chances, bar)
    of = found.of
    return (
        f"| {name} | {of['right']:.1%} | {of['begins']:.1%} | {of['wrong']:.1%} "
        f"| {of['silent']:.1%} | {found.characters:.1f} |"
    )


def _of_language(language: str, places: Sequence[PlacePoints], fitted: Fitted, bar: float) -> str:
    pairs = zip(places, fitted.chances, strict=True)
    inside = [(place, chances) for place, chances in pairs if place.language == language]
    own, chances = [place for place, _ in inside], [chances for _, chances in inside]
    return _row(f"{language} ({len(own)})", own, chances, bar)


def _plot(bins: Sequence[ReliabilityBin], file: Path) -> None:
    figure = Figure(figsize=(5.2, 4.6), layout="constrained")
    panel = figure.subplots()
    panel.plot((0, 100), (0, 100), color="grey", linestyle=":", label="as sure as right")
    panel.plot(
        [100 * b.chance for b in bins],
        [100 * b.right for b in bins],
        marker="o",
        label="texts that could be shown",
    )
    for each in bins:
        panel.annotate(
            str(each.count),
            (100 * each.chance, 100 * each.right),
            textcoords="offset points",
            xytext=(6, -10),
            fontsize=7,
        )
    panel.set(xlim=(0, 100), ylim=(0, 100), xlabel="chance, %", ylabel="right, %")
    panel.grid(alpha=0.3)
    panel.legend(fontsize=8)
    try:
        figure.savefig(file, dpi=130)
    except OSError as error:
        raise not_written(file, error) from error
