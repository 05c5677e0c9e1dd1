"""Rows of embeddings that were never learned, and rows for tokens that take their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from transformers import PreTrainedModel

from surefill_training.importing.vocabulary import Added

_SAME = 0.05
"""Rows that differ from their median by less than this share of its length were never learned: the
optimizer moved all of them alike, and quantisation changed them a little."""
_NOISE = 0.1
"""Spread of new rows around the median, so that three tokens do not begin as one."""
_FEWEST = 3


def tables(model: PreTrainedModel) -> list[torch.Tensor]:
    """The embeddings [vocabulary, width], and those of the head where they are others."""
    layers = (model.get_input_embeddings(), model.get_output_embeddings())  # type: ignore[no-untyped-call]
    found = [cast(torch.Tensor, layer.weight) for layer in layers if layer is not None]
    return found[:1] if len(found) > 1 and found[0] is found[1] else found


def untrained(
    weights: torch.Tensor, candidates: Sequence[tuple[int, str]]
) -> list[tuple[int, str]]:
    """Those of ``candidates`` (ids and names) whose rows of ``weights`` [rows, width] are alike."""
    found = [(id_, name) for id_, name in candidates if id_ < len(weights)]
    if len(found) < _FEWEST:
        return []
    rows = weights[[id_ for id_, _ in found]].float()
    # Learned rows are scattered; a median of more than half of them is near none of them.
    middle = rows.median(dim=0).values
    distance = (rows - middle).norm(dim=1)
    limit = _SAME * middle.norm().clamp(min=1e-6)
    return [each for each, far in zip(found, distance, strict=True) if far <= limit]


def fill(model: PreTrainedModel, added: Sequence[Added], alike: Sequence[int]) -> None:
    """Give the ``added`` tokens rows around the median of the rows ``alike``, in and out."""
    if not added:
        return
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for table in tables(model):
            middle = table[list(alike)].median(dim=0).values
            scale = middle.pow(2).mean().sqrt()
            if scale < 1e-6:  # padding of zeros
                middle, scale = table.mean(dim=0), table.std()
            for each in added:
                noise = torch.randn(middle.shape, generator=generator) * _NOISE * scale
                table[each.id] = middle + noise
