"""Assembles a bundle."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefill.syntax.languages import LANGUAGES
from surefill_training.commands.shared import model_stamp, positive, read_record
from surefill_training.errors import TrainingError
from surefill_training.templates import find_template

if TYPE_CHECKING:
    from surefill_training.bundle import BundleInfo

HELP = "Assemble a bundle that the server loads."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL_DIR", help="the model directory that was exported")
    add("--exported", type=Path, required=True, metavar="DIR", help="what `export` wrote")
    add(
        "--precision",
        choices=("fp32", "int8", "int4", "w8a8"),
        default="int8",
        help="which of the graphs to take; one that has lost too much of its source weights is "
        "refused",
    )
    add("--name", required=True, help="name of the bundle")
    add("--release", default="1", metavar="VERSION", help="version of the bundle")
    add(
        "--license",
        metavar="NAME",
        help="licence of the weights; without it the one that `import` noted, else Apache-2.0",
    )
    add(
        "--template",
        metavar="NAME",
        help="how prompts are laid out; without it as the model was trained or imported, and "
        "qwen2.5-coder for any other from elsewhere",
    )
    add(
        "--order",
        choices=("spm", "psm"),
        help="suffix first (spm), or prefix first (psm) for a model that knows no other; without "
        "it suffix first for models trained here, prefix first for others",
    )
    add(
        "--languages",
        type=_language_ids,
        default=(),
        metavar="IDS",
        help="language ids, separated by commas, in which suggestions come unasked; without it "
        "those it was trained on here, which leaves out what a pretrained model knew before",
    )
    add(
        "--context",
        type=positive,
        metavar="N",
        help="tokens of a prompt with its answer; memory and the time of a first answer grow with "
        "it; without it as many as the graph was exported for",
    )
    add(
        "--scores",
        type=Path,
        metavar="FILE",
        help="what `evaluate --json` wrote, for manifest and card; without it they have no scores",
    )
    add(
        "--ablations",
        type=Path,
        metavar="FILE",
        help="the ablations.json that `ablate` wrote, to show them on the card",
    )
    add(
        "--ngrams",
        type=Path,
        metavar="FILE",
        help="what `ngrams` wrote, to be blended in; without it the model speaks alone",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="the bundle's folder")


def _language_ids(text: str) -> tuple[str, ...]:
    ids = tuple(part.strip() for part in text.split(",") if part.strip())
    known = {language.id for language in LANGUAGES}
    for name in ids:
        if name not in known:
            raise argparse.ArgumentTypeError(
                f"there is no language {name!r}; choose among {', '.join(sorted(known))}"
            )
    return ids


def run(arguments: argparse.Namespace) -> int:
    """Assemble a bundle with its model card."""
    from surefill_training.bundle import write_bundle
    from surefill_training.card import describe
    from surefill_training.commands.progress import console
    from surefill_training.measurements import (
        read_ablations,
        read_results,
        require_scores_of,
        summarize,
    )

    folder = arguments.exported / arguments.precision
    exported = read_record(folder / "exported.json")
    if not exported:
        raise TrainingError(
            f"{folder} holds no exported model.",
            f"Run surefill-train export {arguments.model} --out {arguments.exported} first.",
        )
    if exported["model"] != model_stamp(arguments.model):
        raise TrainingError(
            f"{folder} was exported from another model than {arguments.model}.",
            f"Run surefill-train export {arguments.model} --out {arguments.exported} again.",
        )
    positions = exported.get("context")
    if arguments.context and positions and arguments.context > positions:
        raise TrainingError(
            f"{folder} was exported for {positions} tokens of context, not {arguments.context}.",
            f"Export it again: surefill-train export {arguments.model} --out "
            f"{arguments.exported} --context {arguments.context}.",
        )
    scores = {}
    if arguments.scores:
        results = read_results(arguments.scores)
        require_scores_of(results, arguments.exported)
        scores = summarize(results)
    info, card = describe(
        arguments.model,
        name=arguments.name,
        version=arguments.release,
        license_name=arguments.license,
        precision=arguments.precision,
        scores=scores,
        ablations=read_ablations(arguments.ablations) if arguments.ablations else (),
        template=find_template(arguments.template).name if arguments.template else None,
        order=arguments.order,
        served=arguments.languages,
        context=arguments.context or positions,
    )
    parts = {
        "model": folder / "model.onnx",
        "layout": exported["layout"],
        "precision": arguments.precision,
        "tokenizer": arguments.model / "tokenizer.json",
        "model_card": card,
        "ngrams": arguments.ngrams,
    }
    if arguments.precision != "fp32":
        info = replace(info, made={**info.made, "fidelity": _fidelity(arguments, info, parts)})
    written = write_bundle(arguments.out, info, **parts)
    size = sum(file.stat().st_size for file in written.path.iterdir())
    console.print(f"{written.manifest.name} {written.manifest.version}: {size / 1e6:.1f} MB")
    return 0


def _fidelity(
    arguments: argparse.Namespace, info: BundleInfo, parts: dict[str, Any]
) -> dict[str, Any]:
    """What the graph has kept of its source weights; raises ExportError where that is too little.

    Asked before anything is written: a bundle that nobody should serve replaces none.
    """
    from surefill_training.bundle import write_bundle
    from surefill_training.commands.progress import shown_progress
    from surefill_training.fidelity import compare, require_fidelity

    with tempfile.TemporaryDirectory() as scratch, shown_progress() as report:
        tried = write_bundle(Path(scratch) / "bundle", info, **{**parts, "ngrams": None})
        found = compare(arguments.model, tried, report)
    require_fidelity(found, f"The {arguments.precision} graph of {arguments.model}")
    return found.record()
