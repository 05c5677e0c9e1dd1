"""Python text as statements, and what keeps it from being any: brackets and strings left open.

A lexical scan that recovers: a bracket that is never closed ends where the next statement visibly
begins, and not at the end of the document. Works on offsets and needs no tree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from surefill.diagnostics.lexemes import (
    BLOCK_WORD,
    CONTINUES,
    GOES_ON,
    LEAD,
    PREFIX,
    TOKEN,
    begins_statement,
    closes_all,
    code_within,
    first_line_end,
    line_end,
    next_line,
    string_end,
)
from surefill.syntax.brackets import OPENERS, PAIRS
from surefill.syntax.indentation import indent_width

_MOST_LINES = 300
"""So many lines may follow one that looks like a statement before what is open counts as lost."""

Kind = Literal["bracket", "stray", "mismatch", "string"]


class Statement(NamedTuple):
    """One statement's first to last code character, in offsets; a header is one by itself."""

    start: int
    end: int
    width: int
    """Columns of its indentation."""
    broken: bool = False
    """Something in it is left open, or closes nothing."""


class Opening(NamedTuple):
    """What is wrong with brackets and quotes, at ``start`` to ``end``, in one statement."""

    kind: Kind
    start: int
    end: int
    statement: int
    """The number of the statement that it is in."""
    limit: int
    """Where the missing end has to come at the latest."""
    wanted: str = ""
    """What closes everything that is left open; for a closer, what it would have to be."""


@dataclass
class Scan:
    """A whole text's statements, and the problems between them, in order."""

    statements: list[Statement] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)


def scan_statements(text: str, most: int = 50) -> Scan:
    """Scan Python ``text``; ends at the statement in which the ``most``-th problem is found."""
    return _Scanner(text, most).run()


class _Resync(NamedTuple):
    line: int
    """Where a line begins that may be a statement of its own."""
    code_end: int
    """Where the code before it ends."""


class _Scanner:
    def __init__(self, text: str, most: int) -> None:
        self._text = text
        self._most = most
        self._scan = Scan()
        self._stack: list[tuple[str, int]] = []
        self._start = -1
        """Where the statement began; -1 between statements."""
        self._width = 0
        self._code_end = 0
        self._line = 0
        """Where the present line begins, or what is left to look at of it."""
        self._resync: _Resync | None = None
        self._waited = 0
        """Lines since then."""
        self._broken = False
        self._excused = False
        """What is left open in this statement has been reported already, by another name."""
        self._triples: list[tuple[int, int]] = []

    def run(self) -> Scan:
        text, position = self._text, self._begin_line(0)
        while len(self._scan.openings) < self._most:
            match = TOKEN.search(text, position)
            if match is None:
                self._code_end = len(text.rstrip())
                if not self._stack:
                    break
                position = self._leave_open(len(text))
                continue
            position = self._take(match)
        self._end_statement()
        return self._scan

    def _take(self, match: re.Match[str]) -> int:
        token, start = match.group(), match.start()
        first = token[0]
        if first in "\r\n\\":
            return self._end_line(match)
        if first == "#":
            self._code_end = max(self._code_end, self._end_of_code(start))
            self._line = match.end()  # what follows is no code any more
        elif first in "\"'":
            return self._string(token, start)
        elif first in PAIRS:
            self._stack.append((first, start))
            self._code_end = start + 1
        else:
            self._close(first, start)
            self._code_end = start + 1
        return match.end()

    # Lines and statements

    def _begin_line(self, start: int) -> int:
        """Look at the line that begins at ``start``; returns where its text begins."""
        match = LEAD.match(self._text, start)
        lead = match.end() if match else start
        self._line = start
        if self._start < 0 and self._text[lead : lead + 1] not in ("", "\r", "\n", "#"):
            self._start = self._code_end = lead
            self._width = indent_width(self._text[start:lead])
        return lead

    def _end_line(self, match: re.Match[str]) -> int:
        token, end = match.group(), match.end()
        if self._start < 0:
            return self._begin_line(end)
        self._code_end = max(self._code_end, self._end_of_code(match.start()))
        if token[0] == "\\":
            self._line = end
            return end
        if not self._stack:
            self._end_statement()
            return self._begin_line(end)
        if begins_statement(self._text, end) or self._waited > _MOST_LINES:
            return self._leave_open(end)
        if self._resync is not None:
            self._waited += 1
        elif self._may_begin(end):
            self._resync = _Resync(end, self._code_end)
        return self._begin_line(end)

    def _end_of_code(self, end: int) -> int:
        """Where the code before ``end`` in this line ends; the statement's end so far if none."""
        code = self._text[self._line : end].rstrip()
        return self._line + len(code) if code else self._code_end

    def _may_begin(self, line: int) -> bool:
        """Whether a statement may begin at ``line`` if the open brackets are left behind."""
        match = LEAD.match(self._text, line)
        lead = match.end() if match else line
        if CONTINUES.match(self._text, lead):
            return False
        if indent_width(self._text[line:lead]) <= self._width:
            return True
        header = BLOCK_WORD.match(self._text, self._start)
        return header is not None and self._text[self._code_end - 1] == ":"

    def _end_statement(self) -> None:
        if self._start >= 0:
            statement = Statement(self._start, self._code_end, self._width, self._broken)
            self._scan.statements.append(statement)
        self._start = -1
        self._stack.clear()
        self._resync = None
        self._waited = 0
        self._broken = self._excused = False

    # Brackets

    def _leave_open(self, line: int) -> int:
        """A statement begins at ``line`` though brackets are open; returns where to go on."""
        resync = self._resync or _Resync(line, self._code_end)
        self._code_end = resync.code_end
        # What is behind is looked at again, as statements of their own.
        kept = [each for each in self._scan.openings if each.start < resync.line]
        self._excused = self._excused and len(kept) == len(self._scan.openings)
        self._scan.openings = kept
        self._stack = [each for each in self._stack if each[1] < resync.line]
        if self._stack and not self._excused:
            self._report_open(len(self._stack), resync.code_end)
        self._broken = True
        self._end_statement()
        return self._begin_line(resync.line)

    def _report_open(self, count: int, limit: int) -> None:
        """The innermost ``count`` brackets are never closed."""
        _, offset = self._stack[-1]
        wanted = "".join(PAIRS[each] for each, _ in reversed(self._stack[-count:]))
        self._report(Opening("bracket", offset, offset + 1, self._number, limit, wanted))

    def _close(self, closer: str, offset: int) -> None:
        opener, stack = OPENERS[closer], self._stack
        open_here = [index for index, (each, _) in enumerate(stack) if each == opener]
        if open_here and self._is_extra(open_here[-1], offset):
            self._report(Opening("stray", offset, offset + 1, self._number, offset, opener))
        elif open_here:
            inner = len(stack) - 1 - open_here[-1]
            if inner and not self._excused:
                self._report_open(inner, offset)
            del stack[open_here[-1] :]
            if not stack:
                self._resync, self._waited = None, 0
        elif not self._excused:
            kind: Kind = "mismatch" if stack else "stray"
            wanted = PAIRS[stack[-1][0]] if stack else opener
            self._report(Opening(kind, offset, offset + 1, self._number, offset, wanted))
            self._excused = bool(stack)

    def _is_extra(self, opened: int, offset: int) -> bool:
        """Whether a closer at ``offset`` is one too many though number ``opened`` is its like.

        It is where everything behind it matches without it, and does not with it.
        """
        brackets = [bracket for bracket, _ in self._stack]
        if opened == len(brackets) - 1:
            return False
        return closes_all(self._text, offset + 1, brackets) and not closes_all(
            self._text, offset + 1, brackets[:opened]
        )

    @property
    def _number(self) -> int:
        return len(self._scan.statements)

    def _report(self, opening: Opening) -> None:
        self._scan.openings.append(opening)
        self._broken = True

    # Strings

    def _string(self, quote: str, start: int) -> int:
        """Follow a string from its opening quote; returns where to go on."""
        if len(quote) == 3:
            return self._long_string(quote, start)
        end = string_end(self._text, start + 1, quote)
        if end > 0:
            self._code_end = end
            return end
        end = line_end(self._text, start)
        self._code_end = len(self._text[:end].rstrip())
        self._report_string(quote, start, self._code_end)
        for character in self._text[start:end]:  # the closers behind it are in it now
            if self._opened_here() and character == PAIRS[self._stack[-1][0]]:
                self._stack.pop()
        self._excused = self._opened_here()
        return end

    def _opened_here(self) -> bool:
        """Whether the innermost bracket was opened in this line."""
        return bool(self._stack) and self._stack[-1][1] >= self._line

    def _long_string(self, quote: str, start: int) -> int:
        end = string_end(self._text, start + 3, quote)
        suspect = end > 0 and GOES_ON.match(self._text, end)
        if end > 0 and not suspect:
            self._triples.append((start, end))
            self._code_end = end
            return end
        line = next_line(self._text, start)
        following = code_within(self._text, line, end if end > 0 else len(self._text))
        if following < 0:
            if end > 0:  # it is followed by something odd, but has its end
                self._code_end = end
                return end
            following = len(self._text)
        self._code_end = len(self._text[:following].rstrip())
        self._report_string(quote, start, first_line_end(self._text, start))
        self._excused = True
        self._end_statement()
        return self._begin_line(following)

    def _report_string(self, quote: str, start: int, end: int) -> None:
        prefix = PREFIX.search(self._text, max(0, start - 2), start)
        first = prefix.start() if prefix else start
        number, limit = self._number, self._code_end
        self._report(Opening("string", first, end, number, limit, quote))
