"""What is shown at the places of ordinary programs, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from surefill_training.evaluate.places import Outcome, Place, outcome
from surefill_training.evaluate.program_editor import ProgramEditor


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
            )
        )
        on_done(len(answers))
    return answers
