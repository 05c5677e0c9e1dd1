"""The gradient of the mean loss of a batch of rows, on one device.

Knows the model's memory and its compiler, and nothing of optimisers or of other processes.
"""

from __future__ import annotations

import contextlib
import logging

import torch
from torch import nn
from transformers import PreTrainedModel

from surefill_training.errors import TrainingError
from surefill_training.loss import LanguageModelLoss, Rows
from surefill_training.train.weights import TrainedWeights

logger = logging.getLogger(__name__)


class Gradients:
    """Accumulates gradients in parts as large as the device's memory takes."""

    def __init__(
        self,
        model: PreTrainedModel,
        weights: TrainedWeights,
        device: torch.device,
        precision: torch.dtype,
    ) -> None:
        self._model = model
        self._weights = weights
        self._device = device
        self._loss = LanguageModelLoss(model, precision)
        self._micro_batch = 1

    def prepare(self, length: int, micro_batch: int, *, compiled: bool, isolated: bool) -> None:
        """Get ready for rows of ``length`` tokens, ``micro_batch`` of them at once.

        Compiling happens here, outside the measured time, and for this one shape. One layer is
        compiled, which all are like.
        """
        self._micro_batch = micro_batch
        if not compiled:
            return
        layers = _layers(self._model)
        for layer in layers:
            layer.forward = torch.compile(layer.forward, dynamic=False)
        rows = Rows.empty(self._device, micro_batch, length, isolated=isolated)
        # What dropout draws here must not be missing in the run that goes on.
        gpus = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=gpus):
            try:
                self.backward(rows, rows.total)
            except TrainingError:
                raise
            except Exception as error:  # noqa: BLE001 - no compiler, no writable cache, no support: all the same
                logger.warning(
                    "torch.compile does not work here (%s); training without it, more slowly.",
                    str(error).strip().split("\n")[0],
                )
                for layer in layers:
                    del layer.forward
        self._weights.zero_grad()

    def backward(self, rows: Rows, total: torch.Tensor) -> torch.Tensor:
        """Add the gradient of the weighted loss of ``rows``, divided by ``total``.

        Returns that loss, in nats per token where ``total`` is the weight of all rows of the step,
        on the device: reading it waits for the device.
        """
        while True:
            # Outside the handler, which holds on to the memory of what failed.
            with contextlib.suppress(torch.OutOfMemoryError):
                return self._in_parts(rows, total)
            self._weights.zero_grad()
            self._shrink()

    def _in_parts(self, rows: Rows, total: torch.Tensor) -> torch.Tensor:
        found = torch.zeros((), device=self._device)
        for part in rows.split(self._micro_batch):
            loss = self._loss(part) / total
            loss.backward()  # type: ignore[no-untyped-call]
            found += loss.detach()
        return found

    def _shrink(self) -> None:
        """Half as many rows at once; TrainingError when it is one already."""
        if self._micro_batch == 1:
            raise TrainingError(
                f"The {self._device.type} device has too little memory for one row.",
                "Choose a smaller model, a shorter --sequence, or --device cpu.",
            )
        self._micro_batch //= 2
        logger.warning("Out of memory; going on with %d rows at once.", self._micro_batch)


def _layers(model: nn.Module) -> list[nn.Module]:
    """The layers of a model: its longest list of modules."""
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    return [*max(lists, key=len)] if lists else [model]
