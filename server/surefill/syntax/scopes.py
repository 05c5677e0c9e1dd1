"""Indentation, headers of enclosing scopes and imports, read from lines alone.

No tree is needed, so an unfinished document has scopes, too.
"""

from __future__ import annotations

from collections import Counter

from surefill.syntax.brackets import scan
from surefill.syntax.document import Snapshot
from surefill.syntax.languages import Language
from surefill.syntax.position import Position

_NEAR_LINES = 200
_HEADER_SEARCH_LINES = 20_000
_HEADER_LINES = 12
_IMPORT_SEARCH_LINES = 300


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def indent_unit(snapshot: Snapshot, line: int) -> str:
    """The most frequent step of indentation near ``line``, or the language's usual one."""
    steps: Counter[str] = Counter()
    previous = ""
    first = max(0, line - _NEAR_LINES)
    for number, text in enumerate(snapshot.lines[first : line + _NEAR_LINES], start=first):
        stripped = text.strip()
        # On the line in question whitespace alone counts: the editor has put it there.
        if stripped.startswith("*") or not (stripped or (number == line and indent_of(text))):
            continue
        indent = indent_of(text[:200])
        if len(indent) > len(previous) and indent.startswith(previous):
            steps[indent[len(previous) :]] += 1
        previous = indent
    for step, _ in steps.most_common():
        if step == "\t" or (step in {"  ", "    ", "        ", "   "}):
            return step
    return snapshot.language.indent if snapshot.language else "    "


def enclosing_headers(snapshot: Snapshot, position: Position) -> tuple[tuple[int, int], ...]:
    """Walk up through ever smaller indentation and keep the lines that begin a scope."""
    language = snapshot.language
    if language is None:
        return ()
    own = snapshot.line(position.line)[: position.character]
    indent = _width(own) if not own.strip() else _width(snapshot.line(position.line))
    found: list[tuple[int, int]] = []
    lowest = max(-1, position.line - 1 - _HEADER_SEARCH_LINES)
    for number in range(position.line - 1, lowest, -1):
        if indent == 0:
            break
        text = snapshot.lines[number]
        if text.isspace() or not text:
            continue
        width = _width(text)
        if width >= indent:
            continue
        if text[width : width + 1] in {")", "]", "}", "{"}:
            indent = width + 1  # the last line of a header whose first has the same indentation
            continue
        indent = width
        if language.is_header(text[:400]):
            found.append((number, _header_end(snapshot, number, language)))
    return tuple(reversed(found))


def _width(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _header_end(snapshot: Snapshot, start: int, language: Language, block: str = "{") -> int:
    """The line behind a header's last: where its brackets but that of its block are closed."""
    text = ""
    for number in range(start, min(start + _HEADER_LINES, len(snapshot.lines))):
        text += snapshot.lines[number]
        pending = [bracket for bracket, _ in scan(text, language).open if bracket != block]
        if not pending:
            return number + 1
    return start + 1


def import_lines(snapshot: Snapshot) -> tuple[int, int]:
    """From the first import near the top of the file to the end of the last one."""
    language = snapshot.language
    if language is None or not language.imports:
        return 0, 0
    first = last = -1
    number, end = 0, min(len(snapshot.lines), _IMPORT_SEARCH_LINES)
    while number < end:
        if language.is_import(snapshot.lines[number][:400]):
            first = number if first < 0 else first
            last = _header_end(snapshot, number, language, block="")
            number = last
        elif language.is_header(snapshot.lines[number][:400]):
            break
        else:
            number += 1
    return (first, last) if first >= 0 else (0, 0)
