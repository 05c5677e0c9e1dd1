"""Real runs of the smallest preset: learning, stopping, resuming, and all that can go wrong."""

from __future__ import annotations

import json
import logging
import math
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import AutoModelForCausalLM, AutoTokenizer

from surefill.context.prompt import TEMPLATES
from surefill_training.checkpoint import CheckpointFolder
from surefill_training.corpus import build
from surefill_training.errors import CheckpointError, TrainingError
from surefill_training.evaluate.bits import bits_per_byte
from surefill_training.inputs import load_tokenizer
from surefill_training.loss import LanguageModelLoss, Rows
from surefill_training.metrics import Metrics, MetricsLog
from surefill_training.model import preset
from surefill_training.tokenizer import save_tokenizer, train_tokenizer
from surefill_training.train import RunOptions, Trainer, TrainOptions, trainer
from surefill_training.train.scoring import Scorer

STEPS = 40
SHORT = TrainOptions(preset="test", steps=4)
EAGER = RunOptions(device="cpu", compile=False, heldout_chars=4_000)
ONE_STEP = RunOptions(device="cpu", compile=False, heldout_chars=1_000, stop_after_minutes=1e-9)


class Inputs:
    """A corpus and its tokenizer, for any number of runs."""

    def __init__(self, corpus: Path, tokenizer: Path) -> None:
        self.corpus = corpus
        self.tokenizer = tokenizer

    def trainer(self, out: Path, options: TrainOptions = SHORT, run: RunOptions = EAGER) -> Trainer:
        return Trainer(self.corpus, self.tokenizer, out, options, run)


@pytest.fixture(scope="module")
def inputs(corpus: Path, tokenizer_file: Path) -> Inputs:
    return Inputs(corpus, tokenizer_file)


@pytest.fixture(scope="module")
def run(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    out = tmp_path_factory.mktemp("run")
    inputs.trainer(out, TrainOptions(preset="test", steps=STEPS)).train()
    return out


@pytest.fixture(scope="module")
def short_run(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of four steps."""
    out = tmp_path_factory.mktemp("short")
    inputs.trainer(out).train()
    return out


def metrics_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def weights(out: Path) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = load_file(out / "model" / "model.safetensors")
    return loaded


def assert_same_weights(first: Path, second: Path) -> None:
    one, other = weights(first), weights(second)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_loss_falls(run: Path) -> None:
    reports = metrics_of(run)
    assert [report["step"] for report in reports] == [10, 20, 30, STEPS]
    losses = [report["loss"] for report in reports]
    assert losses[0] < math.log(512) + 0.5
    assert losses[-1] < losses[0] - 1
    plan = preset("test")
    assert [report["tokens"] for report in reports] == [
        report["step"] * plan.batch * plan.sequence for report in reports
    ]
    assert reports[-1]["progress"] == 1.0
    assert 0 < reports[-1]["heldout_bits_per_byte"] < 5
    assert [report["heldout_bits_per_byte"] for report in reports[:-1]] == [None] * 3


def test_tensorboard_holds_the_same(run: Path) -> None:
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    reports = metrics_of(run)
    losses = events.Scalars("loss")
    assert [(event.step, pytest.approx(event.value)) for event in losses] == [
        (report["step"], report["loss"]) for report in reports
    ]
    (bits,) = events.Scalars("heldout_bits_per_byte")
    assert bits.value == pytest.approx(reports[-1]["heldout_bits_per_byte"])


def test_transformers_loads_the_model(run: Path, inputs: Inputs) -> None:
    folder = run / "model"
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.model_type == "llama"
    text = "def f(x):\n    return x\n"
    ids = tokenizer(text)["input_ids"]
    assert ids == load_tokenizer(inputs.tokenizer).encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids) == text
    assert tokenizer.eos_token == "<|endoftext|>"
    assert model.config.eos_token_id == tokenizer.eos_token_id
    heldout = [document.text for document in build.load(inputs.corpus, "heldout")]
    bits = bits_per_byte(
        model, load_tokenizer(inputs.tokenizer), heldout, end=tokenizer.eos_token_id, length=64
    )
    assert bits == pytest.approx(metrics_of(run)[-1]["heldout_bits_per_byte"], rel=0.1)


def test_the_model_says_how_it_was_made(run: Path, inputs: Inputs) -> None:
    made = json.loads((run / "model" / "training.json").read_text())
    assert (made["steps"], made["finished"], made["preset"]) == (STEPS, True, "test")
    assert made["corpus"] == build.manifest(inputs.corpus)["hash"]
    assert made["any_license"] is False
    assert made["languages"] == build.manifest(inputs.corpus)["languages"]["train"]
    assert isinstance(made["minutes"], float)
    options = json.loads((run / "options.json").read_text())["options"]
    assert options["optimizer"]["recipe"] == "muon"


def test_parts_of_a_run_are_the_run(inputs: Inputs, short_run: Path, tmp_path: Path) -> None:
    """Bit for bit: rows, optimiser and weights go on as if nothing had been in between."""
    for part in range(4):
        trainer = inputs.trainer(tmp_path, run=ONE_STEP)
        trainer.train()
        assert (trainer.steps, trainer.new_steps) == (part + 1, 1)
        assert trainer.finished == (part == 3)
    assert_same_weights(tmp_path, short_run)
    assert [report["step"] for report in metrics_of(tmp_path)] == [1, 2, 3, 4]
    whole, parts = (
        CheckpointFolder(out / "checkpoints").load_latest() for out in (short_run, tmp_path)
    )
    assert whole is not None
    assert parts is not None
    for key in ("stream", "counters", "fingerprint"):
        assert whole[key] == parts[key]


def test_the_same_command_gives_the_same_model(
    inputs: Inputs, short_run: Path, tmp_path: Path
) -> None:
    inputs.trainer(tmp_path).train()
    assert_same_weights(tmp_path, short_run)
    inputs.trainer(tmp_path / "other", TrainOptions(preset="test", steps=4, seed=1)).train()
    with pytest.raises(AssertionError):
        assert_same_weights(tmp_path / "other", short_run)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_saves_first(
    inputs: Inputs, short_run: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    optimize = Trainer._optimize

    def interrupted(self: Trainer) -> float:
        if self.steps == 1:
            signal.raise_signal(number)
        return optimize(self)

    monkeypatch.setattr(Trainer, "_optimize", interrupted)
    handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt):
        inputs.trainer(tmp_path).train()
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert [path.name for path in CheckpointFolder(tmp_path / "checkpoints").paths()] == [
        "step-0000002.pt"
    ]
    monkeypatch.undo()
    trainer = inputs.trainer(tmp_path)
    trainer.train()
    assert trainer.new_steps == 2
    assert_same_weights(tmp_path, short_run)


def test_an_interruption_while_scoring_ends_at_once_and_loses_nothing(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scorer, "score", lambda _self: signal.raise_signal(signal.SIGTERM))
    every_step = RunOptions(device="cpu", compile=False, evaluate_minutes=0)
    trainer = inputs.trainer(tmp_path, run=every_step)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert trainer.steps == 1
    assert len(CheckpointFolder(tmp_path / "checkpoints").paths()) == 1


def test_a_finished_run_is_not_trained_further(
    inputs: Inputs, short_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {p: p.read_bytes() for p in short_run.rglob("*") if p.is_file()}

    def never(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a finished run has nothing to compile")

    monkeypatch.setattr(torch, "compile", never)
    trainer = inputs.trainer(short_run, run=RunOptions(device="cpu"))
    assert trainer.train() == short_run / "model"
    assert (trainer.finished, trainer.steps, trainer.new_steps) == (True, 4, 0)
    assert {p: p.read_bytes() for p in short_run.rglob("*") if p.is_file()} == before


def test_a_run_bounded_by_minutes(inputs: Inputs, tmp_path: Path) -> None:
    trainer = inputs.trainer(tmp_path, TrainOptions(preset="test", minutes=1e-6))
    folder = trainer.train()
    assert trainer.finished
    made = json.loads((folder / "training.json").read_text())
    assert (made["steps"], made["tokens"]) == (1, 256)


def test_other_options_are_refused_by_name(inputs: Inputs, short_run: Path) -> None:
    with pytest.raises(CheckpointError, match=r"other options \(seed, steps\)"):
        inputs.trainer(short_run, TrainOptions(preset="test", steps=5, seed=3)).train()


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(
    inputs: Inputs, short_run: Path, tmp_path: Path
) -> None:
    for _ in range(3):
        inputs.trainer(tmp_path, run=ONE_STEP).train()
    newest = CheckpointFolder(tmp_path / "checkpoints").paths()[-1]
    newest.write_bytes(newest.read_bytes()[:-500])
    trainer = inputs.trainer(tmp_path)
    trainer.train()
    assert trainer.new_steps == 2
    assert_same_weights(tmp_path, short_run)
    # The third step was made twice and is reported once.
    assert [report["step"] for report in metrics_of(tmp_path)] == [1, 2, 4]


def test_training_without_a_compiler(
    inputs: Inputs,
    short_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_arguments: object, **_options: object) -> Any:
        def forward(*_arguments: object, **_inputs: object) -> None:
            raise RuntimeError("No working C++ compiler\nand a long explanation")

        return forward

    monkeypatch.setattr(torch, "compile", broken)
    with caplog.at_level(logging.WARNING):
        inputs.trainer(tmp_path, run=RunOptions(device="cpu", heldout_chars=1_000)).train()
    assert "torch.compile does not work here (No working C++ compiler)" in caplog.text
    assert_same_weights(tmp_path, short_run)


def test_a_corpus_that_holds_nothing_out_is_trained_on_without_scores(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "heldout_sample", lambda *_arguments: [])
    inputs.trainer(tmp_path).train()
    (report,) = metrics_of(tmp_path)
    assert (report["step"], report["heldout_bits_per_byte"]) == (4, None)


def test_a_run_that_diverges_says_so(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = LanguageModelLoss.__call__
    lost = float("nan")
    monkeypatch.setattr(LanguageModelLoss, "__call__", lambda made, rows: loss(made, rows) * lost)
    with pytest.raises(TrainingError, match="Loss or gradient at step 1 is not a number"):
        inputs.trainer(tmp_path).train()
    assert CheckpointFolder(tmp_path / "checkpoints").paths() == []


def test_a_gradient_that_is_no_number_does_not_reach_the_weights(
    inputs: Inputs, tmp_path: Path
) -> None:
    trainer = inputs.trainer(tmp_path)
    before = {name: p.clone() for name, p in trainer._model.state_dict().items()}
    first = next(trainer._model.parameters())
    first.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(TrainingError, match="Loss or gradient at step 1"):
        trainer.train()
    after = trainer._model.state_dict()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())


def test_too_little_memory_means_fewer_rows_at_once(
    inputs: Inputs,
    short_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    loss, room = LanguageModelLoss.__call__, [1]

    def limited(made: LanguageModelLoss, rows: Rows) -> torch.Tensor:
        if len(rows) > room[0] and torch.is_grad_enabled():
            raise torch.OutOfMemoryError("out of memory")
        return loss(made, rows)

    monkeypatch.setattr(LanguageModelLoss, "__call__", limited)
    inputs.trainer(tmp_path / "one").train()
    assert "going on with 1 rows at once" in caplog.text
    ours, theirs = weights(tmp_path / "one"), weights(short_run)
    assert all(torch.allclose(ours[name], theirs[name], atol=2e-2) for name in theirs)
    room[0] = 0
    with pytest.raises(TrainingError, match="too little memory for one row"):
        inputs.trainer(tmp_path / "none").train()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_trains_stops_and_goes_on(inputs: Inputs, tmp_path: Path) -> None:
    part = RunOptions(device="cuda", heldout_chars=1_000, stop_after_minutes=1e-9)
    inputs.trainer(tmp_path, run=part).train()
    inputs.trainer(tmp_path, run=RunOptions(device="cuda", heldout_chars=1_000)).train()
    last = metrics_of(tmp_path)[-1]
    assert last["step"] == SHORT.steps
    assert 0 < last["heldout_bits_per_byte"] < 9


def test_a_tokenizer_with_fewer_tokens_makes_a_smaller_model(corpus: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.json"
    texts = [document.text for document in build.load(corpus, "train")]
    save_tokenizer(train_tokenizer(texts, TEMPLATES["qwen2.5-coder"], 300), small)
    model = Trainer(corpus, small, tmp_path / "run", SHORT, EAGER).train()
    assert json.loads((model / "config.json").read_text())["vocab_size"] == 320


def test_folders_that_cannot_be_written(inputs: Inputs, blocked: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="could not be written"):
        inputs.trainer(blocked).train()
    (tmp_path / "run" / "metrics.jsonl").mkdir(parents=True)
    with pytest.raises(TrainingError, match=r"metrics\.jsonl could not be written"):
        inputs.trainer(tmp_path / "run").train()


def test_a_disk_that_is_full_at_the_end_leaves_the_model_of_before(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs.trainer(tmp_path / "full", run=ONE_STEP).train()
    before = {p.name: p.read_bytes() for p in (tmp_path / "full" / "model").iterdir()}

    def no_space(folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    trainer = inputs.trainer(tmp_path / "full")
    monkeypatch.setattr(trainer._model, "save_pretrained", no_space)
    with pytest.raises(TrainingError, match="No space left on device"):
        trainer.train()
    assert {p.name: p.read_bytes() for p in (tmp_path / "full" / "model").iterdir()} == before
    assert not (tmp_path / "full" / "model.partial").exists()
    assert len(CheckpointFolder(tmp_path / "full" / "checkpoints").paths()) == 2


@pytest.mark.parametrize("device", ["abacus", "cuda:99"])
def test_a_device_that_is_not_there(inputs: Inputs, tmp_path: Path, device: str) -> None:
    with pytest.raises(TrainingError, match=f"The device '{device}' cannot be used") as caught:
        inputs.trainer(tmp_path, run=RunOptions(device=device))
    assert caught.value.remedy == "Choose auto, cpu or cuda."


def test_inputs_that_do_not_fit(corpus: Path, tokenizer_file: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    raw = json.loads(tokenizer_file.read_text())
    raw["model"]["vocab"]["one too many"] = 512
    large.write_text(json.dumps(raw))
    with pytest.raises(TrainingError, match="has 513 tokens, the preset 'test' room for 512"):
        Trainer(corpus, large, tmp_path, SHORT, EAGER)
    foreign = tmp_path / "foreign.json"
    foreign.write_text(tokenizer_file.read_text().replace("<|fim_middle|>", "<|else|>"))
    with pytest.raises(TrainingError, match="has no token '<|fim_middle|>'".replace("|", r"\|")):
        Trainer(corpus, foreign, tmp_path, SHORT, EAGER).train()
    with pytest.raises(TrainingError, match="is not a tokenizer"):
        Trainer(corpus, corpus / "manifest.json", tmp_path, SHORT, EAGER)
    with pytest.raises(TrainingError, match="is not a tokenizer"):
        Trainer(corpus, tmp_path / "missing.json", tmp_path, SHORT, EAGER)
    with pytest.raises(TrainingError, match="no prompt template 'none'"):
        Trainer(corpus, tokenizer_file, tmp_path, TrainOptions("test", template="none"), EAGER)
    with pytest.raises(TrainingError, match="does not exist"):
        Trainer(tmp_path, tokenizer_file, tmp_path, SHORT, EAGER)


def test_the_metrics_of_steps_that_are_made_again_are_removed(tmp_path: Path) -> None:
    with MetricsLog(tmp_path, after=0) as log:
        for step in (10, 20, 30):
            log.write(Metrics(step, 100 * step, 1.0, 0.5, 2.0, 99.0))
    path = tmp_path / "metrics.jsonl"
    path.write_text(path.read_text() + '{"step": 40, "los')
    with MetricsLog(tmp_path, after=20) as log:
        log.write(Metrics(25, 2500, 1.0, 0.5, 2.0, 99.0))
    assert [report["step"] for report in metrics_of(tmp_path)] == [10, 20, 25]
    with MetricsLog(tmp_path, after=0):
        pass
    assert metrics_of(tmp_path) == []
