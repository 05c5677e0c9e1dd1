"""Our Muon does what torch's does, for many matrices at once and in single precision too."""

from __future__ import annotations

import pytest
import torch

from surefill_training.muon import Muon, orthogonalize

SHAPES = [(64, 128), (128, 64), (64, 128), (32, 32)]


def matrices() -> list[torch.nn.Parameter]:
    torch.manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES]


def test_it_steps_as_torch_does() -> None:
    mine, theirs = matrices(), matrices()
    ours = Muon(mine, lr=0.02, weight_decay=0.1)
    reference = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, momentum=0.95)
    for _ in range(3):
        for one, other in zip(mine, theirs, strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        ours.step()
        reference.step()
    for start, one, other in zip(matrices(), mine, theirs, strict=True):
        assert not torch.allclose(one, start, atol=0.01)
        # Products of a batch may round otherwise than single ones, in bfloat16.
        torch.testing.assert_close(one, other, rtol=0, atol=2e-3)


@pytest.mark.parametrize("shape", [(3, 48, 96), (2, 96, 48), (1, 64, 64)])
def test_singular_values_come_close_to_one(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    gradients = torch.randn(shape) * 1e-4
    values = torch.linalg.svdvals(orthogonalize(gradients))
    assert values.max() < 1.3
    # A random square matrix has singular values near zero, which five iterations do not lift.
    assert values.quantile(0.1) > (0.6 if shape[1] != shape[2] else 0.3)


def test_a_matrix_without_gradient_stays() -> None:
    first, second = matrices()[:2]
    before = second.detach().clone()
    first.grad = torch.ones_like(first)
    Muon([first, second], lr=0.02, weight_decay=0.1).step()
    assert torch.equal(second, before)


def test_a_closure_is_refused() -> None:
    with pytest.raises(ValueError, match="no closure"):
        Muon(matrices(), lr=0.02, weight_decay=0.0).step(lambda: 0.0)
