"""Opens a GGUF file and says what is wrong with it before anything is loaded.

Reads with the ``gguf`` package. Knows nothing of tokenizers and weights.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from surefill_training.errors import ModelImportError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MOST_DIMENSIONS = 4


@dataclass(frozen=True)
class GgufFile:
    """A file whose header and sizes have been checked."""

    path: Path
    architecture: str
    reader: gguf.GGUFReader

    def value(self, key: str, default: object = None) -> Any:  # noqa: ANN401 - as the header has it
        """A value of the metadata: text, number, or list."""
        found = self.reader.get_field(key)
        return default if found is None else found.contents()

    def of_architecture(self, key: str, default: object = None) -> Any:  # noqa: ANN401
        """A value that is named after the architecture, like ``rope.freq_base``."""
        return self.value(f"{self.architecture}.{key}", default)

    @property
    def name(self) -> str:
        return str(self.value("general.name") or self.path.stem)

    @property
    def parameters(self) -> int:
        """How many numbers all tensors hold."""
        return sum(int(tensor.n_elements) for tensor in self.reader.tensors)

    @property
    def largest(self) -> int:
        """How many numbers the largest tensor holds."""
        return max((int(tensor.n_elements) for tensor in self.reader.tensors), default=0)

    @property
    def quantization(self) -> dict[str, int]:
        """How many tensors there are of each type, the most frequent first."""
        return dict(Counter(t.tensor_type.name for t in self.reader.tensors).most_common())


def architectures() -> list[str]:
    """Architectures of GGUF files that transformers makes a causal language model of."""
    spelled = {"qwen2moe": "qwen2_moe", "qwen3moe": "qwen3_moe", "gemma3": "gemma3_text"}
    found = []
    for name in GGUF_SUPPORTED_ARCHITECTURES:
        kind = spelled.get(name, name)
        if kind in CONFIG_MAPPING and kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
            found.append(name)
    return sorted(set(found) - {"general", *spelled.values()})


def open_gguf(path: Path) -> GgufFile:
    """Read the header of a file; raises ModelImportError where it cannot be used."""
    _require_version(path)
    try:
        reader = _Reader(path)
    except ModelImportError:
        raise
    except (IndexError, ValueError, KeyError, UnicodeDecodeError, OverflowError) as error:
        raise ModelImportError(
            f"The header of {path.name} is truncated or damaged ({error}).",
            "Download the file again, with all its parts, and pin it with --sha256.",
        ) from error
    architecture = reader.get_field("general.architecture")
    name = str(architecture.contents()) if architecture else ""
    if name not in architectures():
        raise ModelImportError(
            f"{path.name} holds a model of the architecture {name or 'unknown'!r}, which cannot be "
            "read from GGUF.",
            f"Choose one of {', '.join(architectures())}, or import its Hugging Face folder.",
        )
    shards = reader.get_field("split.count")
    if shards is not None and int(shards.contents()) > 1:
        raise ModelImportError(
            f"{path.name} is one of {shards.contents()} files that llama.cpp split.",
            "Merge them first: llama-gguf-split --merge FIRST.gguf OUT.gguf.",
        )
    return GgufFile(path, name, reader)


def _require_version(path: Path) -> None:
    with path.open("rb") as stream:
        head = stream.read(8)
    if head[:4] != _MAGIC:
        raise ModelImportError(
            f"{path.name} is not a GGUF file: it begins with {head[:4]!r}.",
            "Give a GGUF file, or all parts of one in their order.",
        )
    if len(head) < 8:
        raise ModelImportError(
            f"{path.name} is truncated: it has {len(head)} bytes.", "Download it again."
        )
    (version,) = struct.unpack("<I", head[4:])
    if version not in _VERSIONS:
        other = version % 65536 == 0
        what = "in the byte order of another machine" if other else f"of version {version}"
        raise ModelImportError(
            f"{path.name} is a GGUF file {what}, which is not supported.",
            f"Convert it with llama.cpp to version {_VERSIONS[-1]}, little endian.",
        )


class _Reader(gguf.GGUFReader):
    """A reader that names the tensor that it cannot read."""

    def _build_tensors(self, start_offs: int, fields: list[gguf.ReaderField]) -> None:
        end = 0
        for each in fields:
            _length, name_data, _count, dimensions, raw_type, offset = each.parts
            name = str(bytes(name_data), encoding="utf-8")
            kind = _supported(name, int(raw_type[0]))
            shape = [int(size) for size in dimensions]
            block, size = gguf.GGML_QUANT_SIZES[kind]
            if not 0 < len(shape) <= _MOST_DIMENSIONS or min(shape) < 1 or shape[0] % block:
                raise ModelImportError(
                    f"The tensor {name} has the impossible shape {shape}.",
                    "Download the file again, and pin it with --sha256.",
                )
            end = max(end, start_offs + int(offset[0]) + math.prod(shape) // block * size)
        if end > len(self.data):
            raise ModelImportError(
                f"The file is truncated: its tensors end at byte {end}, and it has "
                f"{len(self.data)}.",
                "Download it again; of a file in parts give all.",
            )
        if len(self.data) - end >= self.alignment:
            raise ModelImportError(
                f"The file goes on for {len(self.data) - end} bytes after its last tensor.",
                "Of a file in parts give each once, in their order.",
            )
        super()._build_tensors(start_offs, fields)


def _supported(name: str, raw_type: int) -> gguf.GGMLQuantizationType:
    known = {kind.value: kind for kind in gguf.GGMLQuantizationType}
    kind = known.get(raw_type)
    if kind is None or not _can_dequantize(kind):
        what = kind.name if kind else f"number {raw_type}"
        readable = ", ".join(each.name for each in known.values() if _can_dequantize(each))
        raise ModelImportError(
            f"The tensor {name} is quantised as {what}, which is not supported.",
            f"Take a file in one of {readable}.",
        )
    return kind


@cache
def _can_dequantize(kind: gguf.GGMLQuantizationType) -> bool:
    if kind in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16):
        return True
    try:
        gguf.dequantize(np.zeros((1, gguf.GGML_QUANT_SIZES[kind][1]), np.uint8), kind)
    except NotImplementedError:
        return False
    return True
