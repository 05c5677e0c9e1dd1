"""Packages of Debian: fetched by the real apt from an archive made here, unpacked and judged."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from small_corpus import module
from surefill_training.corpus.debian import Archive, unpack_binary, unpack_source
from surefill_training.errors import CorpusError

pytestmark = pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb")), reason="needs apt and dpkg"
)

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: me
License: Expat

Files: gnu/*
Copyright: me
License: GPL-3+

Files: debian/*
Copyright: me
License: GPL-2+
"""
FREE = COPYRIGHT.replace("GPL-3+", "BSD-3-clause")
SCRIPT = "#!/bin/bash\nset -eu\necho hello\n"
UPSTREAM = {
    "thing-1.0/main.go": "package main\n",
    "thing-1.0/gnu/copy.go": "package gnu\n",
    "thing-1.0/bin/run": SCRIPT,
    "thing-1.0/LICENSE": "free",
    "thing-1.0/data.bin": "no source",
    "thing-1.0/debian/rules.py": module(1),
}


def tar(path: Path, files: Mapping[str, str]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))


def source_package(folder: Path, copyright_text: str = COPYRIGHT) -> list[Path]:
    """The three files of a source package."""
    folder.mkdir(exist_ok=True)
    tar(folder / "thing_1.0.orig.tar.gz", UPSTREAM)
    tar(folder / "thing_1.0-2.debian.tar.gz", {"debian/copyright": copyright_text})
    archives = sorted(folder.glob("*.tar.gz"))
    sums = "".join(f" {sha256(f)} {f.stat().st_size} {f.name}\n" for f in archives)
    (folder / "thing_1.0-2.dsc").write_text(
        "Format: 3.0 (quilt)\nSource: thing\nVersion: 1.0-2\nChecksums-Sha256:\n" + sums
    )
    return sorted(folder.iterdir())


def binary_package(folder: Path, copyright_text: str = FREE) -> Path:
    """A ``.deb``, whose script must never run."""
    root = folder / "root"
    files = {
        "usr/share/gocode/src/thing/a.go": "package thing\n",
        "usr/bin/thing": SCRIPT,
        "usr/share/doc/thing-dev/copyright": copyright_text,
        "DEBIAN/control": "Package: thing-dev\nVersion: 2.0-1\nArchitecture: all\n"
        "Maintainer: me <me@example.org>\nDescription: a thing\n",
        "DEBIAN/preinst": f"#!/bin/sh\ntouch {folder / 'ran'}\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "DEBIAN/preinst").chmod(0o755)
    package = folder / "thing-dev_2.0-1_all.deb"
    subprocess.run(["dpkg-deb", "--build", root, package], check=True, capture_output=True)
    return package


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive of one source and one binary package, as apt reads it from a folder."""
    pool = tmp_path / "pool"
    files = source_package(pool)
    package = binary_package(tmp_path)
    shutil.move(package, pool)
    deb = pool / package.name
    sums = "".join(f" {sha256(f)} {f.stat().st_size} {f.name}\n" for f in files)
    sources = "Package: thing\nVersion: 1.0-2\nDirectory: .\nFormat: 3.0 (quilt)\n"
    with gzip.open(pool / "Sources.gz", "wt") as out:
        out.write(sources + "Checksums-Sha256:\n" + sums)
    with gzip.open(pool / "Packages.gz", "wt") as out:
        out.write(
            "Package: thing-dev\nVersion: 2.0-1\nArchitecture: all\nDescription: a thing\n"
            f"Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {sha256(deb)}\n"
        )
    where = f"Types: deb deb-src\nURIs: file:{pool}\nSuites: ./\nTrusted: yes\n"
    return Archive(tmp_path / "apt", where)


def kept(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_source_package_is_fetched(tmp_path: Path, archive: Archive) -> None:
    into = tmp_path / "into"
    found = archive.fetch_source("thing", "1.0-2", into)
    assert (found.version, found.license) == ("1.0-2", "MIT")
    assert kept(into) == [
        "debian/copyright",
        "thing-1.0/bin/run.sh",
        "thing-1.0/gnu/copy.go",
        "thing-1.0/main.go",
    ]
    assert found.left_out == ("thing-1.0/gnu/copy.go",)
    assert (into / "thing-1.0/bin/run.sh").read_text() == SCRIPT


def test_a_binary_package_is_fetched_and_nothing_of_it_runs(
    tmp_path: Path, archive: Archive
) -> None:
    into = tmp_path / "into"
    found = archive.fetch_binary("thing-dev", "2.0-1", into)
    assert (found.version, found.license) == ("2.0-1", "MIT")
    assert "usr/share/gocode/src/thing/a.go" in kept(into)
    assert "usr/bin/thing.sh" in kept(into)
    assert not (tmp_path / "ran").exists()


def test_what_apt_does_not_give(tmp_path: Path, archive: Archive) -> None:
    with pytest.raises(CorpusError, match=r"Debian's thing=9 cannot be had \(Can not find version"):
        archive.fetch_source("thing", "9", tmp_path / "into")
    with pytest.raises(CorpusError, match="Debian's nothing cannot be had") as caught:
        archive.fetch_binary("nothing", None, tmp_path / "into")
    assert "take it off the list" in caught.value.remedy


def test_a_binary_package_with_parts_that_are_not_free_is_refused(tmp_path: Path) -> None:
    package = binary_package(tmp_path, COPYRIGHT)
    with pytest.raises(CorpusError, match=r"Parts of Debian's thing-dev are under GPL-3\+"):
        unpack_binary(package, tmp_path / "into", "thing-dev")


def test_no_package_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(b"!<arch>\nnonsense")
    with pytest.raises(CorpusError, match=r"a\.deb is no package of Debian"):
        unpack_binary(tmp_path / "a.deb", tmp_path / "into", "a")


def test_a_source_package_without_a_copyright_file(tmp_path: Path) -> None:
    files = [f for f in source_package(tmp_path / "pool") if ".debian." not in f.name]
    with pytest.raises(CorpusError, match="thing has no copyright file"):
        unpack_source(files, tmp_path / "into", "thing")


def test_a_copyright_file_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "free").write_text(FREE)
    files = [f for f in source_package(tmp_path / "pool") if ".debian." not in f.name]
    link = tarfile.TarInfo("debian/copyright")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "free")
    with tarfile.open(tmp_path / "pool/thing_1.0-2.debian.tar.gz", "w:gz") as archive:
        archive.addfile(link)
    with pytest.raises(CorpusError, match="thing has no copyright file"):
        unpack_source(
            [*files, tmp_path / "pool/thing_1.0-2.debian.tar.gz"], tmp_path / "in", "thing"
        )
