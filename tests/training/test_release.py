"""The gate: what a bundle has to show to become the default, and how it gets there."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from surefill.commands import bench
from surefill.engine.bundle import Bundle, find_bundle
from surefill_training import cli
from surefill_training.errors import ReleaseError
from surefill_training.evaluate.statistics import Estimate
from surefill_training.files import hash_of
from surefill_training.release import installation
from surefill_training.release.criteria import BOUNDS, Bounds, Figures, bounds_for, check
from surefill_training.release.installation import default_place, install, recover

GOOD = Figures(
    difference=Estimate(0.05, 0.01, 0.09, 500),
    parses=Estimate(0.995, 0.99, 1.0, 400),
    typing_ms=41.0,
    megabytes=12.0,
    unseen=True,
)
SHIPPED = Bundle.load(find_bundle("default"))


def changed(**figures: Any) -> list[str]:
    """Names of the checks that fail when these figures are other than good."""
    found = check(replace(GOOD, **figures), BOUNDS["nano"])
    return [each.name for each in found if not each.passed]


def test_every_condition_can_fail_by_itself() -> None:
    assert changed() == []
    assert changed(difference=None) == []
    assert changed(difference=Estimate(0.05, 0.0, 0.1, 500)) == ["exact match"]
    assert changed(difference=Estimate(-0.05, -0.09, -0.01, 500)) == ["exact match"]
    assert changed(parses=Estimate(0.98, 0.97, 0.99, 400)) == ["parses"]
    assert changed(parses=Estimate(math.nan, math.nan, math.nan, 0)) == ["parses"]
    assert changed(typing_ms=60.5) == ["latency"]
    assert changed(typing_ms=math.nan) == ["latency"]
    assert changed(megabytes=20.5) == ["size"]
    assert changed(unseen=False) == ["unseen"]


def test_bounds_go_by_the_preset_and_by_the_size_where_there_is_none() -> None:
    assert bounds_for(SHIPPED.manifest) == BOUNDS["nano"] == Bounds(60, 20, 0.99)

    def bounds(made: dict[str, Any], parameters: int) -> Bounds:
        return bounds_for(replace(SHIPPED.manifest, made=made, parameters=parameters))

    assert bounds({"preset": "base"}, 7_000_000) == BOUNDS["base"] == Bounds(80, 90, 0.99)
    assert bounds({}, 80_000_000) == BOUNDS["base"]
    assert bounds({"preset": "test"}, 1_000) == BOUNDS["nano"]


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The shipped bundle after its embeddings were given to other tokens: it knows nothing."""
    folder = shutil.copytree(SHIPPED.path, tmp_path_factory.mktemp("weak") / "bundle")
    model = onnx.load(folder / "model.onnx")
    table = next(t for t in model.graph.initializer if t.name == "model.embed_tokens.weight_Q8")
    rows = numpy_helper.to_array(table)
    table.CopyFrom(numpy_helper.from_array(np.random.default_rng(0).permutation(rows), table.name))
    onnx.save(model, folder / "model.onnx")
    files = {**SHIPPED.manifest.files, "model.onnx": hash_of(folder / "model.onnx")}
    manifest = replace(SHIPPED.manifest, name="weak", files=files)
    (folder / "bundle.json").write_text(manifest.to_json(), encoding="utf-8")
    return Bundle.load(folder)


@pytest.fixture
def place(weak: Bundle, tmp_path: Path) -> Path:
    """A folder in which the weak bundle is installed."""
    return shutil.copytree(weak.path, tmp_path / "bundles" / "default")


def test_installing_replaces_what_is_there(place: Path) -> None:
    install(SHIPPED, place)
    assert Bundle.load(place).manifest == SHIPPED.manifest
    assert [path.name for path in place.parent.iterdir()] == ["default"]
    install(SHIPPED, place.with_name("new"))
    assert Bundle.load(place.with_name("new")).manifest == SHIPPED.manifest


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
                install(SHIPPED, place)
            monkeypatch.undo()
            assert Bundle.load(place).manifest == weak.manifest, (name, at)
            assert [path.name for path in place.parent.iterdir()] == ["default"]


def test_an_installation_that_was_cut_off_is_undone(weak: Bundle, place: Path) -> None:
    backup = place.with_name(".default.backup")
    place.rename(backup)
    recover(place)
    assert Bundle.load(place).manifest == weak.manifest
    place.rename(backup)
    shutil.copytree(SHIPPED.path, place)
    (place / "model.onnx").unlink()
    recover(place)
    assert Bundle.load(place).manifest == weak.manifest
    shutil.copytree(place, backup)
    recover(place)
    assert not backup.exists()


def test_a_damaged_candidate_and_a_folder_of_something_else(tmp_path: Path, place: Path) -> None:
    candidate = shutil.copytree(SHIPPED.path, tmp_path / "candidate")
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
        install(SHIPPED, other)
    assert [path.name for path in other.iterdir()] == ["letter.txt"]


def test_the_place_is_the_checkout_or_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "is_checkout", lambda: True)
    assert default_place(SHIPPED.manifest) == find_bundle("default")
    monkeypatch.setattr(installation, "is_checkout", lambda: False)
    monkeypatch.setattr(installation, "user_bundles", lambda: tmp_path)
    assert default_place(SHIPPED.manifest) == tmp_path / "surefill-nano"
    for bad in ("../x", "default"):
        manifest = replace(SHIPPED.manifest, name=bad)
        with pytest.raises(ReleaseError, match="--install"):
            default_place(manifest)


def release(*arguments: object) -> int:
    return cli.main(["release", *(str(argument) for argument in arguments)])


def test_a_better_bundle_is_installed_and_a_weaker_one_is_not(
    corpus: Path,
    place: Path,
    weak: Bundle,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = tmp_path / "record.json"
    few = ("--corpus", corpus, "--holes", 40, "--rounds", 1, "--record", record)
    command = (*few, "--max-ms", 100_000, "--min-parses", 0.9, "--install", place)

    assert release(SHIPPED.path, *command, "--max-mb", 1) == 1
    assert "NO  Its size is" in capfd.readouterr().out
    assert Bundle.load(place).manifest == weak.manifest
    written = json.loads(record.read_text())
    assert written["decision"] == "refused"
    assert [c["name"] for c in written["checks"] if not c["passed"]] == ["size"]
    assert written["results"][0]["difference"]["line_end"]["low"] > 0
    assert [r["name"] for r in written["results"][:2]] == ["surefill-nano", "weak"]
    typing = next(r for r in written["latency"] if r["name"] == bench.TYPING)
    assert 0 < typing["p50"] < 100_000

    # The server's benchmark has been run; what it says is now given.
    rows = [bench.Row(bench.TYPING, "ms", {"p50": 80}, [50.0, 70.0, 90.0])]
    monkeypatch.setattr(bench, "measure", lambda *_: rows)
    assert release(SHIPPED.path, *command, "--max-ms", 69) == 1
    expected = "NO  Its answer while typing on is 70.0 ms; the bound is 69 ms."
    assert expected in capfd.readouterr().out

    assert release(SHIPPED.path, *command, "--dry-run") == 0
    assert Bundle.load(place).manifest == weak.manifest
    assert json.loads(record.read_text())["decision"] == "would be installed"

    assert release(SHIPPED.path, *command) == 0
    assert "surefill-nano 1: installed." in capfd.readouterr().out
    assert Bundle.load(place).manifest == SHIPPED.manifest

    assert release(weak.path, *command) == 1
    assert "It is worse than the present default" in capfd.readouterr().out
    assert Bundle.load(place).manifest == SHIPPED.manifest


def test_the_same_model_is_not_judged(
    corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    same = shutil.copytree(SHIPPED.path, tmp_path / "same")
    assert release(same, "--corpus", corpus, "--install", tmp_path / "none") == 1
    assert "are the same model." in capfd.readouterr().err
    assert release(tmp_path / "nowhere", "--corpus", corpus) == 1
    assert "There is no bundle at" in capfd.readouterr().err
