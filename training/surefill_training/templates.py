"""Prompt templates by the names that users give."""

from __future__ import annotations

from surefill.context.prompt import TEMPLATES, PromptTemplate
from surefill_training.errors import TrainingError


def find_template(name: str) -> PromptTemplate:
    """The template of a name; raises TrainingError where there is none."""
    try:
        return TEMPLATES[name]
    except KeyError as error:
        raise TrainingError(
            f"There is no prompt template {name!r}.", f"Choose one of {', '.join(TEMPLATES)}."
        ) from error
