"""Fits the display filter of a bundle, or one for any model."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands.shared import positive
from surefill_training.errors import TrainingError
from surefill_training.files import make_folder, write_atomically

if TYPE_CHECKING:
    from surefill_training.display.collect import PlacePoints
    from surefill_training.evaluate.places import Place
    from surefill_training.progress import Progress

HELP = "Fit the filter that decides which suggestions are shown unasked, and how much of them."

NUMBERS = "display.json"

_AFTER = 5
"""Places, after which it can be said how long the others will take."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add(
        "bundles",
        type=Path,
        nargs="+",
        metavar="BUNDLE",
        help="the bundle; several to fit one filter for models of all their families",
    )
    add("--corpus", type=Path, required=True, metavar="DIR", help="what `corpus` wrote")
    add(
        "--report",
        type=Path,
        required=True,
        metavar="DIR",
        help=f"where the numbers ({NUMBERS}), a page, a plot, and what was asked so far go; the "
        "same command goes on where it was broken off",
    )
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="the folder of the bundle with the filter in it; without it no bundle is written",
    )
    add("--places", type=positive, default=600, metavar="N", help="how many places are asked")
    add(
        "--packages",
        choices=("development", "train"),
        default="development",
        help="which packages of the corpus: those that training and n-grams leave out, or, for "
        "models that were not trained on it, all others",
    )
    add("--seed", type=int, default=0, metavar="N", help="which places are drawn")
    add(
        "--checker",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="ask the type checker too, as the server does",
    )


def run(arguments: argparse.Namespace) -> int:
    """Collect, fit, report."""
    from surefill_training.bundle import write_with_display
    from surefill_training.commands.progress import console, shown_progress
    from surefill_training.display.choose import choose_places, languages_of
    from surefill_training.display.fit import fit
    from surefill_training.display.report import REPORT, write_report
    from surefill_training.display.seen import require_unseen
    from surefill_training.display.shares import lowest_bar, shares

    if arguments.out and len(arguments.bundles) > 1:
        raise TrainingError(
            "A filter for several bundles belongs into none of them.", "Leave --out out."
        )
    for bundle in arguments.bundles:
        require_unseen(bundle, arguments.corpus, arguments.packages)
    make_folder(arguments.report)
    places = choose_places(
        arguments.corpus,
        arguments.packages,
        arguments.places,
        arguments.seed,
        languages_of(arguments.bundles),
    )
    with shown_progress() as report:
        found = [
            each
            for bundle in arguments.bundles
            for each in _collect(bundle, places, arguments, report)
        ]
    fitted = fit(found)
    write_atomically(
        arguments.report / NUMBERS, (json.dumps(asdict(fitted.weights), indent=1) + "\n").encode()
    )
    write_report(arguments.report, [str(b) for b in arguments.bundles], found, fitted)
    bar = lowest_bar(found, fitted.chances)
    if bar is not None:
        of = shares(found, fitted.chances, bar).of
        console.print(
            f"With completion.minConfidence {bar:.2f}: right {of['right']:.1%}, begins right "
            f"{of['begins']:.1%}, wrong {of['wrong']:.1%}, silent {of['silent']:.1%}. "
            f"See {arguments.report / REPORT}.",
            markup=False,
            highlight=False,
        )
    if arguments.out:
        write_with_display(arguments.bundles[0], fitted.weights, arguments.out)
    return 0


def _collect(
    bundle: Path,
    places: list[tuple[str, Place]],
    arguments: argparse.Namespace,
    report: Progress,
) -> list[PlacePoints]:
    from surefill_training.display.collect import collect

    name = bundle.resolve().name
    told = _tell_time(name, len(places))

    def done(count: int) -> None:
        told(count)
        report(f"{name}: places", count, len(places))

    report(f"{name}: places", 0, len(places))
    file = arguments.report / f"places-{name}.jsonl"
    return collect(bundle, places, file, done, checker=arguments.checker)


def _tell_time(name: str, total: int) -> Callable[[int], None]:
    """Says once, after a few places, how long the others will take."""
    from surefill_training.commands.progress import console

    times: list[float] = []

    def told(count: int) -> None:
        times.append(time.monotonic())
        if len(times) == _AFTER:
            each = (times[-1] - times[0]) / (_AFTER - 1)
            minutes = max(1, round(each * (total - count) / 60))
            console.print(
                f"{name}: {each:.1f} s a place, about {minutes} minutes for {total - count} more.",
                markup=False,
                highlight=False,
            )

    return told
