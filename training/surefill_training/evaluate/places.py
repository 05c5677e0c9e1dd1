"""Places in ordinary programs at which an editor asks, each of a kind, chosen by rule.

A place is a program, a cursor, and what the author wrote there. Each is asked twice: with the rest
of the program below it, and with nothing below, as when it was being written. Knows texts and
their syntax; nothing of models.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from surefill.syntax.position import Position
from surefill_training.evaluate.place_kinds import FINDERS, Kind, Span, begins_word
from surefill_training.evaluate.program_source import ProgramSource
from surefill_training.evaluate.programs import Program

__all__ = ["KINDS", "Kind", "Outcome", "Place", "draw_places", "find_places", "outcome"]

Outcome = Literal["right", "begins", "wrong", "silent"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
KINDS: tuple[Kind, ...] = get_args(Kind)

PLACES = 5
"""Of each program."""
FEWEST_CHARACTERS = 3
"""Single closing brackets would lift every figure; also what has to be right to begin right."""


@dataclass(frozen=True)
class Place:
    """A cursor at ``start`` of a program, of which the text up to ``end`` is missing.

    ``end`` is that of the line or, where a block is missing, of the block. Without ``below`` all
    that follows is missing as well.
    """

    program: Program
    kind: Kind
    start: int
    end: int
    below: bool = True

    @property
    def id(self) -> str:
        """What the place is known by in reports; the same with the rest below and without."""
        return f"{self.program.id}:{self.kind}:{self.start}-{self.end}"

    @property
    def prefix(self) -> str:
        return self.program.text[: self.start]

    @property
    def suffix(self) -> str:
        return self.program.text[self.end :] if self.below else ""

    @property
    def document(self) -> str:
        """What the editor has open."""
        return self.prefix + self.suffix

    @property
    def position(self) -> Position:
        """The cursor in ``document``."""
        lines = self.prefix.split("\n")
        return Position(len(lines) - 1, len(lines[-1]))

    @property
    def middle(self) -> str:
        """What is missing of the line or block."""
        return self.program.text[self.start : self.end]

    @property
    def truth(self) -> str:
        """All that may follow: what stands below is not to be written again."""
        return self.middle if self.below else self.program.text[self.start :]


def draw_places(
    programs: Sequence[Program], seed: int = 0, count: int = PLACES, *, both: bool = True
) -> list[Place]:
    """About ``count`` places of each program, each with the rest below and then with nothing.

    The same program and seed give the same places, whatever the other programs are. Without
    ``both`` only those with the rest below.
    """
    return [
        replace(place, below=below)
        for program in programs
        for place in _draw(program, seed, count)
        for below in ((True, False) if both else (True,))
    ]


def find_places(program: Program) -> list[Place]:
    """Every place of a program, by kind and then from its start on."""
    source = ProgramSource(program.text, program.language)
    return [
        Place(program, kind, start, end)
        for kind, find in FINDERS.items()
        for start, end in sorted(set(find(source)))
        if _worth_asking(source, (start, end))
    ]


def outcome(place: Place, shown: str) -> Outcome:
    """What the text that is shown at a place is worth; whitespace at line ends does not count.

    It is right where all of it is what follows, and does not end in the middle of a word. Else it
    begins right with at least ``FEWEST_CHARACTERS`` right characters, not counting leading space.
    """
    text, truth = _comparable(shown), _comparable(place.truth)
    if not text.strip():
        return "silent"
    if truth.startswith(text) and not begins_word(truth, len(text)):
        return "right"
    same = next(
        (i for i, (a, b) in enumerate(zip(text, truth, strict=False)) if a != b),
        min(len(text), len(truth)),
    )
    return "begins" if len(text[:same].strip()) >= FEWEST_CHARACTERS else "wrong"


def _comparable(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip()


def _worth_asking(source: ProgramSource, span: Span) -> bool:
    """Enough is missing, it is no string or comment, and something stands above it."""
    start, end = span
    missing = source.text[start:end].strip()
    return (
        len(missing) >= FEWEST_CHARACTERS
        and any(character.isalnum() for character in missing)
        and not source.quoted(start)
        and not begins_word(source.text, start)
        and bool(source.text[: source.line_start(start)].strip())
    )


def _draw(program: Program, seed: int, count: int) -> list[Place]:
    """Of as many kinds as there are, one place in each of ``count`` bands of the program."""
    rng = random.Random(f"{seed}:{program.id}")
    by_kind: dict[Kind, list[Place]] = {}
    for place in find_places(program):
        by_kind.setdefault(place.kind, []).append(place)
    kinds = list(by_kind)
    rng.shuffle(kinds)
    # People comment little: left to chance, hardly any place would be under a comment.
    kinds.sort(key=lambda kind: kind != "comment_to_code")
    bands = list(range(count))
    rng.shuffle(bands)
    drawn: list[Place] = []
    for number, band in enumerate(bands if kinds else ()):
        target = (band + rng.random()) / count * len(program.text)
        candidates = [
            place
            for place in by_kind[kinds[number % len(kinds)]]
            if not any(_touch(place, other) for other in drawn)
        ]
        if candidates:
            drawn.append(min(candidates, key=lambda place: abs(place.start - target)))
    return sorted(drawn, key=lambda place: place.start)


def _touch(place: Place, other: Place) -> bool:
    """Whether two places share a line."""
    text = place.program.text
    first, last = sorted((place, other), key=lambda each: each.start)
    return "\n" not in text[first.start : last.start] or last.start < first.end
