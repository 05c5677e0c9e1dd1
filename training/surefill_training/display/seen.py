"""Whether a model has seen the packages that a filter is to be fitted on."""

from __future__ import annotations

from pathlib import Path

from surefill.engine.bundle import Bundle
from surefill_training.corpus import build
from surefill_training.corpus.development import development_packages
from surefill_training.corpus.sources import canonical
from surefill_training.display.choose import Packages
from surefill_training.errors import TrainingError


def require_unseen(bundle: Path, corpus: Path, packages: Packages) -> None:
    """Raise TrainingError for a bundle that says it was trained on such packages.

    A model is surer of what it has seen, so a filter fitted there would show too much elsewhere.
    Nothing is left out of training by any other corpus than the model's own.
    """
    manifest = Bundle.load(bundle, verify=False).manifest
    made = manifest.made
    trained = {
        canonical(source["name"])
        for source in made.get("sources", ())
        if source.get("split") == "train"
    }
    if not trained:
        return
    own = made.get("corpus") == build.manifest(corpus)["hash"]
    if packages == "development" and own:
        return
    documents = list(build.load(corpus, "train"))
    left_out = development_packages(documents)
    asked = {d.source for d in documents if (d.source in left_out) == (packages == "development")}
    seen = sorted(trained & {canonical(name) for name in asked})
    if seen:
        raise TrainingError(
            f"{manifest.name} may have been trained on {', '.join(seen[:5])}"
            f"{' and others' if len(seen) > 5 else ''}: it would seem surer than it is.",
            "Give the corpus that it was trained on, with --packages development.",
        )
