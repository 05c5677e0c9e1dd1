"""The gate: what a bundle has to show to become the default, and how it gets there."""

from __future__ import annotations

import json
import math
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from small_bundle import SMALL_BUNDLE
from small_corpus import install as install_package
from surefill.commands import bench
from surefill.engine.bundle import Bundle, find_bundle
from surefill_training import cli
from surefill_training.corpus import build, sources
from surefill_training.errors import ReleaseError
from surefill_training.evaluate.bundle import EvaluateOptions
from surefill_training.evaluate.statistics import Estimate
from surefill_training.files import hash_of
from surefill_training.release import installation, judgement
from surefill_training.release.criteria import BOUNDS, Bounds, Check, Figures, bounds_for, check
from surefill_training.release.installation import default_place, install, recover

GOOD = Figures(
    difference=Estimate(0.05, 0.01, 0.09, 500),
    parses=Estimate(0.995, 0.99, 1.0, 400),
    typing_ms=41.0,
    megabytes=12.0,
    unseen=True,
    useful_difference=Estimate(0.2, 0.1, 0.3, 600),
    wrong=Estimate(0.12, 0.1, 0.14, 600),
    divergence=0.006,
    quantised=True,
)
REAL = Bundle.load(SMALL_BUNDLE)


def changed(**figures: Any) -> list[str]:
    """Names of the checks that fail when these figures are other than good."""
    found = check(replace(GOOD, **figures), BOUNDS["nano"])
    return [each.name for each in found if not each.passed]


def test_every_condition_can_fail_by_itself() -> None:
    assert changed() == []
    assert changed(difference=None) == []
    assert changed(difference=Estimate(0.05, 0.0, 0.1, 500)) == ["exact match"]
    assert changed(difference=Estimate(-0.05, -0.09, -0.01, 500)) == ["exact match"]
    assert changed(useful_difference=None) == []
    assert changed(useful_difference=Estimate(0.05, 0.0, 0.1, 600)) == ["programs"]
    assert changed(wrong=Estimate(0.16, 0.14, 0.18, 600)) == ["wrong"]
    assert changed(parses=Estimate(0.98, 0.97, 0.99, 400)) == ["parses"]
    assert changed(parses=Estimate(math.nan, math.nan, math.nan, 0)) == ["parses"]
    assert changed(typing_ms=60.5) == ["latency"]
    assert changed(typing_ms=math.nan) == ["latency"]
    assert changed(megabytes=20.5) == ["size"]
    assert changed(unseen=False) == ["unseen"]
    assert changed(divergence=0.031) == ["fidelity"]
    assert changed(divergence=None) == ["fidelity"]
    assert changed(divergence=None, quantised=False) == []


def test_bounds_go_by_the_preset_and_by_the_size_where_there_is_none() -> None:
    assert bounds_for(REAL.manifest) == BOUNDS["nano"] == Bounds(60, 20, 0.99, 0.15)

    def bounds(made: dict[str, Any], parameters: int) -> Bounds:
        return bounds_for(replace(REAL.manifest, made=made, parameters=parameters))

    assert bounds({"preset": "base"}, 7_000_000) == BOUNDS["base"] == Bounds(80, 90, 0.99, 0.15)
    assert bounds({}, 118_000_000) == BOUNDS["small"] == Bounds(90, 130, 0.99, 0.15)
    assert bounds({}, 800_000_000) == BOUNDS["base"]
    assert bounds({"preset": "test"}, 1_000) == BOUNDS["nano"]


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The real bundle after its embeddings were given to other tokens: it knows nothing."""
    folder = shutil.copytree(REAL.path, tmp_path_factory.mktemp("weak") / "bundle")
    model = onnx.load(folder / "model.onnx")
    table = next(t for t in model.graph.initializer if t.name == "model.embed_tokens.weight_Q8")
    rows = numpy_helper.to_array(table)
    table.CopyFrom(numpy_helper.from_array(np.random.default_rng(0).permutation(rows), table.name))
    onnx.save(model, folder / "model.onnx")
    files = {**REAL.manifest.files, "model.onnx": hash_of(folder / "model.onnx")}
    manifest = replace(REAL.manifest, name="weak", files=files)
    (folder / "bundle.json").write_text(manifest.to_json(), encoding="utf-8")
    return Bundle.load(folder)


@pytest.fixture
def place(weak: Bundle, tmp_path: Path) -> Path:
    """A folder in which the weak bundle is installed."""
    return shutil.copytree(weak.path, tmp_path / "bundles" / "default")


def test_installing_replaces_what_is_there(place: Path) -> None:
    install(REAL, place)
    assert Bundle.load(place).manifest == REAL.manifest
    assert [path.name for path in place.parent.iterdir()] == ["default"]
    install(REAL, place.with_name("new"))
    assert Bundle.load(place.with_name("new")).manifest == REAL.manifest


def test_a_failure_at_any_moment_leaves_the_old_bundle(
    weak: Bundle, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verifying beside, renaming aside, renaming into place, and verifying in place."""
    calls = {"load": 0, "rename": 0}

    def failing(name: str, at: int, error: BaseException) -> None:
        owner, real = (Bundle, Bundle.load) if name == "load" else (Path, Path.rename)
        calls[name] = 0

        def method(*arguments: object, **more: object) -> object:
            calls[name] += 1
            if calls[name] == at:
                raise error
            return real(*arguments, **more)  # type: ignore[operator]

        monkeypatch.setattr(owner, name, staticmethod(method) if name == "load" else method)

    moments = [("load", 1), ("rename", 1), ("rename", 2), ("load", 2)]
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):
        for name, at in moments:
            failing(name, at, error)
            wanted = ReleaseError if isinstance(error, OSError) else KeyboardInterrupt
            with pytest.raises(wanted):
                install(REAL, place)
            monkeypatch.undo()
            assert Bundle.load(place).manifest == weak.manifest, (name, at)
            assert [path.name for path in place.parent.iterdir()] == ["default"]


def test_an_installation_that_was_cut_off_is_undone(weak: Bundle, place: Path) -> None:
    backup = place.with_name(".default.backup")
    place.rename(backup)
    recover(place)
    assert Bundle.load(place).manifest == weak.manifest
    place.rename(backup)
    shutil.copytree(REAL.path, place)
    (place / "model.onnx").unlink()
    recover(place)
    assert Bundle.load(place).manifest == weak.manifest
    shutil.copytree(place, backup)
    recover(place)
    assert not backup.exists()


def test_a_release_sees_the_bundle_that_an_interrupted_one_put_aside(
    corpus: Path, tmp_path: Path, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    same = shutil.copytree(place, tmp_path / "same")
    place.rename(place.with_name(".default.backup"))
    assert release(same, "--corpus", corpus, "--install", place) == 1
    assert "are the same model." in capfd.readouterr().err
    assert [path.name for path in place.parent.iterdir()] == ["default"]


def test_a_damaged_candidate_and_a_folder_of_something_else(tmp_path: Path, place: Path) -> None:
    candidate = shutil.copytree(REAL.path, tmp_path / "candidate")
    loaded = Bundle.load(candidate)
    (candidate / "MODEL_CARD.md").write_text("edited since")
    before = (place / "bundle.json").read_bytes()
    with pytest.raises(ReleaseError, match="still there"):
        install(loaded, place)
    assert (place / "bundle.json").read_bytes() == before
    other = tmp_path / "documents"
    other.mkdir()
    (other / "letter.txt").write_text("keep me")
    with pytest.raises(ReleaseError, match="not a bundle"):
        install(REAL, other)
    assert [path.name for path in other.iterdir()] == ["letter.txt"]


def test_the_place_is_the_checkout_or_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "is_checkout", lambda: True)
    assert default_place(REAL.manifest) == find_bundle("default")
    monkeypatch.setattr(installation, "is_checkout", lambda: False)
    monkeypatch.setattr(installation, "user_bundles", lambda: tmp_path)
    assert default_place(REAL.manifest) == tmp_path / "surefill-nano"
    for bad in ("../x", "default"):
        manifest = replace(REAL.manifest, name=bad)
        with pytest.raises(ReleaseError, match="--install"):
            default_place(manifest)


def release(*arguments: object) -> int:
    return cli.main(["release", *(str(argument) for argument in arguments)])


_NAMES = "name path width height count index value start end parent data mode".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def idioms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus that holds out code which any model of Python completes now and then."""
    folder = tmp_path_factory.mktemp("idioms")
    for package in ("known", "unknown"):
        files = {}
        for number in range(4):
            names = random.Random(f"{package}{number}").sample(_NAMES, 6)
            lines = "".join(f"        self.{name} = {name}\n" for name in names)
            returns = "".join(
                f"\n    def get_{name}(self):\n        return self.{name}\n" for name in names
            )
            files[f"{package}/m{number}.py"] = (
                f"class Item{number}:\n    def __init__(self, {', '.join(names)}):\n"
                f"{lines}{returns}"
            )
        install_package(folder / "site", package, files)
    found = [sources.from_package(name, [folder / "site"]) for name in ("known", "unknown")]
    options = build.CorpusOptions(heldout=("unknown",), near_threshold=1.0, max_copied=1.0)
    build.build(found, folder / "corpus", options)
    shutil.copytree(folder / "site" / "unknown", folder / "programs" / "python")
    return folder / "corpus"


def test_a_better_bundle_is_installed_and_the_decision_written_down(
    idioms: Path,
    place: Path,
    weak: Bundle,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the real engine and the server's own benchmark, once; further verdicts are made up."""
    record = tmp_path / "record.json"
    candidate = shutil.copytree(REAL.path, tmp_path / "candidate")
    # The second release was bundled before graphs were compared with their weights.
    made = {**REAL.manifest.made, "fidelity": {"divergence": 0.006}}
    compared = replace(REAL.manifest, made=made)
    (candidate / "bundle.json").write_text(compared.to_json())
    command = (
        *(candidate, "--corpus", idioms, "--holes", 60, "--rounds", 1, "--max-ms", 100_000),
        *("--programs", idioms.with_name("programs"), "--places", 15, "--max-wrong", 1),
        # Every other line here opens a block, and few holes have to show a difference.
        *("--min-parses", 0.8, "--seed", 0, "--record", record, "--install", place),
    )
    judged: list[judgement.Judgement] = []
    judge = judgement.judge

    def remembered(*arguments: Any, **more: Any) -> judgement.Judgement:
        judged.append(judge(*arguments, **more))
        return judged[0]

    monkeypatch.setattr(judgement, "judge", remembered)
    assert release(*command, "--dry-run") == 0
    assert Bundle.load(place).manifest == weak.manifest
    written = json.loads(record.read_text())
    assert written["decision"] == "would be installed"
    assert all(check["passed"] for check in written["checks"])
    assert written["results"][0]["difference"]["line_end"]["low"] > 0
    assert [r["name"] for r in written["results"][:2]] == ["surefill-nano", "weak"]
    assert written["programs"][0]["difference"]["low"] > 0
    assert written["programs"][0]["languages"]["all"]["places"] == 4 * 15 * 2
    typing = next(row for row in written["latency"] if row["name"] == bench.TYPING)
    assert 0 < typing["p50"] < 100_000

    refused = replace(judged[0], checks=[Check("size", False, "Its size is 9.0 MB.")])
    monkeypatch.setattr(judgement, "judge", lambda *_, **__: refused)
    capfd.readouterr()
    assert release(*command) == 1
    printed = capfd.readouterr().out
    assert "NO  Its size is 9.0 MB." in printed
    assert f"surefill-nano {REAL.manifest.version}: refused." in printed
    assert Bundle.load(place).manifest == weak.manifest
    assert json.loads(record.read_text())["decision"] == "refused"

    monkeypatch.setattr(judgement, "judge", lambda *_, **__: judged[0])
    assert release(*command) == 0
    installed = f"surefill-nano {REAL.manifest.version}: installed."
    assert installed in capfd.readouterr().out
    assert Bundle.load(place).manifest == compared
    assert json.loads(record.read_text())["decision"] == "installed"


def test_the_gate_does_not_draw_the_holes_by_which_models_are_chosen(
    corpus: Path, weak: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[judgement.GateOptions] = []

    def noted(*_: Any, options: judgement.GateOptions, **__: Any) -> judgement.Judgement:
        given.append(options)
        raise ReleaseError("Enough is known.", "Nothing is to be done.")

    monkeypatch.setattr(judgement, "judge", noted)
    command = (weak.path, "--corpus", corpus, "--install", tmp_path / "none")
    assert release(*command) == release(*command, "--seed", 7) == 1
    assert [options.seed for options in given] == [judgement.GATE_SEED, 7]
    assert EvaluateOptions().seed != judgement.GATE_SEED


def test_the_same_model_is_not_judged(
    corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    same = shutil.copytree(REAL.path, tmp_path / "same")
    against = ("--against", REAL.path, "--install", tmp_path / "none")
    assert release(same, "--corpus", corpus, *against) == 1
    assert "are the same model." in capfd.readouterr().err
    assert release(tmp_path / "nowhere", "--corpus", corpus) == 1
    assert "There is no bundle at" in capfd.readouterr().err
