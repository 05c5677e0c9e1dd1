"""Rounding is that of the exported graph, and a run learns with it in its last part."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from safetensors.torch import load_file

from surefill_training.errors import TrainingError
from surefill_training.fake_quantization import BlockFormat, FakeQuantizer
from surefill_training.options import (
    LoraOptions,
    OptimizerOptions,
    Overrides,
    QuantizationFormat,
    QuantizationOptions,
    RunOptions,
    TrainOptions,
)
from surefill_training.train import Trainer
from surefill_training.train.source import existing_model
from tiny_models import make_checkpoint

FORMATS = (QuantizationFormat("all", "4:16:asymmetric"), QuantizationFormat("down_proj", "8:32"))
OPTIONS = TrainOptions(
    steps=4,
    optimizer=OptimizerOptions("adamw", adamw_lr=1e-2),
    lora=LoraOptions(rank=4),
    quantization=QuantizationOptions(0.5, FORMATS),
    overrides=Overrides(sequence=32, batch=2),
)
RUN = RunOptions(device="cpu", compile=False, precision="fp32", heldout_chars=500)


def served(weight: np.ndarray, bits: int, block: int, *, symmetric: bool) -> np.ndarray:
    """What ONNX Runtime multiplies by, for a matrix (inputs, outputs)."""
    inputs, outputs = weight.shape
    float32 = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "product")],
        "one",
        [helper.make_tensor_value_info("x", float32, ["n", inputs])],
        [helper.make_tensor_value_info("y", float32, ["n", outputs])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    logging.getLogger(MatMulNBitsQuantizer.__module__).setLevel(logging.WARNING)
    quantizer = MatMulNBitsQuantizer(
        model, bits=bits, block_size=block, is_symmetric=symmetric, op_types_to_quantize=("MatMul",)
    )
    quantizer.process()
    session = onnxruntime.InferenceSession(quantizer.model.model.SerializeToString())
    (found,) = session.run(None, {"x": np.eye(inputs, dtype=np.float32)})
    return np.asarray(found)


@pytest.mark.parametrize(
    ("form", "inputs"),
    [
        ("4:32:symmetric", 96),
        ("4:32:asymmetric", 96),
        ("8:32", 96),
        ("8:32:asymmetric", 96),
        ("4:128", 128),
        ("4:16:asymmetric", 70),
    ],
)
def test_weights_are_rounded_as_onnx_runtime_does(form: str, inputs: int) -> None:
    weight = np.random.default_rng(0).standard_normal((inputs, 24)).astype(np.float32)
    parsed = BlockFormat.parse(form)
    expected = served(weight, parsed.bits, parsed.block, symmetric=parsed.symmetric)
    found = parsed.round(torch.from_numpy(weight.T)).numpy().T
    assert np.abs(found - expected).max() < 1e-6
    assert np.abs(found - weight).max() > 1e-4


def test_blocks_of_zeros_stay_zero() -> None:
    for form in ("4:32", "4:32:asymmetric", "8:row"):
        assert (BlockFormat.parse(form).round(torch.zeros(2, 64)) == 0).all()


@pytest.mark.parametrize("form", ["", "4", "1:32", "9:32", "4:0", "4:x", "4:32:both"])
def test_formats_that_are_none(form: str) -> None:
    with pytest.raises(TrainingError, match="is no format of quantised weights"):
        BlockFormat.parse(form)


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_the_last_name_that_fits_decides(tmp_path: Path, architecture: str) -> None:
    source = make_checkpoint(tmp_path / "source", architecture, context=64)  # type: ignore[arg-type]
    model = existing_model(str(source), OPTIONS).model
    name = "down_proj" if architecture == "llama" else "c_fc"
    formats = (FORMATS[0], QuantizationFormat(name, "8:32"))
    quantizer = FakeQuantizer(model, formats)
    for weight_name, weight in model.named_parameters():
        rounded = quantizer(weight_name, weight.detach())
        bits = 8 if name in weight_name.split(".") else 4
        if "embed" in weight_name or "wte" in weight_name or weight.ndim < 2:
            assert torch.equal(rounded, weight)
        elif "wpe" not in weight_name:
            rows = rounded.T if architecture == "gpt2" else rounded
            assert rows[0, :16].unique().numel() <= 2**bits
            error = (rounded - weight).abs().max() / weight.abs().max()
            assert (error < 0.02) == (bits == 8)
    with pytest.raises(TrainingError, match="no matrices of the name nothing"):
        FakeQuantizer(model, (QuantizationFormat("nothing", "4:32"),))


def test_a_run_computes_with_rounded_weights_in_its_last_part(corpus: Path, tmp_path: Path) -> None:
    source = str(make_checkpoint(tmp_path / "source", "llama", context=64))

    def train(name: str, options: TrainOptions, run: RunOptions, times: int = 1) -> Path:
        for _ in range(times):
            start = existing_model(source, options)
            trainer = Trainer(corpus, start, tmp_path / name, options, run)
            trainer.train()
        assert trainer.finished
        return tmp_path / name / "model" / "model.safetensors"

    whole = load_file(train("whole", OPTIONS, RUN))
    parts = load_file(train("parts", OPTIONS, replace(RUN, stop_after_minutes=1e-9), 4))
    without = load_file(train("without", replace(OPTIONS, quantization=None), RUN))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert not all(torch.equal(whole[name], without[name]) for name in whole)
    # What is saved is not rounded: the export does that.
    matrix = whole["model.layers.0.self_attn.q_proj.weight"]
    assert not torch.equal(BlockFormat.parse("4:16:asymmetric").round(matrix), matrix)
