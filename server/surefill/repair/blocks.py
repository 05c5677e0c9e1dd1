"""Candidates for lines at a wrong indentation and for headers without a block."""

from __future__ import annotations

from collections.abc import Iterator

from surefill.repair.edit import Candidate
from surefill.repair.region import Region
from surefill.syntax.indentation import indent_width
from surefill.syntax.position import Position, Range
from surefill.syntax.scopes import indent_of, indent_unit

_LINES_ABOVE = 200
_MOST_LINES = 500


def block_candidates(region: Region) -> Iterator[Candidate]:
    """For a problem of the cause "block", "indentation" or "order"; to be judged as a whole."""
    if region.problem.cause == "block":
        yield from _filled(region)
    else:
        yield from _opened_above(region)
        yield from _moved(region)


def _filled(region: Region) -> Iterator[Candidate]:
    """What follows the header indented, or ``pass`` put in."""
    unit = indent_unit(region.snapshot, region.span.start.line)
    below = region.span.end.line + 1
    at = Position(region.span.end.line, len(region.snapshot.line(region.span.end.line)))
    wanted = region.indent + unit
    follows = region.snapshot.line(below)
    if follows.strip() and indent_of(follows) == region.indent:
        yield _reindented(region, below, wanted, "Indent what follows", 0.5)
        yield _reindented(region, below, wanted, "Indent the next line", 0.0, whole=False)
    text = f"{region.newline}{wanted}pass"
    yield Candidate(Range(at, at), text, "Insert `pass`", -0.5)


def _opened_above(region: Region) -> Iterator[Candidate]:
    """A bracket at the end of the line above, whose lost lines these may be."""
    above = region.span.start.line - 1
    line = region.snapshot.line(above).rstrip()
    if line and region.problem.cause == "indentation":
        at = Position(above, len(line))
        for opener in "([{":
            title = f"Insert `{opener}` at the end of line {above + 1}"
            yield Candidate(Range(at, at), opener, title, 0.5)


def _moved(region: Region) -> Iterator[Candidate]:
    """The line, with what belongs to it, at each of the indentations that are open above it."""
    first = region.span.start.line
    own = indent_of(region.snapshot.line(first))
    seen: dict[str, None] = {}
    lowest = indent_width(own) + 1
    for number in range(first - 1, max(-1, first - _LINES_ABOVE), -1):
        line = region.snapshot.line(number)
        if not line.strip():
            continue
        indent = indent_of(line)
        nearest = not seen
        if nearest or indent_width(indent) < lowest:
            seen.setdefault(indent)
            lowest = min(lowest, indent_width(indent)) if not nearest else indent_width(indent)
        if not indent:
            break
    for rank, indent in enumerate(each for each in seen if each != own):
        columns = indent_width(indent)
        title = f"Indent this line by {columns} columns" if columns else "Do not indent this line"
        yield _reindented(region, first, indent, title, -0.5 * rank)
        yield _reindented(region, first, indent, title, -0.5 * rank - 0.3, whole=False)


def _reindented(
    region: Region, first: int, indent: str, title: str, prior: float, *, whole: bool = True
) -> Candidate:
    """Line ``first`` at another indentation; ``whole`` takes those of at least its own along."""
    snapshot = region.snapshot
    own = indent_of(snapshot.line(first))
    last = first
    if whole:
        for number in range(first + 1, min(first + _MOST_LINES, len(snapshot.lines))):
            line = snapshot.line(number)
            if line.strip() and indent_width(line) < indent_width(own):
                break
            if line.strip():
                last = number
    lines = []
    for number in range(first, last + 1):
        line = snapshot.line(number)
        lines.append(indent + line[len(own) :] if line.startswith(own) else line)
    span = Range(Position(first, 0), Position(last, len(snapshot.line(last))))
    return Candidate(span, region.newline.join(lines), title, prior)
