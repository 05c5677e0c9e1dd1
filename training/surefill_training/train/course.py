"""How far a run has come on its way through the budget."""

from __future__ import annotations

from surefill_training.options import TrainOptions


class Course:
    """Counts steps, tokens and seconds, of all parts of a run."""

    def __init__(self, options: TrainOptions, minutes: float) -> None:
        """``minutes`` bound a run whose options bound nothing."""
        self._options = options
        self._minutes = options.minutes or minutes
        self._steps_before = 0
        self.steps = 0
        self.tokens = 0
        self.seconds = 0.0

    @property
    def progress(self) -> float:
        """The share of the budget that is spent; it may end a little above 1."""
        options = self._options
        if options.steps is not None:
            return self.steps / options.steps
        if options.tokens is not None:
            return self.tokens / options.tokens
        return self.seconds / 60 / self._minutes

    @property
    def new_steps(self) -> int:
        """Steps since this part of the run began."""
        return self.steps - self._steps_before

    def begin_part(self) -> None:
        """What was counted so far was of earlier parts."""
        self._steps_before = self.steps

    def add(self, tokens: int, seconds: float) -> None:
        """Count one step."""
        self.steps += 1
        self.tokens += tokens
        self.seconds += seconds
