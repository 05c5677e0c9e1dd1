"""The rows of a model's embedding and head that go with the tokens of a cut vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from transformers import PreTrainedModel

from surefill_training.vocabulary import token_ids
from surefill_training.vocabulary.byte_pairs import BYTES, BytePairs


@dataclass(frozen=True)
class Plan:
    """A tokenizer after the cut, and the row of the old embedding for each of its tokens."""

    source: BytePairs
    result: BytePairs
    rows: Sequence[int | None]
    """None: a byte that had no token."""

    def new_ids(self) -> dict[int, int]:
        """New ids by old ones."""
        return {old: new for new, old in enumerate(self.rows) if old is not None}


def cut_rows(model: PreTrainedModel, plan: Plan) -> None:
    """Select the rows of embedding and head, tied or not, in place.

    The row of a byte that had no token is the mean of the other bytes' rows: its logit is then the
    mean of theirs, which is never the largest.
    """
    size = len(plan.rows)
    known = torch.tensor([0 if row is None else row for row in plan.rows])
    new = torch.tensor([row is None for row in plan.rows])
    of_bytes = torch.tensor(
        [plan.source.vocab[b] for b in sorted(BYTES & plan.source.vocab.keys())]
    )

    def chosen(weight: torch.Tensor) -> nn.Parameter:
        rows = weight.detach()[known].clone()
        rows[new] = weight.detach()[of_bytes].float().mean(0).to(rows.dtype)
        return nn.Parameter(rows)

    embedding = cast(nn.Embedding, model.get_input_embeddings())
    head = cast(nn.Linear | None, model.get_output_embeddings())  # type: ignore[no-untyped-call]
    tied = head is not None and head.weight is embedding.weight
    embedding.weight = chosen(embedding.weight)
    embedding.num_embeddings = size
    if embedding.padding_idx is not None:
        embedding.padding_idx = plan.new_ids().get(embedding.padding_idx)
    if head is not None:
        head.weight = embedding.weight if tied else chosen(head.weight)
        head.out_features = size
        if getattr(head, "bias", None) is not None:
            head.bias = chosen(head.bias)
    token_ids.renumber_config(model.config, plan.new_ids())
    if model.generation_config is not None:
        token_ids.renumber_config(model.generation_config, plan.new_ids())
    model.config.vocab_size = size
