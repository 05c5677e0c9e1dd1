"""Files are read when they are ordinary source files, and never fail whoever asks."""

import os
from pathlib import PurePath

import pytest

from surefill.context.sources import MAX_FILE_BYTES, SourceReader, akin, is_secret, read_source
from surefill.syntax.languages import language_for


@pytest.mark.parametrize(
    "name",
    [".env", ".env.local", "prod.env", "id_rsa", "id_ed25519.pub", "server.pem", "a/TLS.KEY",
     "credentials.json", "secrets.py", ".npmrc", ".ssh/config.py", "home/.aws/script.py"],
)  # fmt: skip
def test_files_with_secrets_are_known_by_their_names(name, tmp_path):
    assert is_secret(PurePath(name))
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("password = 1\n")
    assert read_source(file) is None


@pytest.mark.parametrize("name", ["environment.py", "keys.py", "secretary.py", "env/a.py"])
def test_names_that_only_sound_so(name):
    assert not is_secret(PurePath(name))


@pytest.mark.parametrize(
    "data",
    [
        b"x = 1\n\0",
        b"\xff\xfe\x00",
        b"caf\xe9 = 1\n",
        b"x" * (MAX_FILE_BYTES + 1),
        b"x = '" + b"a" * 10_000 + b"'\n",
    ],
    ids=["nul", "utf-16", "latin-1", "huge", "minified"],
)
def test_what_is_no_source_text_is_left_alone(tmp_path, data):
    file = tmp_path / "a.py"
    file.write_bytes(data)
    assert read_source(file) is None
    assert SourceReader().read(file) is None


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert read_source(tmp_path / "a.py") == "x = 1\n"


@pytest.mark.parametrize("name", ["missing.py", "folder.py", "nul\0.py", "x" * 5_000])
def test_what_is_not_there_or_no_file(tmp_path, name):
    (tmp_path / "folder.py").mkdir()
    assert read_source(tmp_path / name) is None
    assert SourceReader().read(tmp_path / name) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    assert read_source(tmp_path / "pipe.py") is None
    (tmp_path / "link.py").symlink_to("link.py")
    assert read_source(tmp_path / "link.py") is None


def test_a_file_is_read_again_when_it_has_changed_only(tmp_path, monkeypatch):
    reads = []

    def counted(path):
        reads.append(path)
        return read_source(path)

    monkeypatch.setattr("surefill.context.sources.read_source", counted)
    reader, file = SourceReader(), tmp_path / "a.py"
    file.write_text("x = 1\n")
    assert [reader.read(file) for _ in range(3)] == ["x = 1\n"] * 3
    file.write_text("x = 12\n")
    assert reader.read(file) == "x = 12\n"
    file.unlink()
    assert reader.read(file) is None
    assert len(reads) == 2


def test_what_is_remembered_is_bounded(tmp_path):
    reader = SourceReader()
    for number in range(30):
        file = tmp_path / f"{number}.py"
        file.write_text(("x" * 99 + "\n") * 1_900)
        assert len(reader.read(file)) == 190_000
    assert len(reader._texts) < 25


def test_kin():
    python, script, typed = (language_for(n, None) for n in ("python", "javascript", "tsx"))
    assert akin(script, typed)
    assert akin(python, python)
    assert not akin(python, script)
    assert not akin(None, None)
