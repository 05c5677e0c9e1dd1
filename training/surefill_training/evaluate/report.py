"""Evaluation results as a Markdown table and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from surefill_training.evaluate.bundle import BundleScores
from surefill_training.evaluate.statistics import Estimate


def markdown(results: Sequence[BundleScores]) -> str:
    """One column for each bundle, one row for each measure."""
    header = ["measure", *(f"{r.name} {r.version} ({r.precision})" for r in results)]
    rows = [
        ["held-out bits per byte", *(f"{r.bits_per_byte:.3f}" for r in results)],
        ["rest of line, exact match", *(_share(r.exact_match) for r in results)],
        ["rest of line, edit similarity", *(_share(r.edit_similarity) for r in results)],
        ["requests with a suggestion", *(_share(r.shown) for r in results)],
        ["shown suggestions that parse", *(_share(r.parses) for r in results)],
        ["median time of a request, ms", *(f"{r.median_ms:.0f}" for r in results)],
        ["size, MB", *(f"{r.megabytes:.1f}" for r in results)],
    ]
    lines = ["| " + " | ".join(cells) + " |" for cells in [header, ["---"] * len(header), *rows]]
    return "\n".join(lines)


def to_json(results: Sequence[BundleScores]) -> str:
    """All fields of the results; what could not be measured is null, for JSON has no NaN."""
    return json.dumps([_without_nan(asdict(result)) for result in results], indent=1)


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _share(estimate: Estimate) -> str:
    if not estimate.count:
        return "none"
    return f"{100 * estimate.mean:.1f} % ({100 * estimate.low:.1f}-{100 * estimate.high:.1f})"
