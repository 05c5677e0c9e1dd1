"""Held-out bits per byte of a torch model: how well it predicts code it has never seen."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from surefill_training.errors import CorpusError
from surefill_training.loss import LanguageModelLoss, Rows
from surefill_training.tasks.infilling import Infilling
from surefill_training.tasks.pieces import pieces


def windows(
    texts: Sequence[str], tokenizer: Tokenizer, end: int, length: int
) -> tuple[list[list[int]], int]:
    """Rows of ``length + 1`` ids, each led by the end token, and the bytes that they stand for.

    Every text is cut into windows that do not overlap, so the first tokens of each have little
    context: the figure is on the pessimistic side.
    """
    rows: list[list[int]] = []
    total = 0
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        total += len(text.encode("utf-8", "replace"))
        rows.extend([end, *ids[start : start + length]] for start in range(0, len(ids), length))
    return rows, total


@torch.inference_mode()
def bits_per_byte(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    end: int,
    length: int,
    batch: int = 8,
    precision: torch.dtype = torch.bfloat16,
) -> float:
    """Mean cross-entropy in bits per UTF-8 byte of ``texts``, left to right."""
    rows, total = windows(texts, tokenizer, end, length)
    if not rows:
        raise CorpusError("The held-out set is empty.", "Hold out at least one package.")
    weighted = [(row, [1.0] * len(row)) for row in rows]
    return nats_of(model, weighted, batch=batch, precision=precision) / math.log(2) / total


_PIECE_CHARS_PER_TOKEN = 2.0
"""So few that pieces of any language fit a row with their hole."""


def infilling_bits_per_byte(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    task: Infilling,
    *,
    length: int,
    precision: torch.dtype = torch.bfloat16,
) -> float | None:
    """Mean cross-entropy in bits per UTF-8 byte of what fills one hole in each piece of ``texts``.

    Prompts are laid out as serving does it, suffix first. The end token counts as well, for the
    right end is a part of the answer. None where no hole can be made.
    """
    asked = task.asking()
    rows, total = [], 0
    for number, (index, start, end) in enumerate(
        pieces(texts, int(length * _PIECE_CHARS_PER_TOKEN))
    ):
        rng = random.Random(f"heldout:{number}")
        example = asked.example(texts[index][start:end], rng)
        if example.has_hole and len(example) <= length + 1:
            answer = [i for i, w in zip(example.ids, example.weights, strict=True) if w]
            total += len(tokenizer.decode(answer).encode("utf-8", "replace"))
            rows.append((example.ids, example.weights))
    return nats_of(model, rows, precision=precision) / math.log(2) / total if total else None


def nats_of(
    model: PreTrainedModel,
    rows: Sequence[tuple[Sequence[int], Sequence[float]]],
    *,
    batch: int = 8,
    precision: torch.dtype = torch.bfloat16,
) -> float:
    """The summed loss of rows of token ids with the weight of each."""
    was_training = model.training
    model.eval()  # type: ignore[no-untyped-call]
    loss = LanguageModelLoss(model, precision)
    ordered = sorted(rows, key=lambda row: len(row[0]))
    nats = 0.0
    for first in range(0, len(ordered), batch):
        part = ordered[first : first + batch]
        width = max(len(ids) for ids, _ in part)
        ids = torch.zeros((len(part), width), dtype=torch.long)
        weights = torch.zeros((len(part), width))
        for number, (row, own) in enumerate(part):
            ids[number, : len(row)] = torch.tensor(row)
            weights[number, : len(row)] = torch.tensor(own)
        # Shapes differ, and each would be compiled.
        with torch.inference_mode(), torch.compiler.set_stance("force_eager"):
            nats += loss(Rows(ids.to(model.device), weights.to(model.device), None)).item()
    model.train(was_training)
    return nats
