"""Fine-tuning real architectures with random weights: in full, with LoRA, and what does not fit."""

from __future__ import annotations

import argparse
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from small_bundle import SMALL_BUNDLE
from surefill.engine.bundle import Bundle
from surefill.errors import SurefillError
from surefill_training import cli
from surefill_training.checkpoint import CheckpointFolder
from surefill_training.commands import finetune
from surefill_training.corpus import build
from surefill_training.evaluate.bits import bits_per_byte
from surefill_training.inputs import load_tokenizer
from surefill_training.options import (
    DropoutOptions,
    LoraOptions,
    OptimizerOptions,
    Overrides,
    RunOptions,
    TrainOptions,
)
from surefill_training.train import Trainer
from surefill_training.train.lora import link_weights, load_adapter, save_adapter
from surefill_training.train.source import existing_model, find_source, recognise
from tiny_models import Architecture, make_checkpoint, train_tokenizer

RUN = RunOptions(device="cpu", compile=False, precision="fp32", heldout_chars=2_000)
FULL = TrainOptions(
    steps=10,
    optimizer=OptimizerOptions("adamw", adamw_lr=3e-3),
    overrides=Overrides(sequence=64, batch=4),
)
LORA = replace(FULL, optimizer=OptimizerOptions("adamw", adamw_lr=2e-2), lora=LoraOptions(rank=4))


_OUTSIDE_OF_LAYERS = {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the checkpoints of this module lie, each by the name of its architecture."""
    return tmp_path_factory.mktemp("checkpoints")


def checkpoint(checkpoints: Path, architecture: Architecture = "llama") -> Path:
    folder = checkpoints / architecture
    return folder if folder.exists() else make_checkpoint(folder, architecture, context=128)


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(input_ids=torch.arange(40).unsqueeze(0)).logits  # type: ignore[no-any-return]


def heldout_bits(model: Path, corpus: Path) -> float:
    texts = [document.text for document in build.load(corpus, "heldout")][:1]
    return bits_per_byte(
        AutoModelForCausalLM.from_pretrained(model),
        load_tokenizer(model / "tokenizer.json"),
        texts,
        end=0,
        length=64,
        precision=torch.float32,
    )


@pytest.mark.parametrize(
    ("architecture", "lora"),
    [
        ("llama", False),
        ("starcoder2", False),
        ("gpt2", False),
        ("qwen2", True),
        ("qwen3", True),
        ("mistral", True),
        ("gpt2", True),
    ],
)
def test_every_architecture_learns(
    corpus: Path, checkpoints: Path, tmp_path: Path, architecture: Architecture, lora: bool
) -> None:
    source = checkpoint(checkpoints, architecture)
    options = LORA if lora else FULL
    model = Trainer(corpus, existing_model(str(source), options), tmp_path, options, RUN).train()
    assert heldout_bits(model, corpus) < heldout_bits(source, corpus) - 0.3
    before, after = (load_file(folder / "model.safetensors") for folder in (source, model))
    assert before.keys() == after.keys()
    assert {n: w.shape for n, w in before.items()} == {n: w.shape for n, w in after.items()}
    embeddings = [n for n in before if n.endswith(("embed_tokens.weight", "wte.weight"))]
    same = (before[embeddings[0]] == after[embeddings[0]]).all(dim=1)
    # With LoRA the rows of the special tokens alone are trained.
    assert same.nonzero().flatten().tolist() == ([*range(6, 512)] if lora else [])
    made = json.loads((model / "training.json").read_text())
    assert made["source"]["name"] == architecture
    assert made["parameters"] == sum(w.numel() for w in after.values())


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_merged_adapters_are_the_model_with_adapters(
    checkpoints: Path, tmp_path: Path, architecture: Architecture
) -> None:
    source = checkpoint(checkpoints, architecture)
    assert LORA.lora is not None
    model = existing_model(str(source), LORA).model
    weights = link_weights(model, LORA, [1, 3], torch.float32)
    for parameter in weights.named_parameters().values():
        parameter.data += torch.randn_like(parameter) * 0.1
    weights.write()
    expected = logits(model)
    save_adapter(tmp_path / "adapter", weights, LORA.lora, str(source))
    plain = AutoModelForCausalLM.from_pretrained(source)
    assert not torch.allclose(logits(plain), expected, atol=0.2)
    again = PeftModel.from_pretrained(plain, tmp_path / "adapter")
    assert torch.allclose(logits(again), expected, atol=0.05)
    fresh = existing_model(str(source), LORA).model
    load_adapter(tmp_path / "adapter", link_weights(fresh, LORA, [1, 3], torch.float32))
    assert torch.allclose(logits(fresh), expected, atol=0.05)


def test_parts_of_a_lora_run_are_the_run(corpus: Path, checkpoints: Path, tmp_path: Path) -> None:
    """With dropout too: what is random goes on where it stopped."""
    source = str(checkpoint(checkpoints))
    options = replace(LORA, steps=3, dropout=DropoutOptions(hidden=0.2))
    part = replace(RUN, stop_after_minutes=1e-9)
    for name, run, times in (("whole", RUN, 1), ("parts", part, 3)):
        for _ in range(times):
            trainer = Trainer(
                corpus, existing_model(source, options), tmp_path / name, options, run
            )
            trainer.train()
        assert trainer.finished
    one, two = (load_file(tmp_path / n / "model/model.safetensors") for n in ("whole", "parts"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    kept = CheckpointFolder(tmp_path / "parts" / "checkpoints").load_latest()
    assert kept is not None
    assert all(re.search(r"lora_|rows|norm", name) for name in kept["model"])


def test_the_last_layers_alone_are_trained(corpus: Path, checkpoints: Path, tmp_path: Path) -> None:
    source = checkpoint(checkpoints)
    before = load_file(source / "model.safetensors")
    for all_layers in (FULL, LORA):
        options = replace(all_layers, steps=1, train_layers=1)
        out = tmp_path / ("lora" if options.lora else "full")
        trainer = Trainer(corpus, existing_model(str(source), options), out, options, RUN)
        after = load_file(trainer.train() / "model.safetensors")
        changed = {name for name in before if not torch.equal(before[name], after[name])}
        assert {name for name in changed if ".layers." in name}
        assert all(".layers.1." in n for n in changed if n not in _OUTSIDE_OF_LAYERS)
        assert "model.embed_tokens.weight" in changed


def test_adapters_are_a_start_elsewhere(corpus: Path, checkpoints: Path, tmp_path: Path) -> None:
    source = str(checkpoint(checkpoints))
    Trainer(corpus, existing_model(source, LORA), tmp_path / "first", LORA, RUN).train()
    adapter = tmp_path / "first" / "adapter"
    assert (adapter / "adapter_model.safetensors").stat().st_size < 60_000
    options = replace(LORA, steps=1, optimizer=OptimizerOptions("adamw", adamw_lr=1e-9))
    start = existing_model(source, options, adapter=adapter)
    second = Trainer(corpus, start, tmp_path / "second", options, RUN).train()
    one, two = (load_file(tmp_path / n / "model/model.safetensors") for n in ("first", "second"))
    assert all(torch.allclose(one[name], two[name], atol=2e-3) for name in one)
    made = json.loads((second / "training.json").read_text())
    assert len(made["source"]["adapter"]) == 64
    wider = replace(options, lora=LoraOptions(rank=5))
    with pytest.raises(SurefillError, match="of another shape than the one"):
        start = existing_model(source, wider, adapter=adapter)
        Trainer(corpus, start, tmp_path / "third", wider, RUN)
    with pytest.raises(SurefillError, match="holds no adapter that can be read"):
        load_adapter(tmp_path, link_weights(start.model, options, [], torch.float32))
    with pytest.raises(SurefillError, match="Only LoRA begins with an adapter"):
        existing_model(source, FULL, adapter=adapter)


def test_a_checkpoint_of_another_start_is_refused(
    corpus: Path, checkpoints: Path, tmp_path: Path
) -> None:
    source = checkpoint(checkpoints)
    options = replace(LORA, steps=1)
    Trainer(corpus, existing_model(str(source), options), tmp_path / "run", options, RUN).train()
    other = shutil.copytree(source, tmp_path / source.name)
    weights = load_file(other / "model.safetensors")
    save_file(
        {name: weight * 1.01 for name, weight in weights.items()}, other / "model.safetensors"
    )
    start = existing_model(str(other), options)
    with pytest.raises(SurefillError, match="made from other weights than the ones") as caught:
        Trainer(corpus, start, tmp_path / "run", options, RUN).train()
    assert "another --out folder" in str(caught.value.remedy)


@pytest.mark.parametrize("lora", [True, False])
def test_bfloat16_beside_single_precision_learns_as_much(
    corpus: Path, checkpoints: Path, tmp_path: Path, lora: bool
) -> None:
    source = checkpoint(checkpoints)
    options = LORA if lora else FULL
    losses = []
    for precision in ("fp32", "bf16"):
        run = replace(RUN, precision=precision)  # type: ignore[arg-type]
        out = tmp_path / precision
        model = Trainer(corpus, existing_model(str(source), options), out, options, run).train()
        losses.append(heldout_bits(model, corpus))
        assert load_file(model / "model.safetensors")["model.norm.weight"].dtype == torch.float32
    assert losses[1] == pytest.approx(losses[0], abs=0.05)


def test_presets_say_what_is_trained_and_how(capsys: pytest.CaptureFixture[str]) -> None:
    def options(*words: str) -> TrainOptions:
        parser = argparse.ArgumentParser()
        finetune.add_recipe(parser)
        return finetune.options_of(parser.parse_args(words))[0]

    small, base, none = options("--preset", "small"), options("--preset", "base"), options()
    assert small.lora is not None
    assert base.lora is None
    assert none.lora is None
    assert small.lora.alpha == 2 * small.lora.rank
    assert base.optimizer.adamw_lr > none.optimizer.adamw_lr
    assert small.mixture.balanced
    assert options("--preset", "small", "--no-lora").lora is None
    chosen = options("--preset", "small", "--rank", "4", "--language-share", "go=0.5", "sql=0.1")
    assert chosen.lora == LoraOptions(rank=4, alpha=8.0)
    assert chosen.mixture.shares == (("go", 0.5), ("sql", 0.1))
    quantized = options("--quantize-aware", "0.2", "--quantize-format", "all=8:64")
    assert quantized.quantization is not None
    assert [vars(f) for f in quantized.quantization.formats] == [{"name": "all", "format": "8:64"}]
    with pytest.raises(SystemExit):
        options("--language-share", "go")
    assert "is not a name and a share between 0 and 1" in capsys.readouterr().err


def test_hidden_dropout_reaches_every_architecture(checkpoints: Path) -> None:
    for architecture in ("llama", "starcoder2", "gpt2"):
        source = str(checkpoint(checkpoints, architecture))
        ids = torch.arange(40).unsqueeze(0)
        for share in (0.0, 0.5):
            dropout = DropoutOptions(hidden=share)
            model = existing_model(source, replace(FULL, dropout=dropout)).model.train()
            same = torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)
            assert same == (share == 0.0)
            assert torch.equal(logits(model), logits(model))


def test_the_command_up_to_a_bundle(
    corpus: Path, checkpoints: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A run of our own is fine-tuned twice, from its run folder, and exported as it is."""
    source = checkpoint(checkpoints)
    common = ["--corpus", corpus, "--steps", 2, "--batch", 2, "--sequence", 64, "--no-compile"]
    common += ["--device", "cpu", "--heldout-chars", 1000]
    first, second, onnx = tmp_path / "first", tmp_path / "second", tmp_path / "onnx"
    bundle = tmp_path / "bundle"
    for command in (
        ["finetune", source, *common, "--out", first],
        ["finetune", first, *common, "--lora", "--rank", 2, "--out", second],
        ["finetune", first, *common, "--lora", "--rank", 2, "--out", second],
        ["export", second / "model", "--precision", "fp32", "--out", onnx],
        [
            *("bundle", second / "model", "--exported", onnx, "--precision", "fp32"),
            *("--name", "tuned", "--out", bundle),
        ],
    ):
        assert cli.main([str(word) for word in command]) == 0, capfd.readouterr().err
    assert "was already finished after 2 steps" in capfd.readouterr().err
    made = Bundle.load(bundle).manifest.made
    assert made["source"]["name"] == "first"
    assert made["source_history"]["source"]["name"] == "llama"
    assert len(made["sources"]) == len(build.used_sources(build.manifest(corpus)))
    assert "Fine-tuned with LoRA of rank 2 from first" in (bundle / "MODEL_CARD.md").read_text()


def test_a_tokenizer_without_infilling_is_trained_left_to_right(
    corpus: Path, tmp_path: Path
) -> None:
    source = make_checkpoint(tmp_path / "plain", "gpt2", context=128)
    train_tokenizer(source / "tokenizer.json", 512, "plain")
    assert recognise(find_source(str(source))) == "plain"
    options = replace(FULL, steps=1)
    trainer = Trainer(corpus, existing_model(str(source), options), tmp_path / "run", options, RUN)
    made = json.loads((trainer.train() / "training.json").read_text())
    assert (made["template"], made["hole_share"]) == ("plain", 0.0)


@pytest.mark.parametrize("template", ["qwen2.5-coder", "starcoder2"])
def test_the_template_is_recognised_by_the_tokenizer(
    checkpoints: Path, tmp_path: Path, template: str
) -> None:
    source = shutil.copytree(checkpoint(checkpoints), tmp_path / "source")
    train_tokenizer(source / "tokenizer.json", 512, template)
    assert recognise(find_source(str(source))) == template


def test_rope_in_the_spelling_of_transformers_5(checkpoints: Path, tmp_path: Path) -> None:
    source = shutil.copytree(checkpoint(checkpoints), tmp_path / "source")
    config = json.loads((source / "config.json").read_text())
    del config["rope_theta"]
    config["rope_parameters"] = {"rope_type": "default", "rope_theta": 1_000_000.0}
    (source / "config.json").write_text(json.dumps(config))
    assert existing_model(str(source), FULL).model.config.rope_theta == 1_000_000.0
    config["rope_theta"] = 10_000.0
    (source / "config.json").write_text(json.dumps(config))
    with pytest.raises(SurefillError, match="gives two RoPE bases"):
        find_source(str(source))


def test_sources_that_are_none(
    checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    # What transformers does without a network, at once.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for source, message in (
        (tmp_path / "nowhere", "There is no model at"),
        (tmp_path / "file", "There is no model at"),
        (tmp_path, "holds no model"),
        (tmp_path / "run", "has not written a model yet"),
        (SMALL_BUNDLE, "is a bundle"),
        ("nobody/nothing", "the Hugging Face hub does not give a model"),
    ):
        with pytest.raises(SurefillError, match=message) as caught:
            existing_model(str(source), FULL)
        assert caught.value.remedy


def test_parts_that_do_not_fit(checkpoints: Path, tmp_path: Path) -> None:
    def broken(name: str) -> Path:
        return shutil.copytree(checkpoint(checkpoints), tmp_path / name)

    large = broken("large")
    raw = json.loads((large / "tokenizer.json").read_text())
    raw["model"]["vocab"]["one too many"] = 512
    (large / "tokenizer.json").write_text(json.dumps(raw))
    other = broken("other")
    (other / "training.json").write_text('{"tokenizer": "0123", "template": "qwen2.5-coder"}')
    none = broken("none")
    (none / "tokenizer.json").unlink()
    config = broken("config")
    values = json.loads((config / "config.json").read_text())
    (config / "config.json").write_text(json.dumps({**values, "num_hidden_layers": 3}))
    kind = broken("kind")
    (kind / "config.json").write_text(json.dumps({**values, "model_type": "abacus"}))
    cut = broken("cut")
    weights = load_file(cut / "model.safetensors")
    save_file({n: w for n, w in weights.items() if "layers.1" not in n}, cut / "model.safetensors")
    half = broken("half")
    (half / "model.safetensors").write_bytes(b"half")
    for source, message in (
        (large, "has 513 tokens, the model 512"),
        (other, "it is another"),
        (none, "has no tokenizer.json"),
        (config, "do not fit its config.json"),
        (kind, "no models of the type 'abacus'"),
        (cut, "do not fit its config.json"),
        (half, "cannot be loaded"),
    ):
        with pytest.raises(SurefillError, match=message) as caught:
            existing_model(str(source), FULL)
        assert caught.value.remedy
    wrong = replace(LORA, lora=LoraOptions(targets=("nothing",)))
    with pytest.raises(SurefillError, match="no linear layers of the names nothing") as caught:
        model = existing_model(str(checkpoint(checkpoints)), wrong).model
        link_weights(model, wrong, [], torch.float32)
    assert "q_proj" in str(caught.value.remedy)
    long = replace(FULL, overrides=Overrides(sequence=256))
    with pytest.raises(SurefillError, match="longer than the model's context of 128"):
        existing_model(str(checkpoint(checkpoints)), long)
