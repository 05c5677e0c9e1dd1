"""Files in parts of bounded size, with a manifest that tells whether each part is there and right.

Beside the parts ``NAME.001``, ``NAME.002`` and so on lies ``NAME.parts.json``. Knows bytes and
hashes; what the bytes mean is said in the manifest's ``kind`` and ``about``, for others to read.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

from surefill_training.errors import PackingError
from surefill_training.files import hash_of, make_folder, not_written, write_atomically

MIB = 2**20
SUFFIX = ".parts.json"

Kind = Literal["file", "folder", "corpus"]

_FORMAT = 1
_BLOCK = MIB
_PACK_AGAIN = "Pack it again, or copy the folder again from where it was packed."


@dataclass(frozen=True)
class Part:
    """One part: a file beside the manifest."""

    name: str
    size: int
    """In bytes."""
    sha256: str

    def is_right(self, folder: Path) -> bool:
        """Whether the part lies in ``folder`` as it was written."""
        file = folder / self.name
        return file.is_file() and file.stat().st_size == self.size and hash_of(file) == self.sha256


@dataclass(frozen=True)
class Parts:
    """What ``NAME.parts.json`` holds."""

    name: str
    kind: Kind
    size: int
    """In bytes, of the whole."""
    sha256: str
    parts: tuple[Part, ...]
    about: dict[str, Any] = field(default_factory=dict)
    """Whatever tells what was packed, and from what."""

    def to_json(self) -> bytes:
        """The manifest's bytes, the same ones for the same parts."""
        return (json.dumps({"format": _FORMAT, **asdict(self)}, indent=1) + "\n").encode()

    def is_complete(self, folder: Path) -> bool:
        """Whether every part lies in ``folder`` as it was written."""
        return all(part.is_right(folder) for part in self.parts)


def split(
    source: Path,
    folder: Path,
    *,
    name: str,
    kind: Kind,
    part_bytes: int,
    about: dict[str, Any] | None = None,
) -> tuple[Parts, int]:
    """Store the file ``source`` in ``folder``; the manifest, and how many parts were written.

    Parts that are there and right are left alone, those of an earlier and longer file of the same
    name are removed. Raises PackingError or TrainingError.
    """
    make_folder(folder)
    parts: list[Part] = []
    written = 0
    whole = hashlib.sha256()
    try:
        with source.open("rb") as stream:
            while data := stream.read(part_bytes):
                whole.update(data)
                number = len(parts) + 1
                part = Part(f"{name}.{number:03d}", len(data), hashlib.sha256(data).hexdigest())
                parts.append(part)
                if not part.is_right(folder):
                    write_atomically(folder / part.name, data)
                    written += 1
    except OSError as error:
        raise PackingError(
            f"{source} cannot be read ({error.strerror or error}).", "Give a file or a folder."
        ) from error
    size = sum(part.size for part in parts)
    packed = Parts(name, kind, size, whole.hexdigest(), tuple(parts), about or {})
    manifest = folder / f"{name}{SUFFIX}"
    if not manifest.is_file() or manifest.read_bytes() != packed.to_json():
        write_atomically(manifest, packed.to_json())
    _remove_others(folder, packed)
    return packed, written


def find(folder: Path) -> list[Parts]:
    """All that is packed in ``folder``; raises PackingError where nothing is."""
    manifests = sorted(folder.glob(f"*{SUFFIX}"))
    if not manifests:
        raise PackingError(
            f"{folder} holds nothing that was packed.", f"Give the folder with the *{SUFFIX} file."
        )
    return [read(manifest) for manifest in manifests]


def read(manifest: Path) -> Parts:
    """One manifest, checked; raises PackingError."""
    try:
        raw = json.loads(manifest.read_text(encoding="utf-8"))
        if raw.pop("format") != _FORMAT:
            raise ValueError("it is of another format")
        raw["parts"] = tuple(Part(**part) for part in raw["parts"])
        packed = Parts(**raw)
        if packed.kind not in get_args(Kind):
            raise ValueError("it is of another kind")
        for name in (packed.name, *(part.name for part in packed.parts)):
            if Path(name).name != name:
                raise ValueError(f"it names {name!r}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackingError(f"{manifest} cannot be used ({error}).", _PACK_AGAIN) from error
    return packed


def require_complete(packed: Parts, folder: Path) -> None:
    """Raise PackingError that names every part which is missing or damaged."""
    missing = [part.name for part in packed.parts if not (folder / part.name).is_file()]
    if missing:
        raise PackingError(
            f"{folder} lacks {len(missing)} of the {len(packed.parts)} parts of {packed.name}: "
            f"{', '.join(missing)}.",
            "Copy them again from where they were packed.",
        )
    damaged = [part.name for part in packed.parts if not part.is_right(folder)]
    if damaged:
        raise PackingError(
            f"Damaged parts of {packed.name} in {folder}: {', '.join(damaged)}.",
            "Copy them again from where they were packed.",
        )


def blocks(packed: Parts, folder: Path) -> Iterator[bytes]:
    """The bytes of the whole, in order; the caller has checked that the parts are right."""
    for part in packed.parts:
        with (folder / part.name).open("rb") as stream:
            while data := stream.read(_BLOCK):
                yield data


def join(packed: Parts, folder: Path, target: Path) -> bool:
    """Write the whole to ``target``; False when it is there already. Raises PackingError."""
    there = target.is_file() and target.stat().st_size == packed.size
    if there and hash_of(target) == packed.sha256:
        return False
    require_complete(packed, folder)
    partial = target.with_name(target.name + ".partial")
    make_folder(target.parent)
    try:
        with partial.open("wb") as file:
            for data in blocks(packed, folder):
                file.write(data)
            flush_to_disk(file)
        partial.replace(target)
    except OSError as error:
        raise not_written(target, error) from error
    finally:
        partial.unlink(missing_ok=True)
    return True


def flush_to_disk(file: BinaryIO) -> None:
    """Wait until all that was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def _remove_others(folder: Path, packed: Parts) -> None:
    """Remove parts of ``packed.name`` that are not its own any more."""
    own = {part.name for part in packed.parts}
    for file in folder.glob(f"{packed.name}.*"):
        number = file.name.removeprefix(f"{packed.name}.")
        if number.isdecimal() and file.name not in own:
            file.unlink()
