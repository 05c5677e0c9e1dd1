"""The loss in chunks, at the positions that count, for examples that do not see each other."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional
from transformers import PreTrainedModel

from surefill_training import loss
from surefill_training.loss import LanguageModelLoss, Rows, attention_mask
from surefill_training.model import build_model, preset


@pytest.fixture
def model() -> PreTrainedModel:
    torch.manual_seed(0)
    return build_model(preset("test").shape, 0)


def rows(*, isolated: bool = False) -> Rows:
    """Two rows of 25 tokens, in each of which the examples begin at 0, 10 and 18."""
    torch.manual_seed(1)
    numbers = torch.zeros((2, 25), dtype=torch.long)
    numbers[:, 10:] += 1
    numbers[:, 18:] += 1
    weights = torch.rand((2, 25)).round(decimals=1)
    return Rows(torch.randint(0, 500, (2, 25)), weights, numbers if isolated else None)


@pytest.mark.parametrize("elements", [1, 512 * 20, 2**25])
def test_it_is_the_weighted_cross_entropy_with_its_gradient(
    model: PreTrainedModel, monkeypatch: pytest.MonkeyPatch, elements: int
) -> None:
    monkeypatch.setitem(loss._CHUNK_ELEMENTS, "cpu", elements)
    given = rows()
    logits = model(input_ids=given.ids[:, :-1]).logits
    nats = functional.cross_entropy(
        logits.flatten(0, 1), given.ids[:, 1:].flatten(), reduction="none"
    )
    expected = (nats * given.weights[:, 1:].flatten()).sum()
    (expected / 7).backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    found = LanguageModelLoss(model, torch.float32)(given)
    (found / 7).backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        assert torch.allclose(parameter.grad, gradients[name], atol=1e-5), name


def test_logits_that_the_head_does_not_make_alone_are_the_models(model: PreTrainedModel) -> None:
    plain = LanguageModelLoss(model, torch.float32)(rows()).item()
    model.config.logit_scale = 1.0
    assert LanguageModelLoss(model, torch.float32)(rows()).item() == pytest.approx(plain, rel=1e-5)


def test_examples_of_a_row_do_not_see_each_other(model: PreTrainedModel) -> None:
    made = LanguageModelLoss(model, torch.float32)
    together = rows(isolated=True)
    together.weights[:, [0, 10, 18]] = 0
    alone = sum(
        made(Rows(together.ids[:, begin:end], together.weights[:, begin:end], None)).item()
        for begin, end in ((0, 10), (10, 18), (18, 25))
    )
    assert made(together).item() == pytest.approx(alone, rel=1e-5)
    seeing = Rows(together.ids, together.weights, None)
    assert made(seeing).item() != pytest.approx(alone, rel=1e-4)


def test_the_mask_lets_tokens_see_earlier_ones_of_their_example() -> None:
    mask = attention_mask(torch.tensor([[0, 0, 1, 1]]), torch.float32)
    seen = [[True, False, False, False], [True, True, False, False]]
    seen += [[False, False, True, False], [False, False, True, True]]
    assert mask.shape == (1, 1, 4, 4)
    assert ((mask[0, 0] == 0) == torch.tensor(seen)).all()


def test_nothing_that_counts_is_nothing_lost(model: PreTrainedModel) -> None:
    given = rows()
    given.weights.zero_()
    found = LanguageModelLoss(model, torch.float32)(given)
    found.backward()
    assert found.item() == 0
