"""The part of a document that a repair changes, as a text with places in it where tokens end."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property

from surefill.diagnostics.problem import Problem
from surefill.diagnostics.words import shown
from surefill.repair.edit import Candidate, Trust, advanced
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range

_PIECE = re.compile(
    r"#[^\r\n]*|\"\"\"(?:\\[\s\S]|(?!\"\"\")[^\\])*\"\"\"|'''(?:\\[\s\S]|(?!''')[^\\])*'''"
    r"|\"(?:\\.|[^\\\r\n\"])*\"|'(?:\\.|[^\\\r\n'])*'|\w+|\*\*|//|[-+*/%&|^<>=!:]=|->|[^\w\s]"
)
_WORD = re.compile(r"[^\W\d]\w*")
_MOST_PIECES = 400


class Region:
    """A problem's region. Offsets are those of ``code``, its text."""

    def __init__(self, snapshot: Snapshot, problem: Problem, whole: Snapshot | None = None) -> None:
        """``whole`` is the document where ``snapshot`` is only an excerpt of it."""
        self.snapshot = snapshot
        self._whole = whole or snapshot
        self.problem = problem
        self.span = problem.region
        self.code = snapshot.text_in(problem.region)

    @property
    def document(self) -> str:
        """The text of the whole document."""
        return self._whole.text

    @cached_property
    def pieces(self) -> list[tuple[int, int]]:
        """Start and end of each token, strings as a whole; comments left out."""
        found = [match.span() for match in _PIECE.finditer(self.code) if match[0][0] != "#"]
        return found[:_MOST_PIECES]

    @cached_property
    def words(self) -> Counter[str]:
        """How often each name stands in the document."""
        return Counter(_WORD.findall(self._whole.text))

    @cached_property
    def indent(self) -> str:
        """What stands before the region in its line, where that is blank."""
        before = self.snapshot.line(self.span.start.line)[: self.span.start.character]
        return before if not before.strip() else before[: len(before) - len(before.lstrip())]

    @cached_property
    def newline(self) -> str:
        """What ends the document's lines."""
        return newline_of(self.snapshot)

    def offset(self, position: Position) -> int:
        """Offset of a position, clamped into the region."""
        position = min(max(position, self.span.start), self.span.end)
        return len(self.snapshot.text_in(Range(self.span.start, position)))

    def position(self, offset: int) -> Position:
        return self.snapshot.clamp(advanced(self.span.start, self.code[:offset]))

    @property
    def problem_offsets(self) -> tuple[int, int]:
        """Where the problem's own range is."""
        return self.offset(self.problem.range.start), self.offset(self.problem.range.end)

    def insert(self, offset: int, text: str, prior: float, trust: Trust = "guess") -> Candidate:
        """A candidate that puts ``text`` in at ``offset``."""
        before = self.code[:offset].rstrip()
        word = before[self._last_piece(len(before)) :] if before else ""
        token = text.strip()
        place = f" after `{shown(word)}`" if word else ""
        if "\n" in text:
            place = f" on a line of its own after line {self.position(offset).line + 1}"
        elif len(word) > 24:
            place = f" in line {self.position(offset).line + 1}"
        at = self.position(offset)
        return Candidate(Range(at, at), text, f"Insert `{shown(token)}`{place}", prior, trust)

    def remove(self, start: int, end: int, prior: float) -> Candidate:
        return self.replace(start, end, "", f"Remove `{shown(self.code[start:end])}`", prior)

    def replace(self, start: int, end: int, text: str, title: str, prior: float) -> Candidate:
        return Candidate(Range(self.position(start), self.position(end)), text, title, prior)

    def _last_piece(self, end: int) -> int:
        found = [start for start, stop in self.pieces if stop <= end]
        return found[-1] if found else max(0, end - 1)

    def result(self, candidate: Candidate) -> str | None:
        """The region's text with a candidate in it; None where it changes something else."""
        if candidate.range.start < self.span.start or candidate.range.end > self.span.end:
            return None
        start, end = self.offset(candidate.range.start), self.offset(candidate.range.end)
        return self.code[:start] + candidate.text + self.code[end:]


def newline_of(snapshot: Snapshot) -> str:
    """What ends a document's lines."""
    return "\r\n" if snapshot.lines[0].endswith("\r\n") else "\n"
