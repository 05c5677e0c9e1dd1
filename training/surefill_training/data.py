"""The stream of training rows: deterministic, and resumable at any row.

A row is ``length + 1`` tokens. Which example comes when depends on the seed, the epoch and the
position in the stream, and on nothing else.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from surefill.syntax.languages import Language, language_for
from surefill_training.corpus.documents import Document
from surefill_training.errors import CorpusError
from surefill_training.tasks.infilling import Example, Infilling
from surefill_training.tasks.mixture import MixtureOptions, repeats
from surefill_training.tasks.neighbours import Neighbours, imports_of
from surefill_training.tasks.pieces import chars_per_token, pieces

_AHEAD_PER_THREAD = 32
"""Examples that are prepared while the model trains on earlier ones."""
_FILLED = 0.8
"""Of a row, what the longest pieces fill, so that most fit with their hole."""
_FILLED_UP = 0.7
"""Of what is left of a row, what a piece's beginning is to fill of it with its hole."""
_LEAST_ROOM = 48
"""Tokens in which a hole still has something around it."""
_HEAD_SHARE = 0.2
_NATURAL = MixtureOptions()


@dataclass(frozen=True)
class Batch:
    """Rows of tokens, as arrays of the shape (count, length + 1)."""

    ids: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    """How much each token counts as a target."""
    examples: npt.NDArray[np.int64]
    """The number, in its row, of the example that a token belongs to."""


@dataclass(frozen=True)
class StreamState:
    """A position in the stream; equal states give equal rows ever after.

    Pieces are taken from the front of the epoch's order, and what fills up rows from its back.
    """

    epoch: int = 0
    cursor: int = 0
    fillers: int = 0


class RowStream:
    """Rows of training examples from documents.

    ``piece_chars`` is the length of the longest pieces, by default such that most fit a row with
    their hole, whatever the language. With ``threads``, examples are made ahead of their use in as
    many threads: a GPU trains faster than one core tokenises. The rows are the same.
    """

    def __init__(
        self,
        documents: Sequence[Document],
        task: Infilling,
        length: int,
        *,
        seed: int,
        threads: int = 0,
        piece_chars: int | None = None,
        mixture: MixtureOptions = _NATURAL,
    ) -> None:
        self._documents = documents
        self._languages: dict[str, Language | None] = {}
        self._neighbours = Neighbours(documents)
        self._task = task
        self._length = length
        self._seed = seed
        self._chars = chars_per_token(documents, task.encode)
        most = {name: max(1, int(length * _FILLED * chars)) for name, chars in self._chars.items()}
        limits = [piece_chars or most[document.language] for document in documents]
        self._pieces = pieces([document.text for document in documents], limits, seed)
        if not self._pieces:
            raise CorpusError("There is no text to train on.", "Build a corpus with usable files.")
        sizes: Counter[str] = Counter()
        for document in documents:
            sizes[document.language] += len(document.text)
        self._repeats = repeats(sizes, mixture)
        self._order_epoch = -1
        self._order: list[int] = []
        self._pool = ThreadPoolExecutor(threads, "surefill-rows") if threads else None
        self._ahead: deque[Future[Example]] = deque()
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

    def rows(self, count: int) -> Batch:
        """The next rows."""
        rows = [self._parts() for _ in range(count)]
        return Batch(
            np.array([[i for part in row for i in part.ids] for row in rows], np.int64),
            np.array([[w for part in row for w in part.weights] for row in rows], np.float32),
            np.array(
                [[n for n, part in enumerate(row) for _ in part.ids] for row in rows], np.int64
            ),
        )

    def survey(self, rows: int) -> float:
        """Share of the tokens in the first ``rows`` that belong to examples with a hole."""
        fresh = copy(self)
        fresh._pool, fresh._ahead, fresh._state = None, deque(), StreamState()
        holes = total = 0
        for _ in range(rows):
            for example in fresh._parts():
                total += len(example)
                holes += len(example) if example.has_hole else 0
        return holes / total

    def _parts(self) -> list[Example]:
        """What one row is made of: examples, and shorter ones that fill it up.

        An example that does not fit into the rest of a row opens the next one: a hole whose middle
        is cut off teaches nothing.
        """
        parts: list[Example] = []
        room = self._length + 1
        while room:
            example = self._peek()
            if len(example) <= room:
                self._take()
            elif not parts:
                # Longer than any row.
                example = self._fitting(self._order_of()[self._state.cursor], room)
                self._take()
            else:
                example = self._filler(room)
            parts.append(example)
            room -= len(example)
        return parts

    def _peek(self) -> Example:
        """The example at the cursor, prepared together with those that follow in this epoch."""
        order = self._order_of()
        if self._pool is None:
            if not self._ahead:
                done: Future[Example] = Future()
                done.set_result(self._example(self._state.epoch, order[self._state.cursor]))
                self._ahead.append(done)
            return self._ahead[0].result()
        while len(self._ahead) < self._most_ahead:
            at = self._state.cursor + len(self._ahead)
            if at >= len(order):
                break
            self._ahead.append(self._pool.submit(self._example, self._state.epoch, order[at]))
        return self._ahead[0].result()

    def _take(self) -> None:
        self._ahead.popleft()
        self._state = replace(self._state, cursor=self._state.cursor + 1)
        self._end_epoch()

    def _filler(self, room: int) -> Example:
        """An example from the far end of the order, where this epoch does not come."""
        piece = self._order_of()[-1 - self._state.fillers]
        self._state = replace(self._state, fillers=self._state.fillers + 1)
        found = self._fitting(piece, room)
        self._end_epoch()
        return found

    def _end_epoch(self) -> None:
        if self._state.cursor + self._state.fillers >= len(self._order_of()):
            self.state = StreamState(self._state.epoch + 1)

    def _order_of(self) -> list[int]:
        """The order of the pieces in the present epoch.

        Where one comes several times, the number of all pieces is added each time but the first.
        """
        epoch = self._state.epoch
        if self._order_epoch != epoch:
            rng = random.Random(f"{self._seed}:{epoch}")
            self._order = [*self._drawn(rng)]
            rng.shuffle(self._order)
            self._order_epoch = epoch
        return self._order

    def _drawn(self, rng: random.Random) -> Iterator[int]:
        """The pieces of an epoch, as often as their languages want it, one at the least."""
        found = False
        for piece, (index, _, _) in enumerate(self._pieces):
            wanted = self._repeats[self._documents[index].language]
            times = int(wanted) + (wanted % 1 > 0 and rng.random() < wanted % 1)
            yield from (piece + time * len(self._pieces) for time in range(times))
            found = found or times > 0
        if not found:
            yield 0

    def _piece(self, number: int) -> tuple[int, int, int]:
        return self._pieces[number % len(self._pieces)]

    def _text(self, piece: int) -> str:
        index, start, end = self._piece(piece)
        return self._documents[index].text[start:end]

    def _fitting(self, piece: int, room: int) -> Example:
        """The beginning of a piece, with its hole where that fits into ``room`` tokens."""
        index, _, end = self._piece(piece)
        document, text = self._documents[index], self._text(piece)
        at_end = end == len(document.text)
        limit = int(room * _FILLED_UP * self._chars[document.language])
        shorter = text if len(text) <= limit else text[: text.rfind("\n", 0, limit) + 1]
        if room >= _LEAST_ROOM and shorter:
            rng = random.Random(f"{self._seed}:{self._state.epoch}:{piece}:{room}")
            whole = at_end and shorter == text
            language = self._language(document)
            example = self._task.example(shorter, rng, language=language, at_end=whole)
            if len(example) <= room:
                return example
        return self._task.plain(text, at_end=at_end).cut(room)

    def _example(self, epoch: int, piece: int) -> Example:
        index, start, end = self._piece(piece)
        document, text = self._documents[index], self._text(piece)
        options = self._task.options
        rng = random.Random(f"{self._seed}:{epoch}:{piece}")
        if start and rng.random() < options.from_start:
            start, end = 0, document.text.rfind("\n", 0, len(text)) + 1 or len(text)
            text = document.text[:end]
        whole, head = len(text), ""
        related: list[str] = []
        if rng.random() < options.related:
            budget = int(len(text) * options.related_share)
            related = self._neighbours.excerpts(index, text, budget, rng)
            text = _less(text, sum(map(len, related)))
        if start and rng.random() < options.head:
            head = imports_of(document.text, int(len(text) * _HEAD_SHARE))
            text = _less(text, len(head))
        return self._task.example(
            head + text,
            rng,
            language=self._language(document),
            related=related,
            at_end=end == len(document.text) and len(text) == whole,
        )

    def _language(self, document: Document) -> Language | None:
        if document.language not in self._languages:
            self._languages[document.language] = language_for(document.language, document.path)
        return self._languages[document.language]


def _less(text: str, chars: int) -> str:
    """``text`` without its last lines, so that it is ``chars`` shorter; never empty."""
    if chars <= 0:
        return text
    return text[: text.rfind("\n", 0, max(1, len(text) - chars)) + 1] or text
