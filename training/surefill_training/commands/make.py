"""Makes a model on a machine for training, from a packed corpus to weights in parts."""

from __future__ import annotations

import argparse
import json
import logging
import shutil
from importlib.util import find_spec
from pathlib import Path

from surefill.errors import SurefillError
from surefill_training.commands import export, finetune, pretrain, tokenizer, unpack
from surefill_training.commands.pack import pack_path
from surefill_training.commands.shared import (
    call,
    model_stamp,
    positive,
    positive_float,
    read_record,
)
from surefill_training.errors import TrainingError
from surefill_training.files import write_atomically

HELP = "From a packed corpus to trained weights in parts, in one command that can be repeated."

_BUILDER = "onnxruntime_genai"

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("--packed", type=Path, required=True, metavar="DIR", help="a corpus that `pack` packed")
    add(
        "--preset",
        default="base",
        metavar="NAME",
        help="size of the model and its budget: nano, base or test; with --start how it is trained "
        "further: small or base",
    )
    add(
        "--start",
        type=Path,
        metavar="DIR",
        help="train this model further, instead of a new one: a model directory, or the parts that "
        "`pack --model` made of one",
    )
    add(
        "--tokenizer",
        type=Path,
        metavar="FILE",
        help="a tokenizer.json; without one it is trained on the corpus",
    )
    add(
        "--minutes",
        type=positive_float,
        metavar="M",
        help="training time in all; without it the preset's",
    )
    add("--steps", type=positive, metavar="N", help="optimiser steps in all, instead of minutes")
    add(
        "--stop-after",
        type=positive_float,
        metavar="M",
        help="end this call after M minutes of training, to be repeated; without it training goes "
        "on to its end",
    )
    add(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="decides the weights and the order of the data",
    )
    add(
        "--device",
        default="auto",
        metavar="NAME",
        help="auto, cpu or cuda; auto takes a GPU that works",
    )
    add("--no-compile", action="store_true", help="do not compile the model with torch.compile")
    add(
        "--precision",
        action="append",
        choices=("fp32", "int8", "int4", "w8a8"),
        help="graph to export, where the exporter is installed; may be given several times; "
        "without it int8",
    )
    add("--part-mib", type=positive, default=16, metavar="N", help="most MiB of a part")
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="corpus/, tokenizer/ or start/, run/, result/ and parts/ are written here",
    )


def run(arguments: argparse.Namespace) -> int:
    """Unpack, train, export and pack, each only where it is not done yet."""
    from surefill_training.commands.progress import console

    out: Path = arguments.out
    call(unpack, arguments.packed, "--out", out / "corpus")
    model = _train_further(arguments) if arguments.start else _train(arguments)
    if not read_record(model / "training.json").get("finished"):
        console.print("Not finished yet; the same command continues.")
        return 0
    result = out / "result"
    _collect(model, result)
    _export(result, arguments.precision or ["int8"])
    parts = out / "parts"
    packed, written = pack_path(result, parts, arguments.part_mib * 2**20)
    console.print(f"{len(packed.parts)} parts, {written} of them new. To fetch from {parts}:")
    for file in sorted(parts.iterdir()):
        console.print(f"  {file.name}  {file.stat().st_size / 2**20:.1f} MiB")
    console.print("At home: surefill-train unpack DIR --out RUN; the model is in result/model.")
    return 0


def _tokenizer(arguments: argparse.Namespace) -> Path:
    """The tokenizer that was given, or one of the corpus."""
    target: Path = arguments.out / "tokenizer" / "tokenizer.json"
    if arguments.tokenizer is None:
        call(
            tokenizer,
            *("--corpus", arguments.out / "corpus", "--preset", arguments.preset),
            *("--out", target),
        )
        return target
    try:
        given = arguments.tokenizer.read_bytes()
    except OSError as error:
        raise TrainingError(
            f"{arguments.tokenizer} cannot be read ({error.strerror}).", "Give a tokenizer.json."
        ) from error
    write_atomically(target, given)
    return target


def _train(arguments: argparse.Namespace) -> Path:
    """Train a new model as far as the budget or this call goes; the folder of the model."""
    tokenizer_file = _tokenizer(arguments)
    call(pretrain, "--tokenizer", tokenizer_file, *_common(arguments))
    return Path(arguments.out) / "run" / "model"


def _train_further(arguments: argparse.Namespace) -> Path:
    """Train the model of ``--start`` as far as the budget or this call goes; the model's folder."""
    if arguments.tokenizer is not None:
        raise TrainingError("A model that exists has its tokenizer.", "Leave out --tokenizer.")
    call(finetune, _start(arguments.start, arguments.out / "start"), *_common(arguments))
    return Path(arguments.out) / "run" / "model"


def _start(start: Path, out: Path) -> Path:
    """A model directory, put together where ``start`` holds its parts."""
    from surefill_training.packing.parts import SUFFIX

    if not any(start.glob(f"*{SUFFIX}")):
        return start
    call(unpack, start, "--out", out)
    folders = [path.parent for path in sorted(out.rglob("config.json"))]
    if len(folders) != 1:
        raise TrainingError(
            f"{start} holds the parts of {len(folders)} models.",
            "Pack one alone: surefill-train pack --model DIR.",
        )
    return folders[0]


def _common(arguments: argparse.Namespace) -> list[object]:
    """What both kinds of training are told."""
    out: Path = arguments.out
    budget = {
        "--minutes": arguments.minutes,
        "--steps": arguments.steps,
        "--stop-after": arguments.stop_after,
    }
    return [
        *("--corpus", out / "corpus", "--out", out / "run"),
        *("--preset", arguments.preset, "--seed", arguments.seed, "--device", arguments.device),
        *(part for name, value in budget.items() if value is not None for part in (name, value)),
        *(["--no-compile"] if arguments.no_compile else []),
    ]


def _collect(model: Path, result: Path) -> None:
    """What is worth carrying: the weights in half precision, and how the run went."""
    from surefill_training.packing.half import save_half

    made = result / "made.json"
    stamp = {"model": model_stamp(model)}
    if read_record(made) != stamp:
        made.unlink(missing_ok=True)
        save_half(model, result / "model")
        shutil.copyfile(model.parent / "metrics.jsonl", result / "metrics.jsonl")
        write_atomically(made, json.dumps(stamp).encode())


def _export(result: Path, precisions: list[str]) -> None:
    """Graphs as well, where that is possible; they can be made of the weights anywhere."""
    if find_spec(_BUILDER) is None:
        logger.warning("onnxruntime-genai is not installed, so only weights are saved.")
        return
    wanted = [part for precision in precisions for part in ("--precision", precision)]
    try:
        call(export, result / "model", *wanted, "--out", result / "onnx")
    except SurefillError as error:
        logger.warning("Only weights are saved: %s", error)
