"""Lets the mixture's sources speak at holes in documents they have not seen, as serving would.

For every token of a hole's answer: what each expert says with everything before it known. The
project is the other files of the package, the document is as the user would have it.
"""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from surefill.context.window import ContextBuilder
from surefill.engine.continuation import Continuation
from surefill.engine.decode import LocalEngine
from surefill.engine.interface import Prompt
from surefill.engine.interrupt import Interrupt
from surefill.engine.ngrams.cache import TokenCache
from surefill.engine.ngrams.experts import Sources
from surefill.engine.ngrams.opinions import Opinions
from surefill.engine.ngrams.store import NgramStore
from surefill.engine.sampling import log_softmax
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position
from surefill_training.corpus.documents import Document as Source
from surefill_training.ngrams.moment import Moment, thin
from surefill_training.tasks.holes import Hole, HoleMix, cut

_ANSWER_TOKENS = 48
_MIX = HoleMix(line_end=0.7, lines=0.25, inside=0.05)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Setting:
    """The parts that speak: engine and context of one bundle, and the n-grams."""

    engine: LocalEngine
    context: ContextBuilder
    store: NgramStore
    project_tokens: int = 200_000
    """Of the package's other files, at most; a cache of that size is made for each package."""


@dataclass(frozen=True)
class Heard:
    """What was said of one token: beside the model, and with single tokens in its place."""

    model: Moment
    alone: Moment


def uri_of(source: Source) -> str:
    """The name under which the document is known to the cache."""
    return f"file:///{source.source}/{source.path}"


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
        cache = fill_cache(packages[name], setting)
        for source in (document for document in chosen if document.source == name):
            rng = random.Random(f"{seed}:{zlib.crc32(uri_of(source).encode())}")
            language = language_for(source.language, source.path)
            for _ in range(each):
                hole = cut(source.text, rng, _MIX, language=language)
                if hole is not None:
                    heard += _hear(source, hole, cache, setting)
                done += 1
                progress(done, each * len(chosen))
    return heard


def fill_cache(documents: Sequence[Source], setting: Setting) -> TokenCache:
    """A cache that knows these files, each as a whole."""
    cache = TokenCache(setting.store.vocabulary, limit=setting.project_tokens)
    encode = setting.engine.tokenizer.encode
    cache.apply({uri_of(document): encode(document.text) for document in documents})
    return cache


def prompt_at(source: Source, hole: Hole, context: ContextBuilder) -> Prompt:
    """The prompt that serving would build at the hole."""
    language = language_for(source.language, source.path)
    document = Document(uri_of(source), language, hole.prefix + hole.suffix)
    before = hole.prefix.split("\n")
    position = Position(len(before) - 1, len(before[-1]))
    snapshot = document.snapshot()
    return context.build(snapshot, position, Cursor.at(snapshot, position), _ANSWER_TOKENS)


def _hear(source: Source, hole: Hole, cache: TokenCache, setting: Setting) -> Iterator[Heard]:
    engine = setting.engine
    prompt = prompt_at(source, hole, setting.context)
    whole = engine.tokenizer.encode(prompt.lead + hole.middle)
    room = engine.session.context_length - len(prompt.ids) - 1
    answer = whole[: min(room, _ANSWER_TOKENS)]
    rows = [engine.session.prefill(prompt.ids, Interrupt())[0]]
    if answer:
        rows += list(engine.session.extend(answer, Interrupt()))
    sources = Sources(setting.store, cache.view, prompt)
    end = next(iter(engine.ends))
    ends = None if sources.gap is None else (end, sources.gap)
    written = Continuation(engine.tokenizer, engine.ends, None, len(whole) + 1, prompt.lead)
    for number in range(len(answer) + (len(answer) == len(whole))):
        # To end, and to go on with what stands behind the cursor, are the same thing.
        right = (answer[number],) if number < len(answer) else (ends or (end,))
        among = (
            engine.allowed & engine.texts.beginning(written.pending) if written.pending else None
        )
        experts = sources.experts(answer[:number])
        formed = [
            Opinions.form(base, experts, ends=ends, among=among)
            for base in (log_softmax(rows[number]), setting.store.unigrams)
        ]
        yield Heard(*(Moment(thin(opinions, right), right) for opinions in formed))
        if number < len(answer):
            written.push(answer[number], 0.0)
