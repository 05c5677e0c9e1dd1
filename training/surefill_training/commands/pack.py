"""Packs a corpus, a model, a file or a folder into small parts."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefill_training.commands.shared import positive, positive_float
from surefill_training.errors import PackingError

if TYPE_CHECKING:
    from surefill_training.packing.parts import Parts

HELP = "Pack a corpus, a model or files into parts; those that are there and right are kept."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--corpus", type=Path, metavar="DIR", help="a corpus, compressed strongly")
    what.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        help="a Hugging Face model directory, in half precision; for make --start",
    )
    what.add_argument(
        "--file", type=Path, metavar="PATH", help="a file or a folder, parted as it is"
    )
    add("--part-mib", type=positive, default=16, metavar="N", help="most MiB of a part")
    add(
        "--limit-mib",
        type=positive_float,
        default=64.0,
        metavar="N",
        help="most MiB of a packed corpus with its manifest; of a larger one as many documents "
        "are taken as fit, from one package after the other",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="parts and manifest go here")


def run(arguments: argparse.Namespace) -> int:
    """Pack, and say what there is to copy."""
    from surefill_training.commands.progress import console
    from surefill_training.packing.parts import MIB

    part_bytes = arguments.part_mib * MIB
    if arguments.corpus:
        limit = int(arguments.limit_mib * MIB)
        packed, written = _pack_corpus(arguments.corpus, arguments.out, part_bytes, limit)
    elif arguments.model:
        packed, written = _pack_model(arguments.model, arguments.out, part_bytes)
    else:
        packed, written = pack_path(arguments.file, arguments.out, part_bytes)
    console.print(
        f"{packed.name}: {packed.size / MIB:.1f} MiB in {len(packed.parts)} parts in "
        f"{arguments.out}, {written} of them new"
    )
    if not packed.about.get("complete", True):
        console.print(
            f"The limit has room for {packed.about['train_documents']} of "
            f"{packed.about['train_documents_in_all']} training documents."
        )
    return 0


def pack_path(path: Path, out: Path, part_bytes: int) -> tuple[Parts, int]:
    """Pack a file or a folder; the manifest, and how many parts were written."""
    from surefill_training.files import make_folder
    from surefill_training.packing.folder import archive
    from surefill_training.packing.parts import split

    if not path.exists():
        raise PackingError(f"{path} does not exist.", "Give a file or a folder.")
    if not path.is_dir():
        return split(path, out, name=path.name, kind="file", part_bytes=part_bytes)
    make_folder(out)
    with tempfile.TemporaryDirectory(dir=out, prefix=".packing.") as scratch:
        tar = Path(scratch) / "folder.tar"
        archive(path, tar)
        name = f"{path.resolve().name}.tar"
        return split(tar, out, name=name, kind="folder", part_bytes=part_bytes)


def _pack_model(model: Path, out: Path, part_bytes: int) -> tuple[Parts, int]:
    from surefill_training.files import make_folder
    from surefill_training.packing.half import save_half

    make_folder(out)
    with tempfile.TemporaryDirectory(dir=out, prefix=".packing.") as scratch:
        half = Path(scratch) / model.resolve().name
        save_half(model, half)
        return pack_path(half, out, part_bytes)


def _pack_corpus(corpus: Path, out: Path, part_bytes: int, limit: int) -> tuple[Parts, int]:
    from surefill_training.commands.progress import progress_bar
    from surefill_training.corpus import build
    from surefill_training.files import make_folder
    from surefill_training.packing.corpus import NAME, compress
    from surefill_training.packing.parts import SUFFIX, read, split

    wanted: dict[str, Any] = {
        "of": build.manifest(corpus)["hash"],
        "limit": limit,
        "part_bytes": part_bytes,
    }
    manifest = out / f"{NAME}{SUFFIX}"
    if manifest.is_file():
        packed = read(manifest)
        if packed.about.get("options") == wanted and packed.is_complete(out):
            return packed, 0
    make_folder(out)
    with (
        tempfile.TemporaryDirectory(dir=out, prefix=".packing.") as scratch,
        progress_bar() as (progress, task),
    ):
        progress.update(task, description="compressing", total=1.0)
        target = Path(scratch) / NAME
        # What is left is for the manifest, which counts to what has to be carried.
        about = compress(
            corpus, target, limit - 2**14, lambda share: progress.update(task, completed=share)
        )
        about["options"] = wanted
        return split(target, out, name=NAME, kind="corpus", part_bytes=part_bytes, about=about)
