"""Building a corpus: filter, deduplicate, split by package, write, and do it again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from small_corpus import install, install_some, module, queries, script
from surefill_training.corpus import build, documents
from surefill_training.corpus.build import CorpusOptions
from surefill_training.corpus.deduplicate import Deduplicator, copied_shares
from surefill_training.corpus.filters import Limits
from surefill_training.corpus.sources import Source, from_directory, from_package
from surefill_training.errors import CorpusError, TrainingError

Build = Callable[..., dict[str, Any]]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "corpus"


def packages(site: Path, *names: str) -> list[Source]:
    return [from_package(name, [site]) for name in names]


def paths(out: Path, split: str) -> list[str]:
    return [document.path for document in build.load(out, split)]


def dropped(manifest: dict[str, Any], name: str) -> dict[str, int]:
    found: dict[str, int] = next(p["dropped"] for p in manifest["packages"] if p["name"] == name)
    return found


def test_documents_come_out_as_they_went_in(site: Path, out: Path) -> None:
    files = {"a/one.py": module(1), "a/two.py": module(2), "b.py": "\ufeff" + module(3)}
    install(site, "thing", files)
    build.build(packages(site, "thing"), out, CorpusOptions())
    found = {document.path: document for document in build.load(out, "train")}
    assert {path: document.text for path, document in found.items()} == {
        "a/one.py": files["a/one.py"],
        "a/two.py": files["a/two.py"],
        "b.py": module(3),
    }
    assert {document.source for document in found.values()} == {"thing"}
    assert list(build.load(out, "heldout")) == []


def test_line_ends_become_newlines(site: Path, out: Path) -> None:
    files = {
        "a.py": module(1).replace("\n", "\r\n").encode(),
        "b.py": module(2).replace("\n", "\r").encode(),
    }
    install(site, "thing", files)
    build.build(packages(site, "thing"), out, CorpusOptions())
    assert [document.text for document in build.load(out, "train")] == [module(1), module(2)]


def test_what_is_dropped_is_counted_by_package_and_reason(site: Path, out: Path) -> None:
    install(
        site,
        "mixed",
        {
            "good.py": module(1),
            "short.py": "x = 1\n",
            "latin.py": module(2).encode() + "# Grüße\n".encode("latin-1"),
            "generated.py": "# @generated\n" + module(3),
            "generated_too.py": "# @generated\n" + module(4),
            "gpl.py": "# GNU Affero General Public License\n" + module(5),
        },
    )
    source = packages(site, "mixed")[0]
    (site / "good.py").rename(site / "kept.py")
    install(site, "other", {"other.py": module(6)}, metadata="License: BSD")
    manifest = build.build([source, *packages(site, "other")], out, CorpusOptions())
    assert dropped(manifest, "mixed") == {
        "generated": 2,
        "restrictive licence header": 1,
        "too short": 1,
        "unreadable": 2,
    }
    other = manifest["packages"][1]
    assert other == {
        "name": "other",
        "version": "1.0",
        "license": "BSD",
        "split": "train",
        "documents": 1,
        "chars": len(module(6)),
        "dropped": {},
    }
    assert json.loads((out / "manifest.json").read_text())["hash"] == manifest["hash"]
    assert build.manifest(out)["documents"] == {"train": 1, "heldout": 0}


def test_duplicates_are_removed_across_packages(site: Path, out: Path) -> None:
    original = module(1, functions=30)
    nearly = original.replace("number 1", "number one", 1) + "\n\ndef added():\n    return 1\n"
    reformatted = original.replace("    ", "\t").replace('"""', "'''")
    install(site, "first", {"first.py": original})
    install(site, "second", {"second.py": original, "new.py": module(2)})
    install(site, "third", {"third.py": nearly, "fourth.py": reformatted})
    manifest = build.build(packages(site, "third", "second", "first"), out, CorpusOptions())
    assert paths(out, "train") == ["first.py", "new.py"]
    assert dropped(manifest, "second") == {"exact duplicate": 1}
    assert dropped(manifest, "third") == {"exact duplicate": 1, "near duplicate": 1}


def test_a_duplicate_across_the_split_leaves_the_training_side(site: Path, out: Path) -> None:
    shared = module(1, functions=30)
    nearly = shared + "\n\nVERSION = 3\n"
    install(site, "aaa", {"a.py": shared, "b.py": nearly, "own.py": module(2)})
    install(site, "zzz", {"z.py": shared})
    manifest = build.build(packages(site, "aaa", "zzz"), out, CorpusOptions(heldout=("zzz",)))
    assert paths(out, "heldout") == ["z.py"]
    assert paths(out, "train") == ["own.py"]
    assert dropped(manifest, "zzz") == {}
    assert sum(dropped(manifest, "aaa").values()) == 2


def test_a_held_out_copy_of_training_code_is_dropped(site: Path, out: Path) -> None:
    """A part of a larger file, changed a little: no near duplicate, and no fair test either."""
    big = module(1, functions=40)
    part = "\n\n".join(big.split("\n\n")[4:24]) + "\n\n" + module(9, functions=2)
    install(site, "aaa", {"a.py": big})
    install(site, "zzz", {"copy.py": part, "own.py": module(2)})
    manifest = build.build(packages(site, "aaa", "zzz"), out, CorpusOptions(heldout=("zzz",)))
    assert paths(out, "heldout") == ["own.py"]
    assert paths(out, "train") == ["a.py"]
    assert dropped(manifest, "zzz") == {"copy of training code": 1}
    assert manifest["documents"] == {"train": 1, "heldout": 1}


def test_shares_of_copied_text() -> None:
    first, second, other = (module(n, functions=20) for n in range(3))
    shares = copied_shares([first, first + second, other, ""], [first, "x = 1"])
    assert shares[0] == 1.0
    assert 0.3 < shares[1] < 0.7
    assert shares[2] < 0.1
    assert copied_shares([], [first]) == []


def test_similar_texts_are_near_and_different_ones_are_not() -> None:
    deduplicator = Deduplicator()
    text = module(1, functions=40)
    assert deduplicator.seen("a", text) is None
    assert deduplicator.seen("b", text + "\n# one line more\n") == "near duplicate"
    assert deduplicator.seen("c", text.upper()) is None
    assert deduplicator.seen("d", module(2, functions=40)) is None
    assert deduplicator.seen("e", "") is None
    assert deduplicator.seen("f", "+-*/") == "exact duplicate"
    assert deduplicator.seen("g", "two words") is None


def test_packages_are_held_out_whole(site: Path, out: Path) -> None:
    names = install_some(site)
    manifest = build.build(packages(site, *names), out, CorpusOptions(heldout=("BETA",)))
    assert {document.source for document in build.load(out, "heldout")} == {"beta"}
    assert {document.source for document in build.load(out, "train")} == {"alpha", "gamma"}
    assert {p["name"]: p["split"] for p in manifest["packages"]} == {
        "alpha": "train",
        "beta": "heldout",
        "gamma": "train",
    }
    assert manifest["documents"] == {"train": 12, "heldout": 6}


def test_the_same_sources_give_the_same_corpus(site: Path, tmp_path: Path) -> None:
    names = install_some(site)
    options = CorpusOptions(heldout=("beta",))
    first = build.build(packages(site, *names), tmp_path / "first", options)
    second = build.build(packages(site, *reversed(names)), tmp_path / "second", options)
    assert first == second
    for name in ("train.jsonl.gz", "heldout.jsonl.gz", "manifest.json"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    (site / "alpha" / "m0.py").write_text(module(999))
    third = build.build(packages(site, *names), tmp_path / "third", options)
    assert third["hash"] != first["hash"]


def test_a_large_package_gets_its_share_only(site: Path, tmp_path: Path) -> None:
    install_some(site, modules=12)
    hashes = set()
    for seed in (0, 0, 1):
        out = tmp_path / f"seed-{seed}"
        options = CorpusOptions(max_source_chars=3 * len(module(1)), seed=seed)
        manifest = build.build(packages(site, "alpha"), out, options)
        hashes.add(manifest["hash"])
        assert dropped(manifest, "alpha")["beyond the package's share"] in (8, 9)
    assert len(hashes) == 2


def test_a_large_package_is_represented_by_its_code_rather_than_its_tests(
    site: Path, tmp_path: Path
) -> None:
    files = {f"alpha/m{i}.py": module(i) for i in range(4)}
    files |= {f"alpha/tests/test_m{i}.py": module(10 + i) for i in range(4)}
    install(site, "alpha", files)
    size = sum(len(text) for path, text in files.items() if path.startswith("alpha/m"))
    options = CorpusOptions(max_source_chars=size)
    manifest = build.build(packages(site, "alpha"), tmp_path / "out", options)
    assert paths(tmp_path / "out", "train") == [f"alpha/m{i}.py" for i in range(4)]
    assert dropped(manifest, "alpha") == {"beyond the package's share": 4}


def test_a_package_has_its_share_in_each_language(site: Path, out: Path) -> None:
    files = {f"a/m{i}.py": module(i) for i in range(4)}
    files |= {f"a/m{i}.ts": script(i) for i in range(4)}
    install(site, "alpha", files)
    manifest = build.build(packages(site, "alpha"), out, CorpusOptions(max_source_chars=10))
    languages = [document.language for document in build.load(out, "train")]
    assert sorted(languages) == ["python", "typescript"]
    assert dropped(manifest, "alpha") == {"beyond the package's share": 6}


def test_other_languages_come_along(site: Path, out: Path) -> None:
    files = {"alpha/a.py": module(1), "alpha/a.ts": script(2), "a.sql": queries(3)}
    install(site, "alpha", files)
    manifest = build.build(packages(site, "alpha"), out, CorpusOptions())
    languages = {document.path: document.language for document in build.load(out, "train")}
    assert languages == {"alpha/a.py": "python", "alpha/a.ts": "typescript", "a.sql": "sql"}
    assert set(manifest["languages"]["train"]) == set(languages.values())


def test_languages_have_their_shares_of_the_training_side(site: Path, out: Path) -> None:
    files = {f"a/m{i}.py": module(i) for i in range(9)}
    files |= {f"a/m{i}.ts": script(i) for i in range(9)} | {"a/q.sql": queries(1)}
    install(site, "alpha", files)
    install(site, "held", {f"held/m{i}.py": module(20 + i) for i in range(9)})
    options = CorpusOptions(
        heldout=("held",), shares={"python": 0.5, "typescript": 0.25}, max_chars=20_000
    )
    manifest = build.build(packages(site, "alpha", "held"), out, options)
    chars = manifest["languages"]["train"]
    assert 10_000 - len(module(0)) - 500 < chars["python"] <= 10_000
    assert 5_000 - len(script(0)) - 500 < chars["typescript"] <= 5_000
    assert chars.keys() == {"python", "typescript"}
    assert manifest["documents"]["heldout"] == 9
    left_out = 19 - manifest["documents"]["train"]
    assert dropped(manifest, "alpha") == {"beyond the language's share": left_out}
    assert manifest["options"]["shares"] == {"python": 0.5, "typescript": 0.25}
    again = build.build(packages(site, "held", "alpha"), out.with_name("again"), options)
    assert again["hash"] == manifest["hash"]


def test_an_interrupted_build_goes_on_where_it_stopped(
    site: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = packages(site, *install_some(site))

    def stop_at_gamma(what: str, _done: int, _total: int) -> None:
        if what == "gamma":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.build(found, out, CorpusOptions(), stop_at_gamma)
    assert len(list((out / "sources").iterdir())) == 2
    read: list[str] = []
    usable = documents._usable

    def counted(source: Source, *rest: Any) -> Any:
        read.append(source.name)
        return usable(source, *rest)

    monkeypatch.setattr(documents, "_usable", counted)
    resumed = build.build(found, out, CorpusOptions())
    assert read == ["gamma"]
    assert build.build(found, tmp_path / "at-once", CorpusOptions()) == resumed


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"not gzip",
        gzip.compress(b"not json", mtime=0),
        gzip.compress(b"[]", mtime=0),
        gzip.compress(b'{"dropped": {"too short": 5}}', mtime=0),
        gzip.compress(b'{"dropped": [1], "documents": []}', mtime=0),
        gzip.compress(b'{"dropped": {}, "documents": [{"path": "a.py"}]}', mtime=0),
    ],
)
def test_a_damaged_stage_file_is_made_again(site: Path, out: Path, damage: bytes) -> None:
    install(site, "thing", {"a.py": module(1), "b.py": "x = 1\n"})
    before = build.build(packages(site, "thing"), out, CorpusOptions())
    stage = next((out / "sources").iterdir())
    good = stage.read_bytes()
    stage.write_bytes(damage)
    assert build.build(packages(site, "thing"), out, CorpusOptions()) == before
    assert stage.read_bytes() == good


def test_a_stage_file_with_flipped_bits_is_made_again(site: Path, out: Path) -> None:
    install(site, "thing", {"a.py": module(1)})
    before = build.build(packages(site, "thing"), out, CorpusOptions())
    stage = next((out / "sources").iterdir())
    good = stage.read_bytes()
    for at in range(10, len(good), 97):
        stage.write_bytes(good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :])
        assert build.build(packages(site, "thing"), out, CorpusOptions()) == before


def test_files_that_were_edited_are_read_again(tmp_path: Path, out: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.py").write_text(module(1))
    options = CorpusOptions(any_license=True)
    before = build.build([from_directory(folder)], out, options)
    (folder / "a.py").write_text(module(2, functions=9))
    after = build.build([from_directory(folder)], out, options)
    assert before["hash"] != after["hash"]
    assert [document.text for document in build.load(out, "train")] == [module(2, functions=9)]


def test_other_limits_do_not_take_the_old_stage_file(site: Path, out: Path) -> None:
    install(site, "thing", {"a.py": module(1), "b.py": module(2, functions=20)})
    build.build(packages(site, "thing"), out, CorpusOptions())
    limits = Limits(max_chars=len(module(1)) + 100)
    build.build(packages(site, "thing"), out, CorpusOptions(limits=limits))
    assert paths(out, "train") == ["a.py"]


def test_a_licence_that_is_not_permissive_is_refused(site: Path, out: Path) -> None:
    install(site, "free", {"free.py": module(1)})
    install(site, "copyleft", {"c.py": module(2)}, metadata="License-Expression: GPL-3.0-or-later")
    install(site, "silent", {"s.py": module(3)}, metadata="Summary: nothing")
    with pytest.raises(CorpusError) as caught:
        build.build(packages(site, "free", "copyleft", "silent"), out, CorpusOptions())
    assert caught.value.message == (
        "Not under a permissive licence: copyleft (GPL-3.0-or-later), silent (unknown)."
    )
    assert "--any-license" in caught.value.remedy
    assert not out.exists()
    manifest = build.build(
        packages(site, "free", "copyleft", "silent"), out, CorpusOptions(any_license=True)
    )
    assert manifest["options"]["any_license"] is True
    assert {p["name"]: p["license"] for p in manifest["packages"]}["silent"] == "unknown"


def test_inputs_that_make_no_corpus(site: Path, out: Path) -> None:
    install(site, "thing", {"a.py": module(1)})
    install(site, "poor", {"p.py": "x = 1\n", "q.py": "y = 1\n"})
    found = packages(site, "thing")
    with pytest.raises(CorpusError, match="No sources were given"):
        build.build([], out, CorpusOptions())
    with pytest.raises(CorpusError, match="not among the sources: nobody, other"):
        build.build(found, out, CorpusOptions(heldout=("other", "thing", "nobody")))
    with pytest.raises(CorpusError, match="Several sources have one name: thing"):
        build.build([*found, *packages(site, "Thing")], out, CorpusOptions())
    with pytest.raises(CorpusError, match="Not a single usable file") as caught:
        build.build(packages(site, "poor"), out, CorpusOptions())
    assert "2 too short" in caught.value.remedy
    with pytest.raises(CorpusError, match="Not a single usable file"):
        build.build(found, out, CorpusOptions(heldout=("thing",)))


def test_a_folder_that_cannot_be_written(site: Path, blocked: Path) -> None:
    install(site, "thing", {"a.py": module(1)})
    with pytest.raises(TrainingError, match="could not be written") as caught:
        build.build(packages(site, "thing"), blocked, CorpusOptions())
    assert "another folder" in caught.value.remedy


def test_a_missing_or_damaged_corpus(site: Path, out: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="does not exist"):
        list(build.load(tmp_path / "nowhere", "train"))
    with pytest.raises(CorpusError, match="is not a corpus"):
        build.manifest(tmp_path / "nowhere")
    install(site, "thing", {"a.py": module(1)})
    build.build(packages(site, "thing"), out, CorpusOptions())
    file = out / "train.jsonl.gz"
    good = file.read_bytes()
    flipped = good[:200] + bytes([good[200] ^ 0x10]) + good[201:]
    for damage in (good[: len(good) // 2], b"not gzip", flipped, gzip.compress(b"[1]\n")):
        file.write_bytes(damage)
        with pytest.raises(CorpusError, match="is damaged") as caught:
            list(build.load(out, "train"))
        assert "build the corpus again" in caught.value.remedy
    for text in ("{}", "[]", "no json"):
        (out / "manifest.json").write_text(text)
        with pytest.raises(CorpusError, match="is not a corpus"):
            build.manifest(out)


def test_half_of_a_new_corpus_does_not_pass_for_the_old_one(
    site: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_some(site)
    build.build(packages(site, "alpha"), out, CorpusOptions())
    write = build.write_atomically

    def fail_at_heldout(path: Path, data: bytes) -> None:
        if path.name.startswith("heldout"):
            raise TrainingError("The disk is full.")
        write(path, data)

    monkeypatch.setattr(build, "write_atomically", fail_at_heldout)
    with pytest.raises(TrainingError, match="disk is full"):
        build.build(packages(site, "beta"), out, CorpusOptions())
    with pytest.raises(CorpusError, match="is not a corpus"):
        build.manifest(out)
