"""From a packed corpus to weights in parts, in one command, interrupted and repeated."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from surefill_training import cli
from surefill_training.metrics import MetricsLog
from tiny_models import make_checkpoint

ABSENT = (
    *("datasketch", "rapidfuzz", "optimum", "onnxruntime_genai", "onnxruntime", "tensorboard"),
    *("torch.utils.tensorboard", "platformdirs", "pygls", "lsprotocol", "sacrebleu"),
    *("peft", "accelerate", "onnx", "matplotlib", "wandb"),
)
"""What a machine for training need not have."""


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def run_on_a_bare_machine(*arguments: object) -> str:
    code = (
        f"import sys\nfor name in {ABSENT!r}:\n    sys.modules[name] = None\n"
        "import runpy\nrunpy.run_module('surefill_training', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        # As in the tests around: models this small are slower with several threads.
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return " ".join(done.stderr.split())


def files(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*.*")}


def test_from_a_packed_corpus_to_weights(
    corpus: Path,
    tokenizer_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    packed, out = tmp_path / "packed", tmp_path / "made"
    assert run("pack", "--corpus", corpus, "--out", packed) == 0
    command = (
        *("make", "--packed", packed, "--preset", "test", "--steps", 12, "--device", "cpu"),
        *("--no-compile", "--out", out),
    )
    write = MetricsLog.write

    def interrupted(log: MetricsLog, metrics: object) -> None:
        write(log, metrics)  # type: ignore[arg-type]
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(MetricsLog, "write", interrupted)
    assert run(*command) == 130
    assert "interrupted; the same command continues." in capsys.readouterr().err
    monkeypatch.undo()
    assert not (out / "result").exists()
    assert len(list((out / "run" / "checkpoints").iterdir())) == 1
    tokenizer = out / "tokenizer" / "tokenizer.json"
    before = tokenizer.stat().st_mtime_ns

    printed = run_on_a_bare_machine(*command)
    assert "onnxruntime-genai is not installed, so only weights are saved." in printed
    assert "TensorBoard is not installed" in printed
    assert "result.tar.001" in printed
    assert tokenizer.stat().st_mtime_ns == before
    steps = [json.loads(line)["step"] for line in (out / "run" / "metrics.jsonl").open()]
    assert steps == sorted(set(steps))
    assert steps[-1] == 12

    straight = tmp_path / "straight"
    pretrain = ("pretrain", "--corpus", corpus, "--tokenizer", tokenizer, "--preset", "test")
    more = ("--steps", 12, "--device", "cpu", "--no-compile", "--out", straight)
    assert run(*pretrain, *more) == 0
    # The packed corpus gives the same rows, and neither the interruption nor half precision shows.
    assert run("unpack", out / "parts", "--out", tmp_path / "home") == 0
    home = tmp_path / "home" / "result"
    assert (home / "model" / "training.json").exists()
    assert json.loads((home / "model" / "training.json").read_text())["finished"]
    ids = torch.arange(40)[None]
    logits = [
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)(ids).logits
        for folder in (home / "model", straight / "model")
    ]
    assert torch.allclose(*logits, atol=0.02)
    sizes = [(f / "model" / "model.safetensors").stat().st_size for f in (home, straight)]
    assert sizes[0] == pytest.approx(sizes[1] / 2, rel=0.05)

    times = {name: files(out / name) for name in ("corpus", "tokenizer", "result", "parts")}
    (out / "parts" / "result.tar.001").unlink()
    monkeypatch.setitem(sys.modules, "onnxruntime_genai", None)
    assert run(*command) == 0
    again = {name: files(out / name) for name in times}
    assert again.pop("parts").keys() == times.pop("parts").keys()
    assert again == times


def test_a_model_to_start_from_is_carried_and_trained_further(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make_checkpoint(tmp_path / "source", "llama", context=2048)
    packed, start, out = tmp_path / "packed", tmp_path / "start", tmp_path / "made"
    assert run("pack", "--corpus", corpus, "--out", packed) == 0
    assert run("pack", "--model", source, "--out", start) == 0
    size = sum(file.stat().st_size for file in start.iterdir())
    assert size < 0.6 * (source / "model.safetensors").stat().st_size + 60_000
    command = (
        *("make", "--packed", packed, "--start", start, "--preset", "small", "--steps", 1),
        *("--device", "cpu", "--no-compile", "--out", out),
    )
    run_on_a_bare_machine(*command)
    made = json.loads((out / "result" / "model" / "training.json").read_text())
    assert (made["preset"], made["source"]["name"]) == ("small", "source")
    assert made["lora"]["rank"] == 32
    assert (out / "parts" / "result.tar.001").exists()
    assert run(*command, "--tokenizer", source / "tokenizer.json") == 1
    assert "A model that exists has its tokenizer." in capsys.readouterr().err
    assert run("pack", "--model", tmp_path / "none", "--out", start) == 1
    (tmp_path / "two").mkdir()
    for name in ("one", "other"):
        model = shutil.copytree(source, tmp_path / name)
        assert run("pack", "--model", model, "--out", tmp_path / "two") == 0
    assert run(*command[:4], tmp_path / "two", "--out", tmp_path / "wrong") == 1
    assert "holds the parts of 2 models" in capsys.readouterr().err


def test_a_run_in_several_calls_says_that_it_is_not_finished(
    corpus: Path, tokenizer_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed, out = tmp_path / "packed", tmp_path / "made"
    run("pack", "--corpus", corpus, "--out", packed)
    command = (
        *("make", "--packed", packed, "--preset", "test", "--steps", 12, "--device", "cpu"),
        *("--tokenizer", tokenizer_file, "--no-compile", "--out", out),
    )
    assert run(*command, "--stop-after", "0.0000001") == 0
    assert "Not finished yet; the same command continues." in capsys.readouterr().err
    assert not (out / "parts").exists()
    assert (out / "tokenizer" / "tokenizer.json").read_bytes() == tokenizer_file.read_bytes()


def test_errors_name_what_is_missing(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = tmp_path / "packed"
    command = ("make", "--packed", packed, "--preset", "test", "--out", tmp_path / "out")
    assert run(*command) == 1
    assert "holds nothing that was packed" in capsys.readouterr().err
    run("pack", "--corpus", corpus, "--out", packed)
    assert run(*command, "--tokenizer", tmp_path / "none.json") == 1
    assert "none.json cannot be read (No such file" in capsys.readouterr().err
    (packed / "corpus.jsonl.xz.001").unlink()
    assert run(*command[:-1], tmp_path / "other") == 1
    assert "lacks 1 of the 1 parts" in capsys.readouterr().err
