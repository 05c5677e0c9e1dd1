"""What of an existing model is trained, and adapters as files that PEFT reads.

PEFT's own layers compute beside the weights, which makes a small model a fifth slower than training
all of it (see ``train.weights``); its file format is kept, so that adapters go wherever it does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from surefill_training.errors import TrainingError
from surefill_training.files import make_folder, write_atomically
from surefill_training.options import LoraOptions, TrainOptions
from surefill_training.train.weights import Frozen, Link, LowRank, SomeRows, Weights, Whole

_LAYER = re.compile(r"\.(?:layers|h)\.(\d+)\.")
"""How the architectures of transformers number their layers."""
ADAPTER_WEIGHTS, _CONFIG = "adapter_model.safetensors", "adapter_config.json"
_PEFT_PREFIX = "base_model.model."


def link_weights(
    model: PreTrainedModel, options: TrainOptions, tokens: Collection[int], dtype: torch.dtype
) -> Weights:
    """Links for all that ``options`` train of ``model``, and the rows of the special ``tokens``.

    Raises TrainingError when the model has no layers of the names that were given.
    """
    choice = _Choice(model, options, sorted(tokens))
    torch.manual_seed(options.seed)
    links = {name: choice.link(name, weight) for name, weight in model.named_parameters()}
    return Weights(model, links, dtype)


class _Choice:
    """Decides for each weight of a model what of it is trained."""

    def __init__(self, model: PreTrainedModel, options: TrainOptions, tokens: list[int]) -> None:
        self._modules = dict(model.named_modules())
        self._lora = options.lora
        self._targets = _targets(model, options.lora) if options.lora else frozenset()
        self._tokens = tokens
        self._partly = options.lora is not None or options.train_layers is not None
        layers = model.config.num_hidden_layers
        self._first_layer = layers - (options.train_layers or layers)
        self._tables = (
            model.get_input_embeddings(),
            model.get_output_embeddings(),  # type: ignore[no-untyped-call]
        )

    def link(self, name: str, weight: nn.Parameter) -> Link:
        """The link of the weight of a name."""
        owner = name.rpartition(".")[0]
        module = self._modules[owner]
        found = _LAYER.search(name)
        layer = None if found is None else int(found.group(1))
        if module in self._tables and self._partly:
            rows = weight.ndim == 2 and self._tokens
            return SomeRows(name, weight, self._tokens) if rows else Frozen(weight)
        if layer is not None and layer < self._first_layer:
            return Frozen(weight)
        if self._lora is None:
            return Whole(name, weight)
        if weight.ndim == 2 and owner in self._targets:
            scale = self._lora.alpha / self._lora.rank
            transposed = isinstance(module, Conv1D)
            return LowRank(name, weight, self._lora.rank, scale, transposed=transposed)
        if self._lora.norms and layer is not None and _is_norm(module):
            return Whole(name, weight)
        return Frozen(weight)


def save_adapter(folder: Path, weights: Weights, options: LoraOptions, source: str) -> None:
    """Write the trained parameters in half precision, as PEFT reads them.

    A whole weight and some rows of a table have names of their own there, which PEFT knows from
    its configuration.
    """
    config, tensors = _as_peft(weights, options, source)
    make_folder(folder)
    partial = folder / f"{ADAPTER_WEIGHTS}.partial"
    save_file(tensors, partial)
    partial.replace(folder / ADAPTER_WEIGHTS)
    write_atomically(folder / _CONFIG, json.dumps(config, indent=1).encode())


def load_adapter(folder: Path, weights: Weights) -> None:
    """Take what ``save_adapter`` wrote; raises TrainingError when it does not fit."""
    try:
        found = load_file(folder / ADAPTER_WEIGHTS)
    except Exception as error:
        raise TrainingError(
            f"{folder} holds no adapter that can be read ({str(error).splitlines()[0]}).",
            "Give the folder `adapter` of a run with --lora.",
        ) from error
    own = weights.named_parameters()
    state = {name: found.get(_peft_name(name)) for name in own}
    if any(v is None or v.shape != own[n].shape for n, v in state.items()) or len(own) != len(
        found
    ):
        raise TrainingError(
            f"The adapter in {folder} is of another shape than the one that is to be trained.",
            "Give the --rank, --lora-targets and the source that it was made with.",
        )
    weights.load_state_dict({n: v.float() for n, v in state.items() if v is not None}, folder)


def _as_peft(
    weights: Weights, options: LoraOptions, source: str
) -> tuple[dict[str, object], dict[str, torch.Tensor]]:
    modules: dict[str, list[str]] = {"low": [], "whole": []}
    rows: dict[str, list[int]] = {}
    for name, link in weights.links.items():
        module = name.rpartition(".")[0]
        if isinstance(link, SomeRows):
            rows[module.rpartition(".")[2]] = link.ids.tolist()
        elif isinstance(link, LowRank):
            modules["low"].append(module)
        elif isinstance(link, Whole):
            modules["whole"].append(module)
    transposed = any(isinstance(k, LowRank) and k.transposed for k in weights.links.values())
    config: dict[str, object] = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": source,
        "r": options.rank,
        "lora_alpha": options.alpha,
        "target_modules": sorted(modules["low"]),
        "modules_to_save": sorted(modules["whole"]) or None,
        "trainable_token_indices": rows or None,
        "fan_in_fan_out": transposed,
        "inference_mode": True,
    }
    state = weights.state_dict()
    tensors = {_peft_name(name): value.half().contiguous().cpu() for name, value in state.items()}
    return config, tensors


def _peft_name(name: str) -> str:
    """A parameter's name in an adapter's file."""
    if name.endswith(".rows"):
        name = f"{name.removesuffix('.rows')}.token_adapter.trainable_tokens_delta"
    return _PEFT_PREFIX + name


def _is_norm(module: nn.Module) -> bool:
    return all(own.ndim == 1 for own in module.parameters(recurse=False))


def _targets(model: PreTrainedModel, options: LoraOptions) -> frozenset[str]:
    """The names of the linear layers that get an adapter: all but the head, or those named."""
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    linear = {
        name: name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, (nn.Linear, Conv1D)) and module is not head
    }
    chosen = {n for n, last in linear.items() if not options.targets or last in options.targets}
    if not chosen:
        raise TrainingError(
            f"The model has no linear layers of the names {', '.join(options.targets)}.",
            f"Give some of {', '.join(sorted(set(linear.values())))} as --lora-targets.",
        )
    return frozenset(chosen)
