"""Makes ``ngrams.bin`` for a bundle: count, keep what is worth its bytes, fit the weights, pack.

The weights are fitted on whole packages that are left out of the counts and of the model's
training, so that both know of them what they will know of a user's project: nothing. The same
corpus and bundle give the same file on the same machine with as many threads.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from surefill.completion.loading import context_for
from surefill.completion.memory import open_memory
from surefill.engine.bundle import TOKENIZER, Bundle
from surefill.engine.decode import open_engine
from surefill.engine.ngrams.blend import ALONE, BESIDE_MODEL
from surefill.engine.ngrams.cache import TokenCache
from surefill.engine.ngrams.container import pack
from surefill.engine.ngrams.layout import CONTEXTS
from surefill.engine.ngrams.store import NgramStore
from surefill.engine.tokenizer import BundleTokenizer
from surefill_training.corpus import build as corpus_build
from surefill_training.corpus.development import leave_out
from surefill_training.corpus.documents import Document
from surefill_training.errors import CorpusError, TrainingError
from surefill_training.ngrams.count import AT_ONCE, Counts, count_order, count_unigrams
from surefill_training.ngrams.fit import fit
from surefill_training.ngrams.prune import Candidates, prune, rate
from surefill_training.ngrams.simulate import Setting, listen
from surefill_training.ngrams.unseen import says_unseen
from surefill_training.progress import Progress

_BATCH = 256
_OVERHEAD = 64_000
"""Bytes of the file that are not tables: header, weights, alignment."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NgramOptions:
    """How the file is made."""

    max_bytes: int = 10_000_000
    holes: int = 1_000
    """Holes that the weights are fitted on, of some fifteen tokens each."""
    seed: int = 0
    at_once: int = AT_ONCE
    """Tokens whose n-grams are sorted together."""


def make_ngrams(
    corpus: Path,
    bundle: Path,
    options: NgramOptions,
    progress: Progress,
    counted: Path | None = None,
) -> bytes:
    """The bytes of ``ngrams.bin``. The weights are those for this bundle's model.

    With ``counted``, an earlier file of the same corpus and tokenizer, its n-grams are taken over
    and only the weights are new. Raises CorpusError for a corpus without three packages,
    TrainingError for a size too small or a file of another corpus, BundleError for one of another
    tokenizer.
    """
    loaded = Bundle.load(bundle)
    documents = list(corpus_build.load(corpus, "train"))
    hash_ = corpus_build.manifest(corpus)["hash"]
    if counted is None:
        store = _count_store(documents, hash_, loaded, options, progress)
    else:
        store = NgramStore.load(counted, loaded.manifest.files[TOKENIZER].lower())
        if store.made.get("corpus") != hash_:
            raise TrainingError(
                f"The n-grams of {counted} were counted over another corpus.",
                "Give the corpus they were made from, or count again without --counted.",
            )
    development = store.made.get("development")
    if not isinstance(development, list):
        raise TrainingError(
            f"{counted} does not say which packages it left out.", "Count again without --counted."
        )
    if not says_unseen(loaded.manifest.made, development):
        logger.warning(
            "The record of %s does not say that its model was trained without the packages that "
            "the weights are fitted on, so the weights may trust the model too much.",
            bundle,
        )
    shown = [document for document in documents if document.source in development]
    made = {
        **store.made,
        "bundle": f"{loaded.manifest.name} {loaded.manifest.version}",
        "holes": options.holes,
        "seed": options.seed,
    }
    store = _fit(replace(store, weights={}, made=made), loaded, shown, options, progress)
    return pack(*store.contents())


def _count_store(
    documents: Sequence[Document],
    corpus: str,
    bundle: Bundle,
    options: NgramOptions,
    progress: Progress,
) -> NgramStore:
    """The n-grams of the documents, apart from development packages; without weights."""
    # Serving's own, so that what was counted is found.
    tokenizer = BundleTokenizer(bundle.tokenizer_path)
    vocabulary = tokenizer.vocab_size
    unigram_bytes = 2 * vocabulary
    room = options.max_bytes - _OVERHEAD - unigram_bytes
    if room <= 0:
        raise TrainingError(
            f"N-grams of {vocabulary} tokens do not fit into {options.max_bytes / 1e6:.2f} MB.",
            "Allow more with --max-mb.",
        )
    counted, development = leave_out(documents)
    if not development:
        raise CorpusError(
            "The corpus has fewer than three packages to train on.",
            "Add packages: one is left out to fit the weights, and the others are compared.",
        )
    packages = _tokenize(counted, tokenizer, progress)
    store = NgramStore(
        tokenizer=bundle.manifest.files[TOKENIZER].lower(),
        vocabulary=vocabulary,
        tables=(),
        unigrams=count_unigrams(packages, vocabulary).astype(np.float16).astype(np.float32),
        weights={},
        made={
            "corpus": corpus,
            "development": development,
            "max_bytes": options.max_bytes,
        },
    )
    candidates = _count(packages, store, options, progress)
    return replace(store, tables=tuple(prune(candidates, vocabulary, room)))


def _tokenize(
    documents: Sequence[Document], tokenizer: BundleTokenizer, progress: Progress
) -> list[list[npt.NDArray[np.int32]]]:
    """Ids of the documents by package, in the order of the corpus."""
    packages: dict[str, list[npt.NDArray[np.int32]]] = {}
    for start in range(0, len(documents), _BATCH):
        part = documents[start : start + _BATCH]
        encoded = tokenizer.encode_all([document.text for document in part])
        for document, ids in zip(part, encoded, strict=True):
            packages.setdefault(document.source, []).append(np.array(ids, np.int32))
        progress("tokenising", start + len(part), len(documents))
    return list(packages.values())


def _count(
    packages: Sequence[Sequence[npt.NDArray[np.int32]]],
    store: NgramStore,
    options: NgramOptions,
    progress: Progress,
) -> list[Candidates]:
    shorter: Counts | None = None
    candidates = []
    for context in CONTEXTS:
        progress(f"counting {context + 1}-grams", context - 1, len(CONTEXTS))
        counts = count_order(packages, context, store.vocabulary, options.at_once)
        candidates.append(rate(counts, shorter, store.unigrams, store.vocabulary))
        shorter = counts
    progress("choosing", len(CONTEXTS), len(CONTEXTS))
    return candidates


def _fit(
    store: NgramStore,
    bundle: Bundle,
    documents: Sequence[Document],
    options: NgramOptions,
    progress: Progress,
) -> NgramStore:
    """``store`` with the weights of both mixtures."""
    engine = open_engine(bundle, "cpu", ngrams=False)
    cache = TokenCache(store.vocabulary)
    per_line = bundle.manifest.tokenizer.per_line
    memory = open_memory(cache, bundle.tokenizer_path, per_line=per_line)
    ends = bundle.manifest.prompt.ends
    try:
        setting = Setting(
            engine,
            context_for(bundle, engine, counts=True),
            store,
            cache,
            memory,
            engine.tokenizer.special(ends[0]) if ends else None,
        )
        heard = listen(
            documents,
            options.holes,
            setting,
            lambda done, total: progress("asking the model", done, total),
            seed=options.seed,
        )
    finally:
        memory.close()
        engine.close()
    if not heard:
        raise CorpusError(
            "No line of the development packages could be completed.",
            "Add packages with more code to the corpus.",
        )
    progress("fitting the weights", 0, 1)
    weights = {
        BESIDE_MODEL: fit([item.model for item in heard], store.unigrams, seed=options.seed),
        ALONE: fit([item.alone for item in heard], store.unigrams, seed=options.seed),
    }
    return replace(store, weights=weights)
