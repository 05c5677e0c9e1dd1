"""Early stopping, curriculum, dropout, shapes and other options of training, in real runs."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from surefill_training import cli
from surefill_training.checkpoint import CheckpointFolder, fingerprint, require_same
from surefill_training.corpus import build
from surefill_training.data import RowStream
from surefill_training.errors import CheckpointError, TrainingError
from surefill_training.inputs import load_tokenizer, make_task
from surefill_training.loss import Rows as RowsOfIds
from surefill_training.metrics import Metrics, MetricsLog
from surefill_training.options import (
    Curriculum,
    DropoutOptions,
    OptimizerOptions,
    Overrides,
    RunOptions,
    StoppingOptions,
    TrainOptions,
)
from surefill_training.tasks.infilling import InfillingOptions
from surefill_training.train import Trainer
from surefill_training.train.gradients import Gradients
from surefill_training.train.rows import Rows

SHORT = TrainOptions(preset="test", steps=4)
RUN = RunOptions(
    device="cpu", compile=False, precision="fp32", heldout_chars=1_000, evaluate_steps=1
)
ONE_STEP = replace(RUN, stop_after_minutes=1e-9)


class Inputs:
    def __init__(self, corpus: Path, tokenizer: Path) -> None:
        self.corpus = corpus
        self.tokenizer = tokenizer

    def trainer(self, out: Path, options: TrainOptions = SHORT, run: RunOptions = RUN) -> Trainer:
        return Trainer(self.corpus, self.tokenizer, out, options, run)

    def in_parts(self, out: Path, options: TrainOptions) -> Trainer:
        """The finished run of as many parts as it has steps."""
        for _ in range(100):
            trainer = self.trainer(out, options, ONE_STEP)
            trainer.train()
            if trainer.finished:
                return trainer
        raise AssertionError("the run does not end")


@pytest.fixture(scope="module")
def inputs(corpus: Path, tokenizer_file: Path) -> Inputs:
    return Inputs(corpus, tokenizer_file)


def weights(out: Path) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = load_file(out / "model" / "model.safetensors")
    return loaded


def same(first: Path, second: Path) -> bool:
    one, other = weights(first), weights(second)
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


def test_early_stopping_ends_the_run_and_keeps_the_best(inputs: Inputs, tmp_path: Path) -> None:
    """Nothing betters the first score by as much as is asked for, so the first step is the best."""
    options = replace(SHORT, steps=9, stopping=StoppingOptions(patience=2, min_delta=8.0))
    whole = inputs.trainer(tmp_path / "whole", options)
    whole.train()
    assert (whole.steps, whole.finished, whole.stopped_early) == (3, True, True)
    made = json.loads((tmp_path / "whole/model/training.json").read_text())
    scores = [
        json.loads(line)["heldout_bits_per_byte"]
        for line in (tmp_path / "whole/metrics.jsonl").read_text().splitlines()
    ]
    assert (made["best_step"], made["steps"], made["finished"]) == (1, 3, True)
    assert made["heldout_bits_per_byte"] == scores[0]
    inputs.trainer(tmp_path / "first", options, ONE_STEP).train()
    assert same(tmp_path / "whole", tmp_path / "first")
    assert inputs.in_parts(tmp_path / "first", options).steps == 3
    assert same(tmp_path / "whole", tmp_path / "first")
    last = CheckpointFolder(tmp_path / "whole" / "checkpoints").load_latest()
    assert last is not None
    best = weights(tmp_path / "whole")
    assert not all(torch.equal(last["model"][name], weight) for name, weight in best.items())


def test_a_loss_that_falls_is_not_stopped(inputs: Inputs, tmp_path: Path) -> None:
    options = replace(SHORT, stopping=StoppingOptions(patience=1))
    trainer = inputs.trainer(tmp_path / "patient", options)
    trainer.train()
    assert (trainer.steps, trainer.stopped_early) == (4, False)
    inputs.trainer(tmp_path / "plain").train()
    assert same(tmp_path / "patient", tmp_path / "plain")


def test_a_lost_best_model_is_replaced_by_the_last(
    inputs: Inputs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = replace(SHORT, stopping=StoppingOptions(patience=9, min_delta=8.0))
    inputs.trainer(tmp_path, options).train()
    first = weights(tmp_path)
    (tmp_path / "checkpoints" / "best.pt").write_bytes(b"damaged")
    inputs.trainer(tmp_path, options).train()
    assert "best.pt cannot be read" in caplog.text
    last = weights(tmp_path)
    assert not all(torch.equal(first[name], last[name]) for name in first)


def test_rows_grow_and_a_step_keeps_its_tokens(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []
    backward = Gradients.backward

    def noting(gradients: Gradients, rows: RowsOfIds, total: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(rows.ids.shape))
        return backward(gradients, rows, total)

    monkeypatch.setattr(Gradients, "backward", noting)
    options = replace(SHORT, curriculum=Curriculum(16, switch=0.5))
    inputs.trainer(tmp_path / "whole", options).train()
    assert shapes == [(16, 17)] * 2 + [(4, 65)] * 2
    assert json.loads((tmp_path / "whole/model/training.json").read_text())["tokens"] == 4 * 256
    inputs.in_parts(tmp_path / "parts", options)
    assert same(tmp_path / "whole", tmp_path / "parts")
    with pytest.raises(TrainingError, match="cannot begin with 64 tokens"):
        inputs.trainer(tmp_path / "x", replace(SHORT, curriculum=Curriculum(64)))


def test_dropout_is_part_of_the_run_and_goes_on_after_a_stop(
    inputs: Inputs, tmp_path: Path
) -> None:
    options = replace(SHORT, steps=2, dropout=DropoutOptions(attention=0.2, hidden=0.2))
    inputs.trainer(tmp_path / "whole", options).train()
    inputs.in_parts(tmp_path / "parts", options)
    assert same(tmp_path / "whole", tmp_path / "parts")
    inputs.trainer(tmp_path / "without", replace(SHORT, steps=2)).train()
    assert not same(tmp_path / "whole", tmp_path / "without")


def test_rows_made_ahead_are_the_same_and_resume_alike(inputs: Inputs, corpus: Path) -> None:
    documents = list(build.load(corpus, "train"))
    tokenizer = load_tokenizer(inputs.tokenizer)
    task = make_task(tokenizer, "qwen2.5-coder", InfillingOptions())

    def rows(*, ahead: bool) -> Rows:
        return Rows(RowStream(documents, task, 64, seed=0), 3, ahead=ahead)

    plain, ahead = rows(ahead=False), rows(ahead=True)
    for _ in range(5):
        assert (plain.next().ids == ahead.next().ids).all()
        assert plain.state == ahead.state
    assert plain.survey(4) == ahead.survey(4)
    state, expected = ahead.state, plain.next().ids
    resumed = rows(ahead=True)
    resumed.next()
    resumed.state = state
    assert (resumed.next().ids == expected).all()
    assert (ahead.next().ids == expected).all()


def test_a_checkpoint_of_before_these_options_resumes(inputs: Inputs, tmp_path: Path) -> None:
    inputs.trainer(tmp_path, run=ONE_STEP).train()
    folder = CheckpointFolder(tmp_path / "checkpoints")
    state = folder.load_latest()
    assert state is not None
    young = ("tokens", "dropout", "stopping", "curriculum", "lora", "size")
    options = json.loads(state["fingerprint"])
    state["fingerprint"] = fingerprint({k: v for k, v in options.items() if k not in young})
    old = {k: v for k, v in state.items() if k not in ("phase", "stopping", "random_gpu")}
    folder.save(1, old)
    with pytest.raises(CheckpointError, match=r"other options \(dropout\.hidden\)"):
        inputs.trainer(tmp_path, replace(SHORT, dropout=DropoutOptions(hidden=0.1))).train()
    for layers in (1, 3):
        with pytest.raises(CheckpointError, match="of a model of another shape"):
            inputs.trainer(tmp_path, replace(SHORT, overrides=Overrides(layers=layers))).train()
    inputs.trainer(tmp_path).train()
    inputs.trainer(tmp_path / "whole").train()
    assert same(tmp_path, tmp_path / "whole")


def test_another_preset_or_shape_is_refused_by_name(inputs: Inputs, tmp_path: Path) -> None:
    inputs.trainer(tmp_path, run=ONE_STEP).train()
    for overrides, name in (
        (Overrides(layers=3), "size.layers"),
        (Overrides(sequence=32), "size.batch, size.sequence"),
    ):
        with pytest.raises(CheckpointError, match=rf"other options \({name}\)"):
            inputs.trainer(tmp_path, replace(SHORT, overrides=overrides)).train()
    # What an override comes to counts, not how it is said.
    inputs.trainer(tmp_path, replace(SHORT, overrides=Overrides(layers=2)), ONE_STEP).train()
    with pytest.raises(CheckpointError, match="stopping"):
        require_same('{"stopping": null}', '{"stopping": {"patience": 1}}')


def test_shapes_and_batches_of_choice(inputs: Inputs, tmp_path: Path) -> None:
    overrides = Overrides(layers=1, width=32, feed_forward=48, heads=2, sequence=32, batch=3)
    model = inputs.trainer(tmp_path, replace(SHORT, steps=1, overrides=overrides)).train()
    config = json.loads((model / "config.json").read_text())
    assert (config["num_hidden_layers"], config["hidden_size"]) == (1, 32)
    assert (config["intermediate_size"], config["num_attention_heads"]) == (48, 2)
    assert json.loads((model / "training.json").read_text())["tokens"] == 96
    for wrong, message in (
        (Overrides(heads=3, kv_heads=2), "3 heads cannot share 2 key-value heads"),
        (Overrides(sequence=500), "longer than the model's context of 128"),
        (Overrides(vocabulary=100), "has 512 tokens, the preset 'test' room for 100"),
    ):
        with pytest.raises(TrainingError, match=message):
            inputs.trainer(tmp_path / "x", replace(SHORT, overrides=wrong))


def test_parts_of_a_batch_of_any_size_have_the_same_gradient(
    inputs: Inputs, tmp_path: Path
) -> None:
    """Three rows in parts of two and one are three rows at once."""
    options = replace(
        SHORT,
        steps=2,
        overrides=Overrides(batch=3),
        optimizer=OptimizerOptions("adamw", adamw_lr=1e-3),
    )
    for name, rows in (("together", 3), ("parts", 2)):
        run = replace(RUN, micro_batch=rows)
        inputs.trainer(tmp_path / name, options, run).train()
    one, two = weights(tmp_path / "together"), weights(tmp_path / "parts")
    assert all(torch.allclose(one[name], two[name], atol=1e-4) for name in one)


def test_a_run_bounded_by_tokens(inputs: Inputs, tmp_path: Path) -> None:
    trainer = inputs.trainer(tmp_path, TrainOptions(preset="test", tokens=700))
    trainer.train()
    assert trainer.steps == 3


def test_the_command_line_reaches_every_option(
    inputs: Inputs, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["pretrain", "--corpus", inputs.corpus, "--tokenizer", inputs.tokenizer]
    words += ["--out", tmp_path, "--preset", "test", "--steps", 2, "--device", "cpu"]
    words += ["--no-compile", "--precision", "fp32", "--heldout-chars", 500, "--batch", 2]
    words += ["--micro-batch", 1, "--layers", 1, "--recipe", "adamw", "--learning-rate", 1e-3]
    words += ["--weight-decay", 0.1, "--warmup", 0.1, "--decay", 0.2, "--clip", 0.5]
    words += ["--dropout", 0.1, "--attention-dropout", 0.05, "--patience", 3, "--min-delta", 0.01]
    words += ["--evaluate-steps", 1, "--sequence", 32, "--sequence-start", 16, "--fim-rate", 0.5]
    words += ["--spm-share", 0.4, "--seed", 5]
    assert cli.main([str(word) for word in words]) == 0, capfd.readouterr().err
    record = json.loads((tmp_path / "options.json").read_text())
    options = record["options"]
    assert options["optimizer"] == {
        **{"recipe": "adamw", "adamw_lr": 1e-3, "muon_lr": 0.02, "weight_decay": 0.1},
        **{"warmup": 0.1, "decay": 0.2, "clip": 0.5},
    }
    assert options["dropout"] == {"attention": 0.05, "hidden": 0.1}
    assert options["stopping"] == {"patience": 3, "min_delta": 0.01}
    assert options["curriculum"] == {"sequence": 16, "switch": 0.7}
    assert (options["infilling"]["fim_rate"], options["infilling"]["spm_share"]) == (0.5, 0.4)
    assert (options["size"]["layers"], options["size"]["batch"], options["seed"]) == (1, 2, 5)
    assert record["run"]["micro_batch"] == 1


class RecordingWandb:
    """Stands in for the package ``wandb``: notes what it is told."""

    def __init__(self) -> None:
        self.started: dict[str, Any] = {}
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.finished = 0

    def init(self, **options: Any) -> SimpleNamespace:
        self.started = options
        return SimpleNamespace(
            log=lambda data, step: self.logged.append((step, data)),
            finish=lambda: setattr(self, "finished", self.finished + 1),
        )


def test_weights_and_biases_gets_what_tensorboard_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = RecordingWandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)  # type: ignore[arg-type]
    with MetricsLog(tmp_path, 0, "project", {"seed": 1}) as log:
        log.write(Metrics(10, 100, 1.0, 0.5, 2.0, 99.0))
        log.write(Metrics(20, 200, 2.0, 1.0, 1.5, 98.0, 3.25))
    assert wandb.started["project"] == "project"
    assert wandb.started["config"] == {"seed": 1}
    assert wandb.logged == [
        (10, {"loss": 2.0, "tokens_per_second": 99.0}),
        (20, {"loss": 1.5, "tokens_per_second": 98.0, "heldout_bits_per_byte": 3.25}),
    ]
    assert wandb.finished == 1
    first = wandb.started["id"]
    MetricsLog(tmp_path, 20, "project").close()
    assert wandb.started["id"] == first


def test_weights_and_biases_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="is not installed") as caught:
        MetricsLog(tmp_path, 0, "project")
    assert "--wandb" in str(caught.value.remedy)

    def refuse(**_options: object) -> None:
        raise RuntimeError("no API key")

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=refuse))  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="does not start \\(no API key\\)"):
        MetricsLog(tmp_path, 0, "project")
