"""How Python statements stand together: indentation, and clauses that belong to others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from surefill.diagnostics.problem import Cause
from surefill.diagnostics.statement import HEADER
from surefill.diagnostics.statements import Statement
from surefill.diagnostics.words import shown

_BEFORE = {
    "elif": ("if", "elif"),
    "else": ("if", "elif", "for", "while", "except", "try"),
    "except": ("try", "except"),
    "finally": ("try", "except", "else"),
}
"""For each clause, which clauses may stand right before it."""


class Misplaced(NamedTuple):
    """What is wrong with the place of the statement of this number."""

    number: int
    cause: Cause
    message: str
    wanted: str = ""


class _Level(NamedTuple):
    width: int
    word: str
    """The clause that the last statement at this level begins; empty for a simple statement."""
    number: int


def misplaced(
    statements: Iterable[Statement], code: Callable[[Statement], str]
) -> Iterator[Misplaced]:
    """Statements at a wrong indentation, headers without a block, clauses without their header.

    ``code`` gives a statement's text. Right behind what is broken in itself nothing is said.
    """
    walk = _Walk()
    for number, statement in enumerate(statements):
        trusted = walk.trusted and not statement.broken
        problem = walk.step(number, statement, code(statement))
        if problem and trusted:
            yield problem
    if walk.opened and walk.trusted:
        yield _no_block(walk.opened.number, walk.above)


class _Walk:
    """The levels of indentation that are open, from statement to statement."""

    def __init__(self) -> None:
        self._levels: list[_Level] = []
        self.opened: _Level | None = None
        """The header whose block has to begin."""
        self.trusted = True
        """The statement before is what it seems to be."""
        self.above = ""

    def step(self, number: int, statement: Statement, text: str) -> Misplaced | None:
        """Go on to the next statement, right or wrong; says what is wrong with its place."""
        header = HEADER.match(text)
        word = header["word"] if header else ""
        problem = self._indentation(number, statement)
        while self._levels and self._levels[-1].width > statement.width:
            self._levels.pop()
        sibling = None
        if self._levels and self._levels[-1].width == statement.width:
            sibling = self._levels.pop()
        problem = problem or _order(number, word, sibling)
        level = _Level(statement.width, word, number)
        self._levels.append(level)
        self.opened = level if text.endswith(":") and not statement.broken else None
        self.trusted = not statement.broken
        self.above = text
        return problem

    def _indentation(self, number: int, statement: Statement) -> Misplaced | None:
        if self.opened:
            fits = statement.width > self.opened.width
            return None if fits else _no_block(self.opened.number, self.above)
        if statement.width > (self._levels[-1].width if self._levels else 0):
            message = "This line is indented further than the block that it is in."
            return Misplaced(number, "indentation", message)
        if not self._levels or any(each.width == statement.width for each in self._levels):
            return None
        message = "The indentation of this line matches no block above."
        return Misplaced(number, "indentation", message)


def _order(number: int, word: str, sibling: _Level | None) -> Misplaced | None:
    """What is wrong with a clause behind ``sibling``, the last statement at its level."""
    before = sibling.word if sibling else ""
    if word in _BEFORE and before not in _BEFORE[word]:
        owners = {"elif": "if", "else": "if", "except": "try", "finally": "try"}
        message = f"This `{word}` has no `{owners[word]}` that it could belong to."
        return Misplaced(number, "order", message)
    if sibling and before == "try" and word not in ("except", "finally", "else"):
        message = "This `try` has neither an `except` nor a `finally`."
        return Misplaced(sibling.number, "order", message)
    return None


def _no_block(number: int, header: str) -> Misplaced:
    message = f"The block behind `{shown(header)}` is missing: the next line has to be indented."
    return Misplaced(number, "block", message)
