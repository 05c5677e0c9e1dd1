"""Where to cut a document into prefix, middle and suffix: the holes a user leaves while typing.

Half of the holes with several lines, and of those inside a line, lie on nodes of the syntax tree:
the body behind a signature or a docstring, the statement behind a comment, the arguments of a call.
The others lie anywhere, because users wait anywhere.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Literal

from surefill.syntax.languages import Language
from surefill_training.tasks.nodes import Spans, spans

HoleKind = Literal["line_end", "lines", "inside"]

_BOUNDARY = re.compile(r"(?<=[\s.(\[{=,:])(?=\S)|\b")
_BRACKETS = re.compile(r"\(([^()\n]+)\)|\[([^\[\]\n]+)\]|\{([^{}\n]+)\}")
_TRIES = 8


@dataclass(frozen=True)
class Hole:
    """A document cut in three; joined they are the document again."""

    prefix: str
    middle: str
    suffix: str
    kind: HoleKind


@dataclass(frozen=True)
class HoleMix:
    """Shares of the kinds of hole, which need not sum to one."""

    line_end: float = 0.5
    lines: float = 0.45
    inside: float = 0.05
    on_nodes: float = 0.5
    """Of the last two kinds, the share that lies on nodes of the syntax tree."""
    max_lines: int = 12


def cut(
    text: str,
    rng: random.Random,
    mix: HoleMix,
    kind: HoleKind | None = None,
    language: Language | None = None,
) -> Hole | None:
    """Cut one hole of a kind drawn from ``mix`` (or given); None when the text has no place for it.

    Holes lie rather late in the text, because serving keeps more prefix than suffix. Without a
    ``language`` none lies on a node.
    """
    kind = kind or _draw_kind(rng, mix)
    if language is not None and kind != "line_end" and rng.random() < mix.on_nodes:
        span = _on_node(spans(text, language, mix.max_lines), kind, rng)
        if span is not None:
            begin, end = span
            return Hole(text[:begin], text[begin:end], text[end:], kind)
    lines = text.split("\n")
    filled = [index for index, line in enumerate(lines) if line.strip()]
    for _ in range(_TRIES if filled else 0):
        index = filled[min(len(filled) - 1, int(len(filled) * _late(rng)))]
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


def _late(rng: random.Random) -> float:
    """A number between 0 and 1, rather a large one."""
    return float(rng.random() ** 0.5)


def _on_node(found: Spans, kind: HoleKind, rng: random.Random) -> tuple[int, int] | None:
    """The span of a node, each sort of node as likely as the others where there is one."""
    sorts = [found.bodies, found.described] if kind == "lines" else [found.arguments]
    sorts = [sort for sort in sorts if sort]
    if not sorts:
        return None
    sort = rng.choice(sorts)
    begin, end = sort[min(len(sort) - 1, int(len(sort) * _late(rng)))]
    return begin, end


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
