"""The learning rate's course, and which optimiser moves which parameters."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surefill_training.errors import TrainingError
from surefill_training.model import build_model, count_parameters, preset
from surefill_training.optimizer import OptimizerOptions, Optimizers, rate

OPTIONS = OptimizerOptions(warmup=0.1, decay=0.4)


@pytest.mark.parametrize(
    ("progress", "factor"),
    [
        (0.0, 0.01),
        (0.05, 0.5),
        (0.1, 1.0),
        (0.3, 1.0),
        (0.6, 1.0),
        (0.8, 0.5),
        (1.0, 0.01),
        (1.2, 0.01),
    ],
)
def test_schedule(progress: float, factor: float) -> None:
    assert rate(progress, OPTIONS) == pytest.approx(factor)


def test_a_schedule_without_its_ends() -> None:
    assert rate(0.0, replace(OPTIONS, warmup=0.0)) == 1.0
    assert rate(1.0, replace(OPTIONS, decay=0.0)) == 1.0


@given(st.lists(st.floats(0, 1.5), min_size=2), st.floats(0, 0.4), st.floats(0, 0.6))
def test_the_rate_rises_then_falls(places: list[float], warmup: float, decay: float) -> None:
    options = OptimizerOptions(warmup=warmup, decay=decay)
    factors = [rate(place, options) for place in sorted(places)]
    assert all(0.01 <= factor <= 1 for factor in factors)
    peak = factors.index(max(factors))
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)


@pytest.mark.parametrize("recipe", ["muon", "adamw"])
def test_every_parameter_is_stepped_and_states_come_back(recipe: str) -> None:
    torch.manual_seed(0)
    options = OptimizerOptions(recipe=recipe)  # type: ignore[arg-type]
    models = [build_model(preset("test").shape, 0) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    rows = torch.randint(0, 500, (2, 16))
    first, second = (Optimizers(dict(model.named_parameters()), options) for model in models)

    def step(number: int, optimizers: Optimizers) -> None:
        models[number](input_ids=rows, labels=rows).loss.backward()
        optimizers.step(0.5)

    before = {name: p.detach().clone() for name, p in models[0].named_parameters()}
    step(0, first)
    assert all(not torch.equal(p, before[name]) for name, p in models[0].named_parameters())
    assert all(p.grad is None for p in models[0].parameters())
    models[1].load_state_dict(models[0].state_dict())
    second.load_state_dict(deepcopy(first.state_dict()))
    step(0, first)
    step(1, second)
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(one, other)


def test_muon_gets_the_matrices_of_the_layers_only() -> None:
    model = build_model(preset("test").shape, 0)
    muon, adamw = (
        {id(p) for group in o.param_groups for p in group["params"]}
        for o in Optimizers(dict(model.named_parameters()), OptimizerOptions())._optimizers
    )
    named = dict(model.named_parameters())
    assert {id(p) for p in named.values()} == muon | adamw
    assert not muon & adamw
    assert {name for name, p in named.items() if id(p) in muon} == {
        name for name in named if ".layers." in name and name.endswith("proj.weight")
    }


def test_presets_are_of_their_size() -> None:
    sizes = {name: preset(name).shape for name in ("nano", "base", "test")}
    assert count_parameters(build_model(sizes["test"], 0)) < 200_000
    assert 4_000_000 < count_parameters(build_model(sizes["nano"], 0)) < 8_000_000
    for name, shape in sizes.items():
        assert shape.width == 64 * shape.heads
        assert shape.heads % shape.kv_heads == 0
        assert preset(name).sequence <= shape.context
        assert preset(name).batch % preset(name).micro_batch == 0
    with pytest.raises(TrainingError, match="no preset 'huge'") as caught:
        preset("huge")
    assert "nano, base, test" in caught.value.remedy
