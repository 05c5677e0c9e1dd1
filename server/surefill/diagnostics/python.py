"""Syntax problems of a Python document: one for each cause, in the statement where it lies.

The tree says whether there are any and where it stumbled; which statement is to blame is found out
by parsing statements alone, because one open bracket makes a tree err everywhere behind it.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from surefill.diagnostics.problem import Problem
from surefill.diagnostics.statement import Fault, StatementParser
from surefill.diagnostics.statements import Opening, Scan, Statement, scan_statements
from surefill.diagnostics.structure import misplaced
from surefill.syntax.document import Snapshot, with_newlines
from surefill.syntax.languages import Language
from surefill.syntax.position import Position, Range

if TYPE_CHECKING:
    import tree_sitter

_MOST_STATEMENTS = 2_000
"""So many statements are parsed by themselves; in a bigger heap of errors the rest goes unsaid."""
_MOST_NODES = 500


def python_problems(
    snapshot: Snapshot, tree: tree_sitter.Tree, language: Language, most: int
) -> list[Problem]:
    """Syntax problems in the order of the text, at most ``most`` of them."""
    scan = scan_statements(snapshot.text, most)
    if scan.openings and not tree.root_node.has_error:
        return []  # the tree knows better, and what the scan says of lines is not to be trusted
    return _Finder(snapshot, tree, language, scan).find(most)


class _Finder:
    def __init__(
        self, snapshot: Snapshot, tree: tree_sitter.Tree, language: Language, scan: Scan
    ) -> None:
        self._snapshot = snapshot
        self._text = snapshot.text
        self._tree = tree
        self._scan = scan
        self._parser = StatementParser(language)
        self._starts = [0, *accumulate(len(line) for line in snapshot.lines)]
        self._found: dict[int, Problem] = {}
        """By the number of the statement: no more than one each."""

    def find(self, most: int) -> list[Problem]:
        faulty: set[int] = set()
        if self._tree.root_node.has_error:
            for opening in self._scan.openings:
                self._take_opening(opening)
            faulty = self._take_faults()
        self._take_misplaced(faulty)
        ordered = sorted(self._found.values(), key=lambda problem: problem.range)
        return ordered[:most]

    def code(self, statement: Statement) -> str:
        """A statement's text as its parser takes it."""
        return with_newlines(self._text[statement.start : statement.end])

    def _take_opening(self, opening: Opening) -> None:
        if opening.statement in self._found:
            return
        statements = self._scan.statements
        if opening.statement >= len(statements):
            return
        statement = statements[opening.statement]
        if self._parser.parses(self.code(statement)):
            return  # the scan was mistaken
        end = max(opening.limit, opening.end)
        self._found[opening.statement] = Problem(
            "syntax",
            opening.kind,
            self._range(opening.start, opening.end),
            _message(opening, self._text[opening.start : opening.end]),
            self._range(statement.start, max(end, statement.end)),
            opening.wanted,
        )

    def _take_faults(self) -> set[int]:
        """Look into the statements in which the tree errs; the numbers of those that are wrong."""
        faulty = set(self._found)
        budget = _MOST_STATEMENTS
        for number in self._suspects():
            if number in faulty:
                continue
            budget -= 1
            if budget < 0:
                break
            statement = self._scan.statements[number]
            fault = self._parser.fault(self.code(statement))
            if fault is not None:
                faulty.add(number)
                self._found[number] = self._problem(statement, fault)
        return faulty

    def _suspects(self) -> list[int]:
        """Numbers of the statements that errors of the tree touch, without those around them all.

        In the order of the text.
        """
        starts = [statement.start for statement in self._scan.statements]
        numbers: set[int] = set()
        for start, end in self._errors():
            # What is missing at a line's end is missed at the beginning of the next statement.
            first = max(0, bisect_right(starts, start) - 2)
            last = bisect_right(starts, end)
            numbers.update(range(first, min(last, first + _MOST_STATEMENTS)))
        return sorted(numbers)

    def _errors(self) -> list[tuple[int, int]]:
        """ERROR and MISSING nodes of the tree, in offsets."""
        found: list[tuple[int, int]] = []
        stack = [self._tree.root_node]
        while stack and len(found) < _MOST_NODES:
            node = stack.pop()
            if node.is_error or node.is_missing:
                found.append((self._offset(node.start_byte), self._offset(node.end_byte)))
            if node.has_error and not node.is_error:
                stack.extend(reversed(node.children))
        return found

    def _take_misplaced(self, faulty: set[int]) -> None:
        statements = self._scan.statements
        marked = [
            statement._replace(broken=statement.broken or number in faulty)
            for number, statement in enumerate(statements)
        ]
        for each in misplaced(marked, self.code):
            if each.number not in self._found:
                statement = statements[each.number]
                span = self._range(statement.start, statement.end)
                problem = Problem("syntax", each.cause, span, each.message, span, each.wanted)
                self._found[each.number] = problem

    def _problem(self, statement: Statement, fault: Fault) -> Problem:
        code = self._text[statement.start : statement.end]
        start, end = (statement.start + _original(code, at) for at in (fault.start, fault.end))
        region = self._range(statement.start, statement.end)
        span = self._range(start, end)
        return Problem("syntax", fault.cause, span, fault.message, region, fault.wanted)

    def _offset(self, byte: int) -> int:
        position = self._snapshot.position_at(byte)
        return self._starts[position.line] + position.character

    def _range(self, start: int, end: int) -> Range:
        return Range(self._position(start), self._position(end))

    def _position(self, offset: int) -> Position:
        line = min(bisect_right(self._starts, offset) - 1, len(self._snapshot.lines) - 1)
        return self._snapshot.clamp(Position(line, offset - self._starts[line]))


def _original(code: str, offset: int) -> int:
    """Offset in ``code`` of an offset in it with every line end as one character."""
    if "\r\n" not in code:
        return offset
    seen = 0
    for position, character in enumerate(code):
        if seen == offset and not (character == "\n" and code[position - 1 : position] == "\r"):
            return position
        seen += not (character == "\n" and code[position - 1 : position] == "\r")
    return len(code)


def _message(opening: Opening, text: str) -> str:
    if opening.kind == "bracket":
        return f"This `{text}` is never closed."
    if opening.kind == "stray":
        return f"This `{text}` closes nothing: no `{opening.wanted}` is open."
    if opening.kind == "mismatch":
        return f"This `{text}` closes nothing: `{opening.wanted}` was expected."
    return f"This string is not closed: its {opening.wanted} is missing."
