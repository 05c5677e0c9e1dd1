"""bfloat16 is used where it pays, and what was used is noted beside the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from surefill_training import inputs
from surefill_training.train import RunOptions, Trainer, TrainOptions

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("faster", "chosen"), [(torch.bfloat16, torch.bfloat16), (torch.float32, torch.float32)]
)
def test_a_cpu_takes_what_is_faster(
    monkeypatch: pytest.MonkeyPatch, faster: torch.dtype, chosen: torch.dtype
) -> None:
    monkeypatch.setattr(inputs, "_trial", lambda dtype: 1.0 if dtype == faster else 2.0)
    assert inputs.precision("auto", CPU) == chosen
    assert inputs.precision("fp32", CPU) == torch.float32
    assert inputs.precision("bf16", CPU) == torch.bfloat16


def test_a_gpu_takes_bfloat16_unless_told_otherwise() -> None:
    assert inputs.precision("auto", torch.device("cuda")) == torch.bfloat16
    assert inputs.precision("fp32", torch.device("cuda")) == torch.float32


@pytest.mark.parametrize(("name", "noted"), [("fp32", "float32"), ("bf16", "bfloat16")])
def test_both_train_and_are_noted(
    corpus: Path, tokenizer_file: Path, tmp_path: Path, name: inputs.Precision, noted: str
) -> None:
    run = RunOptions(device="cpu", compile=False, heldout_chars=500, precision=name)
    options = TrainOptions(preset="test", steps=2)
    model = Trainer(corpus, tokenizer_file, tmp_path, options, run).train()
    assert json.loads((model / "training.json").read_text())["precision"] == noted
    last = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["step"] == 2
    assert 0 < last["heldout_bits_per_byte"] < 9
