"""Weights and configuration of a GGUF file, as transformers reads them, checked against its header.

transformers takes no notice of how RoPE is scaled; what it leaves out is added or refused here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel
from transformers.modeling_gguf_pytorch_utils import (
    TENSOR_PROCESSORS,
    TensorProcessor,
    get_gguf_hf_weights_map,
    load_gguf_checkpoint,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from surefill_training.errors import ModelImportError
from surefill_training.importing.gguf_file import GgufFile
from surefill_training.progress import Progress

_LLAMA_3_FACTORS = "rope_freqs.weight"
_GGUF_ROPE_BASE = 10_000.0
_CLOSE = 1e-6


def read_config(file: GgufFile) -> PretrainedConfig:
    """The configuration of a file's model; raises ModelImportError where RoPE would be wrong."""
    # transformers annotates neither it nor what it returns.
    read = load_gguf_checkpoint(str(file.path))  # type: ignore[no-untyped-call]
    values: dict[str, Any] = read["config"]
    values.pop("_model_name_or_path", None)
    kind = str(values["model_type"])
    if "rope_theta" in values:
        # Single precision in the file: 9.999999747378752e-06 was written as 1e-05.
        values["rope_theta"] = _plain(values["rope_theta"])
    if "rms_norm_eps" in values:
        values["rms_norm_eps"] = _plain(values["rms_norm_eps"])
    scaling = _rope_scaling(file)
    if scaling is not None:
        values["rope_scaling"] = scaling
    config = CONFIG_MAPPING[kind].from_dict(values)
    for name in ("bos", "eos", "pad"):
        key = "padding" if name == "pad" else name
        setattr(config, f"{name}_token_id", file.value(f"tokenizer.ggml.{key}_token_id"))
    _require_same(file, config)
    return config


def load_weights(file: GgufFile, config: PretrainedConfig, report: Progress) -> PreTrainedModel:
    """The model of a file in single precision; raises ModelImportError."""
    try:
        with torch.device("meta"):
            empty = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
        tensors = _tensors(file, empty, report)
        # With output_loading_info it returns two things, which its annotations do not say.
        loaded = type(empty).from_pretrained(
            None, config=config, state_dict=tensors, dtype=torch.float32, output_loading_info=True
        )
    except Exception as error:  # transformers and gguf raise many kinds
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelImportError(
            f"transformers cannot load {file.path.name} ({reason}).",
            "Take another file of the model, or import its Hugging Face folder.",
        ) from error
    model: PreTrainedModel = loaded[0]
    missing = sorted({*loaded[1]["missing_keys"], *(k for k, *_ in loaded[1]["mismatched_keys"])})
    if missing:
        raise ModelImportError(
            f"{file.path.name} lacks {len(missing)} tensors of its architecture, or has them in "
            f"another shape, {missing[0]} first.",
            "Take another file of the model, or import its Hugging Face folder.",
        )
    model.train(False)
    return model


def _tensors(file: GgufFile, empty: PreTrainedModel, report: Progress) -> dict[str, torch.Tensor]:
    """All weights by the names that transformers gives them, in its order of rows."""
    names = get_gguf_hf_weights_map(empty)
    make: Any = TENSOR_PROCESSORS.get(file.architecture, TensorProcessor)
    processor = make(empty.config.to_dict())
    # Some processors put a tensor that they split into several there by themselves.
    found: dict[str, torch.Tensor] = {}
    for done, tensor in enumerate(file.reader.tensors):
        report("dequantising", done, len(file.reader.tensors))
        result = processor.process(
            weights=gguf.dequantize(tensor.data, tensor.tensor_type),
            name=tensor.name,
            tensor_key_mapping=names,
            parsed_parameters={"tensors": found},
        )
        if result.name in names:
            found[names[result.name]] = torch.from_numpy(np.array(result.weights))
    return found


def _plain(value: float) -> float:
    """A number of single precision as it was written in decimals."""
    return float(f"{value:.6g}")


def _rope_scaling(file: GgufFile) -> dict[str, Any] | None:
    kind = file.of_architecture("rope.scaling.type")
    factor = file.of_architecture("rope.scaling.factor") or file.of_architecture(
        "rope.scale_linear"
    )
    if any(tensor.name == _LLAMA_3_FACTORS for tensor in file.reader.tensors):
        return _llama_3_scaling(file)
    if kind in (None, "none") and not factor:
        return None
    if kind in (None, "linear"):
        return {"rope_type": "linear", "factor": float(factor or 1.0)}
    original = file.of_architecture("rope.scaling.original_context_length")
    if kind == "yarn" and factor and original:
        return {
            "rope_type": "yarn",
            "factor": float(factor),
            "original_max_position_embeddings": int(original),
        }
    raise ModelImportError(
        f"{file.path.name} scales RoPE as {kind!r}, which is not supported.",
        "Import the Hugging Face folder of the model instead.",
    )


def _llama_3_scaling(file: GgufFile) -> dict[str, Any]:
    """The scaling of Llama 3, of which the file keeps only what it divides each frequency by."""
    tensor = next(t for t in file.reader.tensors if t.name == _LLAMA_3_FACTORS)
    stored = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(-1)
    base = float(file.of_architecture("rope.freq_base", _GGUF_ROPE_BASE))
    scaling = {
        "rope_type": "llama3",
        "factor": float(stored.max()),
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    wanted = [_llama_3_factor(i / len(stored), base, scaling) for i in range(len(stored))]
    if not all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(stored, wanted, strict=True)):
        raise ModelImportError(
            f"{file.path.name} scales RoPE by a table that is not Llama 3's.",
            "Import the Hugging Face folder of the model instead.",
        )
    return scaling


def _llama_3_factor(share: float, base: float, scaling: Mapping[str, Any]) -> float:
    """What Llama 3 divides the frequency base^-share by (Llama 3.1's reference code)."""
    length = 2 * math.pi * base**share
    original, factor = scaling["original_max_position_embeddings"], float(scaling["factor"])
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    if length < original / high:
        return 1.0
    if length > original / low:
        return factor
    smooth = (original / length - low) / (high - low)
    return float(1 / ((1 - smooth) / factor + smooth))


def _require_same(file: GgufFile, config: PretrainedConfig) -> None:
    """The values that decide what the model computes must be the header's."""
    heads = file.of_architecture("attention.head_count")
    width = file.of_architecture("embedding_length")
    stated: dict[str, Any] = {
        "num_hidden_layers": file.of_architecture("block_count"),
        "hidden_size": width,
        "num_attention_heads": heads,
        "num_key_value_heads": file.of_architecture("attention.head_count_kv", heads),
        "intermediate_size": file.of_architecture("feed_forward_length"),
        "rms_norm_eps": file.of_architecture("attention.layer_norm_rms_epsilon"),
    }
    if hasattr(config, "rope_theta"):
        stated["rope_theta"] = file.of_architecture("rope.freq_base", _GGUF_ROPE_BASE)
        turned = file.of_architecture("rope.dimension_count")
        if turned is not None and file.architecture in ("llama", "qwen2", "qwen3"):
            found = getattr(config, "head_dim", None) or config.hidden_size // int(heads)
            _require(file, "rope.dimension_count", turned, found)
    for name, value in stated.items():
        found = getattr(config, name, None)
        if value is not None and found is not None and not isinstance(value, list):
            _require(file, name, value, found)


def _require(file: GgufFile, name: str, stated: float, found: float) -> None:
    if not math.isclose(float(stated), float(found), rel_tol=_CLOSE):
        raise ModelImportError(
            f"transformers reads {name} as {found}, and {file.path.name} says {stated}.",
            "Import the Hugging Face folder of the model instead.",
        )
