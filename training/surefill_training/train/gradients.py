"""The gradient of the mean loss of a batch of rows, on one device.

Knows the model's memory and its compiler, and nothing of optimisers or of other processes.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from surefill_training.errors import TrainingError

Forward = Callable[..., Any]

logger = logging.getLogger(__name__)


class Gradients:
    """Accumulates gradients in parts as large as the device's memory takes."""

    def __init__(self, model: nn.Module, device: torch.device, precision: torch.dtype) -> None:
        self._model = model
        self._device = device
        self._precision = precision
        self._forward = cast(Forward, model)
        self._micro_batch = 1

    def prepare(self, length: int, micro_batch: int, *, compiled: bool) -> None:
        """Get ready for rows of ``length`` tokens, ``micro_batch`` of them at once.

        Compiling happens here, outside the measured time, and for this one shape: held-out windows
        of many shapes are scored by the plain model.
        """
        self._micro_batch = micro_batch
        if not compiled:
            return
        self._forward = torch.compile(self._model, dynamic=False)
        rows = torch.zeros((micro_batch, length + 1), dtype=torch.long, device=self._device)
        # What dropout draws here must not be missing in the run that goes on.
        gpus = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=gpus):
            try:
                self.backward(rows, of=micro_batch)
            except TrainingError:
                raise
            except Exception as error:  # noqa: BLE001 - no compiler, no writable cache, no support: all the same
                logger.warning(
                    "torch.compile does not work here (%s); training without it, more slowly.",
                    str(error).strip().split("\n")[0],
                )
                self._forward = cast(Forward, self._model)
        self._model.zero_grad(set_to_none=True)

    def backward(self, rows: torch.Tensor, of: int) -> torch.Tensor:
        """Add the gradient of the summed loss of ``rows`` (count, time + 1), divided by ``of``.

        Returns that loss, in nats per token where ``of`` is the number of rows, on the device:
        reading it waits for the device.
        """
        while True:
            # Outside the handler, which holds on to the memory of what failed.
            with contextlib.suppress(torch.OutOfMemoryError):
                return self._in_parts(rows, of)
            self._model.zero_grad(set_to_none=True)
            self._shrink()

    def _in_parts(self, rows: torch.Tensor, of: int) -> torch.Tensor:
        total = torch.zeros((), device=self._device)
        for part in rows.split(self._micro_batch):  # type: ignore[no-untyped-call]
            loss = self._loss(part) * (len(part) / of)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return total

    def _shrink(self) -> None:
        """Half as many rows at once; TrainingError when it is one already."""
        if self._micro_batch == 1:
            raise TrainingError(
                f"The {self._device.type} device has too little memory for one row.",
                "Choose a smaller model, a shorter --sequence, or --device cpu.",
            )
        self._micro_batch //= 2
        logger.warning("Out of memory; going on with %d rows at once.", self._micro_batch)

    def _loss(self, rows: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy in nats of ``rows`` (micro batch, time + 1)."""
        # A view would have another stride than the compiled shape, and be compiled anew.
        inputs = rows[:, :-1].contiguous()
        reduced = self._precision != torch.float32
        with torch.autocast(self._device.type, self._precision, enabled=reduced):
            logits = self._forward(input_ids=inputs, use_cache=False).logits
        return functional.cross_entropy(logits.flatten(0, 1).float(), rows[:, 1:].flatten())
