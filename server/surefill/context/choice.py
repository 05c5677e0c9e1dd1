"""Which excerpts of other files stand in front of a document's prompts, and for how long.

The engine keeps the KV cache of an unchanged front only, so a choice stays as long as its owner
types on, whatever happens in other files. It is looked at again when the text behind the cursor is
another one or the imports are, because then most of the prompt is new anyway. Knows token counts,
no layout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from surefill.context.neighbours import Neighbours
from surefill.context.related import OtherFile, excerpts
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Snapshot, split_lines
from surefill.syntax.position import Position

_FAR_LINES = 40
"""So far from where a choice was made, another part of a file may be the similar one."""
_ABOVE_LINES, _BELOW_LINES = 40, 12
"""What is around the cursor, for what looks like it elsewhere; about as much as in training."""
_LONGEST_LINE = 300
_CHARACTERS_PER_TOKEN = 4
"""More than code has, so that the choice is made by what a prompt holds and not by this figure."""
_BEHIND_LINES = 4
"""By so many lines behind the cursor a place is known again."""


@dataclass(frozen=True)
class _Place:
    """Where the choice was made, and from what."""

    uri: str
    line: int
    files: int
    """Hash of the files that it was made from."""


class Choice:
    """The excerpts for one document at a time: the engine remembers no more than one prompt."""

    def __init__(self, encode: Callable[[str], Sequence[int]]) -> None:
        self._encode = encode
        self._place: _Place | None = None
        self._around: tuple[object, ...] = ()
        self._dropped = False
        self.excerpts: tuple[tuple[int, ...], ...] = ()
        """Token ids of each, in the order of the prompt."""

    def settled(self, snapshot: Snapshot, cursor: Cursor) -> bool:
        """Whether the prompt begins as the last one did, so that the choice has to stay."""
        return self._around == _unchanged(snapshot, cursor)

    def make(self, snapshot: Snapshot, cursor: Cursor, neighbours: Neighbours, budget: int) -> None:
        """Choose for the cursor's place: at most ``budget`` tokens, their separators included.

        The last choice stays where neither the files nor the place are others.
        """
        files = neighbours.files(snapshot)
        position = cursor.position
        place = _Place(snapshot.uri, position.line, hash(tuple((f.path, f.text) for f in files)))
        self._around = _unchanged(snapshot, cursor)
        if not self._dropped and self._holds(place):
            return
        self._place, self._dropped = place, False
        self.excerpts = tuple(self._choose(snapshot, position, files, budget))

    def drop(self) -> None:
        """There is no room for the excerpts: none until the choice is made again."""
        self.excerpts = ()
        self._dropped = True

    def _choose(
        self, snapshot: Snapshot, position: Position, files: Sequence[OtherFile], budget: int
    ) -> list[tuple[int, ...]]:
        """The excerpts as token ids; the most important one is the last."""
        around = _around(snapshot, position)
        chosen = excerpts(files, around, budget * _CHARACTERS_PER_TOKEN)
        left = budget - 1
        fitting: list[tuple[int, ...]] = []
        for text in reversed(chosen):
            ids = self._fit(text, left - 1)
            if ids:
                fitting.insert(0, ids)
                left -= len(ids) + 1
        return fitting

    def _fit(self, text: str, budget: int) -> tuple[int, ...]:
        """Whole lines from the start of ``text``; none where that leaves its path alone."""
        lines = split_lines(text)
        while len(lines) > 1:
            ids = self._encode("".join(lines))
            if len(ids) <= budget:
                return tuple(ids)
            del lines[min(len(lines) - 1, len(lines) * max(budget, 0) // len(ids)) :]
        return ()

    def _holds(self, place: _Place) -> bool:
        last = self._place
        return (
            last is not None
            and (last.uri, last.files) == (place.uri, place.files)
            and abs(last.line - place.line) <= _FAR_LINES
        )


def _around(snapshot: Snapshot, position: Position) -> str:
    first = max(0, position.line - _ABOVE_LINES)
    lines = snapshot.lines[first : position.line + _BELOW_LINES]
    return "".join(line[:_LONGEST_LINE] for line in lines)


def _unchanged(snapshot: Snapshot, cursor: Cursor) -> tuple[object, ...]:
    """What stays the same as long as somebody types on in one place."""
    line, character = cursor.position
    first, *others = snapshot.lines[line : line + _BEHIND_LINES]
    imports = snapshot.lines[slice(*cursor.imports)]
    return snapshot.uri, len(snapshot.lines) - line, first[character:], others, imports
