"""Makes the variants of a model: fewer layers, healed or not, and weights of fewer bits.

Each step is kept in its folder and made again only when what it was made from has changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from surefill.engine.bundle import Bundle
from surefill.errors import BundleError
from surefill_training.bundle import write_bundle
from surefill_training.card import describe
from surefill_training.commands.shared import model_stamp, read_record
from surefill_training.compression.prune import PruneOptions, prune
from surefill_training.export import Exported, export, quantize_exported
from surefill_training.files import write_atomically

Heal = Callable[[Path, Path, float, Path], Path]
"""Trains a model directory further: (model, corpus, minutes, out) to the new model directory."""
Say = Callable[[str], None]
Precision = Literal["fp32", "int8", "int4"]

WHOLE = "whole"
DEFAULT_BLOCK = 128


@dataclass(frozen=True)
class Plan:
    """Which variants there are to be."""

    precisions: tuple[Precision, ...] = ("fp32", "int8", "int4")
    int4_blocks: tuple[int, ...] = (DEFAULT_BLOCK,)
    """Weights that share a scale, for each int4 variant."""
    keeps: tuple[tuple[int, ...], ...] = ()
    """For each pruned model, the layers that stay."""
    heal_minutes: float | None = None
    """Each pruned model is trained further for so long; None leaves it as it is."""


@dataclass(frozen=True)
class Variant:
    """One model in one precision, as a bundle."""

    name: str
    base: str
    """``whole``, or the layers that it keeps."""
    precision: Precision
    bundle: Bundle


def make(
    model: Path, corpus: Path, out: Path, plan: Plan, *, heal: Heal, say: Say
) -> Iterator[Variant]:
    """All variants, the whole model in fp32 first: it is what the others are compared with."""
    for base, folder in _models(model, corpus, out, plan, heal=heal, say=say):
        for precision, block in _formats(plan, whole=base == WHOLE):
            name = f"{base}-{precision}" + ("" if block == DEFAULT_BLOCK else f"-b{block}")
            say(f"exporting {name}")
            yield Variant(name, base, precision, _bundle(folder, out, name, precision, block))


def _formats(plan: Plan, *, whole: bool) -> list[tuple[Precision, int]]:
    formats: list[tuple[Precision, int]] = [("fp32", DEFAULT_BLOCK)] if whole else []
    for precision in plan.precisions:
        blocks = plan.int4_blocks if precision == "int4" else (DEFAULT_BLOCK,)
        formats += [(precision, block) for block in blocks]
    return list(dict.fromkeys(formats))


def _models(
    model: Path, corpus: Path, out: Path, plan: Plan, *, heal: Heal, say: Say
) -> Iterator[tuple[str, Path]]:
    """The whole model and the pruned ones, by name."""
    yield WHOLE, model
    for keep in plan.keeps:
        name = f"layers-{'-'.join(map(str, sorted(keep)))}"
        pruned, record = out / name / "pruned", out / name / "made.json"
        wanted = {"of": model_stamp(model), "keep": list(keep)}
        if read_record(record) != wanted:
            say(f"pruning {name}")
            prune(model, corpus, pruned, PruneOptions(keep=keep), lambda *_: None)
            write_atomically(record, json.dumps(wanted).encode())
        yield name, pruned
        if plan.heal_minutes:
            say(f"healing {name}")
            # A run of other minutes is another run.
            run = out / name / f"healed-{plan.heal_minutes:g}-minutes"
            yield f"{name}-healed", heal(pruned, corpus, plan.heal_minutes, run)


def _bundle(model: Path, out: Path, name: str, precision: Precision, block: int) -> Bundle:
    folder = out / "bundles" / name
    record, wanted = out / "bundles" / f"{name}.made.json", {"model": model_stamp(model)}
    if read_record(record) == wanted:
        try:
            return Bundle.load(folder)
        except BundleError:
            pass  # it is made again
    exported = _export(model, out, name, precision, block)
    info, card = describe(
        model, name=name, version="0", license_name="unknown", precision=precision, scores={}
    )
    bundle = write_bundle(
        folder,
        info,
        model=exported.path,
        layout=exported.layout,
        precision=exported.precision,
        tokenizer=model / "tokenizer.json",
        model_card=card,
    )
    write_atomically(record, json.dumps(wanted).encode())
    return bundle


def _export(model: Path, out: Path, name: str, precision: Precision, block: int) -> Exported:
    """The graph in a precision; all start from one fp32 graph, which is made first."""
    stamp = model_stamp(model)
    folder = out / "onnx" / stamp[:16]
    full = Exported(folder / "fp32" / "model.onnx", "shared", "fp32")
    record = folder / "exported.json"
    found = read_record(record)
    if found.get("model") == stamp and full.path.is_file():
        full = Exported(full.path, found["layout"], "fp32")
    else:
        full = export(model, folder / "fp32", "fp32")
        write_atomically(record, json.dumps({"model": stamp, "layout": full.layout}).encode())
    if precision == "fp32":
        return full
    return quantize_exported(full, folder / name, precision, block_size=block)
