"""Measures bundles as they are served, by the real engine and pipeline on held-out packages."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from surefill.completion.loading import load_model
from surefill.completion.pipeline import CompletionPipeline
from surefill.engine.bundle import MODEL, Bundle, Manifest
from surefill.engine.interrupt import Interrupt
from surefill.engine.session import ModelSession
from surefill.engine.tokenizer import BundleTokenizer
from surefill.settings import Settings
from surefill_training.corpus import build
from surefill_training.corpus.sources import canonical
from surefill_training.errors import CorpusError
from surefill_training.evaluate.lines import complete_lines, draw_holes
from surefill_training.evaluate.statistics import Estimate, bootstrap
from surefill_training.tasks.holes import Hole

_CHUNK = 128
"""Tokens whose logits are computed at once: those of a whole context can be gigabytes."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class EvaluateOptions:
    """Sizes of the samples; equal options give equal samples."""

    holes: int = 500
    chars: int = 400_000
    seed: int = 0


@dataclass(frozen=True)
class BundleScores:
    """What was measured of one bundle."""

    name: str
    version: str
    precision: str
    bits_per_byte: float
    exact_match: Estimate
    edit_similarity: Estimate
    shown: Estimate
    parses: Estimate
    median_ms: float
    megabytes: float
    holes: int
    seed: int
    corpus: str
    weights: Sequence[str]
    """SHA-256 of the graph and, where they lie beside it, of its weights."""
    unseen: bool
    """Whether the bundle says what it was trained on, and none of that was held out here."""


def compare(
    bundles: Sequence[Path], corpus: Path, options: EvaluateOptions, progress: Progress
) -> list[BundleScores]:
    """Measure each bundle on the same held-out samples.

    Raises CorpusError for a bundle that was trained on a package which this corpus holds out.
    """
    documents = list(build.load(corpus, "heldout"))
    if not documents:
        raise CorpusError("The corpus holds nothing out.", "Build it again with --heldout PACKAGE.")
    heldout = {canonical(document.source) for document in documents}
    for path in bundles:
        _require_unseen(Bundle.load(path).manifest, heldout)
    samples = _Samples(
        texts=sample(documents, options.chars, options.seed),
        holes=draw_holes(documents, options.holes, options.seed),
        seed=options.seed,
        corpus=build.manifest(corpus)["hash"],
    )
    return [_measure(path, samples, progress) for path in bundles]


@dataclass(frozen=True)
class _Samples:
    """What every bundle is measured on."""

    texts: Sequence[str]
    holes: Sequence[tuple[build.Document, Hole]]
    seed: int
    corpus: str


def _measure(path: Path, samples: _Samples, progress: Progress) -> BundleScores:
    bundle = Bundle.load(path)
    manifest = bundle.manifest
    bits = bits_per_byte(bundle, samples.texts, progress)
    # Resolved, or a folder named "default" would be taken for the bundle that ships.
    settings = Settings(bundle=str(path.resolve()))
    # Every suggestion counts, however unsure the model is of it.
    settings = replace(settings, completion=replace(settings.completion, min_confidence=0.0))
    model = load_model(settings)
    try:
        pipeline = CompletionPipeline(model.context, settings)
        scores = complete_lines(
            pipeline,
            model.engine,
            samples.holes,
            lambda done: progress(f"{manifest.name}: line ends", done, len(samples.holes)),
        )
    finally:
        model.engine.close()
    return BundleScores(
        name=manifest.name,
        version=manifest.version,
        precision=manifest.precision,
        bits_per_byte=bits,
        exact_match=bootstrap([float(s.exact) for s in scores]),
        edit_similarity=bootstrap([s.similarity for s in scores]),
        shown=bootstrap([float(s.shown) for s in scores]),
        parses=bootstrap([float(s.parses) for s in scores if s.shown]),
        median_ms=statistics.median(s.milliseconds for s in scores),
        megabytes=sum(f.stat().st_size for f in path.iterdir()) / 1e6,
        holes=len(scores),
        seed=samples.seed,
        corpus=samples.corpus,
        weights=[manifest.files[n] for n in sorted(manifest.files) if n.startswith(MODEL)],
        unseen=bool(manifest.made.get("sources")),
    )


def _require_unseen(manifest: Manifest, heldout: set[str]) -> None:
    trained = {
        canonical(source["name"])
        for source in manifest.made.get("sources", ())
        if source["split"] == "train"
    }
    if trained & heldout:
        raise CorpusError(
            f"{manifest.name} was trained on what this corpus holds out: "
            f"{', '.join(sorted(trained & heldout))}.",
            "Measure it on a corpus that holds out other packages.",
        )


def sample(documents: Sequence[build.Document], chars: int, seed: int) -> list[str]:
    """Held-out texts of about ``chars`` characters in all, drawn at random, the last one cut."""
    texts = [document.text for document in documents]
    random.Random(seed).shuffle(texts)
    taken, left = [], chars
    for text in texts:
        if left <= 0:
            break
        taken.append(text[:left])
        left -= len(taken[-1])
    return taken


def bits_per_byte(bundle: Bundle, texts: Sequence[str], progress: Progress) -> float:
    """Mean cross-entropy of ``texts`` in bits per UTF-8 byte, by the graph that is served.

    Texts are cut into windows of the context length that do not overlap, each led by the end
    token: the first tokens of each window have little context, so the figure is pessimistic.
    """
    manifest = bundle.manifest
    tokenizer = BundleTokenizer(bundle.path / "tokenizer.json")
    session = ModelSession(bundle)
    end = tokenizer.special(manifest.prompt.ends[0])
    length = manifest.context_length - 1
    nats, size = 0.0, 0
    for number, text in enumerate(texts):
        ids = tokenizer.encode(text)
        size += len(text.encode("utf-8", "replace"))
        for start in range(0, len(ids), length):
            window = [end, *ids[start : start + length]]
            session.rewind(0)
            for first in range(0, len(window) - 1, _CHUNK):
                targets = window[first + 1 : first + 1 + _CHUNK]
                part = window[first : first + len(targets)]
                logits = session.extend(part, Interrupt()).astype(np.float64)
                peak = logits.max(axis=1)
                norm = peak + np.log(np.exp(logits - peak[:, None]).sum(axis=1))
                nats += float((norm - logits[np.arange(len(targets)), targets]).sum())
        progress(f"{manifest.name}: bits per byte", number + 1, len(texts))
    session.close()
    return nats / math.log(2) / size
