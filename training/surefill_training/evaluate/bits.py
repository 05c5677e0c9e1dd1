"""Held-out bits per byte of a torch model: how well it predicts code it has never seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import PreTrainedModel

from surefill_training.errors import CorpusError


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
    rows.sort(key=len)
    device = model.device
    was_training = model.training
    model.eval()  # type: ignore[no-untyped-call]
    nats = 0.0
    for first in range(0, len(rows), batch):
        part = rows[first : first + batch]
        width = max(map(len, part))
        ids = torch.full((len(part), width), end, dtype=torch.long)
        targets = torch.full((len(part), width), -100, dtype=torch.long)
        for number, row in enumerate(part):
            ids[number, : len(row)] = torch.tensor(row)
            targets[number, : len(row) - 1] = torch.tensor(row[1:])
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            logits = model(input_ids=ids.to(device), use_cache=False).logits  # (rows, time, vocab)
        nats += functional.cross_entropy(
            logits.flatten(0, 1).float(), targets.to(device).flatten(), reduction="sum"
        ).item()
    model.train(was_training)
    return nats / math.log(2) / total
