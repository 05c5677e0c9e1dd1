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
from surefill_training.card import describe
from surefill_training.errors import TrainingError
from surefill_training.measurements import (
    read_ablations,
    read_results,
    require_scores_of,
    summarize,
)
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
SHARE = {"mean": 0.25, "low": 0.2, "high": 0.31, "count": 40}
NOT_MEASURED = {"mean": None, "low": None, "high": None, "count": 0}
TASK = {
    "holes": 40,
    "exact_match": SHARE,
    "edit_similarity": {**SHARE, "mean": 0.5},
    "shown": SHARE,
    "parses": NOT_MEASURED,
}
RESULT = {
    "name": "mine",
    "label": "mine 3 (int4)",
    "precision": "int4",
    "kind": "bundle",
    "blend": False,
    "bits_per_byte": 1.23456,
    "megabytes": 7.36,
    "corpus": "ab",
    "seed": 0,
    "unseen": True,
    "tasks": {"line_end": TASK, "member": {**TASK, "holes": 30}},
}
BASELINE = {
    **RESULT,
    "label": "n-grams and cache",
    "precision": "",
    "kind": "baseline",
    "bits_per_byte": None,
    "unseen": False,
}
ABLATION = {
    "name": "order",
    "arms": [
        {
            "name": "suffix first",
            "steps": 1200,
            "tokens": 2_400_000,
            "minutes": 11.6,
            "heldout_bits_per_byte": 1.7,
        },
        {
            "name": "prefix first",
            "steps": 1200,
            "tokens": 2_400_000,
            "minutes": 11.9,
            "heldout_bits_per_byte": 1.75,
        },
    ],
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
    info, text = described(model, summarize([RESULT, BASELINE]))
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
        "|  | int4 | n-grams and cache |",
        "| held-out bits per byte, model alone | 1.235 | – |",
        "| rest of line, exact match | 25.0% (20.0-31.0) | 25.0% (20.0-31.0) |",
        "| name after a dot, edit similarity | 50.0% | 50.0% |",
        "Holes: 40 rest of line, 30 name after a dot;",
        "Licence of the weights: MIT",
        "on packages that neither the tokenizer nor the model has seen",
    ):
        assert fact in " ".join(text.split("\n")), fact


def test_a_bundle_names_the_languages_that_its_model_has_learned(model: Path) -> None:
    chars = {"javascript": 20_000, "python": 979_000, "sql": 600, "typescript": 400}
    (model / "training.json").write_text(json.dumps({**MADE, "languages": chars}))
    info, text = described(model)
    assert info.languages == ("python", "javascript")
    text = " ".join(text.split())
    assert "a file of Python and JavaScript code, trained from scratch" in text
    assert "It was trained on Python (97.9%) and JavaScript (2.0%), and has seen a little" in text
    assert "a little SQL (less than 0.1%) and TypeScript (less than 0.1%)" in text
    (model / "training.json").write_text(json.dumps({**MADE, "languages": {"sql": 7}}))
    info, text = described(model)
    assert info.languages == ("sql",)
    assert "Python" not in text


@pytest.mark.parametrize("record", [{}, {"languages": {}}, {"languages": {"python": 0}}])
def test_a_record_without_languages_is_of_python(model: Path, record: dict[str, Any]) -> None:
    (model / "training.json").write_text(json.dumps({**MADE, **record}))
    info, text = described(model)
    assert info.languages == ("python",)
    assert "of Python code" in text
    assert "\nLanguages other than Python are outside its training.\n" in text


def test_further_training_adds_a_language(model: Path) -> None:
    further = {
        **MADE,
        "source": {"name": "mine", "weights": []},
        "languages": {"typescript": 900, "python": 100},
        "source_history": {**MADE, "source_history": {**MADE, "languages": {"sql": 1, "c": 99}}},
    }
    (model / "training.json").write_text(json.dumps(further))
    info, text = described(model)
    assert info.languages == ("python", "c", "typescript")
    assert "Languages other than Python, c and TypeScript are outside its training." in text
    further["source_history"] = {**MADE, "languages": {"python": 10**9, "typescript": 10**6}}
    (model / "training.json").write_text(json.dumps(further))
    assert described(model)[0].languages == ("python", "typescript")
    text = " ".join(described(model)[1].split())
    assert "Python (99.9%) and TypeScript (90.0%); shares of the characters of the training" in text
    assert "where it was trained several times of the time that had most" in text


def test_further_training_of_pretrained_weights_names_them(model: Path) -> None:
    imported = {"name": "Elsewhere-135M", "license": "apache-2.0", "sha256": "ab" * 32}
    counted = {"python": 900, "rust": 5}
    made = {**MADE, "languages": counted, "source": {"name": "x", "imported": imported}}
    (model / "training.json").write_text(json.dumps(made))
    info, text = described(model)
    assert info.languages == ("python",)
    assert "Its start, Elsewhere-135M, had read text and code of the web in many languages." in text
    assert "trained further on Python (99.4%) and rust (0.6%)" in text
    assert "outside its training" not in text


def test_a_corpus_of_any_licence_is_not_called_permissive(model: Path) -> None:
    (model / "training.json").write_text(json.dumps({**MADE, "any_license": True}))
    _, text = described(model)
    assert "permissively" not in text
    assert "of any licence" in text


def test_a_model_from_elsewhere_claims_nothing(model: Path) -> None:
    info, text = described(model)
    assert info.parameters == count_parameters(build_model(preset("test").shape, 0))
    assert (info.made, info.languages) == ({}, ("python",))
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


def test_the_recipe_shows_what_decided_it(model: Path, tmp_path: Path) -> None:
    (model / "training.json").write_text(json.dumps(MADE))
    file = tmp_path / "ablations.json"
    file.write_text(json.dumps([ABLATION]))
    info, text = describe(
        model,
        name="mine",
        version="3",
        license_name="MIT",
        precision="int4",
        scores={},
        ablations=read_ablations(file),
    )
    assert "| order | suffix first | 1,200 | 2.4M | 12 | 1.700 |" in text.split("\n")
    assert info.made["ablations"] == [ABLATION]
    assert "What decided" not in described(model)[1]
    for content, problem in (
        ("no json", "is not JSON"),
        ("{}", "holds no ablations"),
        ('[{"name": "a"}]', "lack 'arms'"),
    ):
        file.write_text(content)
        with pytest.raises(TrainingError, match=problem):
            read_ablations(file)


def test_scores_by_precision_and_baseline() -> None:
    alone = {**RESULT, "note": "model alone"}
    scores = summarize([RESULT, alone, {**RESULT, "precision": "fp32"}, BASELINE])
    assert list(scores) == ["int4", "int4, model alone", "fp32", "n-grams and cache"]
    assert scores["int4"] == {
        "heldout_bits_per_byte": 1.2346,
        "megabytes": 7.4,
        "blend": False,
        "baseline": False,
        "corpus": "ab",
        "seed": 0,
        "unseen": True,
        "tasks": {
            task: {
                "holes": holes,
                "exact_match": 0.25,
                "exact_match_interval": [0.2, 0.31],
                "edit_similarity": 0.5,
                "shown": 0.25,
                "parses": None,
            }
            for task, holes in (("line_end", 40), ("member", 30))
        },
    }
    assert scores["n-grams and cache"]["heldout_bits_per_byte"] is None


def test_scores_in_ordinary_programs(model: Path) -> None:
    def shares(right: float) -> dict[str, Any]:
        means = {"right": right, "right_or_begins": 0.5, "wrong": 0.1, "silent": 0.4}
        return {"places": 20, **{name: {"mean": mean} for name, mean in means.items()}}

    programs = {
        "languages": {"all": shares(0.3), "python": shares(0.4), "go": shares(0.2)},
        "typing": {"all": {"saved": {"mean": 0.25}}},
    }
    elsewhere = {"kind": "baseline", "label": "before", "programs": programs}
    scores = summarize([{**RESULT, "programs": programs}, BASELINE, elsewhere])
    assert list(scores) == ["int4", "n-grams and cache"]
    assert scores["int4"]["programs"]["go"] == {
        "places": 20,
        "right": 0.2,
        "right_or_begins": 0.5,
        "wrong": 0.1,
    }
    _, text = described(model, scores)
    rows = [row for row in text.split("\n") if row.startswith("| ordinary programs")]
    assert rows == [
        "| ordinary programs (all), right | 30.0% | – |",
        "| ordinary programs (all), right or begins right | 50.0% | – |",
        "| ordinary programs (all), wrong | 10.0% | – |",
        "| ordinary programs (all), characters saved when typed from empty | 25.0% | – |",
        "| ordinary programs (python), right | 40.0% | – |",
        "| ordinary programs (python), right or begins right | 50.0% | – |",
        "| ordinary programs (python), wrong | 10.0% | – |",
    ]
    assert "with the default thresholds" in text
    assert "default thresholds" not in described(model, summarize([RESULT]))[1]


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
    with pytest.raises(TrainingError, match="lack 'kind'"):
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
    require_scores_of([good, {**BASELINE, "weights": ["1" * 64]}], tmp_path)
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
