"""Puts together what was packed into parts."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

HELP = "Verify and put together what `pack` wrote: a corpus, files or folders."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("packed", type=Path, metavar="DIR", help="the folder with the parts")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="a corpus becomes this folder; files and folders are written into it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Restore everything that is packed in a folder, unless it is there already."""
    from surefill_training.commands.progress import console

    for name, is_new in unpack(arguments.packed, arguments.out):
        console.print(f"{name}: {'unpacked' if is_new else 'up to date'} in {arguments.out}")
    return 0


def unpack(folder: Path, out: Path) -> list[tuple[str, bool]]:
    """Restore all that is packed in ``folder``: each one's name, and whether it was not there."""
    from surefill_training.files import make_folder
    from surefill_training.packing import corpus
    from surefill_training.packing.folder import extract
    from surefill_training.packing.parts import find, join

    restored = []
    for packed in find(folder):
        is_new = True
        if packed.kind == "corpus":
            is_new = corpus.restore(packed, folder, out)
        elif packed.kind == "folder":
            make_folder(out)
            with tempfile.TemporaryDirectory(dir=out, prefix=".unpacking.") as scratch:
                archived = Path(scratch) / packed.name
                join(packed, folder, archived)
                extract(archived, out)
        else:
            is_new = join(packed, folder, out / packed.name)
        restored.append((packed.name, is_new))
    return restored
