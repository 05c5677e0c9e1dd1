"""Whether memory and disk will do, said before long work begins."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil

from surefill_training.errors import ModelImportError

_BYTES = 4
"""Of a weight in single precision."""
_COPIES = 2
"""Of all weights: the source, and what is written or read again."""
_BESIDES = 600_000_000
"""Bytes of the libraries, the vocabulary and activations (measured with 135M parameters)."""


def require_memory(parameters: int) -> None:
    """Raise ModelImportError where a model of so many parameters does not fit."""
    needed = parameters * _BYTES * _COPIES + _BESIDES
    available = psutil.virtual_memory().available
    if needed > available:
        raise ModelImportError(
            f"A model of {parameters / 1e6:,.0f}M parameters needs {needed / 1e9:.1f} GB of memory "
            f"to be imported, and {available / 1e9:.1f} GB are free.",
            "Close other programs, use a machine with more memory, or choose a smaller model.",
        )


def require_disk(parameters: int, folder: Path) -> None:
    """Raise ModelImportError where the weights in single precision do not fit on the disk."""
    needed, free = parameters * _BYTES, shutil.disk_usage(folder).free
    if needed > free:
        raise ModelImportError(
            f"The model takes {needed / 1e9:.1f} GB in single precision, and the disk of {folder} "
            f"has {free / 1e9:.1f} GB left.",
            "Free some space, or choose an output folder on another disk.",
        )
