"""Source files out of archives that strangers made: regular files only, bounded in every respect.

Nothing is executed. Links, devices and names that lead outside are left out, so what was unpacked
lies in its folder whatever the archive says.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from surefill_training.errors import CorpusError

_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, ValueError)
_BLOCK = 1 << 16
_SMALL = 1 << 24
"""Bytes below which the ratio says nothing: a small archive of zeros does no harm."""

Wanted = Callable[[PurePosixPath], bool]
"""Whether a member is wanted, by its name."""
Placed = Callable[[PurePosixPath, bytes], PurePosixPath | None]
"""Where a wanted member is written, by name and content; None where it is not wanted after all."""


@dataclass(frozen=True)
class Bounds:
    """What an archive may hold; beyond the first three it is refused as a whole."""

    bytes: int = 1 << 30
    """Of the archive, unpacked, with what is not wanted."""
    ratio: int = 100
    """Unpacked bytes for each packed one. Source code reaches 20."""
    members: int = 200_000
    file: int = 1 << 20
    """Bytes of a file; larger ones are skipped."""


def unpack(
    archive: Path,
    into: Path,
    wanted: Wanted,
    placed: Placed = lambda name, _content: name,
    bounds: Bounds | None = None,
) -> list[str]:
    """Write the wanted regular files of a tar archive to ``into``; their names, sorted.

    The archive is plain or packed with gzip, bzip2 or xz. Its topmost folder is not cut off.
    Raises CorpusError for an archive that is damaged or beyond its bounds.
    """
    try:
        with archive.open("rb") as packed:
            limit = _limit(archive.stat().st_size, bounds or Bounds())
            members = _members(_opened(packed), wanted, bounds or Bounds(), limit)
            return _write_all(members, into, placed)
    except _Exceeded as error:
        raise CorpusError(
            f"{archive.name} is refused: {error}.", "Take the package off the list."
        ) from error
    except _DAMAGED as error:
        raise CorpusError(
            f"{archive.name} cannot be unpacked ({error}).",
            "Delete it, so that it is fetched again, or take the package off the list.",
        ) from error


class _Readable(Protocol):
    """What unpacked bytes are read from."""

    def read(self, size: int, /) -> bytes: ...


class _Exceeded(Exception):
    """Which bound an archive does not keep."""


def _limit(packed: int, bounds: Bounds) -> int:
    return min(bounds.bytes, max(_SMALL, packed * bounds.ratio))


def _opened(packed: BinaryIO) -> _Readable:
    """The archive's bytes, unpacked as they are read."""
    start = packed.read(6)
    packed.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=packed)
    if start.startswith(b"BZh"):
        return bz2.BZ2File(packed)
    if start == b"\xfd7zXZ\x00":
        return lzma.LZMAFile(packed)
    return packed


class _Bounded:
    """A stream that ends with _Exceeded where more comes than may."""

    def __init__(self, stream: _Readable, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes."""
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _Exceeded("unpacked it is larger than source code is")
        return data


def _members(
    stream: _Readable, wanted: Wanted, bounds: Bounds, limit: int
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Name and content of each wanted regular file."""
    bounded = _Bounded(stream, limit)
    # As a stream, so that each byte is unpacked once and counted.
    with tarfile.open(fileobj=bounded, mode="r|", bufsize=_BLOCK) as archive:  # type: ignore[call-overload]
        for count, member in enumerate(archive, 1):
            if count > bounds.members:
                raise _Exceeded(f"it has more than {bounds.members} members")
            name = safe_name(member.name)
            if name is None or not member.isreg() or member.size > bounds.file or not wanted(name):
                continue
            content = archive.extractfile(member)
            if content is not None:
                yield name, content.read()


def _write_all(
    members: Iterable[tuple[PurePosixPath, bytes]], into: Path, placed: Placed
) -> list[str]:
    taken = set()
    for name, content in members:
        place = placed(name, content)
        if place is not None and _write(into / place, content):
            taken.add(str(place))
    return sorted(taken)


def _write(path: Path, data: bytes) -> bool:
    """Write a member's file; False for one that stands where another needs a folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return False
    return True


def safe_name(name: str) -> PurePosixPath | None:
    """A member's path within the archive, or None where it could lead outside of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        return None
    if "\\" in name or any(not part.isprintable() or len(part) > 200 for part in path.parts):
        return None
    return path
