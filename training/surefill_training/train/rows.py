"""The rows of each step: short ones and then full ones where asked for, made ahead of their use.

Knows how many rows a step has; what is in them is the stream's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass

from surefill_training.corpus.documents import Document
from surefill_training.data import Batch, RowStream, StreamState
from surefill_training.errors import TrainingError
from surefill_training.model import Preset
from surefill_training.options import TrainOptions
from surefill_training.tasks.infilling import Infilling


class Rows:
    """The rows of one stream, a step's number of them at a time.

    ``ahead`` makes the rows of the next step on a thread meanwhile, so that a GPU need not wait.
    The rows are the same, and so is ``state``: the position behind the rows that were handed out.
    """

    def __init__(self, stream: RowStream, count: int, *, ahead: bool) -> None:
        self.count = count
        self._stream = stream
        self._pool = ThreadPoolExecutor(1, "surefill-step") if ahead else None
        self._next: Future[Batch] | None = None
        self._state = stream.state

    @property
    def state(self) -> list[int]:
        return list(astuple(self._state))

    @state.setter
    def state(self, values: Sequence[int]) -> None:
        self._drain()
        self._state = self._stream.state = StreamState(*values)

    def next(self) -> Batch:
        """The rows of the next step."""
        if self._pool is None:
            rows = self._stream.rows(self.count)
            self._state = self._stream.state
            return rows
        pending = self._next or self._pool.submit(self._stream.rows, self.count)
        rows = pending.result()
        self._state = self._stream.state
        self._next = self._pool.submit(self._stream.rows, self.count)
        return rows

    def survey(self, rows: int) -> float:
        """As of the stream."""
        self._drain()
        return self._stream.survey(rows)

    def _drain(self) -> None:
        """Give up the rows that were made ahead."""
        if self._next is not None:
            self._next.result()
            self._next = None
            self._stream.state = self._state


@dataclass(frozen=True)
class Phase:
    """A part of the run whose rows have one length."""

    rows: Rows
    length: int
    """Tokens of a row."""
    micro_batch: int
    begin: float
    """Share of the run at which it begins."""


class Phases:
    """The phases of a run, and the one that it is in."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        self._phases = phases
        self.number = 0

    @property
    def current(self) -> Phase:
        return self._phases[self.number]

    @property
    def last(self) -> Phase:
        return self._phases[-1]

    @property
    def in_last(self) -> bool:
        return self.current is self.last

    def enter(self, progress: float) -> None:
        """Be in the phase that a run is in after this share of it; there is no way back."""
        while not self.in_last and progress >= self._phases[self.number + 1].begin:
            self.number += 1


def make_phases(
    documents: Sequence[Document],
    task: Infilling,
    plan: Preset,
    options: TrainOptions,
    *,
    gpu: bool,
) -> Phases:
    """One phase, or two where there is a curriculum, each with its own pass over the documents."""
    curriculum = options.curriculum
    begins = {plan.sequence: 0.0}
    if curriculum is not None:
        if curriculum.sequence >= plan.sequence:
            raise TrainingError(
                f"Rows cannot begin with {curriculum.sequence} tokens and end with fewer or as "
                f"many ({plan.sequence}).",
                "Choose a smaller --sequence-start.",
            )
        begins = {curriculum.sequence: 0.0, plan.sequence: curriculum.switch}
    phases = []
    for length, begin in begins.items():
        stream = RowStream(
            documents,
            task,
            length,
            seed=options.seed,
            # Where the model trains on a GPU the cores are free to prepare its rows.
            threads=min(8, os.cpu_count() or 1) if gpu else 0,
            mixture=options.mixture,
        )
        rows = Rows(stream, plan.batch * plan.sequence // length, ahead=gpu)
        micro_batch = max(1, plan.micro_batch * plan.sequence // length)
        phases.append(Phase(rows, length, micro_batch, begin))
    return Phases(phases)
