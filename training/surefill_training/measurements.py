"""What was measured of a model, on its way into a manifest and a card: read, checked, in tables.

Knows the JSON that ``evaluate`` and ``ablate`` write; measures nothing itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from surefill.engine.bundle import MODEL
from surefill_training.errors import TrainingError
from surefill_training.evaluate.program_scores import ALL, OTHERS, PYTHON
from surefill_training.evaluate.report import INTERVALS, NOTHING, figure, table, task_name
from surefill_training.files import hash_of


def read_results(path: Path) -> list[dict[str, Any]]:
    """What ``evaluate --json`` wrote."""
    return _read_list(path, "results", "Give what surefill-train evaluate --json wrote.")


def read_ablations(path: Path) -> list[dict[str, Any]]:
    """The comparisons that ``surefill-train ablate`` made, each of several arms."""
    remedy = "Give the JSON that surefill-train ablate wrote."
    ablations = _read_list(path, "ablations", remedy)
    try:
        ablations_in_words(ablations)
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"The ablations in {path} lack {error}.", remedy) from error
    return ablations


def _read_list(path: Path, what: str, remedy: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise TrainingError(f"{path} cannot be read ({reason}).", remedy) from error
    if not isinstance(found, list):
        raise TrainingError(f"{path} holds no {what}.", remedy)
    return found


def ablations_in_words(ablations: Sequence[Mapping[str, Any]]) -> str:
    """What was compared to decide the recipe, as one table."""
    if not ablations:
        return ""
    rows = [
        [
            str(ablation["name"]),
            str(arm["name"]),
            f"{arm['steps']:,}",
            f"{arm['tokens'] / 1e6:.1f}M",
            f"{arm['minutes']:.0f}",
            figure(arm["heldout_bits_per_byte"]),
        ]
        for ablation in ablations
        for arm in ablation["arms"]
    ]
    header = ["compared", "with", "steps", "tokens", "minutes", "held-out bits per byte"]
    return f"\n\nWhat decided the recipe, at equal compute:\n\n{table(header, rows)}"


def require_scores_of(results: Sequence[Mapping[str, Any]], exported: Path) -> None:
    """Refuse scores that were measured on other weights than those in ``exported``.

    What a model has to beat has weights of its own, or none.
    """
    for result in results:
        if result.get("kind") == "baseline":
            continue
        folder = exported / str(result.get("precision"))
        if not (folder / MODEL).is_file() or _weights(folder) != result.get("weights"):
            raise TrainingError(
                f"The scores of {result.get('name')} ({result.get('precision')}) are not of the "
                f"model in {exported}.",
                "Bundle this export without scores, run surefill-train evaluate on that, and "
                "bundle it again with what it wrote.",
            )


def _weights(folder: Path) -> list[str]:
    """Hashes of the graph and, where they lie beside it, of its weights."""
    return [hash_of(file) for file in sorted(folder.glob(f"{MODEL}*"))]


def summarize(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The scores that go into a manifest, from what ``evaluate --json`` wrote.

    The model's own are found by their precision, with what else tells them apart; what they have to
    beat by its name. Raises TrainingError when they are something else, or of several models.
    """
    try:
        # What there is to beat may have been comparable in programs only.
        results = [each for each in results if "tasks" in each or each["kind"] != "baseline"]
        scores = {_key(result): _summary(result) for result in results}
    except (KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"The scores lack {error}.",
            "Give what surefill-train evaluate --corpus --json wrote.",
        ) from error
    if len(scores) < len(results):
        raise TrainingError(
            "The scores are of several bundles with weights of one precision.",
            "Evaluate the bundles of one model only.",
        )
    return scores


def _key(result: Mapping[str, Any]) -> str:
    if result["kind"] == "baseline":
        return str(result["label"])
    note = result.get("note")
    return f"{result['precision']}, {note}" if note else str(result["precision"])


def _summary(result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "heldout_bits_per_byte": _rounded(result["bits_per_byte"]),
        "megabytes": round(result["megabytes"], 1),
        "blend": bool(result["blend"]),
        "baseline": result["kind"] == "baseline",
        "corpus": result["corpus"],
        "seed": result["seed"],
        "unseen": bool(result["unseen"]),
        "tasks": {
            task: {
                "holes": scores["holes"],
                "exact_match": _rounded(scores["exact_match"]["mean"]),
                "exact_match_interval": [
                    _rounded(scores["exact_match"][bound]) for bound in ("low", "high")
                ],
                "edit_similarity": _rounded(scores["edit_similarity"]["mean"]),
                "shown": _rounded(scores["shown"]["mean"]),
                "parses": _rounded(scores["parses"]["mean"]),
            }
            for task, scores in result["tasks"].items()
        },
        **({"programs": _in_programs(result["programs"])} if "programs" in result else {}),
    }


def _in_programs(programs: Mapping[str, Any]) -> dict[str, Any]:
    """By language: shares of the outcomes, and of the characters saved where it was typed."""
    found: dict[str, Any] = {}
    for language, shares in programs["languages"].items():
        found[language] = {
            "places": shares["places"],
            **{
                name: _rounded(shares[name]["mean"])
                for name in ("right", "right_or_begins", "wrong")
            },
        }
        if language in programs["typing"]:
            found[language]["saved"] = _rounded(programs["typing"][language]["saved"]["mean"])
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def scores_in_words(scores: Mapping[str, Any]) -> str:
    """One column for each contestant, one row for each measure."""
    if not scores:
        return "Not measured."
    tasks = dict.fromkeys(task for score in scores.values() for task in score["tasks"])
    rows = [
        ["held-out bits per byte, model alone"]
        + [figure(score["heldout_bits_per_byte"]) for score in scores.values()]
    ]
    for measure, show in (("exact match", _exact_match), ("edit similarity", _edit_similarity)):
        for task in tasks:
            cells = [show(score["tasks"].get(task)) for score in scores.values()]
            rows.append([f"{task_name(task)}, {measure}", *cells])
    rows += _program_rows(scores)
    rows.append(["size, MB", *(f"{score['megabytes']:.1f}" for score in scores.values())])
    return table(["", *scores], rows)


_IN_PROGRAMS = {
    "right": "right",
    "right_or_begins": "right or begins right",
    "wrong": "wrong",
    "saved": "characters saved when typed from empty",
}


_IN_PROGRAMS_IN_WORDS = """
In ordinary programs it was asked as editors ask by themselves, with the default thresholds: right
is what the author wrote word for word, and what begins right has three such characters at least."""


def _program_rows(scores: Mapping[str, Any]) -> list[list[str]]:
    """In ordinary programs: all of them, those in Python, and the others together."""
    measured = [score.get("programs", {}) for score in scores.values()]
    rows = []
    for language in (ALL, PYTHON, OTHERS):
        for measure, name in _IN_PROGRAMS.items():
            cells = [found.get(language, {}).get(measure) for found in measured]
            if any(cell is not None for cell in cells):
                shown = [NOTHING if cell is None else f"{cell:.1%}" for cell in cells]
                rows.append([f"ordinary programs ({language}), {name}", *shown])
    return rows


def _exact_match(task: Mapping[str, Any] | None) -> str:
    if task is None or task["exact_match"] is None:
        return NOTHING
    low, high = (100 * bound for bound in task["exact_match_interval"])
    return f"{task['exact_match']:.1%} ({low:.1f}-{high:.1f})"


def _edit_similarity(task: Mapping[str, Any] | None) -> str:
    if task is None or task["edit_similarity"] is None:
        return NOTHING
    return f"{task['edit_similarity']:.1%}"


def measured_in_words(scores: Mapping[str, Any]) -> str:
    """How the scores came about; empty without any."""
    if not scores:
        return ""
    own = [score for score in scores.values() if not score["baseline"]]
    packages = (
        "packages that neither the tokenizer nor the\nmodel has seen"
        if all(score["unseen"] for score in own)
        else "packages of which it is not known\nwhether the model has seen them"
    )
    tasks = {task: value["holes"] for score in own for task, value in score["tasks"].items()}
    holes = ", ".join(f"{count} {task_name(task)}" for task, count in tasks.items())
    in_programs = _IN_PROGRAMS_IN_WORDS if any("programs" in score for score in own) else ""
    return (
        f"Measured with `surefill-train evaluate` on {packages}, through the engine and the\n"
        f"pipeline that serve it. Holes: {holes}; in each at least three characters were missing. "
        "A match is exact\nwhen all that is shown is right, behind a dot the name; "
        f"{INTERVALS}.{in_programs}"
    )
