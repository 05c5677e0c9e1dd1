"""Functional correctness: the file, the completions, their tests in the sandbox, the estimate."""

from __future__ import annotations

import argparse
import gzip
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from fakes import FakeEngine
from small_bundle import SMALL, SMALL_BUNDLE
from surefill.checks.execution import available
from surefill.completion.loading import LoadedModel, load_model
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.engine.bundle import Bundle
from surefill.engine.interface import Candidate, Generation
from surefill.engine.remote import PlainTokenizer
from surefill.errors import SandboxError
from surefill.settings import Settings
from surefill_training import cli
from surefill_training.commands import evaluate
from surefill_training.errors import ProblemsError
from surefill_training.evaluate.functional import (
    FunctionalScores,
    as_json,
    check_samples,
    markdown,
    measure,
    measure_bundles,
    pass_at_k,
)
from surefill_training.evaluate.problems import ProblemSet, load_problems
from surefill_training.evaluate.sampling import answer

executes = pytest.mark.skipif(bool(available()), reason=f"no sandbox: {available()}")

PERIMETER = {
    "task_id": "Own/0",
    "prompt": 'def perimeter(width, height):\n    """Length of the border of a rectangle."""\n',
    "entry_point": "perimeter",
    "canonical_solution": "    return 2 * (width + height)\n",
    "test": "def check(candidate):\n    assert candidate(2, 3) == 10 != candidate(1, 1)\n",
}
RIGHT = "    total = width + height\n\n    return total + total\n"
WRONG = "    return width + height\n"
LONGEST = {
    "task_id": "Own/1",
    "prompt": "def longest(words):\n    best = ''\n    for word in words:\n",
    "suffix": "            best = word\n    return best\n",
    "entry_point": "longest",
    "canonical_solution": "        if len(word) > len(best):\n",
    "test": "def check(candidate):\n    assert candidate(['a', 'bcd', 'ef']) == 'bcd'\n",
}
WITHIN = {
    "task_id": "Own/2",
    "prompt": "def double(x):\n    y = x * ",
    "suffix": "\n    return y\n",
    "entry_point": "double",
    "canonical_solution": "2",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
}


def write(path: Path, *problems: object) -> Path:
    path.write_text("".join(json.dumps(problem) + "\n" for problem in problems), encoding="utf-8")
    return path


@pytest.fixture
def problems(tmp_path: Path) -> ProblemSet:
    return load_problems(write(tmp_path / "own.jsonl", PERIMETER))


def model(*answers: str | tuple[str, ...], engine: Any = None) -> LoadedModel:
    context = ContextBuilder(PlainTokenizer(), TEMPLATES["qwen2.5-coder"], "psm", 8192)
    return LoadedModel(engine or FakeEngine(answers), context, "scripted", "1", "fake")


def scores(
    loaded: LoadedModel, problems: ProblemSet, samples: int = 1, ks: Sequence[int] = (1,)
) -> FunctionalScores:
    return measure(loaded, Settings(), problems, samples, lambda *_: None, ks=ks)


# The estimate.


@pytest.mark.parametrize(("n", "correct", "k"), [(5, 2, 1), (5, 2, 3), (6, 1, 4), (4, 4, 2)])
def test_the_estimate_is_the_share_of_draws_with_a_correct_one(
    n: int, correct: int, k: int
) -> None:
    draws = list(combinations(range(n), k))
    share = sum(min(draw) < correct for draw in draws) / len(draws)
    assert pass_at_k(n, correct, k) == pytest.approx(share)


def test_the_estimate_is_stable_for_many_samples() -> None:
    assert pass_at_k(100_000, 0, 100) == 0.0
    assert pass_at_k(10, 8, 3) == 1.0
    exact = 1 - math.comb(9990, 100) / math.comb(10_000, 100)
    assert pass_at_k(10_000, 10, 100) == pytest.approx(exact, rel=1e-9)
    with pytest.raises(ValueError, match="cannot be drawn"):
        pass_at_k(3, 1, 4)


# The file.


def test_both_formats_are_read_compressed_or_not(tmp_path: Path) -> None:
    plain = load_problems(write(tmp_path / "own.jsonl", PERIMETER, LONGEST, WITHIN))
    assert [problem.suffix for problem in plain.problems] == [
        "",
        LONGEST["suffix"],
        "\n    return y\n",
    ]
    packed = tmp_path / "own.jsonl.gz"
    packed.write_bytes(gzip.compress((tmp_path / "own.jsonl").read_bytes()))
    loaded = load_problems(packed)
    assert (loaded.problems, loaded.sha256) == (plain.problems, plain.sha256)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 3 is not JSON"),
        ("[1]", "line 3 is not a JSON object"),
        (json.dumps({**PERIMETER, "prompt": 7}), "line 3: the field prompt is not a text"),
        (json.dumps({**PERIMETER, "suffix": None}), "line 3: the field suffix is not a text"),
        (json.dumps({"task_id": "x"}), "line 3 has no field prompt. It needs task_id, prompt"),
        (json.dumps(PERIMETER), "line 3: there is a problem Own/0 already"),
        (json.dumps({**PERIMETER, "task_id": "x", "entry_point": "a b"}), "no name of a function"),
        (json.dumps({**PERIMETER, "task_id": "x", "test": "assert 1"}), "does not define the func"),
    ],
)
def test_a_line_that_is_no_problem_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(f"{json.dumps(PERIMETER)}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(ProblemsError, match=message):
        load_problems(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "has no problems"),
        (b"\x1f\x8b\x08damaged", "damaged gzip"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-20], "damaged gzip"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_set_of_problems_is_refused(
    tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(data)
    with pytest.raises(ProblemsError, match=message):
        load_problems(path)
    with pytest.raises(ProblemsError, match="cannot be read"):
        load_problems(tmp_path / "missing")


# The completions.


def test_a_whole_body_is_asked_for_and_nothing_behind_it(problems: ProblemSet) -> None:
    engine = FakeEngine([RIGHT + "\n\ndef another():\n    pass\n"])
    answers = answer(problems.problems[0], model(engine=engine), Settings(), 0)
    assert answers.first == RIGHT.rstrip()
    assert answers.sampled == ()
    assert engine.calls[0].max_new_tokens == 512
    assert engine.calls[0].prompt.prefix == PERIMETER["prompt"]


def test_whole_lines_are_missing_where_the_hole_has_them(tmp_path: Path) -> None:
    path = write(tmp_path / "own.jsonl", LONGEST, WITHIN)
    lines, within = load_problems(path).problems
    engine = FakeEngine(["        if word > best:\n", "2"])
    assert answer(lines, model(engine=engine), Settings(), 0).first == "        if word > best:"
    assert answer(within, model(engine=engine), Settings(), 0).first == "2"
    assert [call.prompt.suffix for call in engine.calls] == [
        "\n" + str(LONGEST["suffix"]),
        WITHIN["suffix"],
    ]


def test_samples_keep_their_duplicates_and_the_empty_ones(problems: ProblemSet) -> None:
    class Counting(FakeEngine):
        """Gives the greedy answer three times in all, another twice, and the rest empty."""

        def generate(self, prompt: Any, **options: Any) -> Generation:
            self.seeds = [*getattr(self, "seeds", []), prompt.seed]
            found = super().generate(prompt, **options)
            ids = (0,)
            other = Candidate(WRONG, ids, (-0.1,), "end", count=2)
            first = Candidate(RIGHT, ids, (-0.1,), "end", count=3)
            return Generation((first, other), found.timings)

    engine = Counting()
    answers = answer(problems.problems[0], model(engine=engine), Settings(), 17)
    assert [call.n for call in engine.calls] == [11, 8]
    assert engine.seeds == [0, 1]
    right, wrong = RIGHT.rstrip(), WRONG.rstrip()
    assert answers.first == right
    assert len(answers.sampled) == 17
    assert [answers.sampled.count(text) for text in (right, wrong, "")] == [4, 4, 9]


# The measure.


@executes
def test_right_completions_pass_and_wrong_ones_do_not(tmp_path: Path) -> None:
    problems = load_problems(write(tmp_path / "own.jsonl", PERIMETER, LONGEST, WITHIN))
    found = scores(model(RIGHT, "        if len(word) < len(best):", "2"), problems)
    assert found.problems == 3
    assert found.pass_at[1].mean == pytest.approx(2 / 3)
    assert found.pass_at[1].count == 3
    assert found.outcomes == {"passed": 2, "failed": 1}
    assert found.unusable == {}
    assert found.sha256 == problems.sha256


@executes
def test_what_avoids_the_test_does_not_pass(tmp_path: Path) -> None:
    bodies = ["    import os; os._exit(0)", "    raise SystemExit(0)", "    raise SystemExit", ""]
    tasks = [{**PERIMETER, "task_id": str(number)} for number in range(len(bodies))]
    found = scores(model(*bodies), load_problems(write(tmp_path / "own.jsonl", *tasks)))
    assert found.pass_at[1].mean == 0
    assert found.outcomes == {"failed": 3, "nothing": 1}


@executes
def test_samples_give_the_estimate_and_the_first_suggestion_pass_at_one(
    problems: ProblemSet,
) -> None:
    others = (WRONG, RIGHT, "    return 0\n", "    return 10\n")
    found = scores(model((WRONG + "    # not\n", *others)), problems, samples=4, ks=(4, 1, 2))
    assert list(found.pass_at) == [1, 2, 4]
    assert found.pass_at[1].mean == 0
    assert found.pass_at[2].mean == pytest.approx(0.5)
    assert found.pass_at[4].mean == 1
    assert found.samples == 4


@executes
def test_problems_whose_own_solution_fails_do_not_count(tmp_path: Path) -> None:
    broken = {**PERIMETER, "task_id": "Own/broken", "canonical_solution": "    import missing_\n"}
    problems = load_problems(write(tmp_path / "own.jsonl", broken, PERIMETER))
    found = scores(model(RIGHT), problems)
    assert (found.problems, found.pass_at[1].mean) == (1, 1.0)
    assert found.unusable == {
        "Own/broken": "its own solution failed: ModuleNotFoundError: No module named 'missing_'"
    }
    only = load_problems(write(tmp_path / "own.jsonl", broken))
    with pytest.raises(ProblemsError, match=r"No problem of own\.jsonl can be used; of Own/broken"):
        scores(model(), only)


def test_without_a_sandbox_nothing_is_measured(
    problems: ProblemSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("surefill_training.evaluate.functional.available", lambda: "Install it.")
    engine = FakeEngine()
    with pytest.raises(SandboxError, match=r"cannot be measured\. Install it"):
        scores(model(engine=engine), problems)
    assert engine.calls == []


def test_more_than_was_drawn_cannot_be_estimated() -> None:
    check_samples(10, (1, 10))
    with pytest.raises(ProblemsError, match="pass@11 cannot be estimated from 10 samples"):
        check_samples(10, (1, 11))


@executes
def test_a_real_bundle_is_measured(tmp_path: Path) -> None:
    task = {**PERIMETER, "prompt": "def answer():\n    return 4", "entry_point": "answer"}
    task |= {"canonical_solution": "2", "test": "def check(f):\n    assert f() == 42\n"}
    loaded = load_model(SMALL)
    try:
        found = scores(loaded, load_problems(write(tmp_path / "own.jsonl", task)), 2, (1, 2))
    finally:
        loaded.engine.close()
    assert sum(found.outcomes.values()) == found.problems == 1
    assert set(found.pass_at) == {1, 2}
    table = markdown([loaded.name], [found]).split("\n")
    assert table[2].startswith("| own.jsonl, pass@1 | ")
    assert table[-2] == "| problems, unusable | 1, 0 |"
    assert json.loads(json.dumps(as_json(found)))["pass_at"]["2"]["count"] == 1


@executes
def test_problems_are_measured_without_held_out_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = Bundle.load(SMALL_BUNDLE).manifest
    path, out = write(tmp_path / "own.jsonl", PERIMETER), tmp_path / "scores.json"
    arguments = ("evaluate", SMALL_BUNDLE, "--problems", path, "--json", out)
    assert cli.main([str(argument) for argument in arguments]) == 0
    label = f"{manifest.name} {manifest.version} ({manifest.precision})"
    lines = capsys.readouterr().out.strip().split("\n")
    assert lines[0] == f"| measure | {label} |"
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| own.jsonl, pass@1",
        "| problems, unusable",
        "| training",
    ]
    assert lines[-1] == "| training | not decontaminated against this file |"
    (found,) = json.loads(out.read_text())
    assert (found["label"], found["functional"]["problems"]) == (label, 1)
    assert found["functional"]["decontaminated"] is False
    assert found["weights"] == [manifest.files["model.onnx"]]


@executes
def test_the_record_of_training_says_what_it_was_decontaminated_against(
    tmp_path: Path, problems: ProblemSet
) -> None:
    real = Bundle.load(SMALL_BUNDLE)
    folder = shutil.copytree(real.path, tmp_path / "clean")
    made = {**real.manifest.made, "decontaminated": ["0" * 64, problems.sha256]}
    (folder / "bundle.json").write_text(replace(real.manifest, made=made).to_json())
    ((contestant, clean),) = measure_bundles([folder], problems, 1, lambda *_: None, (1,))
    assert clean.decontaminated
    other = replace(clean, decontaminated=False)
    assert markdown(["a", "b"], [clean, other]).split("\n")[-1] == (
        "| training | decontaminated against this file | not decontaminated against this file |"
    )
    assert contestant.name == real.manifest.name


def test_the_command_takes_numbers() -> None:
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    given = parser.parse_args(["b", "--corpus", "c", "--problems", "p", "--k", "1,10"])
    assert (given.k, given.samples) == ((1, 10), 10)
    with pytest.raises(SystemExit):
        parser.parse_args(["b", "--corpus", "c", "--k", "0"])
