"""Two real processes that train one model, and what goes wrong in them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surefill_training import cli
from surefill_training.errors import TrainingError
from surefill_training.launching import launch
from surefill_training.loss import Rows
from surefill_training.options import Overrides, RunOptions, StoppingOptions, TrainOptions
from surefill_training.train import Trainer, trainer
from surefill_training.train.processes import Processes

OPTIONS = TrainOptions(
    preset="test", steps=4, overrides=Overrides(batch=3), stopping=StoppingOptions(patience=9)
)
RUN = RunOptions(device="cpu", compile=False, precision="fp32", heldout_chars=500, evaluate_steps=1)


def metrics(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_two_processes_train_as_one_does(
    corpus: Path, tokenizer_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three rows on two processes: the same run, up to rounding."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    one, two = tmp_path / "one", tmp_path / "two"
    words = ["pretrain", "--corpus", corpus, "--tokenizer", tokenizer_file, "--out", two]
    words += ["--preset", "test", "--steps", 4, "--batch", 3, "--patience", 9]
    words += ["--device", "cpu", "--no-compile", "--precision", "fp32", "--heldout-chars", 500]
    words += ["--evaluate-steps", 1, "--processes", 2]
    assert cli.main([str(word) for word in words]) == 0
    Trainer(corpus, tokenizer_file, one, OPTIONS, RUN).train()
    alone, together = metrics(one), metrics(two)
    assert [report["step"] for report in together] == [1, 2, 3, 4]
    for key in ("loss", "heldout_bits_per_byte", "tokens"):
        expected = [report[key] for report in alone]
        assert [report[key] for report in together] == pytest.approx(expected, rel=1e-4)
    ours, theirs = (load_file(out / "model" / "model.safetensors") for out in (one, two))
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-3) for name in ours)
    # One process goes on where two have been: there is nothing left to do.
    again = Trainer(corpus, tokenizer_file, two, OPTIONS, RUN)
    again.train()
    assert (again.finished, again.new_steps) == (True, 0)


def test_a_process_that_fails_ends_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    try:
        # Where the first one fails before the other, that is ended, perhaps before a word of it.
        assert launch(2, ["unknown"], tmp_path, on_cpu=True) == 2
    except TrainingError as error:
        assert "Process 1 failed (exit status 2)" in error.message
        (log,) = tmp_path.rglob("1/stderr.log")
        assert "usage: surefill-train" in log.read_text()


def test_one_process_exchanges_nothing() -> None:
    alone = Processes()
    rows = Rows.empty(torch.device("cpu"), 3, 4, isolated=True)
    loss = torch.ones(())
    assert alone.share(alone.spread(rows)) is rows
    assert alone.add_gradients([], loss) is loss
    assert alone.agree(1.0, True, False, True) == (1.0, True, False, True)
    assert alone.from_first(2.0) == 2.0
    assert alone.writes


def test_more_processes_than_rows(
    corpus: Path, tokenizer_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "join", lambda _device: (Processes(0, 5), "cpu"))
    options = TrainOptions(preset="test", steps=1, overrides=Overrides(batch=4))
    with pytest.raises(TrainingError, match="4 rows is too small for 5 processes"):
        Trainer(corpus, tokenizer_file, tmp_path, options, RunOptions(device="cpu"))
