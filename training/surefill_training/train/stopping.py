"""Early stopping: whether the held-out loss still falls."""

from __future__ import annotations

import math
from collections.abc import Sequence

from surefill_training.options import StoppingOptions


class EarlyStopping:
    """Follows the held-out scores of a run. Without options it never stops one."""

    def __init__(self, options: StoppingOptions | None) -> None:
        self._options = options
        self._best = math.inf
        self._waited = 0

    @property
    def active(self) -> bool:
        return self._options is not None

    @property
    def exhausted(self) -> bool:
        """Whether patience has run out."""
        return self._options is not None and self._waited >= self._options.patience

    @property
    def state(self) -> list[float]:
        """The best score and the evaluations since; setting it continues from there."""
        return [self._best, self._waited]

    @state.setter
    def state(self, state: Sequence[float]) -> None:
        self._best, self._waited = state[0], int(state[1])

    def add(self, bits: float) -> bool:
        """Note a score in bits per byte; whether it is the best so far, by the least difference."""
        if self._options is None:
            return False
        improved = bits < self._best - self._options.min_delta
        self._best = bits if improved else self._best
        self._waited = 0 if improved else self._waited + 1
        return improved
