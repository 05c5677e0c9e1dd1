"""Who is measured: bundles, parts of them, and what they have to beat.

A contestant is a name and a way to load a model; how it is asked and scored is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from surefill.completion.loading import LoadedModel, context_for, load_model
from surefill.completion.memory import open_memory
from surefill.engine.bundle import MODEL, NGRAMS, TOKENIZER, Bundle, Manifest, find_bundle
from surefill.engine.ngrams.engine import NgramEngine
from surefill.errors import BundleError
from surefill.settings import Settings
from surefill_training.corpus.sources import canonical
from surefill_training.errors import CorpusError, TrainingError

Kind = Literal["bundle", "baseline"]

NO_PREVIOUS = "none"
SHIPPED = "default"
NGRAMS_ALONE = "n-grams and cache alone"
MODEL_ALONE = "model alone"
PREVIOUS = "previous"
"""The note of the bundle that the others have to beat."""


@dataclass(frozen=True)
class Contestant:
    """One column of the tables."""

    name: str
    version: str
    precision: str
    kind: Kind
    blend: bool
    """Whether model and n-grams speak together."""
    megabytes: float
    weights: tuple[str, ...]
    """SHA-256 of the graph and, where they lie beside it, of its weights."""
    unseen: bool
    """Whether it says what it was trained on, and none of that was held out here."""
    settings: Settings
    open: Callable[[Settings], LoadedModel]
    bundle: Bundle | None = None
    """Whose graph bits per byte are measured on; None for one without a graph."""
    note: str = ""
    """What tells it from others of that name."""

    @property
    def label(self) -> str:
        name = f"{self.name} {self.version} ({self.precision})" if self.version else self.name
        return f"{name}, {self.note}" if self.note else name


def from_bundle(path: Path, heldout: set[str], settings: Settings) -> Contestant:
    """The bundle at ``path`` as it is served.

    Raises CorpusError for one that was trained on a package that is held out, and TrainingError
    for one whose tokenizer is not that of its model.
    """
    bundle = Bundle.load(path)
    manifest = bundle.manifest
    _require_own_tokenizer(manifest)
    if seen := _seen(manifest, heldout):
        raise CorpusError(
            f"{manifest.name} was trained on what this corpus holds out: {', '.join(seen)}.",
            "Measure it on a corpus that holds out other packages.",
        )
    return Contestant(
        name=manifest.name,
        version=manifest.version,
        precision=manifest.precision,
        kind="bundle",
        blend=bundle.ngrams_path is not None,
        megabytes=_megabytes(*bundle.path.iterdir()),
        weights=tuple(manifest.files[n] for n in sorted(manifest.files) if n.startswith(MODEL)),
        unseen=bool(manifest.made.get("sources")),
        # Resolved, or a folder named "default" would be taken for the bundle that ships.
        settings=replace(settings, bundle=str(path.resolve())),
        open=load_model,
        bundle=bundle,
    )


def model_alone(blend: Contestant) -> Contestant:
    """A bundle that has n-grams, with these turned off."""
    completion = replace(blend.settings.completion, blend=False)
    settings = replace(blend.settings, completion=completion)
    size = blend.megabytes
    if blend.bundle is not None and blend.bundle.ngrams_path is not None:
        size -= _megabytes(blend.bundle.ngrams_path)
    return replace(blend, settings=settings, blend=False, megabytes=size, note=MODEL_ALONE)


def ngrams_alone(bundles: Sequence[Contestant]) -> list[Contestant]:
    """Each set of n-grams that is in one of the bundles, without a model: counted, not learned.

    Bundles of one model in several precisions have the same.
    """
    found: dict[tuple[str, str], Contestant] = {}
    for each in bundles:
        if each.bundle is None or each.bundle.ngrams_path is None:
            continue
        files = each.bundle.manifest.files
        alone = replace(
            each,
            name=NGRAMS_ALONE,
            version="",
            precision="",
            kind="baseline",
            blend=False,
            megabytes=_megabytes(each.bundle.ngrams_path, each.bundle.tokenizer_path),
            weights=(),
            open=partial(_open_ngrams, each.bundle),
            bundle=None,
            note=f"of {each.label}" if found else "",
        )
        found.setdefault((files[NGRAMS], files[TOKENIZER]), alone)
    return list(found.values())


def _open_ngrams(bundle: Bundle, _settings: Settings) -> LoadedModel:
    engine = NgramEngine.open(bundle)
    per_line = bundle.manifest.tokenizer.per_line
    return LoadedModel(
        engine=engine,
        context=context_for(bundle, engine, counts=True),
        name=NGRAMS_ALONE,
        version="",
        provider="cpu",
        memory=open_memory(engine.blend.cache, bundle.tokenizer_path, per_line=per_line)
        if engine.blend
        else None,
    )


def _megabytes(*files: Path) -> float:
    return sum(file.stat().st_size for file in files) / 1e6


def previous(
    against: str, measured: Sequence[Contestant], heldout: set[str], settings: Settings
) -> tuple[Contestant | None, str]:
    """The bundle that the others have to beat; or None, and a sentence that says why.

    ``against`` is a bundle's name or path, ``default`` for the one that ships, which is left out
    where it cannot be compared, or ``none``. Raises as ``from_bundle`` for one that was named.
    """
    if against == NO_PREVIOUS:
        return None, ""
    try:
        path = find_bundle(against)
        if against == SHIPPED and (reason := _not_comparable(path, heldout)):
            return None, f"The bundle that ships is left out: {reason}."
    except BundleError as error:
        if against != SHIPPED:
            raise
        return None, f"The bundle that ships is left out: {error.message}"
    found = from_bundle(path, heldout, settings)
    if against == SHIPPED and found.weights in [other.weights for other in measured]:
        return None, "The bundle that ships is left out: it is among those measured."
    return replace(found, kind="baseline", note=PREVIOUS), ""


def _not_comparable(path: Path, heldout: set[str]) -> str:
    manifest = Bundle.load(path).manifest
    if not manifest.made.get("sources"):
        return "it does not record what it was trained on"
    seen = _seen(manifest, heldout)
    return f"it was trained on {', '.join(seen)}, held out here" if seen else ""


def _seen(manifest: Manifest, heldout: set[str]) -> list[str]:
    """Held-out packages that the bundle says it was trained on."""
    trained = {
        canonical(source["name"])
        for source in manifest.made.get("sources", ())
        if source["split"] == "train"
    }
    return sorted(trained & heldout)


def _require_own_tokenizer(manifest: Manifest) -> None:
    trained_with = manifest.made.get("tokenizer")
    if trained_with and trained_with != manifest.files[TOKENIZER]:
        raise TrainingError(
            f"{manifest.name} has another tokenizer than the one its model was trained with.",
            "Bundle the model again from the folder that pretrain wrote, tokenizer included.",
        )
