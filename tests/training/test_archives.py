"""What comes out of archives of strangers, and what never does."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import pytest

from surefill_training.corpus.archives import Bounds, safe_name, unpack
from surefill_training.errors import CorpusError


def anything(_path: PurePosixPath) -> bool:
    return True


def member(name: str, data: bytes = b"x\n", kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    return info


def packed(members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def files(*names: str) -> bytes:
    return packed([(member(name), b"x\n") for name in names])


def written(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_archives_of_each_compression(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    (tmp_path / "a.tar").write_bytes(compress(files("p/a.py", "p/b.txt", "p/inner/c.py")))
    into = tmp_path / "into"
    names = unpack(tmp_path / "a.tar", into, lambda path: path.suffix == ".py")
    assert names == ["p/a.py", "p/inner/c.py"] == written(into)
    assert (into / "p/a.py").read_bytes() == b"x\n"


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    outside = [
        "../out.py",
        "/tmp/surefill-out.py",
        "p/../../out.py",
        "p/..",
        "p\\out.py",
        "p/\x1b.py",
    ]
    archive = tmp_path / "a.tar"
    archive.write_bytes(files(*outside, "p/in.py"))
    assert unpack(archive, tmp_path / "into", anything) == ["p/in.py"]
    assert written(tmp_path) == ["a.tar", "into/p/in.py"]
    assert not Path("/tmp/surefill-out.py").exists()


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("SECRET = 1\n")
    symbolic = member("p/link.py", kind=tarfile.SYMTYPE)
    symbolic.linkname = str(secret)
    folder = member("p/folder", kind=tarfile.SYMTYPE)
    folder.linkname = str(tmp_path)
    hard = member("p/hard.py", kind=tarfile.LNKTYPE)
    hard.linkname = "../../secret.py"
    pipe = member("p/pipe.py", kind=tarfile.FIFOTYPE)
    device = member("p/device.py", kind=tarfile.CHRTYPE)
    through = member("p/folder/through.py")
    members = [(info, b"") for info in (symbolic, folder, hard, pipe, device)]
    archive = tmp_path / "a.tar"
    archive.write_bytes(packed([*members, (through, b"x\n")]))
    assert unpack(archive, tmp_path / "into", anything) == ["p/folder/through.py"]
    assert written(tmp_path / "into") == ["p/folder/through.py"]
    assert not (tmp_path / "through.py").exists()
    assert not any(path.is_symlink() for path in (tmp_path / "into").rglob("*"))


def test_a_file_where_a_folder_is_needed_is_passed_over(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(files("p/a", "p/a/b.py", "p/c.py"))
    assert unpack(archive, tmp_path / "into", anything) == ["p/a", "p/c.py"]


def test_a_name_may_be_given_by_the_content(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(packed([(member("p/a"), b"x\n"), (member("p/b", b"yy"), b"yy")]))

    def placed(path: PurePosixPath, content: bytes) -> PurePosixPath | None:
        return path.with_name(path.name + ".sh") if content == b"yy" else None

    assert unpack(archive, tmp_path / "into", anything, placed) == ["p/b.sh"]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    zeros = bytes(40_000_000)
    archive = tmp_path / "bomb.tar.gz"
    archive.write_bytes(compress(packed([(member("p/zeros.bin", zeros), zeros)])))
    with pytest.raises(CorpusError, match=r"bomb.tar.gz is refused: unpacked it is larger"):
        unpack(archive, tmp_path / "into", anything)
    assert written(tmp_path) == ["bomb.tar.gz"]


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (Bounds(members=2), "more than 2 members"),
        (Bounds(bytes=10_000), "larger than source code is"),
    ],
)
def test_bounds_of_an_archive(tmp_path: Path, bounds: Bounds, message: str) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(files("a.py", "b.py", "c.py") + bytes(20_000))
    with pytest.raises(CorpusError, match=message):
        unpack(archive, tmp_path / "into", anything, bounds=bounds)


def test_a_large_file_is_left_out(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    big = os.urandom(3000)
    archive.write_bytes(packed([(member("big.py", big), big), (member("small.py"), b"x\n")]))
    assert unpack(archive, tmp_path / "into", anything, bounds=Bounds(file=2999)) == ["small.py"]


@pytest.mark.parametrize("cut", [0, 5, 700, -1200])
def test_damaged_archives(tmp_path: Path, cut: int) -> None:
    whole = gzip.compress(packed([(member("a.py", data), data) for data in [os.urandom(5000)]]))
    archive = tmp_path / "a.tgz"
    archive.write_bytes(whole[:cut])
    with pytest.raises(CorpusError, match=r"a.tgz cannot be unpacked") as caught:
        unpack(archive, tmp_path / "into", anything)
    assert "take the package off the list" in caught.value.remedy


@pytest.mark.parametrize("name", ["", ".", "/", "..", "a/../b", "/a", "a\\b", "a\nb", "x" * 201])
def test_names_that_are_not_safe(name: str) -> None:
    assert safe_name(name) is None


@pytest.mark.parametrize("name", ["a", "a/b.py", "./a.py", "@scope/a..b.py", "für/a b.py"])
def test_names_that_are_safe(name: str) -> None:
    assert safe_name(name) == PurePosixPath(name)
