"""Low-rank adapters on a model, and the model that they make of it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from surefill_training.errors import TrainingError
from surefill_training.options import LoraOptions
from surefill_training.train.saving import save_weights

if TYPE_CHECKING:
    from peft import PeftModel


def add_adapters(model: PreTrainedModel, options: LoraOptions) -> PeftModel:
    """``model`` with adapters, which alone are trained; the caller seeds torch.

    Raises TrainingError when the model has no layers of the names that were given.
    """
    from peft import LoraConfig, TaskType, get_peft_model  # not needed to train all weights

    transposed = any(isinstance(module, Conv1D) for module in model.modules())
    config = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=options.rank,
        lora_alpha=cast(int, options.alpha),
        lora_dropout=options.dropout,
        target_modules=list(options.targets) or "all-linear",
        fan_in_fan_out=transposed,
    )
    try:
        return cast("PeftModel", get_peft_model(model, config))
    except ValueError as error:
        linear = {n.rpartition(".")[2] for n, m in model.named_modules() if _is_linear(m)}
        raise TrainingError(
            f"The model has no linear layers of the names {', '.join(options.targets)}.",
            f"Give some of {', '.join(sorted(linear))} as --lora-targets.",
        ) from error


def trained(model: nn.Module) -> dict[str, Any]:
    """The weights that training changes: all of a model, or its adapters alone."""
    state: dict[str, Any] = model.state_dict()
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    if not frozen:
        return state
    return {name: p.detach() for name, p in model.named_parameters() if name not in frozen}


def merge(model: PreTrainedModel | PeftModel, adapter: Path) -> PreTrainedModel:
    """The model with its adapters merged into the weights, after saving them in ``adapter``.

    What was passed in is used up. A model without adapters is what it was.
    """
    if isinstance(model, PreTrainedModel):
        return model
    save_weights(adapter, cast(PreTrainedModel, model))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return cast(PreTrainedModel, model.merge_and_unload())


def _is_linear(module: nn.Module) -> bool:
    return isinstance(module, (nn.Linear, Conv1D))
