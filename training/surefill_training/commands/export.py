"""Exports a model to ONNX."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from surefill_training.commands.shared import model_stamp, positive, read_record
from surefill_training.files import write_atomically
from surefill_training.model_config import MOST_CONTEXT

HELP = "Export a model directory to ONNX."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL_DIR", help="a Hugging Face model directory")
    add(
        "--precision",
        action="append",
        choices=("fp32", "int8", "int4", "w8a8"),
        help="of the weights; may be given several times; without it int8, which loses next to "
        "nothing; w8a8 rounds activations as well and is faster, on processors only; int4 costs a "
        "pretrained model much of what it knows; `bundle` refuses a graph that has lost too much",
    )
    add(
        "--context",
        type=positive,
        default=MOST_CONTEXT,
        metavar="N",
        help="tokens of a prompt with its answer that the graph has positions for; `bundle` may "
        "serve fewer (default: %(default)s, or what the model takes)",
    )
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="one folder for each precision is written here",
    )


def run(arguments: argparse.Namespace) -> int:
    """Export to each precision that is not there yet."""
    from surefill_training import export as exporting
    from surefill_training.commands.progress import console

    wanted = {"model": model_stamp(arguments.model), "context": arguments.context}
    for precision in arguments.precision or ["int8"]:
        out = arguments.out / precision
        record = out / "exported.json"
        if wanted.items() <= read_record(record).items() and (out / "model.onnx").exists():
            console.print(f"{precision}: up to date")
            continue
        with console.status(f"exporting {precision}"):
            exported = exporting.export(arguments.model, out, precision, context=arguments.context)
        write_atomically(
            record,
            json.dumps({**wanted, "layout": exported.layout, "precision": precision}).encode(),
        )
        size = sum(file.stat().st_size for file in out.glob(f"{exported.path.name}*"))
        console.print(f"{precision}: {size / 1e6:.1f} MB in {out}")
    return 0
