"""What a type checker has against a suggestion: errors that were not there without it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from surefill.oracle.answers import Diagnostic, Diagnostics
from surefill.syntax.document import split_lines
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
        lines = split_lines(self.text)
        start = self.span.start
        character = len(lines[-1]) + (start.character if len(lines) == 1 else 0)
        return Position(start.line + len(lines) - 1, character)

    @property
    def rows(self) -> int:
        """By how many lines what stands below moves down."""
        return self.end.line - self.span.end.line


def new_errors(before: Diagnostics, after: Diagnostics, change: Change) -> tuple[Diagnostic, ...]:
    """Errors that are there after ``change`` and were not before.

    What touches the text of the change is new. Elsewhere an error is the one that was there if
    code, message and line are the same. What lies on the user's own part of the changed line is
    not counted: it may be unfinished, and the change has not made it.
    """
    stood = Counter((error.code, error.message, error.range.start.line) for error in before.errors)
    found = []
    for error in after.errors:
        if error.code in _SYNTAX:
            continue
        start, end = error.range
        if start < change.end and change.span.start < end:
            found.append(error)
            continue
        if start.line == change.span.start.line and end <= change.span.start:
            continue
        line = start.line - (change.rows if start >= change.end else 0)
        key = (error.code, error.message, line)
        if stood[key]:
            stood[key] -= 1
        else:
            found.append(error)
    return tuple(found)
