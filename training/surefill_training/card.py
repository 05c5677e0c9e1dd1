"""What a bundle says about itself: the facts of its manifest, and the model card in words."""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from surefill.engine.bundle import PromptOrder
from surefill_training import languages
from surefill_training.bundle import BundleInfo
from surefill_training.errors import TrainingError
from surefill_training.importing.record import read_source, require_infilling
from surefill_training.measurements import (
    ablations_in_words,
    measured_in_words,
    scores_in_words,
)
from surefill_training.model_config import MOST_CONTEXT, read_config

_CARD = """\
# {name} {version}

A causal language model that fills in the middle of a file{origin}.
{parameters:.1f}M parameters, {context} tokens of context, {precision} weights.

## How it was made
{made}{ablations}

## Scores
{scores}

{measured}

## What it is for, and what not
Completing the line or the block at the cursor, together with Surefill's checks. A small model knows
idioms and the names around the cursor, and it invents names where it knows nothing.{limits}

Licence of the weights: {license}.{sources}
"""
_TRAINED_HERE = " of {languages} code, trained from scratch with `surefill-training`"
_SOURCES = """ The sources it was trained on are {kind};
they are the corpus of hash `{corpus}`.{names}"""


def describe(
    model: Path,
    *,
    name: str,
    version: str,
    license_name: str | None,
    precision: str,
    scores: Mapping[str, Any],
    ablations: Sequence[Mapping[str, Any]] = (),
    template: str | None = None,
    order: PromptOrder | None = None,
    served: Sequence[str] = (),
    context: int | None = None,
) -> tuple[BundleInfo, str]:
    """Manifest facts and model card for the model in a Hugging Face directory.

    A model that was trained here has its ``template`` on record and is served suffix-first, one
    from elsewhere takes Qwen's unless told otherwise, prefix-first as most were trained. What was
    imported has template and licence on record; one that has not learned infilling yet raises
    TrainingError where its template infills.

    ``training.json``, which ``pretrain`` writes beside the weights, says how it was made; a model
    from elsewhere has none and its card says so. ``scores`` are those of ``summarize``,
    ``ablations`` those of ``read_ablations``.
    """
    config = read_config(model)
    made = _training_record(model / "training.json")
    if made:
        made["date"] = datetime.now(UTC).date().isoformat()
        made["versions"] = _versions()
        made["python"] = platform.python_version()
    if ablations:
        made["ablations"] = list(ablations)
    parameters = int(made.get("parameters") or _parameters(model))
    imported = read_source(model)
    template = template or made.get("template") or imported.get("template") or "qwen2.5-coder"
    require_infilling(imported, template)
    start = imported or made.get("source", {}).get("imported", {})
    license_name = license_name or start.get("license") or "Apache-2.0"
    info = BundleInfo(
        name=name,
        version=version,
        languages=tuple(served) or languages.known(made),
        license=license_name,
        parameters=parameters,
        context_length=min(context or MOST_CONTEXT, _context_length(config)),
        template=template,
        order=order or ("spm" if made else "psm"),
        made=made,
        scores=scores,
    )
    card = _CARD.format(
        name=name,
        version=version,
        parameters=parameters / 1e6,
        context=info.context_length,
        precision=precision,
        made=_made(made, imported),
        ablations=ablations_in_words(ablations),
        scores=scores_in_words(scores),
        measured=measured_in_words(scores),
        license=license_name,
        origin=_origin(made),
        limits=f"\n{languages.in_words(made)}" if made else "",
        sources=_sources(made),
    )
    return info, card


def _context_length(config: Mapping[str, Any]) -> int:
    for name in ("max_position_embeddings", "n_positions"):
        if name in config:
            return int(config[name])
    raise TrainingError(
        "The model's config.json does not say how long its context is.",
        "Add max_position_embeddings to it.",
    )


_NEEDED = {"preset", "optimizer", "steps", "tokens", "minutes", "infilling", "corpus", "hole_share"}


def _training_record(path: Path) -> dict[str, Any]:
    """What ``pretrain`` noted beside the weights; empty for a model from elsewhere."""
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        if not (isinstance(made, dict) and made.keys() >= _NEEDED):
            raise ValueError("it does not say how the model was trained")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{path} cannot be used ({error}).",
            "Run the same surefill-train pretrain again, which writes it anew.",
        ) from error
    return made


def _versions() -> dict[str, str]:
    """Versions of the libraries that decide what comes out; onnxruntime has several names."""
    found: dict[str, str] = {}
    for library, names in {
        "torch": ("torch",),
        "transformers": ("transformers",),
        "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    }.items():
        for name in names:
            with contextlib.suppress(metadata.PackageNotFoundError):
                found.setdefault(library, metadata.version(name))
    return found


def _sources(made: Mapping[str, Any]) -> str:
    if not made:
        return ""
    own = made.get("any_license", False)
    kind = "of any licence, as its maker chose" if own else "permissively licensed packages"
    return _SOURCES.format(kind=kind, corpus=made["corpus"][:16], names=_names(made))


def _names(made: Mapping[str, Any]) -> str:
    """The packages by name, version and licence, those held out apart; empty if not recorded."""
    parts = []
    for split, heading in (("train", "Trained on"), ("heldout", "Held out, to measure on")):
        named = [
            f"{source['name']} {source['version']} ({source['license']})"
            for source in made.get("sources", [])
            if source["split"] == split
        ]
        if named:
            parts.append(f"\n\n{heading}: " + ",\n".join(named) + ".")
    return "".join(parts)


def _origin(made: Mapping[str, Any]) -> str:
    if not made:
        return ""
    if "source" in made:
        return f", trained further with `surefill-training` from {made['source']['name']}"
    return _TRAINED_HERE.format(languages=languages.names(made))


def _method(made: Mapping[str, Any]) -> str:
    """What was trained: a new model, all weights of another, or adapters."""
    if "source" not in made:
        return f"Preset `{made['preset']}`"
    lora = made.get("lora")
    how = f"with LoRA of rank {lora['rank']}" if lora else "in full"
    return f"Fine-tuned {how} from {made['source']['name']}"


def _made(made: Mapping[str, Any], imported: Mapping[str, Any]) -> str:
    if "preset" not in made and imported:
        types = ", ".join(imported.get("quantization") or {})
        return (
            f"Imported from {imported['name']} ({types}; SHA-256 `{imported['sha256']}`) and not "
            "trained further."
        )
    if "preset" not in made:
        return "Imported from a model directory that does not say how it was trained."
    return (
        f"{_method(made)}, recipe `{made['optimizer']['recipe']}`, "
        f"{made['steps']} steps, {made['tokens'] / 1e6:.1f}M tokens in "
        f"{made['minutes']:.0f} minutes of training; "
        f"{made['hole_share']:.0%} of the pieces with a hole, "
        f"{made['infilling']['spm_share']:.0%} of those in suffix-first order; torch "
        f"{made['versions']['torch']}."
    )


def _parameters(model: Path) -> int:
    """Parameters of a checkpoint, counted from the shapes in its weight files."""
    from safetensors import safe_open

    total = 0
    for file in sorted(model.glob("*.safetensors")):
        with safe_open(file, framework="np") as tensors:
            for key in tensors.keys():  # noqa: SIM118 - not a mapping
                size = 1
                for dimension in tensors.get_slice(key).get_shape():
                    size *= dimension
                total += size
    return total
