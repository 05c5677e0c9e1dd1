"""The KV cache in its two layouts: one shared buffer, or a new tensor after every run.

Knows tensors and bindings; which tokens they belong to is the session's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from surefill.engine.bundle import KvShape


@dataclass(frozen=True)
class Device:
    """Where tensors live: ``cpu`` or ``cuda``."""

    name: str = "cpu"
    index: int = 0

    def empty(self, shape: list[int], dtype: np.dtype[Any]) -> ort.OrtValue:
        return ort.OrtValue.ortvalue_from_shape_and_type(shape, dtype, self.name, self.index)

    def tensor(self, array: npt.NDArray[Any]) -> ort.OrtValue:
        return ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array), self.name, self.index)


class Cache(Protocol):
    """Keys and values of every layer for the first ``length`` tokens."""

    @property
    def capacity(self) -> int:
        """The most tokens that fit."""
        ...

    def bind(self, binding: ort.IOBinding, length: int) -> None:
        """Bind the past, of which ``length`` tokens count, and the place for the present."""
        ...

    def collect(self, binding: ort.IOBinding) -> None:
        """Take over the present after a successful run."""
        ...

    def fork(self, batch: int, length: int, extra: int) -> Cache:
        """``batch`` copies of the first ``length`` tokens, with room for ``extra`` more."""
        ...


def key_value_names(layers: int) -> list[tuple[str, str]]:
    """Names of past inputs and present outputs, layer by layer, keys before values."""
    return [
        (f"past_key_values.{layer}.{part}", f"present.{layer}.{part}")
        for layer in range(layers)
        for part in ("key", "value")
    ]


class SharedCache:
    """Past and present bound to the same buffers [batch, kv_heads, capacity, head_size].

    The run writes behind the first ``length`` tokens and leaves those alone, so rewinding is only a
    smaller length, and an interrupted run spoils nothing that counts.
    """

    def __init__(self, shape: KvShape, device: Device, capacity: int, batch: int = 1) -> None:
        self._shape = shape
        self._device = device
        self.capacity = capacity
        self._names = key_value_names(shape.layers)
        dims = [batch, shape.kv_heads, capacity, shape.head_size]
        self._buffers = [device.empty(dims, np.dtype(shape.dtype)) for _ in self._names]
        for buffer in self._buffers:
            # Memory that was never written may hold NaN, which a masked position would spread.
            buffer.update_inplace(np.zeros(dims, np.dtype(shape.dtype)))

    def bind(self, binding: ort.IOBinding, length: int) -> None:
        if length > self.capacity:
            raise ValueError(f"{length} tokens do not fit in a cache of {self.capacity}")
        for (past, present), buffer in zip(self._names, self._buffers, strict=True):
            binding.bind_ortvalue_input(past, buffer)
            binding.bind_ortvalue_output(present, buffer)

    def collect(self, binding: ort.IOBinding) -> None:
        """Nothing to do: the run wrote in place."""

    def fork(self, batch: int, length: int, extra: int) -> SharedCache:
        copy = SharedCache(self._shape, self._device, length + extra, batch)
        shape = (batch, self._shape.kv_heads, length + extra, self._shape.head_size)
        for source, target in zip(self._buffers, copy._buffers, strict=True):
            rows = np.zeros(shape, np.dtype(self._shape.dtype))
            rows[:, :, :length] = source.numpy()[:, :, :length]
            target.update_inplace(rows)
        return copy


class ConcatCache:
    """Past [batch, kv_heads, length, head_size]; every run returns past and present joined."""

    def __init__(self, shape: KvShape, device: Device, capacity: int, batch: int = 1) -> None:
        self._shape = shape
        self._device = device
        self.capacity = capacity
        self._names = key_value_names(shape.layers)
        empty = np.zeros((batch, shape.kv_heads, 0, shape.head_size), np.dtype(shape.dtype))
        self._values = [device.tensor(empty) for _ in self._names]

    def bind(self, binding: ort.IOBinding, length: int) -> None:
        if self._values[0].shape()[2] != length:
            self._values = [
                self._device.tensor(value.numpy()[:, :, :length]) for value in self._values
            ]
        for (past, present), value in zip(self._names, self._values, strict=True):
            binding.bind_ortvalue_input(past, value)
            binding.bind_output(present, self._device.name, self._device.index)

    def collect(self, binding: ort.IOBinding) -> None:
        outputs = binding.get_outputs()
        self._values = outputs[-len(self._names) :]

    def fork(self, batch: int, length: int, extra: int) -> ConcatCache:
        copy = ConcatCache(self._shape, self._device, length + extra, batch)
        copy._values = [
            self._device.tensor(np.repeat(value.numpy()[:, :, :length], batch, axis=0))
            for value in self._values
        ]
        return copy
