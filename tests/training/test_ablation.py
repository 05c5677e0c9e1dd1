"""Ablations: real arms in small, verdicts on made-up scores, and files that cannot be followed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import surefill_training
from surefill_training import cli
from surefill_training.ablation.plan import read_plan
from surefill_training.ablation.result import AblationResult, ArmResult, markdown
from surefill_training.errors import TrainingError
from surefill_training.train import Trainer
from tiny_models import make_checkpoint

PLAN = """
[base]
preset = "test"
no-compile = true
precision = "fp32"
heldout_chars = 1000

[[ablation]]
name = "rows"
question = "Short or long rows?"
steps = 2
seeds = [0, 1]

[[ablation.arm]]
name = "long"

[[ablation.arm]]
name = "short"
options = { sequence = 32, recipe = "adamw" }

[[ablation]]
name = "layers"
tokens = 300

[[ablation.arm]]
name = "one"
options = { layers = 1 }

[[ablation.arm]]
name = "two"
"""


FURTHER = """
command = "finetune"

[base]
no-compile = true
precision = "fp32"
heldout_chars = 4000
sequence = 64
batch = 2

[[ablation]]
name = "all"
steps = 1

[[ablation.arm]]
name = "lora"
options = { lora = true, rank = 2, lora-targets = ["q_proj", "v_proj"] }

[[ablation.arm]]
name = "full"
options = { learning-rate = 1e-3 }
"""


def test_arms_are_trained_scored_alike_and_not_repeated(
    corpus: Path,
    tokenizer_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    plan, out = tmp_path / "plan.toml", tmp_path / "out"
    plan.write_text(PLAN)
    words = [str(word) for word in ("ablate", plan, "--corpus", corpus, "--out", out)]
    words += ["--tokenizer", str(tokenizer_file), "--device", "cpu"]
    trained: list[Path] = []
    train = Trainer.train

    def interrupted(self: Trainer, *report: object) -> Path:
        trained.append(self._out.relative_to(out))
        if len(trained) == 3:
            raise KeyboardInterrupt
        return train(self, *report)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "train", interrupted)
    assert cli.main(words) == 130
    assert cli.main(words) == 0, capfd.readouterr().err
    assert [str(path) for path in trained] == [
        *("rows/long/seed-0", "rows/long/seed-1", "rows/short/seed-0", "rows/short/seed-0"),
        *("rows/short/seed-1", "layers/one/seed-0", "layers/two/seed-0"),
    ]
    rows, layers = json.loads((out / "ablations.json").read_text())
    assert (rows["name"], rows["question"], rows["budget"]) == (
        *("rows", "Short or long rows?", "2 steps"),
    )
    assert (rows["window"], rows["context"]) == (32, 128)
    long, short = rows["arms"]
    assert (long["name"], long["options"], long["steps"], long["tokens"]) == ("long", {}, 2, 512)
    assert short["options"] == {"sequence": 32, "recipe": "adamw"}
    assert len(long["by_seed"]) == 2
    assert long["heldout_bits_per_byte"] == pytest.approx(sum(long["by_seed"]) / 2)
    assert 3 < long["full_context_bits_per_byte"] < 9
    assert rows["noise"] > 0
    assert (layers["noise"], layers["winner"]) == (None, None)
    assert layers["arms"][0]["parameters"] < layers["arms"][1]["parameters"]
    assert [arm["steps"] for arm in layers["arms"]] == [2, 2]
    assert "## rows" in (out / "ablations.md").read_text()
    assert "| short | sequence=32 recipe=adamw |" in capfd.readouterr().out
    assert cli.main(words) == 0
    assert len(trained) == 7


def test_arms_that_train_a_model_further_are_compared_by_what_fills_holes(
    corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = make_checkpoint(tmp_path / "source", "llama", context=128)
    plan, out = tmp_path / "plan.toml", tmp_path / "out"
    plan.write_text(FURTHER)
    words = ["ablate", plan, "--corpus", corpus, "--out", out, "--device", "cpu"]
    done = cli.main([str(word) for word in (*words, "--start", source)])
    assert done == 0, capfd.readouterr().err
    (found,) = json.loads((out / "ablations.json").read_text())
    assert [arm["name"] for arm in found["arms"]] == ["lora", "full"]
    for arm in found["arms"]:
        assert 0 < arm["infilling_bits_per_byte"] == arm["by_seed"][0]
        assert arm["infilling_bits_per_byte"] != arm["heldout_bits_per_byte"]
    assert cli.main([str(word) for word in (*words, "--tokenizer", source / "tokenizer.json")]) == 1
    assert "Give --tokenizer to pretrain, and --start to finetune." in capfd.readouterr().err


def result(**arms: tuple[float, ...]) -> AblationResult:
    made = [
        ArmResult(name, {}, 1, 1, 1, 1, sum(bits) / len(bits), 2.0, bits)
        for name, bits in arms.items()
    ]
    return AblationResult("a", "Which?", "1 step", 64, 128, made)


@pytest.mark.parametrize(
    ("arms", "winner"),
    [
        ({"a": (1.50, 1.52), "b": (1.70, 1.72)}, "a"),
        ({"b": (1.70, 1.72), "a": (1.50, 1.52), "c": (1.9,)}, "a"),
        ({"a": (1.50, 1.70), "b": (1.60, 1.75)}, None),
        ({"a": (1.50,), "b": (2.70,)}, None),
        ({"a": (1.50,), "b": (1.70, 1.71)}, "a"),
    ],
)
def test_a_winner_must_exceed_the_noise_of_seeds(
    arms: dict[str, tuple[float, ...]], winner: str | None
) -> None:
    found = result(**arms)
    assert found.winner == winner
    assert (f"**{winner}**" in markdown([found])) == (winner is not None)
    assert ("Tie" in markdown([found])) == (winner is None)


def test_the_noise_is_twice_the_standard_error() -> None:
    assert result(a=(1.0, 1.2), b=(2.0, 2.2)).noise == pytest.approx(2 * (0.02**0.5))


def test_the_ablations_that_come_along_can_be_followed() -> None:
    shipped = Path(surefill_training.__file__).parents[1] / "ablations.toml"
    assert len(read_plan(shipped)) >= 2
    (optimiser,) = read_plan(shipped, "optimiser")
    assert [arm.runs[0][0].optimizer.recipe for arm in optimiser.arms] == ["muon", "adamw"]
    assert [run[0].seed for run in optimiser.arms[0].runs] == [0, 1]
    assert {run[0].minutes for arm in optimiser.arms for run in arm.runs} == {10}
    further = read_plan(shipped.with_name("ablations_finetune.toml"))
    assert {ablation.command for ablation in further} == {"finetune"}
    assert all(arm.runs[0][0].preset == "small" for made in further for arm in made.arms)
    with pytest.raises(TrainingError, match="has no ablation 'none'"):
        read_plan(shipped, "none")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[[ablation", "[ablation", "cannot be read"),
        ("[base]", 'command = "export"\n[base]', "compares runs of 'export'"),
        ("steps = 2", "", "needs one of minutes, steps, tokens"),
        ("steps = 2", "steps = 2\nminutes = 1", "needs one of minutes, steps, tokens"),
        ("steps = 2", "steps = -2", "gives -2 steps"),
        ("layers = 1", "layer = 1", "'one' are wrong: unrecognized arguments: --layer=1"),
        ("layers = 1", "layers = 'many'", "'one' are wrong: argument --layers"),
        ("layers = 1", "seed = 1", "has the option seed, which is the same for all arms"),
        ('"two"', '"one"', "Names occur twice in layers"),
        ('"two"', '"../two"', "no usable name"),
        ('"rows"', '"layers"', "Names occur twice"),
    ],
)
def test_plans_that_cannot_be_followed(tmp_path: Path, old: str, new: str, message: str) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.replace(old, new))
    with pytest.raises(TrainingError, match=message) as caught:
        read_plan(plan)
    assert caught.value.remedy


def test_plans_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        read_plan(tmp_path / "nowhere.toml")
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(TrainingError, match="describes no ablation"):
        read_plan(tmp_path / "empty.toml")
