"""What a bundle says about itself."""

from __future__ import annotations

import json
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch

from surefill_training import card
from surefill_training.card import describe, read_results, require_scores_of, summarize
from surefill_training.errors import TrainingError
from surefill_training.model import build_model, count_parameters, preset

MADE = {
    "preset": "test",
    "optimizer": {"recipe": "muon"},
    "infilling": {"fim_rate": 0.7, "spm_share": 0.6},
    "steps": 12,
    "tokens": 3_400_000,
    "minutes": 5.4,
    "parameters": 123_456,
    "corpus": "0123456789abcdef0123",
    "any_license": False,
    "hole_share": 0.43,
    "sources": [
        {"name": "alpha", "version": "1.0", "license": "MIT", "split": "train"},
        {"name": "beta", "version": "2.1", "license": "BSD-3-Clause", "split": "train"},
        {"name": "gamma", "version": "3", "license": "Apache-2.0", "split": "heldout"},
    ],
}
RESULT = {
    "precision": "int4",
    "bits_per_byte": 1.23456,
    "exact_match": {"mean": 0.25, "low": 0.2, "high": 0.31},
    "edit_similarity": {"mean": 0.5, "low": 0.4, "high": 0.6},
    "holes": 40,
    "unseen": True,
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    build_model(preset("test").shape, 0).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def described(model: Path, scores: dict[str, Any] | None = None) -> tuple[Any, str]:
    return describe(
        model,
        name="mine",
        version="3",
        license_name="MIT",
        precision="int4",
        scores=scores or {},
    )


def test_a_model_trained_here_says_how(model: Path) -> None:
    (model / "training.json").write_text(json.dumps(MADE))
    info, text = described(model, summarize([RESULT]))
    assert (info.name, info.version, info.parameters) == ("mine", "3", 123_456)
    assert info.context_length == 128
    assert info.made["versions"]["torch"] == metadata.version("torch")
    assert info.made["corpus"] == MADE["corpus"]
    for fact in (
        "# mine 3",
        "trained from scratch",
        "12 steps, 3.4M tokens in 5 minutes",
        "43% of the pieces with a hole, 60% of those",
        "permissively licensed packages",
        "`0123456789abcdef`",
        "Trained on: alpha 1.0 (MIT), beta 2.1 (BSD-3-Clause).",
        "Held out, to measure on: gamma 3 (Apache-2.0).",
        "| int4 | 1.235 | 25.0% (20.0% to 31.0%, 40 holes) | 50.0% |",
        "Licence of the weights: MIT",
        "on packages that neither the tokenizer nor the model has seen",
    ):
        assert fact in " ".join(text.split("\n")), fact


def test_a_corpus_of_any_licence_is_not_called_permissive(model: Path) -> None:
    (model / "training.json").write_text(json.dumps({**MADE, "any_license": True}))
    _, text = described(model)
    assert "permissively" not in text
    assert "of any licence" in text


def test_a_model_from_elsewhere_claims_nothing(model: Path) -> None:
    info, text = described(model)
    assert info.parameters == count_parameters(build_model(preset("test").shape, 0))
    assert info.made == {}
    assert "does not say how it was trained" in text
    assert "Not measured." in text
    for claim in ("from scratch", "permissively", "corpus manifest"):
        assert claim not in text


def test_another_build_of_onnxruntime_is_no_obstacle(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name == "onnxruntime":
            raise metadata.PackageNotFoundError(name)
        return f"version of {name}"

    monkeypatch.setattr(card.metadata, "version", version)
    (model / "training.json").write_text(json.dumps(MADE))
    info, _ = described(model)
    assert info.made["versions"]["onnxruntime"] == "version of onnxruntime-gpu"


@pytest.mark.parametrize("text", ["no json", "[]", '{"preset": "nano"}'])
def test_a_damaged_training_record(model: Path, text: str) -> None:
    (model / "training.json").write_text(text)
    with pytest.raises(TrainingError, match="cannot be used"):
        described(model)


def test_scores_by_precision() -> None:
    scores = summarize([RESULT, {**RESULT, "precision": "fp32", "bits_per_byte": 1.2}])
    assert scores["int4"] == {
        "heldout_bits_per_byte": 1.2346,
        "line_exact_match": 0.25,
        "line_exact_match_interval": [0.2, 0.31],
        "line_edit_similarity": 0.5,
        "holes": 40,
        "unseen": True,
    }
    assert scores["fp32"]["heldout_bits_per_byte"] == 1.2


def test_scores_that_are_something_else(tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    with pytest.raises(TrainingError, match="No such file"):
        read_results(file)
    for text, problem in (("no json", "is not JSON"), ('{"a": 1}', "holds no results")):
        file.write_text(text)
        with pytest.raises(TrainingError, match=problem):
            read_results(file)
    file.write_text(json.dumps([RESULT]))
    assert summarize(read_results(file)).keys() == {"int4"}
    with pytest.raises(TrainingError, match="lack 'exact_match'"):
        summarize([{"precision": "int4", "bits_per_byte": 1.0}])
    with pytest.raises(TrainingError, match="The scores lack"):
        summarize([1])  # type: ignore[list-item]
    with pytest.raises(TrainingError, match="several bundles"):
        summarize([RESULT, RESULT])


def test_scores_of_a_model_that_may_know_the_answers_say_so(model: Path) -> None:
    _, text = described(model, summarize([{**RESULT, "unseen": False}]))
    assert "it is not known whether the model has seen" in " ".join(text.split())
    _, text = described(model)
    assert "Measured with" not in text


def test_scores_of_other_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "int4").mkdir()
    (tmp_path / "int4" / "model.onnx").write_bytes(b"weights")
    good = {**RESULT, "name": "mine", "weights": [sha256(b"weights").hexdigest()]}
    require_scores_of([good], tmp_path)
    for other in ({**good, "weights": ["0" * 64]}, {**good, "precision": "int8"}, RESULT):
        with pytest.raises(TrainingError, match="are not of the model in"):
            require_scores_of([other], tmp_path)


@pytest.mark.parametrize(
    ("config", "length"), [({"n_positions": 99}, 99), ({"max_position_embeddings": 77}, 77)]
)
def test_the_context_goes_by_several_names(
    model: Path, config: dict[str, int], length: int
) -> None:
    raw = json.loads((model / "config.json").read_text())
    raw.pop("max_position_embeddings")
    (model / "config.json").write_text(json.dumps({**raw, **config}))
    assert described(model)[0].context_length == length
    (model / "config.json").write_text(json.dumps(raw))
    with pytest.raises(TrainingError, match="how long its context is"):
        described(model)


def test_a_model_from_elsewhere_is_served_prefix_first_unless_told(model: Path) -> None:
    assert (described(model)[0].template, described(model)[0].order) == ("qwen2.5-coder", "psm")
    info, _ = describe(
        model,
        name="mine",
        version="3",
        license_name="MIT",
        precision="int4",
        scores={},
        template="starcoder2",
        order="spm",
    )
    assert (info.template, info.order) == ("starcoder2", "spm")
    (model / "training.json").write_text(json.dumps(MADE))
    assert described(model)[0].order == "spm"
