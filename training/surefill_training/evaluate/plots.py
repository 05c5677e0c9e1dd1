"""Plots of a report as PNG files: exact match by length, calibration, and a run's losses.

Draws what others computed; the only file that imports matplotlib.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from surefill_training.errors import TrainingError
from surefill_training.evaluate.answers import Answer
from surefill_training.evaluate.bundle import Measured
from surefill_training.evaluate.report import task_name
from surefill_training.evaluate.scores import calibration, estimate
from surefill_training.evaluate.statistics import Estimate
from surefill_training.files import not_written

_LENGTHS = (3, 8, 16, 32, 64, 128)
"""Where the classes of hole length begin, in characters that are compared."""
_FEWEST = 5
"""Holes in a class that is drawn: fewer say nothing."""
_DPI = 130


def by_length(answers: Sequence[Answer]) -> list[tuple[str, Estimate]]:
    """Exact match by how many characters are missing, classes with too few holes left out."""
    found = []
    for first, behind in zip(_LENGTHS, (*_LENGTHS[1:], None), strict=True):
        inside = [
            answer
            for answer in answers
            if first <= len(answer.hole.truth)
            and (behind is None or len(answer.hole.truth) < behind)
        ]
        if len(inside) >= _FEWEST:
            name = f"{first}-{behind - 1}" if behind else f"{first}+"
            found.append((name, estimate(inside, [float(answer.exact) for answer in inside])))
    return found


def plot_lengths(measured: Sequence[Measured], tasks: Sequence[str], file: Path) -> None:
    """One panel for each task, one line with 95 % intervals for each contestant."""
    columns = min(3, len(tasks))
    rows = -(-len(tasks) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    names = [f"{first}-{behind - 1}" for first, behind in itertools.pairwise(_LENGTHS)]
    order = {name: number for number, name in enumerate([*names, f"{_LENGTHS[-1]}+"])}
    for panel, task in zip(panels, tasks, strict=False):
        for number, each in enumerate(measured):
            shift = 0.08 * (number - (len(measured) - 1) / 2)
            _intervals(panel, by_length(each.of(task)), order, shift, each.contestant.label)
        panel.set(title=task_name(task), xlabel="characters missing")
        panel.set(xlim=(-0.5, len(order) - 0.5), ylim=(0, None))
        panel.set_xticks(range(len(order)), list(order), fontsize=8)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("exact match, %")
    for panel in panels[len(tasks) :]:
        panel.set_axis_off()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    _save(figure, file)


def _intervals(
    panel: Axes,
    classes: Sequence[tuple[str, Estimate]],
    order: Mapping[str, int],
    shift: float,
    label: str,
) -> None:
    estimates = [estimate for _, estimate in classes]
    panel.errorbar(
        [order[name] + shift for name, _ in classes],
        [100 * e.mean for e in estimates],
        # Rounding can put a bound on the wrong side of the mean by the last bit.
        yerr=[
            [100 * max(0.0, e.mean - e.low) for e in estimates],
            [100 * max(0.0, e.high - e.mean) for e in estimates],
        ],
        marker="o",
        capsize=2,
        label=label,
    )


def plot_calibration(measured: Sequence[Measured], file: Path) -> None:
    """How often suggestions are exact, by how sure the model is; on the diagonal it is honest."""
    figure = Figure(figsize=(5.6, 4.8), layout="constrained")
    panel = figure.subplots()
    panel.plot((0, 100), (0, 100), color="grey", linestyle=":", label="as sure as right")
    for each in measured:
        bins = calibration(each.answers)
        panel.plot(
            [100 * b.confidence for b in bins],
            [100 * b.exact for b in bins],
            marker="o",
            label=each.contestant.label,
        )
    panel.set(xlim=(0, 100), ylim=(0, 100), xlabel="confidence, %", ylabel="exact match, %")
    panel.grid(alpha=0.3)
    panel.legend(fontsize=8)
    _save(figure, file)


def plot_losses(run: Path, file: Path) -> None:
    """Training loss and held-out bits per byte over the tokens of a run."""
    reports = read_metrics(run)
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    panel = figure.subplots()
    panel.plot(
        [report["tokens"] / 1e6 for report in reports],
        [report["loss"] for report in reports],
        linewidth=0.8,
        label="training loss, nats per token",
    )
    scored = [report for report in reports if report.get("heldout_bits_per_byte") is not None]
    panel.plot(
        [report["tokens"] / 1e6 for report in scored],
        [report["heldout_bits_per_byte"] for report in scored],
        marker="o",
        label="held-out bits per byte",
    )
    panel.set(xlabel="million tokens", ylim=(0, None))
    panel.grid(alpha=0.3)
    panel.legend()
    _save(figure, file)


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """The reports that a run wrote; raises TrainingError when there are none."""
    path = run / "metrics.jsonl"
    try:
        reports = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if not (reports and all("loss" in report and "tokens" in report for report in reports)):
            raise ValueError("it holds no reports of a run")
    except (OSError, ValueError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TrainingError(
            f"{path} cannot be read ({reason}).",
            "Give the folder that surefill-train pretrain wrote, or leave --run out.",
        ) from error
    return reports


def _save(figure: Figure, file: Path) -> None:
    try:
        figure.savefig(file, dpi=_DPI)
    except OSError as error:
        raise not_written(file, error) from error
