"""Lets the mixture's sources speak at holes in documents they have not seen, as serving would.

For every token of a hole's answer: what each expert says with everything before it known. The
package around the document is on the disk and in the memory as a server would have it.
"""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from surefill.completion.memory import ProjectMemory
from surefill.completion.policy import Decision, decide
from surefill.context.neighbours import Neighbours
from surefill.context.window import ContextBuilder
from surefill.engine.continuation import Continuation
from surefill.engine.decode import LocalEngine, gap_ends
from surefill.engine.interface import Prompt
from surefill.engine.interrupt import Interrupt
from surefill.engine.ngrams.cache import TokenCache
from surefill.engine.ngrams.experts import Sources
from surefill.engine.ngrams.opinions import Opinions
from surefill.engine.ngrams.store import NgramStore
from surefill.engine.sampling import log_softmax
from surefill.settings import CompletionSettings
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position
from surefill_training.corpus.documents import Document as Source
from surefill_training.ngrams.moment import Moment, thin
from surefill_training.project import SimulatedProject, uri_of
from surefill_training.tasks.holes import Hole, HoleMix, cut

_ANSWER_TOKENS = 48
_MIX = HoleMix(line_end=0.7, lines=0.25, inside=0.05)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Setting:
    """The parts that speak: engine, context and memory of one bundle, and the n-grams."""

    engine: LocalEngine
    context: ContextBuilder
    store: NgramStore
    cache: TokenCache
    memory: ProjectMemory
    """Fills ``cache``."""
    end: int | None
    """The token by which the model says that nothing is missing."""


@dataclass(frozen=True)
class Heard:
    """What was said of one token: beside the model, and with single tokens in its place."""

    model: Moment
    alone: Moment


def listen(
    documents: Sequence[Source], holes: int, setting: Setting, progress: Progress, *, seed: int = 0
) -> list[Heard]:
    """Draw about ``holes`` holes, evenly over the documents, and hear what is said in each."""
    packages = defaultdict(list)
    for document in documents:
        packages[document.source].append(document)
    each = -(-holes // max(1, len(documents)))
    chosen = random.Random(seed).sample(list(documents), min(len(documents), -(-holes // each)))
    heard: list[Heard] = []
    done = 0
    for name in sorted({document.source for document in chosen}):
        with SimulatedProject(packages[name], setting.memory) as project:
            for source in (document for document in chosen if document.source == name):
                rng = random.Random(f"{seed}:{zlib.crc32(uri_of(source).encode())}")
                language = language_for(source.language, source.path)
                for _ in range(each):
                    hole = cut(source.text, rng, _MIX, language=language)
                    if hole is not None:
                        neighbours = project.cut(source, hole.prefix + hole.suffix)
                        heard += _hear(source, hole, neighbours, setting)
                    done += 1
                    progress(done, each * len(chosen))
    return heard


def _ask(
    source: Source, hole: Hole, neighbours: Neighbours, context: ContextBuilder
) -> tuple[Prompt, Decision]:
    """What serving would ask of the engine at the hole."""
    language = language_for(source.language, source.path)
    document = Document(uri_of(source), language, hole.prefix + hole.suffix)
    before = hole.prefix.split("\n")
    position = Position(len(before) - 1, len(before[-1]))
    snapshot = document.snapshot()
    cursor = Cursor.at(snapshot, position)
    explicit, settings = hole.kind == "lines", CompletionSettings()
    decision = decide(snapshot, position, cursor, explicit=explicit, settings=settings)
    return context.build(snapshot, position, cursor, _ANSWER_TOKENS, neighbours), decision


def _hear(source: Source, hole: Hole, neighbours: Neighbours, setting: Setting) -> Iterator[Heard]:
    engine, end = setting.engine, setting.end
    prompt, decision = _ask(source, hole, neighbours, setting.context)
    if decision.stop is None:
        return
    stopped = decision.stop(hole.middle)
    whole = engine.tokenizer.encode(prompt.lead + hole.middle[:stopped])
    room = engine.session.context_length - len(prompt.ids) - 1
    answer = whole[: min(room, _ANSWER_TOKENS)]
    rows = [engine.session.prefill(prompt.ids, Interrupt())[0]]
    if answer:
        rows += list(engine.session.extend(answer, Interrupt()))
    sources = Sources(setting.store, setting.cache.view, prompt)
    joined = gap_ends(engine.tokenizer, prompt, decision.stop)
    ends = sources.ends(end, gap_ends=joined)
    written = Continuation(engine.tokenizer, engine.ends, None, len(whole) + 1, prompt.lead)
    rights: list[tuple[int, ...]] = [(token,) for token in answer]
    if len(answer) == len(whole) and stopped is None and end is not None:
        rights.append(ends or (end,))
    for number, right in enumerate(rights):
        experts = sources.experts(answer[:number])
        among = (
            engine.allowed & engine.texts.beginning(written.pending) if written.pending else None
        )
        formed = [
            Opinions.form(
                base,
                experts,
                sources.familiarity,
                ends=ends,
                # The model's vocabulary may be padded, the n-grams' is not.
                among=None if among is None else among[: len(base)],
            )
            for base in (log_softmax(rows[number]), setting.store.unigrams)
        ]
        yield Heard(*(Moment(thin(opinions, right), right) for opinions in formed))
        if number < len(answer):
            written.push(answer[number], 0.0)
