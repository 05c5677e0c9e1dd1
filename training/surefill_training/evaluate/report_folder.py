"""The folder of a report: tables in words, plots, and what came of every single hole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from surefill_training.evaluate.bundle import Measured, Plan, Result
from surefill_training.evaluate.holes import FEWEST_CHARACTERS, MOST_LINES
from surefill_training.evaluate.plots import (
    plot_calibration,
    plot_lengths,
    plot_losses,
    read_metrics,
)
from surefill_training.evaluate.report import INTERVALS, markdown, task_name
from surefill_training.files import make_folder, write_atomically

REPORT = "report.md"
HOLES = "holes.jsonl"

_TEXT = """\
# Evaluation

{tables}

## What was measured
Everything went through the engine and the pipeline that serve it, with the weights as they ship, \
on packages that were held out whole: {packages}. Corpus `{corpus}`, seed {seed}; {holes}.

A match is exact when all that is shown is right: lines too many would have to be deleted. Spaces \
at the ends of lines do not count. Of each hole at least {fewest} characters are missing, of \
several lines at most {most} lines; behind a dot only the name is compared. Several lines are \
asked for explicitly. BLEU and ROUGE-L take words and signs as tokens. Every hole counts, also one \
without a suggestion; {intervals}; differences are paired by hole. \
A suggestion in Python parses when Python's own parser takes the whole document with it; \
what it leaves open at the end of its line, to be typed on, is given the smallest end. \
Suggestions count from a confidence of {confidence:g} on, wherever they are; "as shown by default" \
applies the server's default thresholds, which ask for more behind complete statements and where \
more than closing brackets follow. {notes}

## Exact match by the length of the hole
![Exact match by the length of the hole](lengths.png)

## Calibration of the confidence
![Calibration of the confidence](calibration.png)
"""
_LOSSES = """
## Losses of the run
![Training loss and held-out bits per byte](losses.png)
"""


def check_run(run: Path) -> None:
    """Raise TrainingError now for what could not be drawn after an hour of measuring."""
    read_metrics(run)


def write_report(
    folder: Path,
    plan: Plan,
    measured: Sequence[Measured],
    results: Sequence[Result],
    *,
    run: Path | None = None,
    keep_text: bool = False,
) -> None:
    """Write ``report.md`` with its plots, and ``holes.jsonl``.

    The texts of the held-out packages and of what was suggested for them are somebody else's, so
    they are only written with ``keep_text``. ``run`` is the folder of the run whose losses are
    drawn.
    """
    make_folder(folder)
    plot_lengths(measured, plan.options.tasks, folder / "lengths.png")
    plot_calibration(measured, folder / "calibration.png")
    if run is not None:
        plot_losses(run, folder / "losses.png")
    lines = "".join(json.dumps(row) + "\n" for row in hole_rows(measured, keep_text=keep_text))
    write_atomically(folder / HOLES, lines.encode())
    write_atomically(folder / REPORT, (_words(plan, results) + (_LOSSES if run else "")).encode())


def hole_rows(measured: Sequence[Measured], *, keep_text: bool) -> Iterator[dict[str, object]]:
    """What came of each hole with each contestant."""
    for each in measured:
        for answer in each.answers:
            hole = answer.hole
            row: dict[str, object] = {
                "contestant": each.contestant.label,
                "hole": hole.id,
                "task": hole.task,
                "package": hole.document.source,
                "path": hole.document.path,
                "missing": len(hole.truth),
                "suggested": len(hole.compared(answer.text)),
                "shown": answer.shown,
                "shown_by_default": answer.shown_by_default,
                "exact": answer.exact,
                "similarity": round(answer.similarity, 4),
                "confidence": round(answer.confidence, 4),
                "ms": round(answer.milliseconds, 1),
            }
            if keep_text:
                row |= {"missing_text": hole.middle, "suggested_text": answer.text}
            yield row


def _words(plan: Plan, results: Sequence[Result]) -> str:
    counts = [
        f"{sum(hole.task == task for hole in plan.holes)} {task_name(task)}"
        for task in plan.options.tasks
    ]
    return _TEXT.format(
        tables=markdown(results),
        packages=", ".join(sorted({document.source for document in plan.documents})),
        corpus=plan.corpus[:16],
        seed=plan.options.seed,
        holes="holes: " + ", ".join(counts),
        intervals=INTERVALS,
        fewest=FEWEST_CHARACTERS,
        most=MOST_LINES,
        confidence=plan.options.min_confidence,
        notes=" ".join(plan.notes),
    )
