"""A folder as one file, and back: a tar archive that is the same whenever its contents are."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from pathlib import Path

from surefill_training.errors import PackingError
from surefill_training.files import make_folder, not_written


def archive(folder: Path, target: Path) -> None:
    """Write the files below ``folder`` to the file ``target``, under the folder's own name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise PackingError(f"{folder} holds no files.", "Give a folder with something in it.")
    name = folder.resolve().name
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for file in files:
            tar.add(
                file, f"{name}/{file.relative_to(folder).as_posix()}", filter=_without_circumstances
            )


def extract(archived: Path, out: Path) -> None:
    """Write the archive's files below ``out``, each whole or not at all.

    Raises PackingError for an archive that is none, or that would write elsewhere.
    """
    make_folder(out)
    try:
        with tempfile.TemporaryDirectory(dir=out, prefix=".unpacking.") as scratch:
            with tarfile.open(archived) as tar:
                for member in tar:
                    _write(tar, member, Path(scratch).resolve())
            for file in [path for path in Path(scratch).rglob("*") if path.is_file()]:
                target = out / file.relative_to(scratch)
                target.parent.mkdir(parents=True, exist_ok=True)
                file.replace(target)
    except tarfile.TarError as error:
        raise PackingError(
            f"{archived.name} cannot be unpacked ({error}).", "Pack the folder again."
        ) from error
    except OSError as error:
        raise not_written(out, error) from error


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one file of the archive. tarfile's own filters came with Python 3.11.4."""
    target = (folder / member.name).resolve()
    if not target.is_relative_to(folder):
        raise tarfile.TarError(f"{member.name!r} would be written elsewhere")
    source = tar.extractfile(member) if member.isfile() else None
    if source is None:
        raise tarfile.TarError(f"{member.name!r} is no file")
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("wb") as written:
        shutil.copyfileobj(source, written)


def _without_circumstances(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A file's entry without what says nothing about its contents."""
    member.mtime = 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member
