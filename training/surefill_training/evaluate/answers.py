"""Asks for each hole as an editor would, through the server's pipeline, and notes what comes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from surefill.completion.pipeline import CompletionPipeline, CompletionRequest
from surefill.completion.policy import decide
from surefill.context.neighbours import Neighbours
from surefill.engine.interface import Cancellation, Engine
from surefill.settings import CompletionSettings
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document as Parsed
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position
from surefill_training.corpus.documents import Document
from surefill_training.evaluate.holes import Hole
from surefill_training.evaluate.parsing import judge
from surefill_training.project import Memory, SimulatedProject, uri_of

_DEADLINE_MS = 10_000
"""A slow machine changes the times that are measured, not the suggestions."""


EVERY_SUGGESTION = -1.0
"""A ``min_confidence`` for the pipeline that hides and cuts nothing.

Contestants are sure of themselves to different degrees, so any bar would compare their confidences
rather than their suggestions.
"""


@dataclass(frozen=True)
class Answer:
    """What came for one hole; a hole without a suggestion scores zero."""

    hole: Hole
    text: str
    """The suggestion; empty when there was none."""
    shown: bool
    parses: bool | None
    """As ``parsing.judge`` says; None where nothing was shown or it could not be judged."""
    exact: bool
    """All that was shown is right: lines too many would have to be deleted."""
    similarity: float
    """Normalised Levenshtein similarity to what is missing, 0 to 1."""
    confidence: float
    """The chance that all of it is right, by the display filter; 0 without a suggestion."""
    bar: float
    """The chance to begin right that the server's default settings ask for at this place."""
    milliseconds: float
    begins: float = 1.0
    """The chance that it begins right."""

    @property
    def shown_by_default(self) -> bool:
        return self.shown and self.begins >= self.bar


def answer_all(
    pipeline: CompletionPipeline,
    engine: Engine,
    memory: Memory | None,
    holes: Sequence[Hole],
    *,
    documents: Sequence[Document],
    on_done: Callable[[int], None],
    min_confidence: float = 0.0,
) -> list[Answer]:
    """An answer to each hole, in the order of ``holes``, as far as it is ``min_confidence`` sure.

    The settings of ``pipeline`` have EVERY_SUGGESTION, or a bar is in force besides.

    They are asked package by package, so that there is one project at a time: all ``documents`` of
    the package, that of the hole without what is missing.
    """
    numbered = sorted(enumerate(holes), key=lambda item: _place(item[1]))
    found: dict[int, Answer] = {}
    for source, group in itertools.groupby(numbered, key=lambda item: item[1].document.source):
        with SimulatedProject([d for d in documents if d.source == source], memory) as project:
            for number, hole in group:
                found[number] = answer(
                    pipeline,
                    engine,
                    hole,
                    project.cut(hole.document, hole.prefix + hole.suffix),
                    min_confidence=min_confidence,
                )
                on_done(len(found))
    return [found[number] for number in range(len(holes))]


def _place(hole: Hole) -> tuple[str, str, int]:
    return hole.document.source, hole.document.path, hole.start


def answer(
    pipeline: CompletionPipeline,
    engine: Engine,
    hole: Hole,
    neighbours: Neighbours | None = None,
    *,
    min_confidence: float = 0.0,
) -> Answer:
    """Ask for one hole and compare the first suggestion with what is missing.

    A suggestion of less than ``min_confidence`` counts as none.
    """
    uri = uri_of(hole.document)
    snapshot = Parsed(uri, hole.language, hole.prefix + hole.suffix).snapshot()
    before = hole.prefix.split("\n")
    position = Position(len(before) - 1, len(before[-1]))
    request = CompletionRequest(
        snapshot,
        position,
        explicit=hole.explicit,
        n=1,
        deadline_ms=_DEADLINE_MS,
        neighbours=neighbours,
    )
    result = pipeline.complete(request, engine, Cancellation())
    # What was suggested at one hole must not answer another in the same line.
    pipeline.forget(uri)
    bar = _default_bar(snapshot, position, explicit=hole.explicit)
    suggestion = result.suggestions[0] if result.suggestions else None
    confidence = suggestion.chance if suggestion else 0.0
    if suggestion is None or confidence < min_confidence:
        return Answer(hole, "", False, None, False, 0.0, 0.0, bar, result.timings.total)
    compared = hole.compared(suggestion.text)
    return Answer(
        hole=hole,
        text=suggestion.text,
        shown=True,
        parses=judge(hole, suggestion),
        exact=compared == hole.truth,
        similarity=Levenshtein.normalized_similarity(compared, hole.truth),
        confidence=confidence,
        bar=bar,
        milliseconds=result.timings.total,
        begins=suggestion.begins,
    )


def _default_bar(snapshot: Snapshot, position: Position, *, explicit: bool) -> float:
    cursor = Cursor.at(snapshot, position)
    settings = CompletionSettings()
    decision = decide(snapshot, position, cursor, explicit=explicit, settings=settings)
    return decision.min_confidence
