"""Packages that are left out of training, so that a mixture can be fitted on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from small_corpus import install, module
from surefill.context.prompt import TEMPLATES
from surefill_training import cli
from surefill_training.checkpoint import CheckpointFolder
from surefill_training.corpus import build, sources
from surefill_training.corpus.development import development_packages, leave_out
from surefill_training.corpus.documents import Document
from surefill_training.errors import CheckpointError
from surefill_training.tokenizer import save_tokenizer, train_tokenizer
from surefill_training.train import RunOptions, Trainer, TrainOptions
from surefill_training.train.source import existing_model

OPTIONS = TrainOptions(preset="test", steps=2)
RUN = RunOptions(device="cpu", compile=False, precision="fp32", heldout_chars=1_000)

PLAN = """
[base]
preset = "test"
no-compile = true
precision = "fp32"
heldout_chars = 1000

[[ablation]]
name = "rows"
steps = 1

[[ablation.arm]]
name = "long"

[[ablation.arm]]
name = "short"
options = { sequence = 32 }
"""


def package(name: str, files: int, length: int) -> list[Document]:
    return [Document(name, f"{number}.py", "x" * length) for number in range(files)]


def corpus_with(folder: Path, left_out: str = "", names: str = "abcd") -> Path:
    """Packages of two files, the last one held out; ``left_out`` has other text, as long."""
    found = []
    for number, name in enumerate(names):
        texts = [module(10 * number + file) for file in range(2)]
        if name == left_out:
            texts = [text.replace("_", "0") for text in texts]
        install(folder / "site", name, {f"{name}/m{i}.py": t for i, t in enumerate(texts)})
        found.append(sources.from_package(name, [folder / "site"]))
    build.build(found, folder / "corpus", build.CorpusOptions(heldout=(names[-1],)))
    return folder / "corpus"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three packages to train on and one held out."""
    return corpus_with(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def left_out(corpus: Path) -> list[str]:
    return sorted(development_packages(list(build.load(corpus, "train"))))


@pytest.fixture(scope="module")
def tokenizer(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    texts = [document.text for document in build.load(corpus, "train")]
    save_tokenizer(train_tokenizer(texts, TEMPLATES["qwen2.5-coder"], 512), path)
    return path


@pytest.fixture(scope="module")
def run(corpus: Path, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    Trainer(corpus, tokenizer, out, OPTIONS, RUN).train()
    return out


def record(model: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((model / "training.json").read_text())
    return made


def age(out: Path) -> None:
    """Make the newest checkpoint one from before packages were left out."""
    folder = CheckpointFolder(out / "checkpoints")
    saved = folder.load_latest()
    assert saved is not None
    values = json.loads(saved["fingerprint"])
    del values["development"]
    folder.save(saved["counters"][0], {**saved, "fingerprint": json.dumps(values)})


def test_many_packages_are_left_out_rather_than_one_large_one() -> None:
    documents = [*package("large", 40, 10_000), *package("other", 40, 10_000)]
    for name in "abcdef":
        documents += package(name, 2, 1_500)
    chosen = development_packages(documents)
    assert len(chosen) > 4
    assert not chosen & {"large", "other"}
    kept, names = leave_out(documents)
    assert names == sorted(chosen)
    assert {document.source for document in kept} == {d.source for d in documents} - chosen


@pytest.mark.parametrize("names", ["", "a", "ab"])
def test_of_fewer_than_three_packages_nothing_is_left_out(names: str) -> None:
    documents = [document for name in names for document in package(name, 3, 100)]
    assert leave_out(iter(documents)) == (documents, [])


def test_what_is_left_out_has_no_part_in_the_model(
    run: Path, left_out: list[str], tokenizer: Path, tmp_path: Path
) -> None:
    (name,) = left_out
    other = corpus_with(tmp_path, name)
    assert development_packages(list(build.load(other, "train"))) == {name}
    model = Trainer(other, tokenizer, tmp_path / "run", OPTIONS, RUN).train()
    assert record(model)["corpus"] != record(run / "model")["corpus"]
    assert record(model)["development"] == record(run / "model")["development"] == [name]
    before, after = (load_file(m / "model.safetensors") for m in (run / "model", model))
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_further_training_leaves_out_the_same(
    run: Path, corpus: Path, left_out: list[str], tmp_path: Path
) -> None:
    start = existing_model(str(run), OPTIONS)
    made = record(Trainer(corpus, start, tmp_path, OPTIONS, RUN).train())
    assert made["development"] == made["source_history"]["development"] == left_out


def test_an_older_run_on_other_data_is_refused_by_name(
    corpus: Path, tokenizer: Path, tmp_path: Path
) -> None:
    Trainer(corpus, tokenizer, tmp_path, OPTIONS, RUN).train()
    age(tmp_path)
    with pytest.raises(CheckpointError, match=r"other options \(development\)"):
        Trainer(corpus, tokenizer, tmp_path, OPTIONS, RUN).train()


def test_an_older_run_of_which_nothing_is_left_out_goes_on(tokenizer: Path, tmp_path: Path) -> None:
    small = corpus_with(tmp_path, names="abc")
    part = RunOptions(device="cpu", compile=False, precision="fp32", stop_after_minutes=1e-9)
    out = tmp_path / "run"
    Trainer(small, tokenizer, out, OPTIONS, part).train()
    age(out)
    made = record(Trainer(small, tokenizer, out, OPTIONS, RUN).train())
    assert (made["steps"], made["development"]) == (2, [])


def test_ablations_leave_out_the_same(
    corpus: Path, tokenizer: Path, left_out: list[str], tmp_path: Path
) -> None:
    plan, out = tmp_path / "plan.toml", tmp_path / "out"
    plan.write_text(PLAN)
    words = [str(word) for word in ("ablate", plan, "--corpus", corpus, "--out", out)]
    assert cli.main([*words, "--tokenizer", str(tokenizer), "--device", "cpu"]) == 0
    for arm in ("long", "short"):
        folder = out / "rows" / arm / "seed-0"
        assert record(folder / "model")["development"] == left_out
        made_of = json.loads(json.loads((folder / "run.json").read_text())["made_of"])
        assert made_of["development"] == ",".join(left_out)
