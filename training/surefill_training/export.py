"""From a checkpoint to an ONNX graph that ``surefill.engine.session`` runs.

Llama, Qwen2 and their relatives become one fused graph whose KV cache is a shared buffer; other
architectures go through optimum and concatenate their cache. Knows checkpoints in the layout of
transformers, and nothing of bundles.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from surefill.errors import InputError
from surefill_training.errors import ExportError
from surefill_training.inputs import load_tokenizer
from surefill_training.integer_products import use_integer_products
from surefill_training.model_config import config_for_transformers_4, read_config
from surefill_training.quantize import LM_HEAD, Bits, quantize

Precision = Literal["fp32", "int8", "int4", "w8a8"]
Layout = Literal["shared", "concat"]

MODEL = "model.onnx"
POSITIONS = "logit_positions"
FUSED_ARCHITECTURES = frozenset(
    {"LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "MistralForCausalLM"}
)
_LARGEST_FILE = 90_000_000
"""Bytes: what many hosts of files and of repositories take without further arrangements."""
_SMALLEST_OUTSIDE = 1024
_POSITION_TABLES = ("cos_cache", "sin_cache")
_ALIGNMENT = 64


@dataclass(frozen=True)
class Exported:
    """A graph on disk and what a session must know about it."""

    path: Path
    layout: Layout
    precision: Precision


def export(
    model_dir: Path,
    out_dir: Path,
    precision: Precision = "int8",
    *,
    head_bits: Bits = 8,
    context: int | None = None,
) -> Exported:
    """Export the checkpoint in ``model_dir``, fused where its architecture allows it.

    A fused graph has tables of as many positions as ``context`` has tokens, or as the model takes.
    The result's ``layout`` says which way was taken. Raises ExportError or InputError.
    """
    if _architecture(read_config(model_dir)) in FUSED_ARCHITECTURES:
        path = export_fused(model_dir, out_dir, precision, head_bits=head_bits, context=context)
        return Exported(path, "shared", precision)
    if precision != "fp32":
        raise ExportError(
            f"{_architecture(read_config(model_dir))} can only be exported with fp32 weights.",
            "Choose the precision fp32.",
        )
    return Exported(export_optimum(model_dir, out_dir), "concat", "fp32")


def export_fused(
    model_dir: Path,
    out_dir: Path,
    precision: Precision,
    *,
    head_bits: Bits = 8,
    context: int | None = None,
) -> Path:
    """Write ``out_dir``/model.onnx: fused attention, shared KV buffers, chosen logits only.

    The graph of onnxruntime_genai's model builder, which plain onnxruntime runs, with one more
    input ``logit_positions`` [n]: the places on the time axis whose logits are wanted. The output
    ``logits`` is [batch, n, vocabulary].
    """
    smoothed = precision == "w8a8"
    with (
        _prepared(model_dir, smoothed=smoothed) as prepared,
        tempfile.TemporaryDirectory() as scratch,
    ):
        _build(prepared, Path(scratch))
        model = onnx.load(Path(scratch) / MODEL)
    select_logits(model)
    if context is not None:
        limit_positions(model, context)
    return _save(_quantized(model, precision, head_bits), out_dir)


def quantize_exported(
    exported: Exported,
    out_dir: Path,
    precision: Precision,
    *,
    head_bits: Bits = 8,
    block_size: int | None = None,
) -> Exported:
    """Write the fused fp32 graph ``exported`` to ``out_dir`` with quantised weights.

    ``block_size`` weights share a scale: a power of two from 16 on, or see ``quantize``. The
    activations of a graph are no longer smoothed for w8a8.
    """
    if (exported.layout, exported.precision) != ("shared", "fp32"):
        raise ExportError("Only a fused fp32 graph can be quantised.", "Export it as fp32 first.")
    model = _quantized(onnx.load(exported.path), precision, head_bits, block_size)
    return Exported(_save(model, out_dir), "shared", precision)


def export_optimum(model_dir: Path, out_dir: Path) -> Path:
    """Write ``out_dir``/model.onnx with optimum: fp32, a KV cache that is concatenated."""
    from optimum.exporters.onnx import main_export

    with _prepared(model_dir) as prepared, tempfile.TemporaryDirectory() as scratch:
        try:
            main_export(
                str(prepared),
                output=scratch,
                task="text-generation-with-past",
                do_validation=False,
                local_files_only=True,
                no_post_process=True,
            )
        except Exception as error:  # optimum raises many kinds
            raise ExportError(f"optimum cannot export {model_dir}: {error}") from error
        model = onnx.load(Path(scratch) / MODEL)
    return _save(model, out_dir)


def select_logits(model: onnx.ModelProto) -> None:
    """Compute logits only at the positions of a new input ``logit_positions``, in place."""
    graph = model.graph
    head = next((node for node in graph.node if node.name == LM_HEAD), None)
    if head is None:
        raise ExportError("The exported graph has no LM head, so it cannot generate text.")
    gathered = "/lm_head/hidden_at_positions"
    gather = helper.make_node("Gather", [head.input[0], POSITIONS], [gathered], gathered, axis=1)
    graph.node.insert(list(graph.node).index(head), gather)
    head.input[0] = gathered
    graph.input.append(helper.make_tensor_value_info(POSITIONS, TensorProto.INT64, ["positions"]))
    logits = next(output for output in graph.output if output.name == "logits")
    logits.type.tensor_type.shape.dim[1].dim_param = "positions"
    stale = [info for info in graph.value_info if info.name == "logits"]
    for info in stale:
        graph.value_info.remove(info)


def limit_positions(model: onnx.ModelProto, context: int) -> None:
    """Cut the tables of sines and cosines to the first ``context`` positions, in place.

    Of a model with a context of 8,192 tokens of which 1,024 are used they are 2 MB too much.
    """
    for tensor in model.graph.initializer:
        if tensor.name in _POSITION_TABLES and tensor.dims[0] > context:
            table = numpy_helper.to_array(tensor)[:context]
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(table), tensor.name))


def _quantized(
    model: onnx.ModelProto, precision: Precision, head_bits: Bits, block_size: int | None = None
) -> onnx.ModelProto:
    if precision == "fp32":
        return model
    if precision == "w8a8":
        use_integer_products(model, leave=LM_HEAD)
    bits: Bits = 4 if precision == "int4" else 8
    return quantize(model, bits, head_bits=head_bits, block_size=block_size)


def _architecture(config: dict[str, Any]) -> str:
    names = config.get("architectures") or []
    if not names:
        raise InputError("The checkpoint's config.json does not name its architecture.")
    return str(names[0])


@contextlib.contextmanager
def _prepared(model_dir: Path, *, smoothed: bool = False) -> Iterator[Path]:
    """A copy of the checkpoint, weights linked, whose config transformers 4 reads in full.

    With weights of their own where activations are to be ``smoothed``.
    """
    config = config_for_transformers_4(read_config(model_dir))
    if not (model_dir / "tokenizer.json").is_file():
        raise InputError(f"The checkpoint {model_dir} has no tokenizer.json.")
    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch)
        for file in model_dir.iterdir():
            if file.is_file() and file.name != "config.json":
                (prepared / file.name).symlink_to(file.resolve())
        (prepared / "config.json").write_text(json.dumps(config), encoding="utf-8")
        if not (prepared / "tokenizer_config.json").exists():
            # The builder loads the tokenizer through transformers, which asks for a class.
            fallback = json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"})
            (prepared / "tokenizer_config.json").write_text(fallback, encoding="utf-8")
        if smoothed:
            _smooth(prepared)
        yield prepared


def _smooth(prepared: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from surefill_training.smoothing import smooth

    model = AutoModelForCausalLM.from_pretrained(prepared, dtype=torch.float32)
    model.train(False)
    smooth(model, load_tokenizer(prepared / "tokenizer.json"))
    for link in (*prepared.glob("*.safetensors*"), *prepared.glob("*.bin*")):
        link.unlink()
    model.save_pretrained(prepared)


def _build(model_dir: Path, out_dir: Path) -> None:
    """Run the model builder in its own process: it prints, and changes the import path."""
    options = ["hf_remote=false", "hf_token=false", "shared_embeddings=false"]
    # fmt: off
    command = [
        sys.executable, "-m", "onnxruntime_genai.models.builder",
        "-i", str(model_dir), "-o", str(out_dir), "-c", str(out_dir / "cache"),
        "-p", "fp32", "-e", "cpu", "--extra_options", *options,
    ]
    # fmt: on
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=offline, check=False)
    if done.returncode != 0 or not (out_dir / MODEL).is_file():
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise ExportError(f"onnxruntime_genai's model builder failed: {reason}")


def _save(model: onnx.ModelProto, out_dir: Path) -> Path:
    """Write model.onnx, and its weights beside it in files that any host of files takes.

    Small models are one file. Weights beside the graph lie in model.onnx.data, and where one file
    does not hold them in model.onnx.data.1 and so on.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    path = out_dir / MODEL
    for stale in out_dir.glob(f"{MODEL}*"):
        stale.unlink()
    model.producer_name = "surefill-training"
    if sum(len(tensor.raw_data) for tensor in model.graph.initializer) > _LARGEST_FILE:
        _move_weights_out(model, out_dir)
    temporary = out_dir / f"{MODEL}.partial"
    onnx.save(model, temporary)
    shutil.move(temporary, path)
    return path


def _move_weights_out(model: onnx.ModelProto, out_dir: Path) -> None:
    """Write the larger tensors to files of at most ``_LARGEST_FILE`` bytes, in their order."""
    number, written = 0, 0
    stream = (out_dir / f"{MODEL}.data").open("wb")
    try:
        for tensor in model.graph.initializer:
            data = tensor.raw_data
            if len(data) < _SMALLEST_OUTSIDE:
                continue
            if written and written + len(data) > _LARGEST_FILE:
                stream.close()
                number, written = number + 1, 0
                stream = (out_dir / f"{MODEL}.data.{number}").open("wb")
            onnx.external_data_helper.set_external_data(
                tensor, location=Path(stream.name).name, offset=written, length=len(data)
            )
            stream.write(data)
            tensor.ClearField("raw_data")
            padding = -len(data) % _ALIGNMENT
            stream.write(bytes(padding))
            written += len(data) + padding
    finally:
        stream.close()
