"""Evaluation results as Markdown tables and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefill_training.evaluate.bundle import Result
    from surefill_training.evaluate.scores import TaskScores
    from surefill_training.evaluate.statistics import Estimate

TASK_NAMES = {
    "line_end": "rest of line",
    "lines": "several lines",
    "inside": "inside a line",
    "call_arguments": "arguments of a call",
    "member": "name after a dot",
}
NOTHING = "–"
INTERVALS = (
    "intervals are 95 % bootstrap over packages, then over the holes in each, and exact binomial "
    "bounds where all holes say the same"
)
"""How the figures of holes came by their intervals, for the texts of reports and cards."""

_Row = tuple[str, "Callable[[TaskScores], str]"]
_MAIN: Sequence[_Row] = (
    ("exact match", lambda s: share(s.exact_match)),
    ("edit similarity", lambda s: share(s.edit_similarity)),
)
_DETAILS: Sequence[_Row] = (
    ("BLEU", lambda s: NOTHING if s.bleu is None else f"{s.bleu:.1f}"),
    ("ROUGE-L", lambda s: NOTHING if s.rouge_l is None else share(s.rouge_l)),
    ("holes with a suggestion", lambda s: share(s.shown)),
    ("suggestions with which the document parses", lambda s: share(s.parses)),
    ("as shown by default: holes with a suggestion", lambda s: share(s.shown_by_default)),
    ("as shown by default: exact match of those shown", lambda s: share(s.right_by_default)),
    ("median time of a request, ms", lambda s: f"{s.median_ms:.0f}"),
    ("95th percentile of that, ms", lambda s: f"{s.p95_ms:.0f}"),
)


def markdown(results: Sequence[Result]) -> str:
    """One column for each contestant, one row for each measure; then the same for the details."""
    rows = [
        ["held-out bits per byte, model alone", *(figure(r.bits_per_byte) for r in results)],
        *_task_rows(results, _MAIN),
        *_difference_rows(results),
        ["size, MB", *(f"{r.megabytes:.1f}" for r in results)],
    ]
    details = [
        *_task_rows(results, _DETAILS),
        ["distance of confidence and exactness", *(figure(r.calibration_error) for r in results)],
    ]
    labels = [result.label for result in results]
    return table(["measure", *labels], rows) + "\n\n" + table(["detail", *labels], details)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell would end it."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    cells.insert(1, ["---"] * len(header))
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def to_json(results: Sequence[Result]) -> str:
    """All fields of the results; what could not be measured is null."""
    return json.dumps([without_nan(asdict(result)) for result in results], indent=1)


def share(estimate: Estimate) -> str:
    """A share in percent, with its interval."""
    if not estimate.count:
        return "none"
    return f"{100 * estimate.mean:.1f} % ({100 * estimate.low:.1f}-{100 * estimate.high:.1f})"


def figure(value: float | None) -> str:
    """A measure in three decimals, where there is one."""
    return NOTHING if value is None else f"{value:.3f}"


def task_name(task: str) -> str:
    return TASK_NAMES.get(task, task)


def _task_rows(results: Sequence[Result], measures: Sequence[_Row]) -> list[list[str]]:
    tasks = list(results[0].tasks) if results else []
    return [
        [f"{task_name(task)}, {name}", *(show(result.tasks[task]) for result in results)]
        for task in tasks
        for name, show in measures
    ]


def _difference_rows(results: Sequence[Result]) -> list[list[str]]:
    """What is gained over each rival, in points, with intervals paired by hole."""
    gains = [{**({r.against: r.difference} if r.against else {}), **r.gains} for r in results]
    rivals = dict.fromkeys(label for gained in gains for label in gained)
    return [
        [f"{task_name(task)}, exact match less that of {label}"]
        + [_points(gained.get(label, {}), task) for gained in gains]
        for label in rivals
        for task in results[0].tasks
    ]


def _points(difference: Mapping[str, Estimate], task: str) -> str:
    if task not in difference:
        return NOTHING
    return points(difference[task])


def points(difference: Estimate) -> str:
    """A difference of shares in points of a hundred, with its interval."""
    mean, low, high = (100 * x for x in (difference.mean, difference.low, difference.high))
    return f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"


def without_nan(value: object) -> object:
    """``value`` with None for what could not be measured, for JSON has no NaN."""
    if isinstance(value, Mapping):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
