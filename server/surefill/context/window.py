"""The part of a document that a model sees: lines around the cursor, within a token budget.

The prompt must change as little as possible while the user types, because the engine keeps the
KV cache of what did not change: the window begins at line numbers that are multiples of a step, and
the suffix's share of the budget changes in steps, too. Excerpts of other files stand in front and
are chosen rarely, by ``surefill.context.choice``. How lines become tokens is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from surefill.context.choice import Choice
from surefill.context.counted import CountedTokens
from surefill.context.healing import heal
from surefill.context.lines import LineEncoder, Lines, Piece, text_of
from surefill.context.neighbours import Neighbours
from surefill.context.prompt import Order, PromptTemplate, layout
from surefill.engine.interface import Prompt, Tokenizer
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position

_STEP_LINES = 16
_LINES_BELOW, _LONGEST_LOOKED_AT = 100, 1_000
"""What is looked at after the cursor, in lines and characters of each, for a word."""
_SAYS_SOMETHING = re.compile(r"\w")
_SUFFIX_SHARE = 4
"""The suffix gets one part in so many of the budget, and what the prefix leaves."""
_SUFFIX_STEPS = 8
_EXTRA_SHARE = 4
"""Imports get at most one part in so many of the prefix's budget, headers as much."""
_RELATED_SHARES = 8, 4
"""Excerpts of other files get one part in so many at least, and at most, of the context: more
where the document leaves room."""


@dataclass(frozen=True)
class _Window:
    """What is seen of the document; without extras, the prefix begins at line ``start``."""

    prefix: list[Piece]
    suffix: list[Piece]
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
        self._extends = extends
        self._tokenizer = tokenizer
        self._template = template
        self._order = order
        self._context_length = context_length
        self._overhead = len(layout(template, order, tokenizer.special, (), ()))
        self._encoder = LineEncoder(tokenizer, per_line=per_line)
        self._choice = Choice(self._encoder.text) if takes_related and template.file_sep else None
        self._counted = CountedTokens(self._encoder) if counts else None

    @property
    def template(self) -> PromptTemplate:
        """The template the prompts are laid out with."""
        return self._template

    @property
    def tokenizer(self) -> Tokenizer:
        """What makes tokens of the prompts' text."""
        return self._tokenizer

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
        *,
        infill: bool = True,
    ) -> Prompt:
        """The prompt at ``position``, leaving room for ``max_new_tokens``.

        It shows what stands after the cursor where the model infills and that says something;
        without ``infill`` it never does, and the model continues what stands before.

        Contains whole lines; only the line of the cursor is cut, at its far ends, where it alone
        is too long. Imports and the headers of enclosing scopes stand in front of what is cut off.
        In front of all stand excerpts of ``neighbours``, unless the scope around the cursor would
        have to make room for them.
        """
        lines = Lines(snapshot, self._encoder)
        infill = infill and self._infills(snapshot, position)
        new_tokens = min(max_new_tokens, self.most_new_tokens)
        budget = max(0, self._context_length - self._overhead - new_tokens)
        related = self._related(snapshot, lines, cursor, neighbours, budget)
        window = self._window(lines, position, cursor, budget - _cost(related), infill=infill)
        if related and self._choice and not window.holds_scope(cursor):
            self._choice.drop()
            related = ()
            window = self._window(lines, position, cursor, budget, infill=infill)
        prefix, suffix = text_of(window.prefix), text_of(window.suffix)
        whole = self._encoder.joined(window.prefix)
        before, lead = whole, ""
        # Only where the middle follows the prefix can a token reach over the cursor.
        if self._extends is not None and (self._order == "spm" or not infill):
            before, lead = heal(prefix, whole, self._tokenizer, self._extends)
        after = self._encoder.joined(window.suffix) if infill else None
        special = self._tokenizer.special
        ids = layout(self._template, self._order, special, before, after, related=related)
        prompt = Prompt(tuple(ids), prefix, suffix, lead, infills=infill)
        if self._counted is None:
            return prompt
        own = [side(position, self._context_length) for side in (lines.before, lines.behind)]
        above, below = self._counted.around(lines, position, *own)
        above = above[: len(above) - (len(whole) - len(before))]
        return replace(prompt, document=snapshot.uri, before=above, after=below)

    def _related(
        self,
        snapshot: Snapshot,
        lines: Lines,
        cursor: Cursor,
        neighbours: Neighbours | None,
        budget: int,
    ) -> Sequence[Sequence[int]]:
        """Excerpts of other files: what was chosen before, wherever that still holds."""
        if neighbours is None or self._choice is None:
            return ()
        if not self._choice.settled(snapshot, cursor):
            least, most = (self._context_length // share for share in _RELATED_SHARES)
            left = budget - lines.count(range(len(lines)), budget)
            self._choice.make(snapshot, cursor, neighbours, min(max(left, least), most))
        return self._choice.excerpts

    def _infills(self, snapshot: Snapshot, position: Position) -> bool:
        """Whether the model can show for what stands after the cursor, and that says something.

        Asked to fill the space before nothing, a model ends at once more often than not.
        """
        if not self._template.infills:
            return False
        rest = snapshot.line(position.line)[position.character :]
        below = snapshot.lines[position.line + 1 : position.line + 1 + _LINES_BELOW]
        return any(_SAYS_SOMETHING.search(line[:_LONGEST_LOOKED_AT]) for line in (rest, *below))

    def _window(
        self, lines: Lines, position: Position, cursor: Cursor, budget: int, *, infill: bool
    ) -> _Window:
        suffix_budget = self._suffix_budget(lines, position, budget) if infill else 0
        suffix = _suffix(lines, position, suffix_budget) if suffix_budget else []
        used = sum(len(piece.ids) for piece in suffix)
        prefix, start = _prefix(lines, position, cursor, budget - used)
        return _Window(prefix, suffix, start)

    def _suffix_budget(self, lines: Lines, position: Position, budget: int) -> int:
        """A share of the budget, and what the prefix leaves, in steps."""
        share = budget // _SUFFIX_SHARE
        step = max(1, budget // _SUFFIX_STEPS)
        before = len(lines.before(position, self._context_length).ids)
        taken = before + _count_above(lines, position.line, budget - before)
        left = budget - (taken // step + 1) * step
        return max(share, left)


def _count_above(lines: Lines, number: int, limit: int) -> int:
    """Tokens in the lines above ``number``, or ``limit`` when there are more."""
    return lines.count(range(number - 1, -1, -1), limit)


def _suffix(lines: Lines, position: Position, budget: int) -> list[Piece]:
    rest = lines.behind(position, budget)
    if len(rest.text) < len(lines[position.line]) - position.character:
        return [rest]
    below = range(position.line + 1, len(lines))
    return [rest, *lines.pieces(lines.fitting(below, budget - len(rest.ids)))]


def _prefix(
    lines: Lines, position: Position, cursor: Cursor, budget: int
) -> tuple[list[Piece], int]:
    """The pieces of the prefix, and the line where its window begins."""
    current = lines.before(position, budget)
    left = budget - len(current.ids)
    if len(current.text) < position.character:
        return [current], position.line
    if _count_above(lines, position.line, left + 1) <= left:
        return [*lines.pieces(range(position.line)), current], 0
    extras = _extras(lines, position, cursor, left)
    left -= sum(len(piece.ids) for piece in extras.values())
    start = _window_start(lines, position.line, left)
    kept = [piece for number, piece in sorted(extras.items()) if number < start]
    return [*kept, *lines.pieces(range(start, position.line)), current], start


def _window_start(lines: Lines, number: int, budget: int) -> int:
    """The first line of the window: a multiple of the step wherever that leaves a window."""
    start = min(lines.fitting(range(number - 1, -1, -1), budget), default=number)
    step = _STEP_LINES
    while step > 1 and -(-start // step) * step > (start + number) // 2:
        step //= 2
    return -(-start // step) * step


def _extras(lines: Lines, position: Position, cursor: Cursor, budget: int) -> dict[int, Piece]:
    """Lines of imports and headers above the cursor that fit in their shares, by number."""
    found: dict[int, Piece] = {}
    innermost_first = [n for span in reversed(cursor.headers) for n in range(*span)]
    for numbers in (innermost_first, range(*cursor.imports)):
        above = [n for n in numbers if n < position.line and n not in found]
        fitting = list(lines.fitting(above, budget // _EXTRA_SHARE))
        found.update(zip(fitting, lines.pieces(fitting), strict=True))
    return found


def _cost(related: Sequence[Sequence[int]]) -> int:
    """Tokens of excerpts in a prompt: one separator before each, and one behind them all."""
    return sum(len(excerpt) + 1 for excerpt in related) + bool(related)
