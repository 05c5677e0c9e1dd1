"""Weights rounded as an exported graph holds them, so that training can learn to live with it.

The model computes with what rounding leaves, and gradients pass as if nothing had been rounded
(the straight-through estimator of Bengio et al., 2013, arXiv:1308.3432). Which matrices get which
format is data. Knows torch, and nothing of graphs; the rounding is ONNX Runtime's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from surefill_training.errors import TrainingError
from surefill_training.options import QuantizationFormat


@dataclass(frozen=True)
class BlockFormat:
    """Integers of ``bits``, with one scale for ``block`` weights along the inputs."""

    bits: int
    block: int
    symmetric: bool

    @classmethod
    def parse(cls, text: str) -> BlockFormat:
        """Like ``4:32:asymmetric``, ``8:128`` or ``8:row``; raises TrainingError for another."""
        found = re.fullmatch(r"([2-8]):([1-9]\d*|row)(?::(symmetric|asymmetric))?", text)
        if found is None:
            raise TrainingError(
                f"{text!r} is no format of quantised weights.",
                "Give bits and block, like 4:32:asymmetric, 8:128 or 8:row.",
            )
        block = 0 if found[2] == "row" else int(found[2])
        return cls(int(found[1]), block, found[3] != "asymmetric")

    def round(self, weight: torch.Tensor) -> torch.Tensor:
        """What is left of a matrix (outputs, inputs) after quantising it; the last block may be
        shorter, and is padded as in a graph.
        """
        width = weight.shape[1]
        block = self.block or width
        padded = nn.functional.pad(weight, (0, -width % block)).reshape(len(weight), -1, block)
        rounded = self._symmetric(padded) if self.symmetric else self._asymmetric(padded)
        return rounded.flatten(1)[:, :width]

    def _symmetric(self, blocks: torch.Tensor) -> torch.Tensor:
        """The number that is farthest from zero becomes the lowest integer."""
        half = 2 ** (self.bits - 1)
        low, high = blocks.amin(-1, keepdim=True), blocks.amax(-1, keepdim=True)
        scale = torch.where(high.abs() > low.abs(), high, low) / -half
        safe = torch.where(scale == 0, 1.0, scale)
        return (blocks / safe).round_().clamp_(-half, half - 1).mul_(scale)

    def _asymmetric(self, blocks: torch.Tensor) -> torch.Tensor:
        """All integers are used, one of which stands for zero."""
        most = 2**self.bits - 1
        low = blocks.amin(-1, keepdim=True).clamp(max=0)
        high = blocks.amax(-1, keepdim=True).clamp(min=0)
        scale = (high - low) / most
        safe = torch.where(scale == 0, 1.0, scale)
        zero = (-low / safe).round_().clamp_(0, most)
        return (blocks / safe + zero).round_().clamp_(0, most).sub_(zero).mul_(scale)


class FakeQuantizer:
    """Rounds the matrices of a model, each in the format of the last name that fits it."""

    def __init__(self, model: nn.Module, formats: Sequence[QuantizationFormat]) -> None:
        """``formats`` are parts of names of modules, or ``all`` for the linear layers.

        Raises TrainingError for a name that no matrix has.
        """
        self._formats: dict[str, BlockFormat] = {}
        self._transposed: set[str] = set()
        for wanted in formats:
            form, found = BlockFormat.parse(wanted.format), False
            for name, module in model.named_modules():
                linear = isinstance(module, (nn.Linear, Conv1D))
                fits = linear if wanted.name == "all" else wanted.name in name.split(".")
                if fits and isinstance(module, (nn.Linear, Conv1D, nn.Embedding)):
                    self._formats[f"{name}.weight"] = form
                    found = True
                if isinstance(module, Conv1D):
                    self._transposed.add(f"{name}.weight")
            if not found:
                raise TrainingError(
                    f"The model has no matrices of the name {wanted.name}.",
                    "Give all, or the name of a layer like down_proj or embed_tokens.",
                )

    def __call__(self, name: str, weight: torch.Tensor) -> torch.Tensor:
        """``weight`` rounded where it has a format."""
        form = self._formats.get(name)
        if form is None:
            return weight
        return form.round(weight.T).T if name in self._transposed else form.round(weight)
