"""Writing files so that a crash or a full disk never leaves half of one behind."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from surefill_training.errors import TrainingError


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path``, flush it to disk, then rename it into place.

    Raises TrainingError when the disk is full or the folder cannot be written; whatever was at
    ``path`` before is then still there.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise not_written(path, error) from error


def make_folder(path: Path) -> None:
    """Create a folder and those above it; raises TrainingError when that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: Exception) -> TrainingError:
    """What to raise when writing ``path`` failed with ``error``."""
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return TrainingError(
        f"{path} could not be written ({reason}).",
        "Free some space or choose another folder; nothing that was there is lost.",
    )


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
