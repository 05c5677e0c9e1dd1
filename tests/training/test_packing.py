"""Corpora, files and folders in parts, and what happens when some are missing or damaged."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from surefill_training import cli
from surefill_training.corpus import build
from surefill_training.errors import PackingError
from surefill_training.packing import corpus as packed_corpus
from surefill_training.packing.folder import archive
from surefill_training.packing.parts import MIB, find, join, split


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def times(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of two and a half parts of 1 MiB that cannot be compressed."""
    file = tmp_path / "weights.bin"
    file.write_bytes(random.Random(0).randbytes(5 * MIB // 2))
    return file


def test_a_file_comes_back_from_its_parts(source: Path, tmp_path: Path) -> None:
    out, back = tmp_path / "parts", tmp_path / "back"
    assert run("pack", "--file", source, "--part-mib", 1, "--out", out) == 0
    assert sorted(times(out)) == [
        *(f"weights.bin.00{n}" for n in (1, 2, 3)),
        "weights.bin.parts.json",
    ]
    assert max(file.stat().st_size for file in out.iterdir()) == MIB
    assert run("unpack", out, "--out", back) == 0
    assert (back / "weights.bin").read_bytes() == source.read_bytes()
    before = times(back)
    assert run("unpack", out, "--out", back) == 0
    assert times(back) == before


def test_only_parts_that_are_missing_or_wrong_are_written_again(
    source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "parts"

    def pack() -> int:
        return split(source, out, name="w", kind="file", part_bytes=MIB)[1]

    assert pack() == 3
    assert pack() == 0
    first = times(out)["w.001"]
    (out / "w.002").unlink()
    (out / "w.003").write_bytes(b"half of it")
    assert pack() == 2
    assert times(out)["w.001"] == first
    source.write_bytes(source.read_bytes()[: MIB + 1])
    assert pack() == 1
    assert sorted(times(out)) == ["w.001", "w.002", "w.parts.json"]


def test_missing_and_damaged_parts_are_named(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, back = tmp_path / "parts", tmp_path / "back"
    split(source, out, name="w", kind="file", part_bytes=MIB)
    (out / "w.002").unlink()
    (packed,) = find(out)
    with pytest.raises(PackingError, match=r"lacks 1 of the 3 parts of w: w\.002\."):
        join(packed, out, back / "w")
    damaged = bytearray((out / "w.001").read_bytes())
    damaged[1000] ^= 1
    (out / "w.001").write_bytes(damaged)
    (out / "w.002").write_bytes(source.read_bytes()[MIB : 2 * MIB])
    assert run("unpack", out, "--out", back) == 1
    assert "Damaged parts of w" in (message := capsys.readouterr().err)
    assert message.strip().endswith("w.001. Copy them again from where they were packed.")
    assert not back.exists()
    with pytest.raises(PackingError, match="holds nothing that was packed"):
        find(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 2}', '{"format": 1, "name": "a"}', "\xff", "null"]
)
def test_a_damaged_manifest(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.parts.json").write_text(text, encoding="latin-1")
    with pytest.raises(PackingError, match="cannot be used"):
        find(tmp_path)


def test_a_manifest_cannot_name_files_elsewhere(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "parts"
    split(source, out, name="w", kind="file", part_bytes=MIB)
    manifest = out / "w.parts.json"
    for bad in (('"name": "w"', '"name": "../w"'), ('"w.001"', '"/etc/passwd"')):
        text = manifest.read_text()
        manifest.write_text(text.replace(*bad))
        with pytest.raises(PackingError, match="cannot be used"):
            find(out)
        manifest.write_text(text)


def test_a_folder_comes_back_and_its_archive_is_the_same_every_time(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "deep").mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (model / "deep" / "weights").write_bytes(bytes(range(256)))
    archive(model, tmp_path / "one.tar")
    (model / "config.json").touch()
    archive(model, tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    out, back = tmp_path / "parts", tmp_path / "back"
    assert run("pack", "--file", model, "--out", out) == 0
    assert sorted(times(out)) == ["model.tar.001", "model.tar.parts.json"]
    assert run("unpack", out, "--out", back) == 0
    assert sorted(times(back)) == ["model"]
    assert (back / "model" / "deep" / "weights").read_bytes() == bytes(range(256))


def test_a_corpus_that_fits_comes_back_the_same(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, back = tmp_path / "parts", tmp_path / "back"
    assert run("pack", "--corpus", corpus, "--out", out) == 0
    packed = sum(file.stat().st_size for file in out.iterdir())
    assert packed < sum((corpus / f"{s}.jsonl.gz").stat().st_size for s in ("train", "heldout"))
    assert run("unpack", out, "--out", back) == 0
    assert (back / "manifest.json").read_bytes() == (corpus / "manifest.json").read_bytes()
    for split_name in ("train", "heldout"):
        # In this order a run takes its rows, so the order counts as well.
        assert list(build.load(back, split_name)) == list(build.load(corpus, split_name))
    before = times(out), times(back)
    capsys.readouterr()
    assert run("pack", "--corpus", corpus, "--out", out) == 0
    assert run("unpack", out, "--out", back) == 0
    assert "0 of them new" in (printed := " ".join(capsys.readouterr().err.split()))
    assert "up to date" in printed
    assert (times(out), times(back)) == before


def test_of_a_corpus_that_does_not_fit_every_package_gives_documents(
    corpus: Path, tmp_path: Path
) -> None:
    limit = 7000
    about = packed_corpus.compress(corpus, tmp_path / "one", limit)
    assert (tmp_path / "one").stat().st_size <= limit
    assert packed_corpus.compress(corpus, tmp_path / "two", limit) == about
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert not about["complete"]
    assert 0 < about["train_documents"] < about["train_documents_in_all"] == 12
    packed, _ = split(
        tmp_path / "one", tmp_path / "p", name="c", kind="corpus", part_bytes=1000, about=about
    )
    back = tmp_path / "back"
    assert packed_corpus.restore(packed, tmp_path / "p", back)
    manifest = build.manifest(back)
    assert manifest["hash"] != manifest["chosen_from"]["hash"] == build.manifest(corpus)["hash"]
    whole, kept = list(build.load(corpus, "train")), list(build.load(back, "train"))
    assert kept == [document for document in whole if document in kept]
    assert len(kept) == about["train_documents"] == manifest["documents"]["train"]
    chars = sum(len(document.text) for document in kept)
    assert (manifest["chars"]["train"], manifest["languages"]["train"]) == (
        chars,
        {"python": chars},
    )
    counts = {p["name"]: p["documents"] for p in manifest["packages"] if p["split"] == "train"}
    assert counts.keys() == {"alpha", "beta"}
    assert sum(counts.values()) == len(kept)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert list(build.load(back, "heldout")) == list(build.load(corpus, "heldout"))


def test_a_limit_that_nothing_fits_into(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(PackingError, match="Not even the held-out documents"):
        packed_corpus.compress(corpus, tmp_path / "file", 500)


def test_what_was_restored_before_stays_when_a_part_is_missing(
    corpus: Path, tmp_path: Path
) -> None:
    out, back = tmp_path / "parts", tmp_path / "back"
    run("pack", "--corpus", corpus, "--out", out)
    run("unpack", out, "--out", back)
    (back / "packed.json").unlink()
    (out / "corpus.jsonl.xz.001").unlink()
    before = times(back)
    assert run("unpack", out, "--out", back) == 1
    assert times(back) == before
    with gzip.open(back / "train.jsonl.gz") as lines:
        assert len(list(lines)) == 12


def test_a_corpus_packed_by_something_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no xz stream")
    packed, _ = split(tmp_path / "file", tmp_path / "p", name="c", kind="corpus", part_bytes=1000)
    with pytest.raises(PackingError, match="does not hold a corpus"):
        packed_corpus.restore(packed, tmp_path / "p", tmp_path / "back")
    assert not (tmp_path / "back" / "manifest.json").exists()
