"""Line ends of held-out code, completed by the server's pipeline and compared with the truth."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from surefill.completion.pipeline import CompletionPipeline, CompletionRequest
from surefill.engine.interface import Cancellation, Engine
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position
from surefill_training.corpus.build import Document as Source
from surefill_training.errors import CorpusError
from surefill_training.tasks.holes import Hole, HoleMix, cut

_FEWEST_CHARACTERS = 3


@dataclass(frozen=True)
class LineScore:
    """One hole's result; a hole without a suggestion scores zero."""

    shown: bool
    parses: bool
    exact: bool
    similarity: float
    """Normalised Levenshtein similarity to the rest of the line, 0 to 1."""
    milliseconds: float


def draw_holes(documents: Sequence[Source], count: int, seed: int) -> list[tuple[Source, Hole]]:
    """Line ends to complete, spread evenly over the documents, the same ones for the same seed.

    At least three characters are missing: single closing brackets would lift every figure.
    """
    if not documents:
        raise CorpusError("The held-out set is empty.", "Hold out at least one package.")
    rng = random.Random(seed)
    order = list(documents)
    rng.shuffle(order)
    holes: list[tuple[Source, Hole]] = []
    for attempt in range(4 * count):
        if len(holes) == count:
            break
        document = order[attempt % len(order)]
        hole = cut(document.text, rng, HoleMix(), "line_end")
        if hole is not None and len(hole.middle.strip()) >= _FEWEST_CHARACTERS:
            holes.append((document, hole))
    if not holes:
        raise CorpusError("The held-out set has no line to complete.", "Hold out another package.")
    return holes


def complete_lines(
    pipeline: CompletionPipeline,
    engine: Engine,
    holes: Sequence[tuple[Source, Hole]],
    on_done: Callable[[int], None],
) -> list[LineScore]:
    """Ask for each hole as an editor would, and score the first suggestion."""
    scores = []
    for number, (source, hole) in enumerate(holes):
        document = Document(
            f"file:///{source.source}/{source.path}",
            language_for("python", source.path),
            hole.prefix + hole.suffix,
        )
        before = hole.prefix.split("\n")
        request = CompletionRequest(
            document.snapshot(),
            Position(len(before) - 1, len(before[-1])),
            explicit=False,
            n=1,
            deadline_ms=10_000,
        )
        result = pipeline.complete(request, engine, Cancellation())
        truth = hole.middle.rstrip()
        if result.suggestions:
            suggestion = result.suggestions[0]
            # Lines too many would have to be deleted, so all that is shown has to be right.
            shown = suggestion.text.rstrip()
            scores.append(
                LineScore(
                    shown=True,
                    parses=suggestion.verdicts["parses"].outcome == "passed",
                    exact=shown == truth,
                    similarity=Levenshtein.normalized_similarity(shown, truth),
                    milliseconds=result.timings.total,
                )
            )
        else:
            scores.append(LineScore(False, False, False, 0.0, result.timings.total))
        on_done(number + 1)
    return scores
