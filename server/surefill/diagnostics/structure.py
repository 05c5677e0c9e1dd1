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

    ``code`` gives a statement's text. Around what is broken in itself nothing is said.
    """
    levels: list[_Level] = []
    opened: _Level | None = None
    certain = True
    shown_code = ""
    for number, statement in enumerate(statements):
        text = code(statement)
        header = HEADER.match(text)
        word = header["word"] if header else ""
        problem = _indentation(levels, opened, number, statement, shown_code)
        if problem and certain and not statement.broken:
            yield problem
        while levels and levels[-1].width > statement.width:
            levels.pop()
        before = levels.pop() if levels and levels[-1].width == statement.width else None
        if not problem and certain and before and word in _BEFORE:
            if before.word not in _BEFORE[word]:
                yield _clause(number, word)
        elif not problem and certain and not before and word in _BEFORE and not statement.broken:
            yield _clause(number, word)
        if before and before.word == "try" and word not in ("except", "finally", "else"):
            if certain and not problem:
                yield _try(before.number)
        level = _Level(statement.width, word, number)
        levels.append(level)
        opened = level if text.endswith(":") and not statement.broken else None
        certain = not statement.broken
        shown_code = text
    if opened and certain:
        yield _no_block(opened.number, shown_code)


def _indentation(
    levels: list[_Level],
    opened: _Level | None,
    number: int,
    statement: Statement,
    above: str,
) -> Misplaced | None:
    if opened:
        return None if statement.width > opened.width else _no_block(opened.number, above)
    width = levels[-1].width if levels else 0
    if statement.width > width:
        message = "This line is indented further than the block that it is in."
        return Misplaced(number, "indentation", message)
    if not levels or any(level.width == statement.width for level in levels):
        return None
    return Misplaced(number, "indentation", "The indentation of this line matches no block above.")


def _no_block(number: int, header: str) -> Misplaced:
    message = f"The block behind `{shown(header)}` is missing: the next line has to be indented."
    return Misplaced(number, "block", message)


def _clause(number: int, word: str) -> Misplaced:
    owners = {"elif": "if", "else": "if", "except": "try", "finally": "try"}
    message = f"This `{word}` has no `{owners[word]}` that it could belong to."
    return Misplaced(number, "order", message)


def _try(number: int) -> Misplaced:
    message = "This `try` has neither an `except` nor a `finally`."
    return Misplaced(number, "order", message)
