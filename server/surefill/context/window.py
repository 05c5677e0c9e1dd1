"""The part of a document that a model sees: lines around the cursor, within a token budget.

The prompt must change as little as possible while the user types, because the engine keeps the
KV cache of what did not change: the window begins at line numbers that are multiples of a step, and
the suffix's share of the budget changes in steps, too. Excerpts of other files stand in front and
are chosen rarely, by ``surefill.context.choice``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from surefill.context.choice import Choice
from surefill.context.healing import heal
from surefill.context.neighbours import Neighbours
from surefill.context.prompt import Order, PromptTemplate, layout
from surefill.engine.interface import Prompt, Tokenizer
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Snapshot, split_lines
from surefill.syntax.position import Position

_STEP_LINES = 16
_SUFFIX_SHARE = 4
"""The suffix gets one part in so many of the budget, and what the prefix leaves."""
_SUFFIX_STEPS = 8
_EXTRA_SHARE = 4
"""Imports get at most one part in so many of the prefix's budget, headers as much."""
_RELATED_SHARES = 8, 4
"""Excerpts of other files get one part in so many at least, and at most, of the context: more
where the document leaves room."""
_LONGEST_TOKEN = 16
"""A line with more characters per available token than this is not worth tokenising."""
_CACHED_LINES = 8_192
_COUNTED_BEFORE = 12_288
_COUNTED_AFTER = 4_096
"""Tokens around the cursor that n-grams are counted in."""


@dataclass(frozen=True)
class _Piece:
    """A piece of text with its token ids."""

    text: str
    ids: Sequence[int]


@dataclass(frozen=True)
class _Window:
    """What is seen of the document; without extras, the prefix begins at line ``start``."""

    prefix: list[_Piece]
    suffix: list[_Piece]
    start: int

    def holds_scope(self, cursor: Cursor) -> bool:
        """Whether all lines of the innermost scope above the cursor are there."""
        return not cursor.headers or self.start <= cursor.headers[-1][0]


class ContextBuilder:
    """Builds prompts for one bundle. Call it from one thread at a time.

    With a tokenizer that is not ``per_line`` the budgets are counted line by line, and the text
    that was chosen is encoded as a whole, as the model has seen it in training. With ``extends``
    (see ``heal``) the prompt may end before the cursor, for the model to begin with what is left.
    ``takes_related`` says that the model was trained with excerpts of other files in front. Where
    it ``counts``, the prompt names the document's tokens beyond the window, too, for n-grams.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        template: PromptTemplate,
        order: Order,
        context_length: int,
        *,
        per_line: bool = True,
        extends: Callable[[str], bool] | None = None,
        takes_related: bool = True,
        counts: bool = False,
    ) -> None:
        self._counts = counts
        # Only where the middle follows the prefix can a token reach over the cursor.
        self._extends = extends if order == "spm" or not template.infills else None
        self._per_line = per_line
        self._tokenizer = tokenizer
        self._template = template
        self._order = order
        self._context_length = context_length
        self._overhead = len(layout(template, order, tokenizer.special, (), ()))
        self._choice = Choice(self._encode_text) if takes_related and template.file_sep else None
        self._encode_line: Callable[[str], Sequence[int]] = getattr(
            tokenizer, "encode_line", None
        ) or functools.lru_cache(_CACHED_LINES)(lambda line: tuple(tokenizer.encode(line)))

    @property
    def template(self) -> PromptTemplate:
        """The template the prompts are laid out with."""
        return self._template

    @property
    def most_new_tokens(self) -> int:
        """How many tokens may be generated so that at least half the context is prompt."""
        return max(1, (self._context_length - self._overhead) // 2)

    def build(
        self,
        snapshot: Snapshot,
        position: Position,
        cursor: Cursor,
        max_new_tokens: int,
        neighbours: Neighbours | None = None,
    ) -> Prompt:
        """The prompt at ``position``, leaving room for ``max_new_tokens``.

        Contains whole lines; only the line of the cursor is cut, at its far ends, where it alone
        is too long. Imports and the headers of enclosing scopes stand in front of what is cut off.
        In front of all stand excerpts of ``neighbours``, unless the scope around the cursor would
        have to make room for them.
        """
        new_tokens = min(max_new_tokens, self.most_new_tokens)
        budget = max(0, self._context_length - self._overhead - new_tokens)
        related = self._related(snapshot, cursor, neighbours, budget)
        window = self._window(snapshot, position, cursor, budget - _cost(related))
        if related and self._choice and not window.holds_scope(cursor):
            self._choice.drop()
            related = ()
            window = self._window(snapshot, position, cursor, budget)
        before, lead = self._encode(window.prefix), ""
        whole = len(before)
        if self._extends is not None:
            keep = 0 if self._template.infills else 1
            text = _text(window.prefix)
            before, lead = heal(text, before, self._tokenizer, self._extends, keep=keep)
        ids = layout(
            self._template,
            self._order,
            self._tokenizer.special,
            before,
            self._encode(window.suffix),
            related=related,
        )
        prompt = Prompt(tuple(ids), _text(window.prefix), _text(window.suffix), lead)
        if not self._counts:
            return prompt
        above, behind = self._around(snapshot, position)
        above = above[: len(above) - (whole - len(before))]
        return replace(prompt, document=snapshot.uri, before=above, after=behind)

    def _around(
        self, snapshot: Snapshot, position: Position
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Tokens before and behind the cursor, in whole lines as far as those can be counted."""
        above = range(position.line - 1, -1, -1)
        below = range(position.line + 1, len(snapshot.lines))
        before = [self._cut(snapshot, position)]
        before += self._pieces(snapshot, self._while_they_fit(snapshot, above, _COUNTED_BEFORE))
        rest = _line(snapshot, position.line)[position.character :]
        after = [self._fit(rest, _COUNTED_AFTER, from_start=True)]
        after += self._pieces(snapshot, self._while_they_fit(snapshot, below, _COUNTED_AFTER))
        return tuple(self._encode(before[::-1])), tuple(self._encode(after))

    def _while_they_fit(
        self, snapshot: Snapshot, numbers: Iterable[int], budget: int
    ) -> Iterator[int]:
        """The first of these lines, as long as ``budget`` tokens hold them."""
        for number in numbers:
            ids = self._ids_of(_line(snapshot, number), budget)
            if ids is None:
                return
            budget -= len(ids)
            yield number

    def _related(
        self,
        snapshot: Snapshot,
        cursor: Cursor,
        neighbours: Neighbours | None,
        budget: int,
    ) -> Sequence[Sequence[int]]:
        """Excerpts of other files: what was chosen before, wherever that still holds."""
        if neighbours is None or self._choice is None:
            return ()
        if not self._choice.settled(snapshot, cursor):
            least, most = (self._context_length // share for share in _RELATED_SHARES)
            left = budget - self._count_lines(snapshot, range(len(snapshot.lines)), budget)
            self._choice.make(snapshot, cursor, neighbours, min(max(left, least), most))
        return self._choice.excerpts

    def _window(
        self, snapshot: Snapshot, position: Position, cursor: Cursor, budget: int
    ) -> _Window:
        suffix_budget = self._suffix_budget(snapshot, position, budget)
        suffix = self._suffix(snapshot, position, suffix_budget) if suffix_budget else []
        used = sum(len(piece.ids) for piece in suffix)
        prefix, start = self._prefix(snapshot, position, cursor, budget - used)
        return _Window(prefix, suffix, start)

    def _encode_text(self, text: str) -> Sequence[int]:
        if not self._per_line:
            return self._tokenizer.encode(text)
        return [id_ for line in split_lines(text) for id_ in self._encode_line(line)]

    def _encode(self, pieces: list[_Piece]) -> Sequence[int]:
        if self._per_line:
            return [id_ for piece in pieces for id_ in piece.ids]
        return self._tokenizer.encode(_text(pieces))

    def _suffix_budget(self, snapshot: Snapshot, position: Position, budget: int) -> int:
        """A share of the budget, and what the prefix leaves, in steps."""
        if not self._template.infills:
            return 0
        share = budget // _SUFFIX_SHARE
        step = max(1, budget // _SUFFIX_STEPS)
        before = self._cut(snapshot, position).ids
        taken = len(before) + self._count_above(snapshot, position.line, budget - len(before))
        left = budget - (taken // step + 1) * step
        return max(share, left)

    def _count_above(self, snapshot: Snapshot, line: int, limit: int) -> int:
        """Tokens in the lines above ``line``, or ``limit`` when there are more."""
        return self._count_lines(snapshot, range(line - 1, -1, -1), limit)

    def _count_lines(self, snapshot: Snapshot, numbers: Iterable[int], limit: int) -> int:
        """Tokens in these lines, or ``limit`` when there are more."""
        count = 0
        for number in numbers:
            ids = self._ids_of(_line(snapshot, number), limit - count)
            if ids is None:
                return limit
            count += len(ids)
        return count

    def _suffix(self, snapshot: Snapshot, position: Position, budget: int) -> list[_Piece]:
        rest = _line(snapshot, position.line)[position.character :]
        pieces = [self._fit(rest, budget, from_start=True)]
        left = budget - len(pieces[0].ids)
        if len(pieces[0].text) < len(rest):
            return pieces
        for number in range(position.line + 1, len(snapshot.lines)):
            line = _line(snapshot, number)
            ids = self._ids_of(line, left)
            if ids is None:
                break
            pieces.append(_Piece(line, ids))
            left -= len(ids)
        return pieces

    def _prefix(
        self, snapshot: Snapshot, position: Position, cursor: Cursor, budget: int
    ) -> tuple[list[_Piece], int]:
        """The pieces of the prefix, and the line where its window begins."""
        current = self._fit(self._before(snapshot, position), budget, from_start=False)
        left = budget - len(current.ids)
        if len(current.text) < position.character:
            return [current], position.line
        if self._count_above(snapshot, position.line, left + 1) <= left:
            return [*self._pieces(snapshot, range(position.line)), current], 0
        extras = self._extras(snapshot, position, cursor, left)
        left -= sum(len(piece.ids) for piece in extras.values())
        start = self._window_start(snapshot, position.line, left)
        kept = [piece for number, piece in sorted(extras.items()) if number < start]
        return [*kept, *self._pieces(snapshot, range(start, position.line)), current], start

    def _window_start(self, snapshot: Snapshot, line: int, budget: int) -> int:
        """The first line of the window: a multiple of the step wherever that leaves a window."""
        start = line
        while start > 0:
            ids = self._ids_of(_line(snapshot, start - 1), budget)
            if ids is None:
                break
            budget -= len(ids)
            start -= 1
        step = _STEP_LINES
        while step > 1 and -(-start // step) * step > (start + line) // 2:
            step //= 2
        return -(-start // step) * step

    def _extras(
        self, snapshot: Snapshot, position: Position, cursor: Cursor, budget: int
    ) -> dict[int, _Piece]:
        """Lines of imports and headers above the cursor that fit in their shares, by number."""
        found: dict[int, _Piece] = {}
        innermost_first = [n for span in reversed(cursor.headers) for n in range(*span)]
        for numbers in (innermost_first, range(*cursor.imports)):
            left = budget // _EXTRA_SHARE
            for number in numbers:
                if number >= position.line or number in found:
                    continue
                line = _line(snapshot, number)
                ids = self._ids_of(line, left)
                if ids is None:
                    break
                found[number] = _Piece(line, ids)
                left -= len(ids)
        return found

    def _pieces(self, snapshot: Snapshot, numbers: Iterable[int]) -> list[_Piece]:
        lines = (_line(snapshot, number) for number in numbers)
        return [_Piece(line, self._encode_line(line)) for line in lines]

    def _ids_of(self, line: str, limit: int) -> Sequence[int] | None:
        """Ids of ``line``; None when they are more than ``limit``."""
        if limit <= 0 or len(line) > limit * _LONGEST_TOKEN:
            return None if line else ()
        ids = self._encode_line(line)
        return ids if len(ids) <= limit else None

    @staticmethod
    def _before(snapshot: Snapshot, position: Position) -> str:
        return snapshot.lines[position.line][: position.character]

    def _cut(self, snapshot: Snapshot, position: Position) -> _Piece:
        return self._fit(self._before(snapshot, position), self._context_length, from_start=False)

    def _fit(self, text: str, budget: int, *, from_start: bool) -> _Piece:
        """As much of the start or end of ``text`` as ``budget`` tokens hold."""
        if budget <= 0 or not text:
            return _Piece("", ())
        length = min(len(text), budget * _LONGEST_TOKEN)
        while length:
            if from_start:
                part = text[:length]
            else:  # cut at a multiple of 64, so that typing at the end keeps the beginning
                begin = len(text) - length
                begin = min(-(-begin // 64) * 64, len(text) - 1) if begin else 0
                part = text[begin:]
            ids = self._encode_line(part) if length == len(text) else self._tokenizer.encode(part)
            if len(ids) <= budget:
                return _Piece(part, ids)
            length = min(length - 1, length * budget // len(ids))
        return _Piece("", ())


def _line(snapshot: Snapshot, number: int) -> str:
    """A line as training has seen it: whatever its end in the document, here it is a newline."""
    line = snapshot.lines[number]
    if line.endswith("\r\n"):
        return line[:-2] + "\n"
    return line[:-1] + "\n" if line.endswith("\r") else line


def _cost(related: Sequence[Sequence[int]]) -> int:
    """Tokens of excerpts in a prompt: one separator before each, and one behind them all."""
    return sum(len(excerpt) + 1 for excerpt in related) + bool(related)


def _text(pieces: Iterable[_Piece]) -> str:
    return "".join(piece.text for piece in pieces)
