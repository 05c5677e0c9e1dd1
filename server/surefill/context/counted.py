"""The tokens far around the cursor, for those who count n-grams in them.

They reach further than a prompt, through most of a document, and hardly any of them change from one
request to the next: so they are put together in blocks of lines that stay. Knows lines and budgets,
nothing of prompts.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from surefill.context.lines import LONGEST_TOKEN, LineEncoder, Lines, Piece
from surefill.syntax.position import Position

_BEFORE = 12_288
_BEHIND = 4_096
"""Tokens of whole lines above and below the cursor's that are counted in."""
_BLOCK = 64
"""Lines in a block. A token that crosses line ends is cut at its edge."""
_NEAR = 8
"""So many lines beside the cursor are in no block, so that what is nearest is as in a prompt."""

Ids = tuple[int, ...]


class CountedTokens:
    """The tokens around the cursor of one document at a time. For one thread at a time."""

    def __init__(self, encoder: LineEncoder) -> None:
        self._encoder = encoder
        self._blocks: dict[tuple[str, ...], Ids] = {}
        """Those that the present request needs, by their lines."""
        self._last: dict[tuple[str, ...], Ids] = {}
        """Those of the request before."""

    def around(
        self, lines: Lines, position: Position, before: Piece, behind: Piece
    ) -> tuple[Ids, Ids]:
        """Tokens before and behind the cursor: in whole lines, as far as those can be counted.

        ``before`` and ``behind`` are what is seen of the cursor's own line. Blocks are numbered
        from the document's two ends, so that lines added at the cursor leave them as they are.
        """
        number, count = position.line, len(lines)
        top = max(0, number - _NEAR) // _BLOCK * _BLOCK
        bottom = count - max(0, count - number - 1 - _NEAR) // _BLOCK * _BLOCK
        self._last, self._blocks = self._blocks, {}
        upwards = (range(end - 1, end - _BLOCK - 1, -1) for end in range(top, 0, -_BLOCK))
        downwards = (range(start, start + _BLOCK) for start in range(bottom, count, _BLOCK))
        above = self._side(lines, before, range(number - 1, top - 1, -1), upwards, _BEFORE)
        below = self._side(lines, behind, range(number + 1, bottom), downwards, _BEHIND)
        return tuple(chain.from_iterable(reversed(above))), tuple(chain.from_iterable(below))

    def _side(
        self, lines: Lines, own: Piece, near: range, blocks: Iterable[range], budget: int
    ) -> list[Ids]:
        """One side of the cursor in parts; they and all numbers lead away from it."""
        kept = list(lines.fitting(near, budget))
        pieces = lines.pieces(sorted(kept))
        budget -= sum(len(piece.ids) for piece in pieces)
        whole = [*pieces, own] if near.step < 0 else [own, *pieces]
        parts = [tuple(self._encoder.joined(whole))]
        if len(kept) < len(near):
            return parts
        for block in blocks:
            ids = self._block(lines, block, budget)
            if ids is None or len(ids) > budget:
                rest = sorted(lines.fitting(block, budget))
                parts.append(tuple(self._encoder.joined(lines.pieces(rest))))
                break
            parts.append(ids)
            budget -= len(ids)
        return parts

    def _block(self, lines: Lines, numbers: range, budget: int) -> Ids | None:
        """Ids of all these lines; None where they are too long to be tokenised."""
        text = lines.as_they_are(numbers)
        ids = self._last.get(text)
        if ids is None:
            if sum(map(len, text)) > budget * LONGEST_TOKEN:
                return None
            ids = tuple(self._encoder.joined(lines.pieces(sorted(numbers))))
        self._blocks[text] = ids
        return ids
