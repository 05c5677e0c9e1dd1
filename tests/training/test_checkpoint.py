"""Checkpoints: whole or not at all, damage noticed, the last good one kept."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from surefill_training import files
from surefill_training.checkpoint import CheckpointFolder, fingerprint, require_same
from surefill_training.errors import CheckpointError, TrainingError
from surefill_training.files import hash_of, make_folder, write_atomically


def state(number: int) -> dict[str, Any]:
    return {"fingerprint": "{}", "weights": torch.full((64, 64), float(number)), "step": number}


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", no_space)


def test_the_newest_is_loaded_and_old_ones_go(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path / "new" / "checkpoints", keep=2)
    assert folder.load_latest() is None
    for number in (1, 2, 10, 9_999_999, 10_000_000):
        path = folder.save(number, state(number))
        assert path.is_file()
        loaded = folder.load_latest()
        assert loaded is not None
        assert loaded["step"] == number
        assert torch.equal(loaded["weights"], state(number)["weights"])
    assert names(tmp_path / "new" / "checkpoints") == ["step-10000000.pt", "step-9999999.pt"]


def test_a_full_disk_leaves_the_last_good_one(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.save(5, state(5))
    good = hash_of(tmp_path / "step-0000005.pt")
    request.getfixturevalue("full_disk")
    with pytest.raises(CheckpointError, match="No space left on device") as caught:
        folder.save(6, state(6))
    assert f"The last good checkpoint is {tmp_path / 'step-0000005.pt'}." in caught.value.remedy
    assert names(tmp_path) == ["step-0000005.pt"]
    assert hash_of(tmp_path / "step-0000005.pt") == good


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_at_the_first_one(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        CheckpointFolder(tmp_path).save(1, state(1))
    assert "No checkpoint exists yet." in caught.value.remedy
    assert names(tmp_path) == []


@pytest.mark.parametrize("damage", ["empty", "half", "text", "bit", "other"])
def test_damage_falls_back_to_the_one_before(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.save(1, state(1))
    newest = folder.save(2, state(2))
    good = newest.read_bytes()
    if damage == "other":
        torch.save([1, 2], newest)
    else:
        middle = len(good) // 2
        newest.write_bytes(
            {
                "empty": b"",
                "half": good[:middle],
                "text": b"not a checkpoint",
                "bit": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
            }[damage]
        )
    loaded = folder.load_latest()
    assert loaded is not None
    assert loaded["step"] == 1
    assert "step-0000002.pt cannot be read" in caplog.text


def test_no_flipped_bit_changes_what_is_loaded(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    path = folder.save(1, state(1))
    good = path.read_bytes()
    rng = random.Random(0)
    for _ in range(60):
        at = rng.randrange(len(good))
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1 :])
        try:
            loaded = folder.load_latest()
        except CheckpointError:
            continue
        assert loaded is not None
        assert torch.equal(loaded["weights"], state(1)["weights"])


def test_all_damaged(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.save(1, state(1)).write_bytes(b"")
    folder.save(2, state(2)).write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"No checkpoint in .* can be read") as caught:
        folder.load_latest()
    assert "Delete the folder" in caught.value.remedy


def test_a_damaged_one_does_not_outlive_the_run_that_passed_it_by(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.save(10, state(10))
    folder.save(20, state(20)).write_bytes(b"damaged")
    folder.save(15, state(15))
    assert names(tmp_path) == ["step-0000010.pt", "step-0000015.pt"]
    loaded = folder.load_latest()
    assert loaded is not None
    assert loaded["step"] == 15


def test_foreign_and_unfinished_files_are_no_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "step-0000009.pt.partial").write_bytes(b"half")
    (tmp_path / "my-step-0000010.pt").write_bytes(b"a copy")
    folder = CheckpointFolder(tmp_path)
    assert folder.paths() == []
    folder.save(1, state(1))
    assert names(tmp_path) == ["my-step-0000010.pt", "step-0000001.pt"]


def test_other_options_are_refused_by_name() -> None:
    saved = fingerprint({"seed": 0, "minutes": 5.0, "optimizer": {"recipe": "muon"}})
    require_same(saved, fingerprint({"optimizer": {"recipe": "muon"}, "minutes": 5.0, "seed": 0}))
    now = fingerprint({"seed": 1, "minutes": 5.0, "optimizer": {"recipe": "adamw"}})
    with pytest.raises(
        CheckpointError, match=r"other options \(optimizer\.recipe, seed\)"
    ) as caught:
        require_same(saved, now)
    assert "another --out" in caught.value.remedy


def test_writing_replaces_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["file"]


def test_paths_that_cannot_be_written(tmp_path: Path, blocked: Path) -> None:
    for failing in (
        lambda: write_atomically(blocked / "file", b""),
        lambda: write_atomically(tmp_path, b""),
        lambda: make_folder(blocked),
        lambda: make_folder(blocked.parent),
    ):
        with pytest.raises(TrainingError, match="could not be written") as caught:
            failing()
        assert "choose another folder" in caught.value.remedy
