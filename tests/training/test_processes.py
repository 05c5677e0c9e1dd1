"""Two real processes that train one model, and what goes wrong in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surefill_training.errors import TrainingError
from surefill_training.options import Overrides, RunOptions, TrainOptions
from surefill_training.train import Trainer, trainer
from surefill_training.train.processes import Processes

STEPS = 4


def command(corpus: Path, tokenizer: Path, out: Path, *more: object) -> list[str]:
    words = ["pretrain", "--corpus", corpus, "--tokenizer", tokenizer, "--out", out]
    words += ["--preset", "test", "--steps", STEPS, "--batch", 3, "--device", "cpu"]
    words += ["--no-compile", "--precision", "fp32", "--heldout-chars", 500]
    words += ["--evaluate-steps", 1, "--patience", 9, *more]
    return [str(word) for word in words]


def run(words: list[str], launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", *launcher, "surefill_training.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
    )


def metrics(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_two_processes_train_as_one_does(
    corpus: Path, tokenizer_file: Path, tmp_path: Path
) -> None:
    """Three rows on two processes: the same losses, scores and weights, up to rounding."""
    one, two = tmp_path / "one", tmp_path / "two"
    for words in (
        command(corpus, tokenizer_file, one),
        command(corpus, tokenizer_file, two, "--processes", 2, "--stop-after", 1e-9),
        command(corpus, tokenizer_file, two, "--processes", 2),
    ):
        done = run(words)
        assert done.returncode == 0, done.stderr
    alone, together = metrics(one), metrics(two)
    assert [report["step"] for report in together] == list(range(1, STEPS + 1))
    for key in ("loss", "heldout_bits_per_byte", "tokens"):
        expected = [report[key] for report in alone]
        assert [report[key] for report in together] == pytest.approx(expected, rel=1e-4)
    ours, theirs = (load_file(out / "model" / "model.safetensors") for out in (one, two))
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-3) for name in ours)
    refused = run(command(corpus, tokenizer_file, two, "--processes", 2, "--seed", 1))
    assert refused.returncode == 1
    assert "other options (seed)" in refused.stderr + " ".join(
        file.read_text() for file in (two / "processes").rglob("*.log")
    )
    assert "ChildFailedError" not in refused.stderr


def test_a_launcher_of_accelerate_makes_no_difference(
    corpus: Path, tokenizer_file: Path, tmp_path: Path
) -> None:
    words = command(corpus, tokenizer_file, tmp_path, "--processes", 1)
    launcher = ("accelerate.commands.launch", "--num_processes", "1", "--cpu", "-m")
    done = run(words, launcher)
    assert done.returncode == 0, done.stderr
    assert metrics(tmp_path)[-1]["step"] == STEPS


def test_one_process_exchanges_nothing() -> None:
    alone = Processes()
    rows, loss = torch.zeros(3, 5), torch.ones(())
    assert alone.share(rows) is rows
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
