"""What cannot be imported says why, says what to do, and leaves nothing behind."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest

from small_gguf import write_gguf
from surefill_training import cli
from surefill_training.files import hash_of

Run = Callable[..., dict[str, Any]]
Fail = Callable[..., str]


def test_a_wrong_hash(good: Path, fail: Fail) -> None:
    asked = "0" * 64
    message = fail(good, "--sha256", asked)
    assert hash_of(good) in message and f"{asked} was asked for" in message
    assert "is no SHA-256" in fail(good, "--sha256", "abc")


def test_without_a_hash_it_is_told(good: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    run(good)
    assert f"pin it with --sha256 {hash_of(good)}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("keep", "message"),
    [(-100, "The file is truncated"), (900, "is truncated or damaged"), (6, "is truncated")],
)
def test_a_truncated_file(keep: int, message: str, tmp_path: Path, good: Path, fail: Fail) -> None:
    (tmp_path / "short.gguf").write_bytes(good.read_bytes()[:keep])
    assert message in fail(tmp_path / "short.gguf")


def test_no_gguf_and_an_unknown_version(tmp_path: Path, good: Path, fail: Fail) -> None:
    (tmp_path / "text.gguf").write_text("no model")
    assert "is not a GGUF file: it begins with b'no m'" in fail(tmp_path / "text.gguf")
    data = good.read_bytes()
    (tmp_path / "new.gguf").write_bytes(data[:4] + struct.pack("<I", 9) + data[8:])
    assert "is a GGUF file of version 9" in fail(tmp_path / "new.gguf")
    (tmp_path / "swapped.gguf").write_bytes(data[:4] + struct.pack(">I", 3) + data[8:])
    assert "byte order of another machine" in fail(tmp_path / "swapped.gguf")


@pytest.mark.parametrize(("number", "shown"), [(4, "number 4"), (15, "Q8_K"), (99, "number 99")])
def test_a_quantisation_that_is_not_supported(
    number: int, shown: str, tmp_path: Path, good: Path, fail: Fail
) -> None:
    """The type of a tensor stands after its name, dimensions and shape."""
    data, name = bytearray(good.read_bytes()), b"blk.1.ffn_down.weight"
    at = data.index(name) + len(name)
    (dimensions,) = struct.unpack_from("<I", data, at)
    struct.pack_into("<I", data, at + 4 + 8 * dimensions, number)
    (tmp_path / "odd.gguf").write_bytes(data)
    message = fail(tmp_path / "odd.gguf")
    assert f"The tensor blk.1.ffn_down.weight is quantised as {shown}" in message
    assert "Q4_K" in message


def test_an_unknown_architecture(tmp_path: Path, good: Path, fail: Fail) -> None:
    data = good.read_bytes()
    (tmp_path / "odd.gguf").write_bytes(data.replace(b"llama", b"lamda"))
    message = fail(tmp_path / "odd.gguf")
    assert "'lamda'" in message and "llama" in message and "qwen2" in message
    assert "t5" not in message


def test_a_tokenizer_that_is_split_in_an_unknown_way(
    tmp_path: Path, llama: Path, fail: Fail
) -> None:
    write_gguf(tmp_path / "odd.gguf", llama, pre="martian")
    assert "splits text as 'martian'" in fail(tmp_path / "odd.gguf")


def test_templates_that_do_not_fit(tmp_path: Path, good: Path, llama: Path, fail: Fail) -> None:
    message = fail(good, "--template", "deepseek-coder")
    assert "'<｜begin▁of▁sentence｜>'" in message and "its tokens suit qwen2.5-coder" in message
    write_gguf(
        tmp_path / "few.gguf", llama, special=("<|endoftext|>",), tokens={1: "<a>", 2: "<b>"}
    )
    message = fail(tmp_path / "few.gguf", "--template", "qwen2.5-coder")
    assert "has no tokens <|fim_prefix|>, <|fim_suffix|> " in message
    assert "There is no prompt template 'mine'" in fail(good, "--template", "mine")


def test_licences(tmp_path: Path, llama: Path, fail: Fail, run: Run) -> None:
    file = tmp_path / "model.gguf"
    write_gguf(file, llama, license_name="gpl-3.0")
    assert "'gpl-3.0', which the file states, is not known to be permissive" in fail(file)
    assert "says that the licence is 'gpl-3.0'" in fail(file, "--license", "MIT")
    assert run(file, "--any-license")["license"] == "gpl-3.0"
    shutil.rmtree(tmp_path / "out")
    write_gguf(file, llama, license_name=None)
    assert "does not say under which licence" in fail(file)
    record = run(file, "--license", "Apache-2.0")
    assert (record["license"], record["license_stated_by"]) == ("Apache-2.0", "--license")


def test_memory_that_will_not_suffice(tmp_path: Path, llama: Path, fail: Fail) -> None:
    """A file with a hole for weights: 2^40 of them, which take no space on the disk."""
    file = tmp_path / "huge.gguf"
    write_gguf(file, llama)
    start = gguf.GGUFReader(file).data_offset
    data, name = bytearray(file.read_bytes()), b"output_norm.weight"
    at = data.index(name) + len(name)
    (dimensions, length) = struct.unpack_from("<IQ", data, at)
    assert (dimensions, length) == (1, 64)
    struct.pack_into("<Q", data, at + 4, 1 << 40)
    (offset,) = struct.unpack_from("<Q", data, at + 16)
    file.write_bytes(data)
    with file.open("r+b") as stream:
        stream.truncate(start + offset + 4 * (1 << 40))
    message = fail(file)
    assert "GB of memory to be imported" in message


def test_an_output_folder_that_is_in_use(tmp_path: Path, good: Path, run: Run) -> None:
    (tmp_path / "out").mkdir()
    run(good)
    before = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert cli.main(["import", str(good), "--out", str(tmp_path / "out")]) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == before
