"""A document's lines as token ids: how many of them, and how much of one, so many tokens hold.

Knows one tokenizer and one version of a document; which lines a model sees is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from surefill.engine.interface import Tokenizer
from surefill.syntax.document import Snapshot, split_lines
from surefill.syntax.position import Position

LONGEST_TOKEN = 16
"""A text with more characters per available token than this is not worth tokenising."""


@dataclass(frozen=True)
class Piece:
    """A piece of text with its token ids."""

    text: str
    ids: Sequence[int]


class LineEncoder:
    """Encodes for one bundle. For one thread at a time.

    With a tokenizer that is not ``per_line``, single lines are encoded only to be counted, and what
    is put together is encoded as a whole, as the model has seen it in training.
    """

    def __init__(self, tokenizer: Tokenizer, *, per_line: bool) -> None:
        self._per_line = per_line
        self.part: Callable[[str], Sequence[int]] = tokenizer.encode
        """Ids of a text that will hardly come again."""
        self.line: Callable[[str], Sequence[int]]
        """Ids of a line, which a tokenizer may remember."""
        self.line = getattr(tokenizer, "encode_line", tokenizer.encode)

    def text(self, text: str) -> Sequence[int]:
        """Ids of any number of lines."""
        if not self._per_line:
            return self.part(text)
        return [id_ for line in split_lines(text) for id_ in self.line(line)]

    def joined(self, pieces: Iterable[Piece]) -> Sequence[int]:
        """Ids of pieces that follow one another."""
        if self._per_line:
            return [id_ for piece in pieces for id_ in piece.ids]
        return self.part(text_of(pieces))


class Lines:
    """The lines of one snapshot, for one request: what was encoded in it is not encoded again."""

    def __init__(self, snapshot: Snapshot, encoder: LineEncoder) -> None:
        self._lines = snapshot.lines
        self._encoder = encoder
        self._known: dict[str, Sequence[int]] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, number: int) -> str:
        """A line as training has seen it: whatever ends it in the document, here a newline does."""
        line = self._lines[number]
        if line.endswith("\r\n"):
            return line[:-2] + "\n"
        return line[:-1] + "\n" if line.endswith("\r") else line

    def as_they_are(self, numbers: range) -> tuple[str, ...]:
        """The document's own lines, from the first to the last of ``numbers``."""
        return self._lines[min(numbers) : max(numbers) + 1]

    def ids_within(self, number: int, limit: int) -> Sequence[int] | None:
        """Ids of a line; None when they are more than ``limit``."""
        line = self[number]
        if limit <= 0 or len(line) > limit * LONGEST_TOKEN:
            return None if line else ()
        ids = self._ids(line)
        return ids if len(ids) <= limit else None

    def fitting(self, numbers: Iterable[int], budget: int) -> Iterator[int]:
        """The first of these lines, as long as ``budget`` tokens hold them."""
        for number in numbers:
            ids = self.ids_within(number, budget)
            if ids is None:
                return
            budget -= len(ids)
            yield number

    def count(self, numbers: Iterable[int], limit: int) -> int:
        """Tokens in these lines, or ``limit`` when there are more."""
        count = 0
        for number in numbers:
            ids = self.ids_within(number, limit - count)
            if ids is None:
                return limit
            count += len(ids)
        return count

    def pieces(self, numbers: Iterable[int]) -> list[Piece]:
        """These lines, whatever their length."""
        return [Piece(line, self._ids(line)) for line in map(self.__getitem__, numbers)]

    def before(self, position: Position, budget: int) -> Piece:
        """As much of the line before ``position`` as ``budget`` tokens hold."""
        text = self._lines[position.line][: position.character]
        # Cut at a multiple of 64, so that typing at the end keeps the beginning.
        return self._fit(text, budget, lambda length: text[_at_step(len(text), length) :])

    def behind(self, position: Position, budget: int) -> Piece:
        """As much of the line from ``position`` on as ``budget`` tokens hold."""
        text = self[position.line][position.character :]
        return self._fit(text, budget, lambda length: text[:length])

    def _fit(self, text: str, budget: int, part_of: Callable[[int], str]) -> Piece:
        """``text``, or the largest of its parts that fits; ``part_of`` gives one by its length."""
        length = min(len(text), budget * LONGEST_TOKEN)
        while length > 0:
            part = part_of(length)
            ids = self._ids(part, is_line=length == len(text))
            if len(ids) <= budget:
                return Piece(part, ids)
            length = min(length - 1, length * budget // len(ids))
        return Piece("", ())

    def _ids(self, text: str, *, is_line: bool = True) -> Sequence[int]:
        ids = self._known.get(text)
        if ids is None:
            ids = self._encoder.line(text) if is_line else self._encoder.part(text)
            self._known[text] = ids
        return ids


def text_of(pieces: Iterable[Piece]) -> str:
    """The text of pieces that follow one another."""
    return "".join(piece.text for piece in pieces)


def _at_step(whole: int, length: int) -> int:
    """Where an end of about ``length`` characters begins in a text of ``whole``."""
    begin = whole - length
    return min(-(-begin // 64) * 64, whole - 1) if begin else 0
