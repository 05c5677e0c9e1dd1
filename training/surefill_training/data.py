"""The stream of training rows: deterministic, and resumable at any row.

A row is ``length + 1`` token ids, filled with whole examples; the last one is cut. Which example
comes when depends on the seed, the epoch and the position in the stream, and on nothing else.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefill_training.errors import CorpusError
from surefill_training.tasks.infilling import Infilling

_AHEAD_PER_THREAD = 32
"""Examples that are prepared while the model trains on earlier ones."""


@dataclass(frozen=True)
class StreamState:
    """A position in the stream; equal states give equal rows ever after."""

    epoch: int = 0
    cursor: int = 0


def pieces(texts: Sequence[str], max_chars: int) -> list[tuple[int, int, int]]:
    """Cut texts at line ends into (text index, start, end) of at most ``max_chars`` characters.

    A single line that is longer is a piece of its own.
    """
    spans = []
    for index, text in enumerate(texts):
        start = 0
        while start < len(text):
            end = len(text)
            if end - start > max_chars:
                end = text.rfind("\n", start, start + max_chars) + 1
                if end <= start:
                    end = text.find("\n", start) + 1 or len(text)
            spans.append((index, start, end))
            start = end
    return spans


class RowStream:
    """Rows of training examples from a list of texts.

    With ``threads``, examples are made ahead of their use in as many threads: a GPU trains faster
    than one core tokenises. The rows are the same.
    """

    def __init__(
        self,
        texts: Sequence[str],
        task: Infilling,
        length: int,
        *,
        seed: int,
        piece_chars: int,
        threads: int = 0,
    ) -> None:
        self._texts = texts
        self._task = task
        self._length = length
        self._seed = seed
        self._pieces = pieces(texts, piece_chars)
        if not self._pieces:
            raise CorpusError("There is no text to train on.", "Build a corpus with usable files.")
        self._order_epoch = -1
        self._order: list[int] = []
        self._pool = ThreadPoolExecutor(threads, "surefill-rows") if threads else None
        self._ahead: deque[tuple[StreamState, Future[tuple[str, list[int]]]]] = deque()
        self._most_ahead = threads * _AHEAD_PER_THREAD
        self._state = StreamState()

    @property
    def state(self) -> StreamState:
        """The position behind the last row; setting it continues from there."""
        return self._state

    @state.setter
    def state(self, state: StreamState) -> None:
        self._state = state
        self._ahead.clear()

    def rows(self, count: int) -> npt.NDArray[np.int64]:
        """The next rows, shape (count, length + 1)."""
        return np.array([self._row() for _ in range(count)], np.int64)

    def survey(self, rows: int) -> float:
        """Share of the examples in the first ``rows`` that keep the hole they were given.

        Of those that do not fit into the rest of a row only the text is learned.
        """
        counts = [0, 0]
        state = StreamState()
        for _ in range(rows):
            length = 0
            while length <= self._length:
                state, piece = self._advance(state)
                _, ids = self._example(state.epoch, piece)
                fits = length + len(ids) <= self._length + 1
                counts[0] += fits and self._task.has_hole(ids)
                counts[1] += 1
                length += len(ids)
        return counts[0] / counts[1]

    def _row(self) -> list[int]:
        row: list[int] = []
        wanted = self._length + 1
        while len(row) < wanted:
            text, ids = self._next()
            if len(row) + len(ids) > wanted:
                # A hole whose middle is cut off teaches nothing; the same text from left to right
                # does.
                ids = self._task.plain(text)
            row.extend(ids[: wanted - len(row)])
        return row

    def _next(self) -> tuple[str, list[int]]:
        """The next piece of text and the example that is made of it."""
        if self._pool is None:
            self._state, piece = self._advance(self._state)
            return self._example(self._state.epoch, piece)
        while len(self._ahead) < self._most_ahead:
            state, piece = self._advance(self._ahead[-1][0] if self._ahead else self._state)
            self._ahead.append((state, self._pool.submit(self._example, state.epoch, piece)))
        self._state, example = self._ahead.popleft()
        return example.result()

    def _advance(self, state: StreamState) -> tuple[StreamState, int]:
        """The position behind the piece at ``state``, and the number of that piece."""
        if state.cursor >= len(self._pieces):
            state = StreamState(state.epoch + 1, 0)
        if self._order_epoch != state.epoch:
            self._order = list(range(len(self._pieces)))
            random.Random(f"{self._seed}:{state.epoch}").shuffle(self._order)
            self._order_epoch = state.epoch
        return StreamState(state.epoch, state.cursor + 1), self._order[state.cursor]

    def _example(self, epoch: int, piece: int) -> tuple[str, list[int]]:
        index, start, end = self._pieces[piece]
        text = self._texts[index][start:end]
        rng = random.Random(f"{self._seed}:{epoch}:{piece}")
        return text, self._task.example(text, rng)
