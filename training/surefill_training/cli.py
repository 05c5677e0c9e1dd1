"""The command ``surefill-train``: arguments in, one step of the pipeline run, one sentence out.

Each step writes into a folder and can be run again: what is finished is kept, what was
interrupted goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from surefill.errors import SurefillError
from surefill_training import __version__

_EPILOG = """\
From sources to a bundle that the server loads:

  surefill-train corpus    --stdlib --package requests --package httpx --heldout httpx --out corpus
  surefill-train tokenizer --corpus corpus --out tokenizer/tokenizer.json
  surefill-train pretrain  --corpus corpus --tokenizer tokenizer/tokenizer.json --out runs/nano
  surefill-train export    runs/nano/model --out runs/nano/onnx
  surefill-train bundle    runs/nano/model --exported runs/nano/onnx --name mine --out bundles/mine
  surefill-train evaluate  bundles/mine --corpus corpus
  surefill complete FILE --at LINE:COLUMN --bundle bundles/mine

For another size give its --preset to tokenizer and to pretrain.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = build_parser().parse_args(argv)
    from surefill_training import commands

    try:
        result: int = getattr(commands, arguments.run)(arguments)
    except SurefillError as error:
        sys.stderr.write(f"surefill-train: {error}\n")
        return 1
    except OSError as error:
        # What the commands foresee names the file in words of its own; this is a disk that fills
        # up, or a folder that cannot be written, inside a library.
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(
            f"surefill-train: {where}{error.strerror or error}. "
            "Check that the disk has space and that the folder can be written.\n"
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("surefill-train: interrupted; the same command continues.\n")
        return 130
    return result


def build_parser() -> argparse.ArgumentParser:
    """The parser with all subcommands."""
    parser = argparse.ArgumentParser(
        prog="surefill-train",
        description="Train, export and evaluate the models that Surefill serves.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_corpus(commands)
    _add_tokenizer(commands)
    _add_pretrain(commands)
    _add_export(commands)
    _add_bundle(commands)
    _add_evaluate(commands)
    return parser


_Commands = argparse._SubParsersAction  # the only name argparse has for it


def _command(
    commands: _Commands[argparse.ArgumentParser], name: str, help_: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=help_, description=help_, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )


def _add_corpus(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "corpus", "Collect, filter, deduplicate and split Python sources by package."
    )
    add = parser.add_argument
    add("--package", action="append", default=[], metavar="NAME", help="an installed package")
    add("--packages-file", type=Path, metavar="FILE", help="package names, one on each line")
    add(
        "--site",
        type=Path,
        action="append",
        metavar="DIR",
        help="a site-packages folder to look for packages in, instead of this interpreter's",
    )
    add(
        "--directory",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of sources of your own",
    )
    add("--stdlib", action="store_true", help="this interpreter's standard library")
    add(
        "--heldout",
        action="append",
        default=[],
        metavar="NAME",
        help="a package that is kept out of training, whole, to measure on",
    )
    add(
        "--max-package-chars",
        type=_positive,
        default=4_000_000,
        metavar="N",
        help="take at most this much of one package",
    )
    add(
        "--any-license",
        action="store_true",
        help="accept sources whose licence is unknown or not permissive, such as your own",
    )
    add("--seed", type=int, default=0, help="which files a large package is represented by")
    add("--out", type=Path, required=True, metavar="DIR", help="where to write the corpus")
    parser.set_defaults(run="corpus")


def _add_tokenizer(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "tokenizer", "Train a byte-level BPE tokenizer on a corpus.")
    add = parser.add_argument
    add("--corpus", type=Path, required=True, metavar="DIR", help="a corpus built before")
    add(
        "--preset",
        default="nano",
        metavar="NAME",
        help="the preset of the model that it is for, which says how many tokens it has",
    )
    add("--vocabulary", type=_positive, metavar="N", help="number of tokens instead")
    add(
        "--template",
        default="qwen2.5-coder",
        metavar="NAME",
        help="whose special tokens the tokenizer gets",
    )
    add(
        "--max-chars",
        type=_positive,
        default=40_000_000,
        metavar="N",
        help="train on at most this much, drawn at random",
    )
    add("--out", type=Path, required=True, metavar="FILE", help="where to write tokenizer.json")
    parser.set_defaults(run="tokenizer")


def _add_pretrain(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "pretrain", "Train a model from scratch; the same command resumes a run."
    )
    add = parser.add_argument
    add("--corpus", type=Path, required=True, metavar="DIR", help="a corpus built before")
    add("--tokenizer", type=Path, required=True, metavar="FILE", help="its tokenizer.json")
    add(
        "--preset",
        default="nano",
        metavar="NAME",
        help="nano: two CPU cores, two hours; base: one CUDA GPU, 25 minutes; test: seconds",
    )
    add(
        "--minutes",
        type=_positive_float,
        metavar="M",
        help="training time in all, over all parts of the run, instead of the preset's",
    )
    add("--steps", type=_positive, metavar="N", help="optimiser steps in all, instead of minutes")
    add(
        "--stop-after",
        type=_positive_float,
        metavar="M",
        help="end this part after M minutes, with a checkpoint, to be resumed",
    )
    add("--recipe", choices=("muon", "adamw"), default="muon", help="optimiser recipe")
    add("--seed", type=int, default=0, help="of the weights and of the order of the data")
    add(
        "--template",
        default="qwen2.5-coder",
        metavar="NAME",
        help="how prompts are laid out; the one that the tokenizer was trained with",
    )
    add("--device", default="auto", metavar="NAME", help="auto, cpu or cuda")
    add(
        "--precision",
        choices=("auto", "bf16", "fp32"),
        default="auto",
        help="of the matrix products; auto takes bf16 where the device is faster with it",
    )
    add("--no-compile", action="store_true", help="do not compile the model with torch.compile")
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="checkpoints/, metrics.jsonl, tensorboard/ and model/ are written here",
    )
    parser.set_defaults(run="pretrain")


def _add_export(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "export", "Export a model directory to ONNX.")
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL_DIR", help="a Hugging Face model directory")
    add(
        "--precision",
        action="append",
        choices=("fp32", "int8", "int4"),
        help="give it several times for several graphs; all three by default",
    )
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="one folder for each precision is written here",
    )
    parser.set_defaults(run="export")


def _add_bundle(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "bundle", "Assemble a bundle that the server loads.")
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL_DIR", help="the model directory that was exported")
    add("--exported", type=Path, required=True, metavar="DIR", help="what `export` wrote")
    add("--precision", choices=("fp32", "int8", "int4"), default="int4", help="which graph to take")
    add("--name", required=True, help="name of the bundle")
    add("--release", default="1", metavar="VERSION", help="version of the bundle")
    add("--license", default="Apache-2.0", help="licence of the weights")
    add(
        "--template",
        metavar="NAME",
        help="how prompts are laid out, for a model from elsewhere; else as it was trained",
    )
    add(
        "--order",
        choices=("spm", "psm"),
        help="suffix first, or prefix first for a model that knows no other; "
        "suffix first for models trained here, prefix first for others",
    )
    add("--scores", type=Path, metavar="FILE", help="results of `evaluate --json` to put into it")
    add("--out", type=Path, required=True, metavar="DIR", help="the bundle's folder")
    parser.set_defaults(run="bundle")


def _add_evaluate(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "evaluate",
        "Measure bundles on held-out packages, with the server's own pipeline.",
    )
    add = parser.add_argument
    add("bundles", type=Path, nargs="+", metavar="BUNDLE", help="one or more bundles to compare")
    add(
        "--corpus",
        type=Path,
        required=True,
        metavar="DIR",
        help="the corpus with held-out packages",
    )
    add("--holes", type=_positive, default=500, metavar="N", help="line ends to complete")
    add(
        "--chars",
        type=_positive,
        default=400_000,
        metavar="N",
        help="size of the sample that bits per byte are measured on",
    )
    add("--seed", type=int, default=0, help="which holes")
    add("--json", type=Path, metavar="FILE", help="also write the results to a file")
    parser.set_defaults(run="evaluate")


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return value


def _positive_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value
