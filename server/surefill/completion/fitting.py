"""Calls measured against the type checker: what does not fit is taken out again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from surefill.apis.calls import Call, without
from surefill.apis.snippets import Snippet
from surefill.checks.syntax import check_syntax
from surefill.checks.types import Change, new_errors
from surefill.completion.facts import Facts
from surefill.oracle.answers import Diagnostic, Unknown
from surefill.syntax.document import Snapshot, split_lines
from surefill.syntax.position import Position, Range


@dataclass(frozen=True)
class Form:
    """Which part of a call is written: all of it, or what belongs ``inside`` its brackets."""

    inside: bool = False
    closes: bool = True
    """The closing bracket is written as well."""

    def of(self, call: Call) -> Snippet:
        """This part of ``call``."""
        if not self.inside:
            return call.snippet
        return call.inside + Snippet((")",)) if self.closes else call.inside


class Fitting:
    """Tries texts at one position of a document; ``facts`` are about the line of the position."""

    def __init__(self, facts: Facts, snapshot: Snapshot, position: Position) -> None:
        self._facts = facts
        self._snapshot = snapshot
        self._position = position

    def call(self, call: Call, start: Position, form: Form) -> Call | None:
        """``call`` with those values only that fit where its ``form`` stands from ``start`` on.

        None if it is wrong whatever is passed. Values that could not be checked do not fit.
        """
        snippet = form.of(call)
        if not self.parses(snippet, start):
            return None
        every = range(len(call.arguments))
        errors = self._errors(snippet, start)
        if errors is None:
            return _stripped(call, every)
        head = start if form.inside else Position(start.line, start.character + len(call.name) + 1)
        if any(error.range.start < head for error in errors):  # about the call as a whole
            bare = _stripped(call, every)
            if bare != call:
                return self.call(bare, start, form)
            return call if form.inside else None
        wrong = {n for error in errors for n in self._touched(error, snippet, start)}
        return _stripped(call, wrong)

    def holds(self, snippet: Snippet, start: Position) -> bool:
        """Whether the text parses, put from ``start`` on, and brings no type error.

        What stands at bare stops is no code yet, so errors about it are none.
        """
        if not self.parses(snippet, start):
            return False
        errors = self._errors(snippet, start)
        stops = [stop for _, _, stop in snippet.stops()]
        return errors is not None and all(
            any(stops[number].bare for number in self._touched(error, snippet, start))
            for error in errors
        )

    def parses(self, snippet: Snippet, start: Position) -> bool:
        """Whether the document has no new syntax error with the text."""
        span = Range(start, self._position)
        return check_syntax(self._snapshot, span, snippet.plain).outcome != "failed"

    def lines(self, text: str, start: Position) -> tuple[str, int]:
        """The position's line with ``text`` from ``start`` on, and the offset behind it."""
        line = self._snapshot.line(self._position.line)
        before = line[: start.character] + text
        return before + line[self._position.character :], len(before)

    def _errors(self, snippet: Snippet, start: Position) -> Sequence[Diagnostic] | None:
        lines, _ = self.lines(snippet.plain, start)
        before = self._facts.diagnostics_before(lines)
        after = self._facts.diagnostics(lines) if before else before
        if isinstance(after, Unknown) or isinstance(before, Unknown):
            return None
        change = Change(Range(start, self._position), snippet.plain)
        return new_errors(before, after, change)

    def _touched(self, error: Diagnostic, snippet: Snippet, start: Position) -> set[int]:
        """Numbers of the stops that an error is about."""
        begin = _offset(snippet.plain, start, error.range.start)
        end = _offset(snippet.plain, start, error.range.end)
        found = set()
        for number, (first, last, _) in enumerate(snippet.stops()):
            if first < end and begin < last:
                found.add(number)
        return found


def _stripped(call: Call, wrong: Iterable[int]) -> Call:
    """``call`` without those values, by number, that are ``wrong``."""
    filled = {number for number, argument in enumerate(call.arguments) if argument.filled}
    return replace(call, arguments=without(call.arguments, filled.intersection(wrong)))


def _offset(text: str, start: Position, position: Position) -> int:
    """Offset in ``text``, which begins at ``start``, of a position; clamped to it."""
    if position <= start:
        return 0
    lines = split_lines(text)
    row = position.line - start.line
    if row >= len(lines):
        return len(text)
    column = position.character - (0 if row else start.character)
    return min(len(text), sum(map(len, lines[:row])) + max(0, column))
