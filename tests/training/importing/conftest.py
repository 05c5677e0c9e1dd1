"""Small models to import, and the command that imports them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from small_gguf import write_gguf
from surefill.context.prompt import TEMPLATES
from surefill_training import cli
from tiny_models import make_checkpoint

Run = Callable[..., dict[str, Any]]
Fail = Callable[..., str]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("llama"), "llama", rope_theta=50_000.0)


@pytest.fixture(scope="module")
def qwen2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_checkpoint(tmp_path_factory.mktemp("qwen2"), "qwen2", rope_theta=1_000_000.0)
    # Biases begin as zeros, and would hide that they were lost.
    return _with_biases(folder)


def _with_biases(folder: Path) -> Path:
    model = AutoModelForCausalLM.from_pretrained(folder)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith(".bias"):
                weights.normal_()
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Import something to ``out``; what is recorded."""

    def importing(*arguments: object) -> dict[str, Any]:
        command = ["import", *map(str, arguments), "--out", str(tmp_path / "out")]
        status = cli.main(command)
        assert status == 0, capfd.readouterr().err
        return dict(json.loads((tmp_path / "out" / "source.json").read_text(encoding="utf-8")))

    return importing


@pytest.fixture
def fail(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Fail:
    """Import something that cannot be imported; its message."""

    def importing(*arguments: object) -> str:
        before = sorted(tmp_path.iterdir())
        status = cli.main(["import", *map(str, arguments), "--out", str(tmp_path / "bad")])
        message = capfd.readouterr().err.strip().split("\n")[-1]
        assert status == 1
        assert message.startswith("surefill-train: ") and message.endswith(".")
        assert "Traceback" not in message
        assert sorted(tmp_path.iterdir()) == before, "nothing is left behind"
        return message

    return importing


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, llama: Path) -> Path:
    """A file of which copies are spoilt."""
    file = tmp_path_factory.mktemp("good") / "good.gguf"
    write_gguf(file, llama, special=TEMPLATES["qwen2.5-coder"].special_tokens())
    return file
