"""What a type checker has against a suggestion: errors that were not there without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from surefill.oracle.answers import Diagnostic, Diagnostics
from surefill.syntax.document import end_of
from surefill.syntax.position import Position, Range

_SYNTAX = {"invalid-syntax", "parse-error", "syntax-error"}
"""Codes by which checkers complain of syntax, which is judged by itself."""


@dataclass(frozen=True)
class Change:
    """``text`` in place of ``span`` of a document."""

    span: Range
    text: str

    @property
    def end(self) -> Position:
        """Where ``text`` ends."""
        return end_of(self.span.start, self.text)

    @property
    def rows(self) -> int:
        """By how many lines what stands below moves down."""
        return self.end.line - self.span.end.line


def new_errors(before: Diagnostics, after: Diagnostics, change: Change) -> tuple[Diagnostic, ...]:
    """Errors that are there after ``change`` and were not before, those in its text first."""
    return (*errors_within(after, change), *new_errors_elsewhere(before, after, change))


def errors_within(after: Diagnostics, change: Change) -> tuple[Diagnostic, ...]:
    """Errors that touch the text of ``change``: they are new, whatever was there before."""
    return tuple(each for each in _judged(after) if _touches(each, change))


def new_errors_elsewhere(
    before: Diagnostics, after: Diagnostics, change: Change
) -> tuple[Diagnostic, ...]:
    """Errors outside the text of ``change`` that were not there before.

    An error is the one that was there if code, message and line are the same. What lies on the
    user's own part of the changed line is not counted: it may be unfinished, and the change has not
    made it.
    """
    stood = Counter((error.code, error.message, error.range.start.line) for error in before.errors)
    found = []
    for error in _judged(after):
        start, end = error.range
        own = start.line == change.span.start.line and end <= change.span.start
        if own or _touches(error, change):
            continue
        key = (error.code, error.message, start.line - (change.rows if start >= change.end else 0))
        if stood[key]:
            stood[key] -= 1
        else:
            found.append(error)
    return tuple(found)


def _judged(diagnostics: Diagnostics) -> Iterator[Diagnostic]:
    return (error for error in diagnostics.errors if error.code not in _SYNTAX)


def _touches(error: Diagnostic, change: Change) -> bool:
    start, end = error.range
    return start < change.end and change.span.start < end
