"""Layers that are left out, variants that are measured, and the one that ships."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaForCausalLM

from surefill.engine.bundle import Bundle
from surefill_training import cli
from surefill_training.commands import compress as command
from surefill_training.commands import progress
from surefill_training.compression import table
from surefill_training.compression.measure import Measures
from surefill_training.compression.prune import only, training_sample
from surefill_training.evaluate.bits import bits_per_byte
from surefill_training.inputs import load_tokenizer
from surefill_training.model import build_model, count_parameters, preset


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def load(folder: Path) -> LlamaForCausalLM:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, corpus: Path, tokenizer_file: Path) -> Path:
    """Four layers, each of which changes a lot."""
    folder = tmp_path_factory.mktemp("model") / "model"
    torch.manual_seed(0)
    shape = replace(preset("test").shape, layers=4)
    built = build_model(shape, 0)
    with torch.no_grad():
        for layer in built.model.layers:
            layer.mlp.down_proj.weight.mul_(20)
    built.save_pretrained(folder)
    shutil.copyfile(tokenizer_file, folder / "tokenizer.json")
    return folder


def test_layers_go_that_are_missed_least(
    model: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pruned"
    few = ("--corpus", corpus, "--chars", 2000, "--out", out)
    assert run("prune", model, "--drop", 2, *few) == 0
    record = json.loads((out / "pruned.json").read_text())
    assert ", ".join(map(str, record["kept"])) in " ".join(capsys.readouterr().err.split())
    texts = training_sample(corpus, 2000, 0)
    tokenizer = load_tokenizer(model / "tokenizer.json")

    def loss(folder: Path, kept: list[int]) -> float:
        with only(whole := load(folder), kept):
            end = whole.config.eos_token_id
            return bits_per_byte(
                whole, tokenizer, texts, end=end, length=127, precision=torch.float32
            )

    kept = [0, 1, 2, 3]
    assert record["losses"][0] == {
        "dropped": None,
        "bits_per_byte": pytest.approx(loss(model, kept), rel=1e-5),
    }
    for step in record["losses"][1:]:
        losses = {layer: loss(model, [k for k in kept if k != layer]) for layer in kept}
        assert step["dropped"] == min(losses, key=losses.__getitem__)
        assert step["bits_per_byte"] == pytest.approx(min(losses.values()), rel=1e-5)
        kept.remove(step["dropped"])
    assert (record["kept"], record["of"]) == (kept, 4)
    assert loss(out, [0, 1]) == pytest.approx(record["losses"][-1]["bits_per_byte"], rel=1e-5)
    # The KV cache goes by the layers' numbers.
    assert load(out).generate(torch.arange(30)[None], max_new_tokens=3).shape == (1, 33)
    assert (out / "tokenizer.json").exists()


def test_layers_by_number_and_what_the_record_of_training_says(
    model: Path, corpus: Path, tmp_path: Path
) -> None:
    source = shutil.copytree(model, tmp_path / "source")
    (source / "training.json").write_text('{"preset": "test", "parameters": 1}')
    out = tmp_path / "pruned"
    few = ("--corpus", corpus, "--chars", 2000, "--out", out)
    assert run("prune", source, "--keep", "3,0", *few) == 0
    made = json.loads((out / "training.json").read_text())
    assert made["preset"] == "test"
    assert made["pruned"]["kept"] == [0, 3]
    assert made["parameters"] == count_parameters(load(out))
    whole = load(source)
    with only(whole, [0, 3]), torch.no_grad():
        ids = torch.arange(30)[None]
        assert torch.allclose(load(out)(ids).logits, whole(ids).logits, atol=1e-4)
    assert len(whole.model.layers) == whole.config.num_hidden_layers == 4


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--drop", 4), "4 of 4 layers cannot be left out"),
        (("--keep", "0,4"), "0, 4 is no choice of some of 4 layers"),
        (("--keep", "0,0"), "no choice"),
        (("--keep", "0,1,2,3"), "no choice"),
    ],
)
def test_layers_that_cannot_be_left_out(
    model: Path,
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[object, ...],
    problem: str,
) -> None:
    few = ("--corpus", corpus, "--chars", 500, "--out", tmp_path / "out")
    assert run("prune", model, *arguments, *few) == 1
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def measures(name: str, exact: list[float], bits: float, ms: float) -> Measures:
    packages = [f"p{number % 10}" for number in range(len(exact))]
    return Measures(name, "int4", 7, 7.0, bits, exact, packages, ms, 5.0, 0.5)


def test_the_fastest_of_those_that_are_as_good_ships() -> None:
    right = [1.0] * 30 + [0.0] * 70
    found = table.rows(
        [
            measures("whole-fp32", right, 1.0, 30.0),
            measures("whole-int8", right, 1.001, 15.0),
            measures("whole-int4", [0.0, *right[:-1]], 1.019, 10.0),
            measures("more-bits", right, 1.021, 5.0),
            measures("less-right", [0.0] * 20 + [1.0] * 10 + [0.0] * 70, 1.0, 4.0),
        ]
    )
    assert [row.may_ship for row in found] == [True, True, True, False, False]
    assert table.choose(found).measures.name == "whole-int4"
    written = json.loads(table.to_json(found))
    assert written["shipped"] == "whole-int4"
    assert written["rule"] == table.RULE
    assert [v["may_ship"] for v in written["variants"]] == [row.may_ship for row in found]
    lines = table.markdown(found).split("\n")
    assert any(line.startswith("| whole-int4 (shipped) | 1.019 |") for line in lines)
    assert len({line.count("|") for line in lines[:7]}) == 1
    assert table.choose(table.rows([measures("alone", right, 1.0, 9.0)])).may_ship


def test_variants_are_made_measured_and_kept(
    model: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    healed: list[float] = []
    open_bars: list[object] = []
    bar = progress.progress_bar

    @contextmanager
    def alone() -> Iterator[object]:
        assert not open_bars, "a bar inside of another"
        with bar() as opened:
            open_bars.append(opened)
            yield opened
            open_bars.clear()

    def heal(pruned: Path, _corpus: Path, minutes: float, folder: Path) -> Path:
        with progress.progress_bar():  # as training has one
            healed.append(minutes)
        return pruned

    monkeypatch.setattr(progress, "progress_bar", alone)
    monkeypatch.setattr(command, "heal", heal)
    arguments = (
        *("compress", model, "--corpus", corpus, "--precisions", "int4", "--int4-blocks", "32"),
        *("--keep-layers", "0,3", "--heal-minutes", 5, "--holes", 2, "--chars", 500),
        *("--rounds", 1, "--out", out),
    )
    assert run(*arguments) == 0
    written = json.loads((out / "compression.json").read_text())
    names = [variant["name"] for variant in written["variants"]]
    assert names == [
        *("whole-fp32", "whole-int4-b32", "layers-0-3-int4-b32", "layers-0-3-healed-int4-b32"),
    ]
    assert healed == [5.0]
    found = {variant["name"]: variant for variant in written["variants"]}
    whole, small = found["whole-int4-b32"], found["layers-0-3-int4-b32"]
    assert found["whole-fp32"]["megabytes"] > whole["megabytes"] > small["megabytes"]
    assert small["parameters"] < whole["parameters"]
    assert all(v["decode_ms"] > 0 and v["prefill_ms"] > 0 for v in found.values())
    assert written["shipped"] in (out / "compression.md").read_text()
    assert Bundle.load(out / "bundles" / written["shipped"]).manifest.kv.layers in (2, 4)

    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.suffix in (".onnx", ".json")}
    tables = {out / "compression.json"}
    assert run(*arguments) == 0
    after = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.suffix in (".onnx", ".json")}
    assert {p for p in after if after[p] != before.get(p)} <= tables


def test_healing_is_a_short_training(
    model: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Compiling takes longer than such a small model is trained.
    monkeypatch.setattr(torch, "compile", lambda module, **_: module)
    healed = command.heal(model, corpus, 0.002, tmp_path / "run")
    first, second = load(model), load(healed)
    assert second.config.num_hidden_layers == 4
    assert any(
        not torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--precisions", "int4,int3"), "no precision 'int3'"),
        (("--int4-blocks", "100"), "Blocks of 100 weights"),
    ],
)
def test_variants_that_cannot_be(
    model: Path,
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    problem: str,
) -> None:
    assert run("compress", model, "--corpus", corpus, *arguments, "--out", tmp_path) == 1
    assert problem in capsys.readouterr().err
