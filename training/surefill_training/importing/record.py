"""``source.json``: where an imported model comes from, its licence, and what was changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from surefill.context.prompt import TEMPLATES
from surefill_training.corpus.filters import is_permissive
from surefill_training.errors import ModelImportError, TrainingError
from surefill_training.importing.vocabulary import Plan

RECORD = "source.json"


def read_source(model: Path) -> dict[str, Any]:
    """What an import noted in a model's folder; empty for a model of another origin."""
    try:
        found = json.loads((model / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{model / RECORD} cannot be read ({error}).", "Import the model again."
        ) from error
    return found if isinstance(found, dict) else {}


def require_infilling(source: Mapping[str, Any], template: str) -> None:
    """Raise TrainingError where ``template`` infills and its tokens have not been learned yet."""
    if source.get("infilling") == "untrained" and TEMPLATES[template].infills:
        raise TrainingError(
            f"{source.get('name', 'The model')} has not learned infilling: the tokens of the "
            f"template {template} were put in when it was imported.",
            "Train it first (surefill-train finetune), or bundle it with --template plain.",
        )


def changes(plan: Plan, restored: list[str], pre_tokenizer: str | None) -> dict[str, Any]:
    """What of a tokenizer is no longer as in the source."""
    found: dict[str, Any] = {}
    if restored:
        found["special_again"] = restored
    if plan.renamed:
        found["renamed"] = dict(plan.renamed)
    if plan.added:
        found["added"] = [
            {"token": each.token, "id": each.id, "was": each.was} for each in plan.added
        ]
    if pre_tokenizer:
        found["split_as"] = pre_tokenizer
    return found


def decide_license(
    stated: Mapping[str, str | None], given: str | None, *, any_license: bool
) -> tuple[str, str]:
    """The licence of the weights and who states it: the first of ``stated``, else the user.

    Raises ModelImportError where it is unknown, not permissive, or another than the user says.
    """
    by, found = next(((by, name) for by, name in stated.items() if name), ("--license", given))
    if given and found and by != "--license" and given.casefold() != found.casefold():
        raise ModelImportError(
            f"The {by} says that the licence is {found!r}, and --license {given!r}.",
            "Leave --license out, or give what the source states.",
        )
    if any_license:
        return found or "unknown", by
    if not found:
        raise ModelImportError(
            "The source does not say under which licence the weights are.",
            "Look it up and give it with --license, like --license Apache-2.0.",
        )
    if not is_permissive(found):
        raise ModelImportError(
            f"The licence {found!r}, which the {by} states, is not known to be permissive.",
            "Read it; with --any-license the model is imported all the same.",
        )
    return found, by
