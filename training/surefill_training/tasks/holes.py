"""Where to cut a document into prefix, middle and suffix: the holes a user leaves while typing."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Literal

HoleKind = Literal["line_end", "lines", "inside"]

_BOUNDARY = re.compile(r"(?<=[\s.(\[{=,:])(?=\S)|\b")
_BRACKETS = re.compile(r"\(([^()\n]+)\)|\[([^\[\]\n]+)\]|\{([^{}\n]+)\}")


@dataclass(frozen=True)
class Hole:
    """A document cut in three; joined they are the document again."""

    prefix: str
    middle: str
    suffix: str
    kind: HoleKind


@dataclass(frozen=True)
class HoleMix:
    """Shares of the kinds of hole; they need not sum to one."""

    line_end: float = 0.5
    lines: float = 0.42
    inside: float = 0.08
    max_lines: int = 12


def cut(text: str, rng: random.Random, mix: HoleMix, kind: HoleKind | None = None) -> Hole | None:
    """Cut one hole of a kind drawn from ``mix`` (or given); None when the text has no place for it.

    Holes lie rather late in the text, because serving keeps more prefix than suffix.
    """
    lines = text.split("\n")
    kind = kind or _draw_kind(rng, mix)
    for _ in range(8):
        index = min(len(lines) - 1, int(len(lines) * rng.random() ** 0.5))
        if not lines[index].strip():
            continue
        span = _SPANS[kind](lines, index, rng, mix)
        if span is None:
            continue
        start = sum(len(line) + 1 for line in lines[:index])
        begin, end = start + span[0], start + span[1]
        if text[begin:end].strip():
            return Hole(text[:begin], text[begin:end], text[end:], kind)
    return None


def _draw_kind(rng: random.Random, mix: HoleMix) -> HoleKind:
    kinds: tuple[HoleKind, ...] = ("line_end", "lines", "inside")
    return rng.choices(kinds, weights=(mix.line_end, mix.lines, mix.inside))[0]


def _column(line: str, rng: random.Random) -> int:
    """A column at which a user would wait: at the indentation, between words, or anywhere."""
    indentation = len(line) - len(line.lstrip())
    draw = rng.random()
    if draw < 0.3:
        return indentation
    if draw < 0.75:
        places = [m.start() for m in _BOUNDARY.finditer(line) if m.start() > indentation]
        if places:
            return rng.choice(places)
    return rng.randint(indentation, max(indentation, len(line) - 1))


def _to_line_end(
    lines: list[str], index: int, rng: random.Random, _mix: HoleMix
) -> tuple[int, int]:
    return _column(lines[index], rng), len(lines[index])


def _several_lines(
    lines: list[str], index: int, rng: random.Random, mix: HoleMix
) -> tuple[int, int] | None:
    line = lines[index]
    begin = len(line) if rng.random() < 0.4 else _column(line, rng)
    last = index
    if rng.random() < 0.6:
        last = _block_end(lines, index, mix.max_lines)
    if last == index:
        last = min(len(lines) - 1, index + rng.randint(1, mix.max_lines // 2))
    while last > index and not lines[last].strip():
        last -= 1
    if last == index:
        return None
    return begin, sum(len(part) + 1 for part in lines[index:last]) + len(lines[last])


def _block_end(lines: list[str], index: int, limit: int) -> int:
    """Index of the last line that is indented deeper than line ``index``, or ``index`` itself."""
    depth = len(lines[index]) - len(lines[index].lstrip())
    last = index
    for number in range(index + 1, min(len(lines), index + limit + 1)):
        line = lines[number]
        if not line.strip():
            continue
        if len(line) - len(line.lstrip()) <= depth:
            return last
        last = number
    return last


def _inside(
    lines: list[str], index: int, rng: random.Random, _mix: HoleMix
) -> tuple[int, int] | None:
    """The contents of a pair of brackets, as where an editor closed them, or a span of a line."""
    line = lines[index]
    brackets = list(_BRACKETS.finditer(line))
    if brackets and rng.random() < 0.6:
        found = rng.choice(brackets)
        group = found.lastindex or 1
        begin = found.start(group)
        if rng.random() < 0.3:
            begin = rng.randint(begin, found.end(group) - 1)
        return begin, found.end(group)
    begin = _column(line, rng)
    rest = len(line) - begin
    return (begin, begin + rng.randint(1, rest - 1)) if rest > 1 else None


_SPANS = {"line_end": _to_line_end, "lines": _several_lines, "inside": _inside}
