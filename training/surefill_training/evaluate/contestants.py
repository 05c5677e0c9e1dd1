"""Who is measured: bundles, the bundle before them, and what they have to beat.

A contestant is a name and a way to load a model; how it is asked and scored is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from surefill.completion.loading import LoadedModel, load_model
from surefill.engine.bundle import MODEL, TOKENIZER, Bundle, Manifest, find_bundle
from surefill.errors import BundleError
from surefill.settings import Settings
from surefill_training.corpus.sources import canonical
from surefill_training.errors import CorpusError, TrainingError
from surefill_training.evaluate.project import Memory

Kind = Literal["bundle", "baseline"]

NO_PREVIOUS = "none"
SHIPPED = "default"
PREVIOUS = "previous"
"""The note of the bundle that the others have to beat."""


@dataclass(frozen=True)
class Running:
    """A model in service, and what it remembers of the project; whoever opened it closes it."""

    model: LoadedModel
    memory: Memory | None = None


@dataclass(frozen=True)
class Contestant:
    """One column of the tables."""

    name: str
    version: str
    precision: str
    kind: Kind
    blend: bool
    """Whether n-grams have a say in its suggestions."""
    megabytes: float
    weights: tuple[str, ...]
    """SHA-256 of the graph and, where they lie beside it, of its weights."""
    unseen: bool
    """Whether it says what it was trained on, and none of that was held out here."""
    settings: Settings
    open: Callable[[Settings], Running]
    bundle: Bundle | None = None
    """Whose graph bits per byte are measured on."""
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
        blend=False,
        megabytes=sum(file.stat().st_size for file in path.iterdir()) / 1e6,
        weights=tuple(manifest.files[n] for n in sorted(manifest.files) if n.startswith(MODEL)),
        unseen=bool(manifest.made.get("sources")),
        # Resolved, or a folder named "default" would be taken for the bundle that ships.
        settings=replace(settings, bundle=str(path.resolve())),
        open=lambda chosen: Running(load_model(chosen)),
        bundle=bundle,
    )


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
