import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from transformers import AutoModelForCausalLM

from surefill.engine.bundle import Bundle
from surefill.engine.interrupt import Interrupt
from surefill.engine.session import ModelSession
from surefill.errors import InputError
from surefill_training.bundle import BundleInfo, kv_shape, write_bundle
from surefill_training.errors import ExportError, TrainingError
from surefill_training.export import (
    Exported,
    export,
    limit_positions,
    quantize_exported,
    read_config,
)
from surefill_training.model_config import config_for_transformers_4, rope_base
from tiny_models import make_checkpoint

INFO = BundleInfo(
    name="tiny",
    version="1",
    languages=("python",),
    license="Apache-2.0",
    parameters=7,
    context_length=256,
    made={"seed": 0},
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    return make_checkpoint(folder, hidden=256, context=256, rope_theta=77_000.0)


@pytest.fixture(scope="module")
def fp32(checkpoint, tmp_path_factory) -> Exported:
    """Exported from a config in the spelling of transformers 5."""
    config = read_config(checkpoint)
    config["rope_parameters"] = {"rope_type": "default", "rope_theta": config.pop("rope_theta")}
    newer = tmp_path_factory.mktemp("newer")
    for file in checkpoint.iterdir():
        (newer / file.name).write_bytes(file.read_bytes())
    (newer / "config.json").write_text(json.dumps(config))
    return export(newer, tmp_path_factory.mktemp("fp32"), "fp32")


def bundle(folder, exported: Exported, checkpoint, **more) -> Bundle:
    return write_bundle(
        folder,
        more.pop("info", INFO),
        model=exported.path,
        layout=exported.layout,
        precision=exported.precision,
        tokenizer=checkpoint / "tokenizer.json",
        model_card="# Tiny\n",
    )


def test_whether_tokens_cross_line_ends_is_measured(fp32, checkpoint, tmp_path):
    assert bundle(tmp_path / "lines", fp32, checkpoint).manifest.tokenizer.per_line
    raw = json.loads((checkpoint / "tokenizer.json").read_text())
    newline, vocabulary = "\u010a", raw["model"]["vocab"]
    last = max(vocabulary, key=vocabulary.get)
    raw["model"]["merges"] = [[newline, newline]]
    raw["model"]["vocab"] = {t: i for t, i in vocabulary.items() if t != last}
    raw["model"]["vocab"][newline * 2] = vocabulary[last]
    raw["pre_tokenizer"] = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": False,
        "use_regex": False,
    }
    other = tmp_path / "other"
    other.mkdir()
    (other / "tokenizer.json").write_text(json.dumps(raw))
    assert not bundle(tmp_path / "blocks", fp32, other).manifest.tokenizer.per_line


def logits_of(loaded: Bundle, ids: list[int]) -> np.ndarray:
    return ModelSession(loaded, "cpu").extend(ids, Interrupt())


@pytest.fixture(scope="module")
def reference(checkpoint):
    ids = np.random.default_rng(0).integers(6, 512, 200).tolist()
    with torch.no_grad():
        model = AutoModelForCausalLM.from_pretrained(checkpoint)
        return ids, model(torch.tensor([ids])).logits[0].numpy()


def test_the_rope_base_of_transformers_5_reaches_the_graph(fp32, checkpoint, tmp_path, reference):
    ids, wanted = reference
    found = logits_of(bundle(tmp_path / "b", fp32, checkpoint), ids)
    np.testing.assert_allclose(found, wanted, atol=2e-3)


@pytest.mark.parametrize(
    ("precision", "similarity"), [("int8", 0.99), ("int4", 0.7), ("w8a8", 0.99)]
)
def test_quantised_graphs_stay_close(fp32, checkpoint, tmp_path, reference, precision, similarity):
    # The wide random weights multiply every error; a graph gone wrong would come near 0.
    ids, wanted = reference
    quantized = quantize_exported(fp32, tmp_path / "q", precision)
    assert quantized.path.stat().st_size < fp32.path.stat().st_size / 2
    kinds = {node.op_type for node in onnx.load(quantized.path).graph.node}
    assert "MatMulNBits" in kinds
    assert "GatherBlockQuantized" in kinds, "embedding and head are one table"
    assert "MatMul" not in kinds
    found = logits_of(bundle(tmp_path / "b", quantized, checkpoint), ids)
    cosine = (
        (found * wanted).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(wanted, axis=1)
    )
    assert cosine.mean() > similarity
    with pytest.raises(ExportError, match="fused fp32"):
        quantize_exported(quantized, tmp_path / "again", precision)


def test_the_graph_has_one_more_input_and_a_known_cache(fp32):
    graph = onnx.load(fp32.path).graph
    assert "logit_positions" in {item.name for item in graph.input}
    shape = kv_shape(fp32.path, fp32.layout)
    assert (shape.layers, shape.kv_heads, shape.head_size) == (2, 2, 64)
    assert (shape.dtype, shape.layout) == ("float32", "shared")


def test_positions_beyond_the_context_are_left_out_and_the_others_stay(
    fp32, checkpoint, tmp_path, reference
):
    model = onnx.load(fp32.path)
    limit_positions(model, 128)
    tables = [t for t in model.graph.initializer if t.name in ("cos_cache", "sin_cache")]
    assert [table.dims[0] for table in tables] == [128, 128]
    onnx.save(model, tmp_path / "model.onnx")
    ids, wanted = reference
    limited = replace(fp32, path=tmp_path / "model.onnx")
    found = logits_of(bundle(tmp_path / "b", limited, checkpoint), ids[:128])
    np.testing.assert_allclose(found, wanted[:128], atol=2e-3)


def test_a_bundle_is_reproducible_and_replaced_as_a_whole(fp32, checkpoint, tmp_path):
    first = bundle(tmp_path / "a", fp32, checkpoint)
    second = bundle(tmp_path / "b", fp32, checkpoint)
    assert set(first.manifest.files) == {"model.onnx", "tokenizer.json", "MODEL_CARD.md"}
    for name in (*first.manifest.files, "bundle.json"):
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes()
    newer = BundleInfo(**{**INFO.__dict__, "version": "2"})
    assert bundle(tmp_path / "a", fp32, checkpoint, info=newer).manifest.version == "2"
    assert Bundle.load(tmp_path / "a").manifest.version == "2"
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_a_failing_write_leaves_the_old_bundle(fp32, checkpoint, tmp_path, monkeypatch):
    bundle(tmp_path / "a", fp32, checkpoint)

    def no_space(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("surefill_training.bundle.shutil.copyfile", no_space)
    for name in ("a", "b"):
        with pytest.raises(ExportError, match="No space left"):
            bundle(tmp_path / name, fp32, checkpoint)
    assert Bundle.load(tmp_path / "a").manifest.version == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_bundle_does_not_replace_what_is_none(fp32, checkpoint, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="not empty and not a bundle"):
        bundle(tmp_path / "a", fp32, checkpoint)
    with pytest.raises(TrainingError, match="no prompt template"):
        bundle(
            tmp_path / "b", fp32, checkpoint, info=BundleInfo(**{**INFO.__dict__, "template": "x"})
        )
    empty = tmp_path / "empty"
    empty.mkdir()
    assert bundle(empty, fp32, checkpoint).path == empty


@pytest.mark.parametrize(
    ("config", "base"),
    [
        ({"rope_theta": 500_000.0}, 500_000.0),
        ({"rope_parameters": {"rope_theta": 1e6, "rope_type": "default"}}, 1e6),
        ({"rope_theta": 1e6, "rope_parameters": {"rope_theta": 1_000_000}}, 1e6),
        ({"rope_parameters": None}, None),
        ({}, None),
    ],
)
def test_the_rope_base_in_either_spelling(config, base):
    assert rope_base(config) == base
    converted = config_for_transformers_4(config)
    assert "rope_parameters" not in converted
    assert converted.get("rope_theta") == base


def test_rope_settings_that_disagree():
    with pytest.raises(InputError, match="two RoPE bases"):
        rope_base({"rope_theta": 10_000.0, "rope_parameters": {"rope_theta": 1e6}})
    linear = {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}
    converted = config_for_transformers_4({"rope_parameters": linear})
    assert converted["rope_scaling"] == {"rope_type": "linear", "factor": 2.0}
    with pytest.raises(InputError, match="in two ways"):
        config_for_transformers_4({"rope_parameters": linear, "rope_scaling": {"factor": 4.0}})


def test_checkpoints_that_cannot_be_exported(tmp_path):
    with pytest.raises(InputError, match=r"no config\.json"):
        export(tmp_path, tmp_path / "out")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        export(tmp_path, tmp_path / "out")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="does not name its architecture"):
        export(tmp_path, tmp_path / "out")
    (tmp_path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    with pytest.raises(InputError, match=r"no tokenizer\.json"):
        export(tmp_path, tmp_path / "out")
    (tmp_path / "config.json").write_text('{"architectures": ["GPT2LMHeadModel"]}')
    with pytest.raises(ExportError, match="only be exported with fp32"):
        export(tmp_path, tmp_path / "out", "int4")
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    with pytest.raises(ExportError, match="model builder failed"):
        export(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
