"""Text to measure on is kept out of training."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from small_corpus import install, module
from surefill_training.corpus import build
from surefill_training.corpus.decontaminate import Contamination, content_hash, files_of
from surefill_training.corpus.sources import from_package
from surefill_training.errors import CorpusError
from surefill_training.options import TrainOptions
from surefill_training.train.record import summary_of
from surefill_training.train.start import new_model

RUN = "def total(values): result = 0 for value in values"  # 13 tokens and a few more
PROBLEM = {"task_id": "T/0", "prompt": RUN, "tests": [{"check": "assert total([1]) == 1"}], "n": 3}


def test_a_shared_run_of_thirteen_tokens_is_found(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(RUN)
    contamination = Contamination([tmp_path / "text.txt"])
    words = RUN.replace("(", " ( ").replace(")", " ) ").replace(":", " : ").split()
    assert contamination.touches("x = 1\n" + "\n   ".join(words) + "\ny = 2")
    assert contamination.touches(" ".join(words[:13]))
    assert not contamination.touches(" ".join(words[:12]))
    assert not contamination.touches(" ".join(reversed(words)))
    assert not contamination.touches("")


@pytest.mark.parametrize("name", ["p.jsonl", "p.jsonl.gz", "p.json"])
def test_benchmarks_are_read_as_they_come(tmp_path: Path, name: str) -> None:
    text = json.dumps(PROBLEM) + ("\n\n" if ".jsonl" in name else "")
    data = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    contamination = Contamination([tmp_path / name])
    assert contamination.touches(RUN)
    assert not contamination.touches(module(1))


def test_a_folder_stands_for_the_files_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    for name in ("python/a.py", ".git/b.py", "__pycache__/c.py"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(f"{name} {RUN}")
    assert files_of([folder, tmp_path / "x"]) == [folder / "python/a.py", tmp_path / "x"]
    assert Contamination([folder]).touches(RUN)


def test_contaminated_documents_are_dropped_from_training_only(tmp_path: Path) -> None:
    site = tmp_path / "site"
    bad = module(1) + "\n\n" + RUN + "\n"
    install(site, "alpha", {"alpha/a.py": "", "alpha/b.py": module(2)})
    (site / "alpha/a.py").write_text("# " + RUN + "\n" + module(1))
    install(site, "beta", {"beta/a.py": bad.replace(RUN, "# " + RUN) + module(3)})
    (tmp_path / "bench.jsonl").write_text(json.dumps(PROBLEM))
    sources = [from_package(name, [site]) for name in ("alpha", "beta")]
    options = build.CorpusOptions(heldout=("beta",), decontaminate=(tmp_path / "bench.jsonl",))
    manifest = build.build(sources, tmp_path / "corpus", options)
    assert [d.path for d in build.load(tmp_path / "corpus", "train")] == ["alpha/b.py"]
    assert [d.path for d in build.load(tmp_path / "corpus", "heldout")] == ["beta/a.py"]
    dropped = {p["name"]: p["dropped"] for p in manifest["packages"]}
    assert dropped["alpha"] == {"in text to measure on": 1}
    assert manifest["options"]["decontaminate"].keys() == {"bench.jsonl"}
    assert build.decontaminated(manifest) == [content_hash(tmp_path / "bench.jsonl")]


def test_a_benchmark_is_known_by_its_content_compressed_or_not(tmp_path: Path) -> None:
    data = json.dumps(PROBLEM).encode()
    (tmp_path / "p.jsonl").write_bytes(data)
    (tmp_path / "p.jsonl.gz").write_bytes(gzip.compress(data))
    plain, packed = content_hash(tmp_path / "p.jsonl"), content_hash(tmp_path / "p.jsonl.gz")
    assert plain == packed == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("source", "history", "expected"),
    [
        ({}, {}, ["aa", "bb"]),
        ({"name": "ours"}, {"decontaminated": ["bb", "cc"]}, ["bb"]),
        ({"name": "from elsewhere"}, {}, []),
    ],
)
def test_a_model_is_as_clean_as_all_its_training(
    tokenizer_file: Path,
    source: dict[str, Any],
    history: dict[str, Any],
    expected: list[str],
) -> None:
    start = new_model(tokenizer_file, TrainOptions(preset="test"))
    start = replace(start, source=source, history=history)
    manifest = {"options": {"decontaminate": {"a.jsonl": "aa", "b.jsonl": "bb"}}}
    assert summary_of(start, "{}", manifest, {})["decontaminated"] == expected


@pytest.mark.parametrize(
    ("name", "data"),
    [("none.txt", None), ("bad.jsonl", b"{"), ("bad.jsonl.gz", b"no"), ("bin.txt", b"\xff\xfe")],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(CorpusError, match="cannot be read"):
        Contamination([tmp_path / name])


def test_a_file_without_a_run_would_protect_nothing(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("too short")
    with pytest.raises(CorpusError, match="No text of 13 tokens"):
        Contamination([tmp_path / "short.txt"])
