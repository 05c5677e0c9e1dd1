"""Documents: text and syntax tree under incremental edits, and immutable snapshots of both.

Knows code-point positions, nothing of LSP's encodings. Edits only touch lines and write down what
happened; the syntax tree is brought up to date when somebody asks a snapshot for it, which in a
big file is the worker thread and never the event loop.
"""

from __future__ import annotations

import io
import itertools
import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from surefill.syntax.languages import Language
from surefill.syntax.parsing import Edit, Revision, encode, parse_exactly
from surefill.syntax.position import Position, Range

if TYPE_CHECKING:
    import tree_sitter

_LONE_RETURN = re.compile(r"\r(?!\n)")
_REVISIONS = itertools.count(1)


def split_lines(text: str) -> list[str]:
    """Lines with their ends, by LSP's terminators only; the last one has none, maybe no text."""
    lines = list(io.StringIO(text, newline=""))
    if not lines or lines[-1][-1] in "\r\n":
        lines.append("")
    return lines


def end_of(start: Position, text: str) -> Position:
    """Where ``text`` ends when it is put at ``start``."""
    lines = split_lines(text)
    character = len(lines[-1])
    return Position(start.line + len(lines) - 1, character + (len(lines) == 1) * start.character)


def with_newlines(text: str) -> str:
    """``text`` as models have seen it in training: whatever ends its lines, here a newline does."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _encode_line(line: str) -> bytes:
    # A lone \r ends a line for LSP and not for tree-sitter: as \n, both count the same rows.
    return encode(line[:-1] + "\n" if line.endswith("\r") else line)


def _byte_length(text: str) -> int:
    return len(text) if text.isascii() else len(encode(text))


class Snapshot:
    """A document at one version: immutable, and safe to use in any thread."""

    def __init__(
        self,
        uri: str,
        language: Language | None,
        version: int,
        lines: tuple[str, ...],
        revision: Revision | None = None,
    ) -> None:
        self.uri = uri
        self.language = language
        self.version = version
        self.lines = lines
        self._revision = revision or Revision(None, None)

    @cached_property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.lines)

    @cached_property
    def source(self) -> bytes:
        """The text as the parser sees it: UTF-8, a lone carriage return as a line feed."""
        if _LONE_RETURN.search(self.text):
            return b"".join(_encode_line(line) for line in self.lines)
        return encode(self.text)

    @cached_property
    def _line_bytes(self) -> list[int]:
        """Byte offset of each line's start in ``source``, and of its end."""
        return [0, *accumulate(_byte_length(line) for line in self.lines)]

    @property
    def tree(self) -> tree_sitter.Tree | None:
        """The syntax tree; None without a language or when the text cannot be parsed in time.

        Parses on first use: call it in the worker thread.
        """
        if self.language is None:
            return None
        revision = self._revision
        with revision.lock:
            if revision.worth_parsing:
                revision.take(parse_exactly(self.language, self.source, revision.base()))
            return revision.tree

    def line(self, number: int) -> str:
        """Line ``number`` without its end; empty outside the document."""
        return self.lines[number].rstrip("\r\n") if 0 <= number < len(self.lines) else ""

    def clamp(self, position: Position) -> Position:
        """The nearest position that exists, never between or behind the line's end characters."""
        if position.line < 0:
            return Position(0, 0)
        if position.line >= len(self.lines):
            last = len(self.lines) - 1
            return Position(last, len(self.line(last)))
        length = len(self.line(position.line))
        return Position(position.line, min(max(position.character, 0), length))

    def prefix(self, position: Position) -> str:
        """All text before ``position``."""
        line, character = self.clamp(position)
        return "".join(self.lines[:line]) + self.lines[line][:character]

    def suffix(self, position: Position) -> str:
        """All text from ``position`` on."""
        line, character = self.clamp(position)
        return self.lines[line][character:] + "".join(self.lines[line + 1 :])

    def text_in(self, span: Range) -> str:
        """The text in ``span``."""
        start, end = self.clamp(span.start), self.clamp(span.end)
        if start.line == end.line:
            return self.lines[start.line][start.character : end.character]
        first, last = self.lines[start.line][start.character :], self.lines[end.line]
        middle = self.lines[start.line + 1 : end.line]
        return first + "".join(middle) + last[: end.character]

    def byte_at(self, position: Position) -> int:
        """Offset of ``position`` in ``source``."""
        line, character = self.clamp(position)
        return self._line_bytes[line] + _byte_length(self.lines[line][:character])

    def position_at(self, byte: int) -> Position:
        """Position of an offset in ``source``; the inverse of ``byte_at``."""
        line = min(bisect_right(self._line_bytes, byte) - 1, len(self.lines) - 1)
        data = encode(self.lines[line])[: byte - self._line_bytes[line]]
        return self.clamp(Position(line, len(data.decode("utf-8", "ignore"))))


class Document:
    """A text that an editor changes. Lives on the event loop; hand snapshots to other threads."""

    def __init__(self, uri: str, language: Language | None, text: str, version: int = 0) -> None:
        self.uri = uri
        self.language = language
        self.version = version
        self._lines = split_lines(text)
        self._lengths = [_byte_length(line) for line in self._lines]
        self._near = 0, 0
        """The line of the last edit, and the byte where it begins: most edits are near the last."""
        self._revision = Revision(None, None)
        self._snapshot: Snapshot | None = None
        self.revision = next(_REVISIONS)
        """A number that this text has and no other, of whatever document, in this process."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> Document:
        """A document of its own that begins as ``snapshot``, its tree included."""
        document = cls(snapshot.uri, snapshot.language, "", snapshot.version)
        document._lines = list(snapshot.lines)
        document._lengths = [_byte_length(line) for line in snapshot.lines]
        document._revision = snapshot._revision
        return document

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their ends as they are now; a view, unlike a snapshot's."""
        return self._lines

    def edit(self, span: Range, new_text: str) -> None:
        """Put ``new_text`` in place of ``span``; positions outside the document are clamped."""
        start, end = sorted((self._clamp(span.start), self._clamp(span.end)))
        first, head = start.line, self._lines[start.line][: start.character]
        if not head and first > 0 and self._lines[first - 1].endswith("\r"):
            # What follows a lone \r may begin with \n and make one line end of both.
            first, head = first - 1, self._lines[first - 1]
        rest = self._lines[end.line][end.character :]
        inserted = split_lines(head + new_text + rest)
        if end.line < len(self._lines) - 1:
            inserted.pop()  # the empty line behind the last line end is the next line here
        self._replace_lines(first, end.line + 1, inserted, head, rest)

    def replace(self, text: str) -> None:
        """Put ``text`` in place of everything; the lines that stay the same stay parsed."""
        new, old = split_lines(text), self._lines
        shorter = min(len(new), len(old))
        same = next((i for i in range(shorter) if new[i] != old[i]), shorter)
        if same == len(new) == len(old):
            return
        ends = range(1, shorter - same)
        tail = next((i - 1 for i in ends if new[-i] != old[-i]), max(shorter - same - 1, 0))
        if same == shorter:  # one text continues the other: its last line has no end yet
            same, tail = same - 1, 0
        self._revision.retry_at = -math.inf  # another text may well be parsable
        self._replace_lines(same, len(old) - tail, new[same : len(new) - tail], "", "")

    def snapshot(self) -> Snapshot:
        """The document as it is now; the same object until the next edit."""
        if self._snapshot is None or self._snapshot.version != self.version:
            lines = tuple(self._lines)
            self._snapshot = Snapshot(self.uri, self.language, self.version, lines, self._revision)
        return self._snapshot

    def _clamp(self, position: Position) -> Position:
        if position.line < 0:
            return Position(0, 0)
        line = min(position.line, len(self._lines) - 1)
        length = len(self._lines[line].rstrip("\r\n"))
        beyond = position.line > line
        return Position(line, length if beyond else min(max(position.character, 0), length))

    def _replace_lines(
        self, first: int, last: int, inserted: list[str], head: str, rest: str
    ) -> None:
        """Put ``inserted`` in place of lines ``first`` to ``last``, exclusive.

        ``head`` is what the first line keeps at its start, ``rest`` what the last keeps at its end.
        """
        lengths = [_byte_length(line) for line in inserted]
        if (head + "".join(inserted)[len(head) : -len(rest) or None]).endswith("\r"):
            rest = rest.removeprefix("\n")
        kept, tail = _byte_length(head.removesuffix("\r")), _byte_length(rest)
        offset = self._offset(first)
        old_end = offset + sum(self._lengths[first:last]) - tail
        self._revision = Revision(
            self._revision,
            Edit(
                start_byte=offset + kept,
                old_end_byte=old_end,
                new_end_byte=offset + sum(lengths) - tail,
                start_point=(first, kept),
                old_end_point=_end_point(first, self._lines[first:last], rest),
                new_end_point=_end_point(first, inserted, rest),
            ),
        )
        self._lines[first:last] = inserted
        self._lengths[first:last] = lengths
        self._snapshot = None
        self.revision = next(_REVISIONS)

    def _offset(self, line: int) -> int:
        """The byte where ``line`` begins; costs what lies between it and the line asked for last.

        To be asked before every edit: only what lies above the last edit is as it was.
        """
        at, offset = self._near
        between = sum(self._lengths[min(at, line) : max(at, line)])
        self._near = line, offset + (between if line > at else -between)
        return self._near[1]


def _end_point(first: int, lines: list[str], rest: str) -> tuple[int, int]:
    """Where ``lines``, the first of them in row ``first``, end without ``rest``."""
    row, last = first + len(lines) - 1, lines[-1]
    if not rest and last.endswith(("\r", "\n")):
        return row + 1, 0
    return row, _byte_length(last) - _byte_length(rest)
