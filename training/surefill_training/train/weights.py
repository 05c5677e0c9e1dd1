"""The weights of a model that training changes, apart from those that it computes with.

A model computes in bfloat16 where that is faster; an optimiser needs single precision. So every
weight of the model is linked to parameters in single precision: all of it, a low-rank difference
(Hu et al., 2021, arXiv:2106.09685), a few rows, or none. Gradients of the model's weights become
gradients of the parameters as soon as they are there, and after each step the weights are written
anew. The model's graph is that of plain inference, whatever is trained, and low rank costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from surefill_training.errors import CheckpointError

Transform = Callable[[str, torch.Tensor], torch.Tensor]
"""From a weight's name and its value to what the model computes with."""


class TrainedWeights(Protocol):
    """What a run asks of the weights that it trains."""

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """What an optimiser steps, by name."""
        ...

    def write(self) -> None:
        """Give the model what its parameters have become."""
        ...

    def zero_grad(self) -> None:
        """Forget the gradients."""
        ...

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The parameters, for a checkpoint."""
        ...

    def load_state_dict(self, state: Mapping[str, torch.Tensor], out: Path) -> None:
        """Take the parameters of a checkpoint in ``out``; raises CheckpointError if they differ."""
        ...


class OwnWeights:
    """The weights of a model that computes in single precision: they are the parameters."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def named_parameters(self) -> dict[str, nn.Parameter]:
        return {name: p for name, p in self._model.named_parameters() if p.requires_grad}

    def write(self) -> None:
        """They are the model's already."""

    def zero_grad(self) -> None:
        self._model.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, torch.Tensor]:
        return self._model.state_dict()

    def load_state_dict(self, state: Mapping[str, torch.Tensor], out: Path) -> None:
        try:
            self._model.load_state_dict(state)
        except RuntimeError as error:
            raise _another_shape(out) from error


class Link(Protocol):
    """One weight of the model and the parameters that it is made of."""

    parameters: dict[str, nn.Parameter]
    """By their names."""

    def collect(self, gradient: torch.Tensor) -> None:
        """Add the gradient of the weight to those of the parameters."""
        ...

    def value(self) -> torch.Tensor:
        """The weight in single precision."""
        ...


class Frozen:
    """A weight that stays what it is."""

    def __init__(self, weight: torch.Tensor) -> None:
        self._value = weight.detach().float().clone()
        self.parameters: dict[str, nn.Parameter] = {}

    def collect(self, gradient: torch.Tensor) -> None:
        """Nothing learns from it."""

    def value(self) -> torch.Tensor:
        return self._value


class Whole:
    """A weight of which all is trained."""

    def __init__(self, name: str, weight: torch.Tensor) -> None:
        self._parameter = nn.Parameter(weight.detach().float().clone())
        self.parameters = {name: self._parameter}

    def collect(self, gradient: torch.Tensor) -> None:
        _add(self._parameter, gradient)

    def value(self) -> torch.Tensor:
        return self._parameter.detach()


class LowRank:
    """A weight to which ``scale`` times the product of two small matrices is added.

    ``a`` has the shape (rank, inputs), ``b`` (outputs, rank); the weight is (outputs, inputs), or
    the other way round where it is ``transposed``. The caller seeds torch.
    """

    def __init__(
        self, name: str, weight: torch.Tensor, rank: int, scale: float, *, transposed: bool = False
    ) -> None:
        self._base = weight.detach().float().clone()
        self._scale, self.transposed = scale, transposed
        outputs, inputs = reversed(weight.shape) if transposed else weight.shape
        self.a = nn.Parameter(torch.empty((rank, inputs), device=weight.device))
        self.b = nn.Parameter(torch.zeros((outputs, rank), device=weight.device))
        nn.init.kaiming_uniform_(self.a, a=5**0.5)
        module = name.removesuffix(".weight")
        self.parameters = {f"{module}.lora_A.weight": self.a, f"{module}.lora_B.weight": self.b}

    def collect(self, gradient: torch.Tensor) -> None:
        gradient = gradient.T if self.transposed else gradient
        a, b = (part.detach().to(gradient.dtype) for part in (self.a, self.b))
        _add(self.a, (b.T @ gradient).float() * self._scale)
        _add(self.b, (gradient @ a.T).float() * self._scale)

    def value(self) -> torch.Tensor:
        difference = self.b.detach() @ self.a.detach()
        difference = difference.T if self.transposed else difference
        return torch.add(self._base, difference, alpha=self._scale)


class SomeRows:
    """A table of which the rows ``ids`` are trained."""

    def __init__(self, name: str, weight: torch.Tensor, ids: list[int]) -> None:
        self._base = weight.detach().float().clone()
        self.ids = torch.tensor(ids, device=weight.device)
        self._rows = nn.Parameter(self._base[self.ids].clone())
        self.parameters = {f"{name.removesuffix('.weight')}.rows": self._rows}

    def collect(self, gradient: torch.Tensor) -> None:
        _add(self._rows, gradient[self.ids].float())

    def value(self) -> torch.Tensor:
        return self._base.index_copy(0, self.ids, self._rows.detach())


class Weights:
    """All weights of a model with their links, kept in step with each other."""

    def __init__(self, model: nn.Module, links: Mapping[str, Link], dtype: torch.dtype) -> None:
        """``links`` names every parameter of ``model``, which from now on computes in ``dtype``."""
        self._model, self._links = model, dict(links)
        self._transform: Transform | None = None
        model.to(dtype)
        self._weights = dict(model.named_parameters())
        for name, weight in self._weights.items():
            link = self._links[name]
            weight.requires_grad_(bool(link.parameters))
            if link.parameters:
                weight.register_post_accumulate_grad_hook(_passing_on(link))  # type: ignore[no-untyped-call]
        self.write()

    @property
    def links(self) -> Mapping[str, Link]:
        """By the names of the weights."""
        return self._links

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """What an optimiser steps, by name."""
        links = self._links.values()
        return {name: part for link in links for name, part in link.parameters.items()}

    def compute_with(self, transform: Transform | None) -> None:
        """From now on the model computes with what ``transform`` makes of its weights."""
        if transform is not self._transform:
            self._transform = transform
            self._write(self._links)

    def write(self) -> None:
        """Give the model what its parameters have become."""
        self._write(name for name, link in self._links.items() if link.parameters)

    @torch.no_grad()
    def _write(self, names: Iterable[str]) -> None:
        for name in names:
            value = self._links[name].value()
            transform = self._transform
            self._weights[name].copy_(value if transform is None else transform(name, value))

    def zero_grad(self) -> None:
        """Forget the gradients, also those that were on their way."""
        for part in (*self._weights.values(), *self.named_parameters().values()):
            part.grad = None

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The parameters, for a checkpoint."""
        return {name: part.detach() for name, part in self.named_parameters().items()}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, torch.Tensor], out: Path) -> None:
        """Take the parameters of a checkpoint in ``out``; raises CheckpointError if they differ."""
        own = self.named_parameters()
        if {n: p.shape for n, p in own.items()} != {n: p.shape for n, p in state.items()}:
            raise _another_shape(out)
        for name, part in own.items():
            part.copy_(state[name])
        self.write()

    @torch.no_grad()
    def merged(self) -> dict[str, torch.Tensor]:
        """Every weight in single precision, as it is to be saved."""
        return {name: link.value() for name, link in self._links.items()}


def _passing_on(link: Link) -> Callable[[torch.Tensor], None]:
    def pass_on(weight: torch.Tensor) -> None:
        if weight.grad is not None:
            with torch.no_grad():
                link.collect(weight.grad)
            weight.grad = None

    return pass_on


def _add(parameter: nn.Parameter, gradient: torch.Tensor) -> None:
    if parameter.grad is None:
        parameter.grad = gradient.to(torch.float32, copy=True)
    else:
        parameter.grad += gradient


def _another_shape(out: Path) -> CheckpointError:
    return CheckpointError(
        f"The checkpoint in {out} is of a model of another shape.",
        "Give the preset and the shape it was made with, or another --out folder.",
    )
