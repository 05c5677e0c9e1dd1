"""Programs typed from an empty file: how many keystrokes suggestions save.

Somebody types a program as its author wrote it, and the editor asks where words begin: after white
space and after punctuation. A suggestion is accepted, for one keystroke, when it is right to its
end; one that is not is typed over, and what is remembered of it answers again, as in the server.
The indentation of lines counts for nothing, for the editor inserts it. Knows nothing of models.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from surefill.syntax.position import Position
from surefill_training.evaluate.place_kinds import begins_word
from surefill_training.evaluate.program_editor import ProgramEditor
from surefill_training.evaluate.programs import Program

_BEGINNING = re.compile(r"(?<!\w)\S")
_INDENTATION = re.compile(r"\n[ \t]+")
_REQUESTS_IN_A_ROW = 10
"""Of a stretch that is typed where a whole program is too much: two or three lines."""


@dataclass(frozen=True)
class TypedProgram:
    """What came of typing a program, or stretches of it with all that is above."""

    program: Program
    characters: int
    """How many came to stand there, without indentation."""
    saved: int
    """How many of these were not typed: those of accepted suggestions less a keystroke for each."""
    accepted: int
    requests: int
    """How many the model had to answer; others were answered from memory."""
    milliseconds: tuple[float, ...]
    """Of each request that the model answered."""


def type_programs(
    editor: ProgramEditor,
    programs: Sequence[Program],
    requests: int,
    on_done: Callable[[int], None],
    *,
    seed: int = 0,
) -> list[TypedProgram]:
    """Type all programs with about ``requests`` requests in all, the same number in each.

    Of a program that needs more, stretches are typed that begin at lines drawn over all of it.
    """
    each = max(1, requests // max(1, len(programs)))
    typed = []
    for program in programs:
        typed.append(_type(editor, program, each, random.Random(f"{seed}:{program.id}")))
        editor.forget()
        on_done(len(typed))
    return typed


def asking_points(text: str) -> list[int]:
    """Where an editor asks: in front of whatever begins after white space or punctuation."""
    return [found.start() for found in _BEGINNING.finditer(text)]


def keystrokes(text: str, line_prefix: str = "") -> int:
    """Characters that have to be typed for ``text``, which follows ``line_prefix``."""
    if not line_prefix.strip():
        text = text.lstrip(" \t")
    return len(_INDENTATION.sub("\n", text))


def _type(
    editor: ProgramEditor, program: Program, requests: int, rng: random.Random
) -> TypedProgram:
    points = asking_points(program.text)
    if requests >= len(points):
        return _type_stretch(editor, program, points, 0, len(points))
    starts = [n for n, at in enumerate(points) if not _line_prefix(program.text, at).strip()]
    stretches = max(1, requests // _REQUESTS_IN_A_ROW)
    parts = []
    for number in range(stretches):
        wanted = (number + rng.random()) / stretches * len(points)
        begin = min(starts, key=lambda n: abs(n - wanted))
        parts.append(_type_stretch(editor, program, points, points[begin], requests // stretches))
        editor.forget()
    return TypedProgram(
        program,
        characters=sum(part.characters for part in parts),
        saved=sum(part.saved for part in parts),
        accepted=sum(part.accepted for part in parts),
        requests=sum(part.requests for part in parts),
        milliseconds=tuple(ms for part in parts for ms in part.milliseconds),
    )


def _type_stretch(
    editor: ProgramEditor, program: Program, points: Sequence[int], begin: int, requests: int
) -> TypedProgram:
    """Type from ``begin`` on until the model has been asked ``requests`` times."""
    text = program.text
    at, saved, accepted = begin, 0, 0
    times: list[float] = []
    asked = set(points)
    while at < len(text) and len(times) < requests:
        if at not in asked:
            at += 1
            continue
        shown = editor.ask(program, text[:at], _position(text[:at]))
        if not shown.remembered:
            times.append(shown.milliseconds)
        taken = shown.text.rstrip()
        if taken and text.startswith(taken, at) and not begins_word(text, at + len(taken)):
            saved += max(0, keystrokes(taken, _line_prefix(text, at)) - 1)
            accepted += 1
            at += len(taken)
        else:
            at += 1
    return TypedProgram(
        program,
        characters=keystrokes(text[begin:at], _line_prefix(text, begin)),
        saved=saved,
        accepted=accepted,
        requests=len(times),
        milliseconds=tuple(times),
    )


def _line_prefix(text: str, at: int) -> str:
    return text[text.rfind("\n", 0, at) + 1 : at]


def _position(before: str) -> Position:
    return Position(before.count("\n"), len(_line_prefix(before, len(before))))
