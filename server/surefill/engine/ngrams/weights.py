"""All that is learned of one mixture: whom to believe, and how to order what they propose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from surefill.engine.ngrams.gate import Gate
from surefill.engine.ngrams.ranker import Ranker


@dataclass(frozen=True)
class Weights:
    """Fitted together, for one base.

    Kept in single precision: the first layer of a ranker holds the scales of its features, where
    sums of half precision would be off.
    """

    gate: Gate
    ranker: Ranker

    def to_arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """Arrays to store, their names led by ``prefix``."""
        return {
            **self.gate.to_arrays(f"{prefix}.gate."),
            **self.ranker.to_arrays(f"{prefix}.ranker."),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Weights:
        """Raises KeyError or ValueError for arrays that are no weights."""
        return cls(
            Gate.from_arrays(arrays, f"{prefix}.gate."),
            Ranker.from_arrays(arrays, f"{prefix}.ranker."),
        )
