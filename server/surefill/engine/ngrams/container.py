"""The file ``ngrams.bin``: named arrays behind a JSON header, mapped into memory when read.

``SFNGRAMS``, a schema version and the header's length (both uint32, little endian), the header,
then the arrays, each at a multiple of 64 bytes. Knows names and shapes, not what they mean.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from surefill.errors import BundleError

SCHEMA = 1
Array = npt.NDArray[Any]

_MAGIC = b"SFNGRAMS"
_PREAMBLE = struct.Struct("<8sII")
_ALIGNMENT = 64
_DTYPES = ("<u1", "<u2", "<u4", "<f2", "<f4")


def pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """The bytes of a file; equal contents give equal bytes."""
    placed, blobs, at = {}, [], 0
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        dtype = array.dtype.newbyteorder("<").str.replace("|", "<")
        if dtype not in _DTYPES:
            raise ValueError(f"{name} is {dtype}")
        placed[name] = {"dtype": dtype, "shape": list(array.shape), "at": at}
        blob = array.astype(dtype).tobytes()
        blobs.append(blob + bytes(-len(blob) % _ALIGNMENT))
        at += len(blobs[-1])
    text = json.dumps({**header, "arrays": placed}, sort_keys=True).encode()
    text += b" " * (-(len(text) + _PREAMBLE.size) % _ALIGNMENT)
    return b"".join([_PREAMBLE.pack(_MAGIC, SCHEMA, len(text)), text, *blobs])


def read(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Header and arrays, which are views of the mapped file; raises BundleError."""
    try:
        if path.stat().st_size < _PREAMBLE.size:
            raise damaged(path, "it is too short")
        data = np.memmap(path, np.uint8, "r")
    except OSError as error:
        raise BundleError(
            f"{path} cannot be read: {error.strerror or error}.", "Copy the bundle again."
        ) from error
    magic, schema, length = _PREAMBLE.unpack(data[: _PREAMBLE.size].tobytes())
    if magic != _MAGIC:
        raise damaged(path, "it begins with something else")
    if schema != SCHEMA:
        raise BundleError(
            f"{path} has schema {schema} and this Surefill knows schema {SCHEMA}.",
            "Update Surefill, or make the file again with `surefill-train ngrams`.",
        )
    start = _PREAMBLE.size + length
    try:
        header = json.loads(data[_PREAMBLE.size : start].tobytes())
        arrays = {
            name: _array(data, start, **place) for name, place in header.pop("arrays").items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, "its header is not what it should be") from error
    return header, arrays


def damaged(path: Path, why: str) -> BundleError:
    """What to raise for a file whose contents cannot be right."""
    return BundleError(
        f"{path} is damaged or no file of n-grams: {why}.",
        "Copy or download the bundle again, or make the file with `surefill-train ngrams`.",
    )


def _array(
    data: npt.NDArray[np.uint8], start: int, *, dtype: str, shape: list[int], at: int
) -> Array:
    if dtype not in _DTYPES or not all(type(n) is int and n >= 0 for n in (*shape, at)):
        raise ValueError(dtype)
    begin = start + at
    end = begin + math.prod(shape) * np.dtype(dtype).itemsize
    if end > len(data) or begin % _ALIGNMENT:
        raise ValueError("outside the file")
    return np.frombuffer(data, dtype, math.prod(shape), begin).reshape(shape)
