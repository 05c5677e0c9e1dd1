"""Lists of packages: read, fetched with the real pip from a folder of wheels, and checked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from small_corpus import install, module
from surefill_training.corpus import unpacked
from surefill_training.corpus.listing import Listed, fetch, find, parse, read_list
from surefill_training.errors import CorpusError

LISTS = Path(__file__).parents[2] / "training"


def wheel(folder: Path, name: str, version: str, text: str, license_name: str = "MIT") -> None:
    """A wheel as an index has it."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/code.py", text)
        archive.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
            f"License-Expression: {license_name}\nRequires-Dist: not-to-be-had\n",
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", f"{name}/code.py,,\n{info}/METADATA,,\n")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes for the only index there is."""
    folder = tmp_path / "wheels"
    wheel(folder, "delta", "1.0", module(1))
    wheel(folder, "delta", "2.0", module(2))
    wheel(folder, "epsilon", "0.1", module(3), "GPL-3.0-only")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_list_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(
        "# what it is\n\nattrs==25.4.0  # MIT\n  flask == 3.1  \nnumpy # BSD-3-Clause AND MIT\nx\n"
    )
    assert read_list(path) == [
        Listed("attrs", "25.4.0", "MIT"),
        Listed("flask", "3.1"),
        Listed("numpy", None, "BSD-3-Clause AND MIT"),
        Listed("x"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ok\nnot a name\n", "Line 2 of .* is no package: 'not a name'"),
        ("a>=1\n", "Line 1"),
        ("a==1  # GPL-3.0\n", "lists a, whose licence 'GPL-3.0' is not permissive"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(CorpusError, match=message):
        read_list(path)


def test_packages_of_other_registries(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(
        "pypi:attrs==25.4.0  # MIT, first release 2025-09\n"
        "npm:@scope/thing@1.2.3-rc.1  # (MIT OR Apache-2.0)\n"
        "npm:thing\n"
        "debian:libfoo++=1:2.3-4~deb12u1  # MIT first release 2026-01\n"
        "deb:foo-dev=1.0+ds-1\n"
    )
    entries = read_list(path)
    assert entries == [
        Listed("attrs", "25.4.0", "MIT", "pypi", "2025-09"),
        Listed("@scope/thing", "1.2.3-rc.1", "(MIT OR Apache-2.0)", "npm"),
        Listed("thing", None, None, "npm"),
        Listed("libfoo++", "1:2.3-4~deb12u1", "MIT", "debian", "2026-01"),
        Listed("foo-dev", "1.0+ds-1", None, "deb"),
    ]
    assert [entry.requirement for entry in entries] == [
        "attrs==25.4.0",
        "@scope/thing@1.2.3-rc.1",
        "thing",
        "libfoo++=1:2.3-4~deb12u1",
        "foo-dev=1.0+ds-1",
    ]
    assert [entry.source_name for entry in entries[:2]] == ["attrs", "npm:@scope/thing"]


@pytest.mark.parametrize(
    "text",
    [
        "./folder",
        "/etc",
        "-r",
        "--upgrade",
        "https://example.org/a.whl",
        "a @ file:///a",
        "a==--x",
        "npm:../folder",
        "npm:./folder",
        "npm:user/repository",
        "npm:@scope",
        "npm:thing@latest",
        "npm:thing@file:x",
        "npm:-g",
        "debian:-o=1",
        "debian:Thing=1",
        "debian:thing=1 -o",
        "other:thing=1",
        "npm:",
        "",
    ],
)
def test_paths_addresses_and_options_are_no_packages(text: str) -> None:
    assert parse(text) is None


def test_what_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="npm:thing has not been fetched") as caught:
        find(Listed("thing", "1.0", None, "npm"))
    assert "--fetch DIR" in caught.value.remedy
    with pytest.raises(CorpusError, match="debian:thing has not been fetched"):
        find(Listed("thing", "1.0", None, "debian"), None, tmp_path)


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read"):
        read_list(tmp_path / "none.txt")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorpusError, match="not UTF-8"):
        read_list(tmp_path / "binary")


def test_missing_packages_are_fetched_in_their_version(tmp_path: Path, index: Path) -> None:
    site = tmp_path / "site"
    assert fetch([Listed("delta", "1.0", "MIT")], site) == 1
    assert (site / "delta/code.py").read_text() == module(1)
    assert fetch([Listed("delta", "1.0"), Listed("Delta")], site) == 0
    assert fetch([Listed("delta", "2.0")], site) == 1
    source = find(Listed("delta", "2.0", "MIT"), [site])
    assert (source.version, source.license) == ("2.0", "MIT")
    assert (source.root / source.files[0]).read_text() == module(2)


def test_a_package_that_cannot_be_had(tmp_path: Path, index: Path) -> None:
    with pytest.raises(CorpusError, match=r"delta==9\.9 cannot be had \(.*No matching") as caught:
        fetch([Listed("delta", "9.9")], tmp_path / "site")
    assert "take it off the list" in str(caught.value)


def test_other_packages_are_unpacked_beside_them_once(tmp_path: Path) -> None:
    folder = tmp_path / "site/.npm/packages/@me__thing@1.0"
    filled: list[Path] = []

    def fill(into: Path) -> unpacked.Unpacked:
        filled.append(into)
        (into / "package").mkdir()
        for name in ("a.ts", "b.ts", "notes.txt"):
            (into / "package" / name).write_text("let a = 1;\n")
        (into / "package/link.ts").symlink_to(tmp_path / "list.txt")
        return unpacked.Unpacked("1.0", "MIT", ("package/b.ts",))

    folder.mkdir(parents=True)
    (folder / "half.ts").write_text("left by an interruption")
    assert not unpacked.is_kept(folder)
    unpacked.keep(folder, fill)
    entry = Listed("@me/thing", "1.0", "MIT", "npm", "2025-09")
    assert fetch([entry], tmp_path / "site") == 0
    assert filled == [folder]
    source = find(entry, None, tmp_path / "site")
    assert (source.name, source.version, source.license) == ("npm:@me/thing", "1.0", "MIT")
    assert [str(file) for file in source.files] == ["package/a.ts"]
    assert source.first_release == "2025-09"
    with pytest.raises(CorpusError, match="says that @me/thing is under ISC, and its metadata say"):
        find(Listed("@me/thing", "1.0", "ISC", "npm"), None, tmp_path / "site")


@pytest.mark.parametrize("record", ["", "[]", '{"version": "1"}', "no json"])
def test_a_damaged_record_of_what_was_unpacked(tmp_path: Path, record: str) -> None:
    folder = tmp_path / ".npm/packages/thing@1.0"
    folder.mkdir(parents=True)
    (folder / ".source.json").write_text(record)
    with pytest.raises(CorpusError, match="npm:thing has not been fetched"):
        find(Listed("thing", "1.0", None, "npm"), None, tmp_path)


def test_what_is_installed_has_to_be_what_is_listed(tmp_path: Path) -> None:
    install(tmp_path, "alpha", {"alpha/a.py": module(1)})
    assert find(Listed("alpha", "1.0", "MIT"), [tmp_path]).name == "alpha"
    with pytest.raises(CorpusError, match=r"asks for alpha==2\.0, and 1\.0 is installed"):
        find(Listed("alpha", "2.0"), [tmp_path])
    with pytest.raises(CorpusError, match="says that alpha is under BSD, and its metadata say MIT"):
        find(Listed("alpha", "1.0", "BSD"), [tmp_path])


@pytest.mark.parametrize("name", ["packages.txt", "sources.txt", "heldout.txt"])
def test_the_lists_of_the_shipped_models_are_in_order(name: str) -> None:
    entries = read_list(LISTS / name)
    assert all(entry.version and entry.license for entry in entries)
    assert len({entry.source_name for entry in entries}) == len(entries)


def test_what_is_measured_on_came_out_after_the_pretraining() -> None:
    heldout = read_list(LISTS / "heldout.txt")
    assert all(entry.first_release >= "2025-07" for entry in heldout)
    trained = {entry.source_name for entry in read_list(LISTS / "sources.txt")}
    assert trained.isdisjoint(entry.source_name for entry in heldout)
    assert {entry.registry for entry in heldout} == {"pypi", "npm"}
