"""What is shown at the places of ordinary programs, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from surefill_training.evaluate.places import Outcome, Place, outcome
from surefill_training.evaluate.program_editor import ProgramEditor

_SHORTEST_LINE = 8
"""Characters of a line that a program hardly has twice by chance, as it has ``else:``."""


@dataclass(frozen=True)
class PlaceAnswer:
    """What was shown at one place."""

    place: Place
    text: str
    outcome: Outcome
    reason: str
    """Why nothing was shown."""
    confidence: float
    milliseconds: float
    repeats: bool
    """The first line that comes of what was shown stands in the program already."""


def answer_places(
    editor: ProgramEditor, places: Sequence[Place], on_done: Callable[[int], None]
) -> list[PlaceAnswer]:
    """An answer for each place, in their order; the same places of a program should be together."""
    answers = []
    for place in places:
        shown = editor.ask(place.program, place.document, place.position)
        # What was suggested at one place must not answer another in the same line.
        editor.forget()
        answers.append(
            PlaceAnswer(
                place=place,
                text=shown.text,
                outcome=outcome(place, shown.text),
                reason=shown.reason,
                confidence=shown.confidence,
                milliseconds=shown.milliseconds,
                repeats=_repeats(place, shown.text),
            )
        )
        on_done(len(answers))
    return answers


def _repeats(place: Place, shown: str) -> bool:
    """Whether the cursor's line with what is shown is one of the program's, if it is not short."""
    if not shown.strip():
        return False
    line = place.prefix.rsplit("\n", 1)[-1]
    first = (line + shown).lstrip("\n").split("\n", 1)[0].strip()
    return len(first) >= _SHORTEST_LINE and first in map(str.strip, place.document.split("\n"))
