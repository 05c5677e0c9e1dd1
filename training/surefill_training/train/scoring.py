"""How well a model in training predicts code that is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from surefill_training.evaluate.bits import bits_per_byte, infilling_bits_per_byte
from surefill_training.metrics import Scores
from surefill_training.tasks.infilling import Infilling


@dataclass(frozen=True)
class Scorer:
    """Scores a model on the same ``texts`` each time, in windows of ``length`` tokens."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    task: Infilling
    texts: Sequence[str]
    length: int
    precision: torch.dtype

    def score(self) -> Scores:
        """Left to right, and of what fills holes; nothing where nothing is held out."""
        return (self.forward(), self.of_holes()) if self.texts else (None, None)

    def forward(self) -> float:
        """Bits per byte left to right."""
        return bits_per_byte(
            self.model,
            self.tokenizer,
            self.texts,
            end=self.task.end,
            length=self.length,
            precision=self.precision,
        )

    def of_holes(self) -> float | None:
        """Bits per byte of what fills holes; None for a model that does not infill."""
        return infilling_bits_per_byte(
            self.model,
            self.tokenizer,
            self.texts,
            self.task,
            length=self.length,
            precision=self.precision,
        )
