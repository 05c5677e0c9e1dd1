"""The numbers of the display filter that a bundle may carry, checked when they are read.

A logistic model: the chance is the logistic function of ``bias`` plus each feature times its
weight, plus what the language adds. What the features are is described here; how they are found is
known to ``completion.display_filter``.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from surefill.errors import BundleError

_OF_ANY_MODEL = Path(__file__).with_name("display_of_any_model.json")

FEATURES: Mapping[str, str] = MappingProxyType(
    {
        "total": "log-probability of all tokens up to the cut",
        "surety": "-log(1 - p) of p, the probability of all tokens: grows where they are certain",
        "mean": "mean log-probability of a token",
        "least": "log-probability of the least likely token",
        "first": "log-probability of the first token after the cursor",
        "first_margin": "by how much the first token's log-probability exceeds the second best's",
        "least_margin": "the smallest such margin of all tokens",
        "end": "probability that nothing is missing, by the model",
        "tokens": "log of 1 + the number of tokens",
        "characters": "log of 1 + the number of characters that are not white space",
        "whole": "all that the model wrote, and it ended by itself",
        "line_end": "the cut is at the end of a line that the model wrote",
        "after_dot": "the cursor is in a name after a dot",
        "after_assign": "the cursor is after an equals sign",
        "in_brackets": "the cursor is inside brackets of an expression",
        "blank_line": "only white space stands before the cursor",
        "begins_block": "a block begins at the cursor",
        "described": "the cursor is under a comment or docstring",
        "in_text": "the cursor is in a string or comment",
        "complete": "what stands before the cursor needs no continuation",
        "code_after": "other code than closing brackets follows on the line",
        "nothing_below": "nothing stands below the cursor",
        "echo_first": "its first line stands already near the cursor",
        "echo_share": "the share of its lines that stand already near the cursor",
        "echo_definition": "it defines what is defined near the cursor already",
        "types_passed": "a type checker has found nothing wrong",
    }
)
"""Name and meaning; those that are true or false count 1 or 0."""


@dataclass(frozen=True)
class DisplayWeights:
    """A fitted filter. Features that ``weights`` leaves out count nothing."""

    bias: float
    weights: Mapping[str, float]
    languages: Mapping[str, float] = field(default_factory=dict)
    """By a language's id what is added to ``bias``; 0 for those that are not named."""

    def chance(self, features: Mapping[str, float], language: str) -> float:
        """The chance, 0 to 1, of what has these ``features`` in a document of ``language``."""
        score = self.bias + self.languages.get(language, 0.0)
        score += sum(weight * features[name] for name, weight in self.weights.items())
        # Either branch keeps the exponential below 1, so that it cannot overflow.
        if score >= 0:
            return 1.0 / (1.0 + math.exp(-score))
        grown = math.exp(score)
        return grown / (1.0 + grown)


def parse_display(raw: object) -> DisplayWeights:
    """The field ``display`` of a manifest; raises BundleError naming what is wrong."""
    if not isinstance(raw, Mapping):
        raise _wrong("", "an object")
    weights = _numbers(raw.get("weights"), "weights")
    unknown = sorted(set(weights) - set(FEATURES))
    if unknown:
        raise BundleError(
            f"The bundle's display filter weighs what this Surefill does not know: "
            f"{', '.join(unknown)}.",
            "Update Surefill, or fit the filter again with `surefill-train display`.",
        )
    return DisplayWeights(
        bias=_number(raw.get("bias"), "bias"),
        weights=weights,
        languages=_numbers(raw.get("languages", {}), "languages"),
    )


@functools.cache
def weights_of_any_model() -> DisplayWeights:
    """The filter for bundles that bring none: two families, fitted by `surefill-train display`."""
    return parse_display(json.loads(_OF_ANY_MODEL.read_text(encoding="utf-8")))


def _numbers(raw: object, key: str) -> dict[str, float]:
    if not isinstance(raw, Mapping):
        raise _wrong(key, "an object")
    return {str(name): _number(value, f"{key}.{name}") for name, value in raw.items()}


def _number(value: object, key: str) -> float:
    # JSON as Python reads it knows NaN, Infinity and integers of any size.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        raise _wrong(key, f"a number between -{_LARGEST:g} and {_LARGEST:g}")
    return float(value)


_LARGEST = 1e6


def _wrong(key: str, wanted: str) -> BundleError:
    name = f"display.{key}".rstrip(".")
    return BundleError(
        f'"{name}" in bundle.json must be {wanted}.',
        "Fit the filter again with `surefill-train display`.",
    )
