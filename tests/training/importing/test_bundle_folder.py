"""A bundle's graph gives back the weights that it was made of, ready to be trained further."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from transformers import AutoModelForCausalLM

from small_bundle import SMALL_BUNDLE
from surefill.engine.bundle import Bundle
from surefill_training import cli
from surefill_training.importing import bundle_folder
from surefill_training.options import LoraOptions, TrainOptions
from surefill_training.train.source import existing_model
from tiny_models import bundle_checkpoint, make_checkpoint


def call(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "m"
    return make_checkpoint(folder, hidden=128, rope_theta=77_000.0)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


def test_weights_in_full_precision_come_back_as_they_were(checkpoint: Path, tmp_path: Path) -> None:
    bundle_checkpoint(checkpoint, tmp_path / "bundle")
    assert call("import", tmp_path / "bundle", "--out", tmp_path / "again") == 0
    found, wanted = weights(tmp_path / "again"), weights(checkpoint)
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0)
    before, after = (
        json.loads((folder / "config.json").read_text())
        for folder in (checkpoint, tmp_path / "again")
    )
    for key in ("rope_theta", "rms_norm_eps", "tie_word_embeddings", "num_attention_heads"):
        assert after[key] == before[key]


@pytest.mark.parametrize(("precision", "steps"), [("int8", 127), ("int4", 7), ("w8a8", 127)])
def test_quantised_weights_come_back_to_within_their_rounding(
    checkpoint: Path, tmp_path: Path, precision: str, steps: int
) -> None:
    bundle = bundle_checkpoint(checkpoint, tmp_path / "bundle", precision)
    graph = bundle_folder._Graph(onnx.load(bundle.model_path))
    found = bundle_folder._model(graph, bundle, 0).state_dict()
    for name, tensor in weights(checkpoint).items():
        error = (found[name] - tensor).abs().amax(dim=-1)
        assert (error <= tensor.abs().amax(dim=-1) / steps).all(), name
        assert "norm" in name or error.max() > 0


def test_the_shipped_kind_of_bundle_can_be_trained_further(tmp_path: Path) -> None:
    assert call("import", SMALL_BUNDLE, "--out", tmp_path / "model") == 0
    bundle = Bundle.load(SMALL_BUNDLE)
    found = existing_model(str(tmp_path / "model"), TrainOptions(lora=LoraOptions()))
    assert found.options.template == bundle.manifest.prompt.template
    assert found.history["tokens"] == bundle.manifest.made["tokens"]
    assert sum(p.numel() for p in found.model.parameters()) == bundle.manifest.parameters


def test_a_folder_in_use_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert call("import", SMALL_BUNDLE, "--out", tmp_path) == 1
    assert "is not empty" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("architecture", ["qwen2", "qwen3", "gpt2"])
def test_graphs_of_other_architectures_are_refused(
    architecture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_checkpoint(tmp_path / "m", architecture)
    if architecture == "qwen2":  # biases of zero make it a Llama model
        model = AutoModelForCausalLM.from_pretrained(folder)
        for layer in model.model.layers:
            torch.nn.init.normal_(layer.self_attn.q_proj.bias)
        model.save_pretrained(folder)
    bundle_checkpoint(folder, tmp_path / "bundle")
    assert call("import", tmp_path / "bundle", "--out", tmp_path / "out") == 1
    assert "Import the model that it was exported from" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_scaled_positions_are_not_taken_for_plain_ones(checkpoint: Path, tmp_path: Path) -> None:
    bundle = bundle_checkpoint(checkpoint, tmp_path / "bundle")
    model = onnx.load(bundle.model_path)
    for tensor in model.graph.initializer:
        if tensor.name in ("cos_cache", "sin_cache"):
            table = onnx.numpy_helper.to_array(tensor).copy()
            table[1, :4] = table[2, :4]
            tensor.CopyFrom(onnx.numpy_helper.from_array(table, tensor.name))
    graph = bundle_folder._Graph(model)
    with pytest.raises(bundle_folder.ModelImportError, match="scales its positions"):
        graph.rope_base(32)
    assert np.isclose(bundle_folder._Graph(onnx.load(bundle.model_path)).rope_base(32), 77_000)
