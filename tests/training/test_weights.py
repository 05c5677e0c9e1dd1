"""Weights in single precision beside those that a model computes with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from surefill_training.errors import CheckpointError
from surefill_training.train.attention import _attend
from surefill_training.train.weights import Frozen, Link, LowRank, SomeRows, Weights, Whole


def linear(dtype: torch.dtype, make: type[Whole] | type[Frozen] | None = None) -> Weights:
    """One linear layer of which a low rank is trained."""
    torch.manual_seed(0)
    layer = nn.Linear(6, 4, bias=False)
    link: Link = LowRank("weight", layer.weight, 2, 3.0)
    if make is not None:
        link = make("weight", layer.weight) if make is Whole else Frozen(layer.weight)
    return Weights(layer, {"weight": link}, dtype)


def layer_of(weights: Weights) -> nn.Linear:
    layer = weights._model
    assert isinstance(layer, nn.Linear)
    return layer


def test_low_rank_gets_the_gradient_of_the_adapter() -> None:
    weights = linear(torch.float32)
    link = weights.links["weight"]
    assert isinstance(link, LowRank)
    nn.init.normal_(link.b)
    weights.write()
    inputs = torch.randn(5, 6)
    base = (link.value() - 3.0 * link.b @ link.a).detach()
    expected = inputs @ (base + 3.0 * link.b @ link.a).T
    expected.square().sum().backward()
    a, b = link.a.grad, link.b.grad
    assert a is not None
    assert b is not None
    weights.zero_grad()
    for _ in range(2):
        (layer_of(weights)(inputs).square().sum() / 2).backward()
    assert link.a.grad is not None
    assert link.b.grad is not None
    assert torch.allclose(link.a.grad, a, atol=1e-4)
    assert torch.allclose(link.b.grad, b, atol=1e-4)
    assert layer_of(weights).weight.grad is None


def test_small_steps_are_not_lost_in_bfloat16() -> None:
    weights = linear(torch.bfloat16, Whole)
    (parameter,) = weights.named_parameters().values()
    before = layer_of(weights).weight.clone()
    for _ in range(100):
        parameter.data += 1e-4
        weights.write()
    moved = (layer_of(weights).weight.float() - before.float()).mean().item()
    assert moved == pytest.approx(0.01, abs=0.002)
    assert layer_of(weights).weight.dtype == torch.bfloat16
    assert weights.merged()["weight"].dtype == torch.float32


def test_what_is_frozen_has_no_gradient_and_keeps_its_precision() -> None:
    torch.manual_seed(0)
    expected = nn.Linear(6, 4, bias=False).weight.detach()
    weights = linear(torch.bfloat16, Frozen)
    assert weights.named_parameters() == {}
    assert not layer_of(weights).weight.requires_grad
    assert torch.equal(weights.merged()["weight"], expected)


def test_some_rows_of_a_table() -> None:
    torch.manual_seed(0)
    table = nn.Embedding(5, 3)
    before = table.weight.detach().clone()
    weights = Weights(table, {"weight": SomeRows("weight", table.weight, [1, 4])}, torch.float32)
    table(torch.tensor([0, 1, 1, 2])).sum().backward()
    (rows,) = weights.named_parameters().values()
    assert rows.grad is not None
    assert rows.grad.tolist() == [[2.0] * 3, [0.0] * 3]
    rows.data += 1.0
    weights.write()
    changed = (table.weight != before).any(dim=1)
    assert changed.tolist() == [False, True, False, False, True]


def test_what_the_model_computes_with_can_be_something_else() -> None:
    weights = linear(torch.float32)
    true = layer_of(weights).weight.detach().clone()
    weights.compute_with(lambda _name, value: value.round())
    assert torch.equal(layer_of(weights).weight, true.round())
    assert torch.equal(weights.merged()["weight"], true)
    weights.compute_with(None)
    assert torch.equal(layer_of(weights).weight, true)


def test_a_checkpoint_of_another_shape(tmp_path: Path) -> None:
    state = linear(torch.float32).state_dict()
    other = {name: torch.zeros(3, 3) for name in state}
    with pytest.raises(CheckpointError, match="of a model of another shape"):
        linear(torch.float32).load_state_dict(other, tmp_path)
    again = linear(torch.float32)
    again.load_state_dict({name: torch.ones_like(value) for name, value in state.items()}, tmp_path)
    assert all((value == 1).all() for value in again.state_dict().values())


@pytest.mark.parametrize("masked", [True, False])
def test_attention_by_products_is_attention(masked: bool) -> None:
    torch.manual_seed(0)
    parts = [torch.randn(2, heads, 12, 8, requires_grad=True) for heads in (6, 2, 2)]
    query, key, value = parts
    seen = torch.ones((12, 12), dtype=torch.bool).tril()
    if masked:
        seen[6:, :4] = False
    output, _ = _attend(nn.Identity(), query, key, value, seen[None, None] if masked else None)
    gradient = torch.randn_like(output)
    found = torch.autograd.grad(output, parts, gradient)
    expected = nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=seen, enable_gqa=True
    ).transpose(1, 2)
    assert torch.allclose(output, expected, atol=1e-5)
    for one, other in zip(found, torch.autograd.grad(expected, parts, gradient), strict=True):
        assert torch.allclose(one, other, atol=1e-5)
