"""Packages of npm: fetched by the real npm from a registry on this machine, and described."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from surefill_training.corpus.npm import fetch, license_of
from surefill_training.errors import CorpusError

needs_npm = pytest.mark.skipif(not shutil.which("npm"), reason="needs npm")

FILES = {
    "src/index.ts": "export const answer = 42;\n",
    "lib/index.js": "exports.answer = 42;\n",
    "lib/index.d.ts": "export declare const answer: number;\n",
    "lib/own.js": "exports.own = 1;\n",
    "bin/run": "#!/usr/bin/env bash\necho hello\n",
    "bin/cli": "#!/usr/bin/env node\nconsole.log(1)\n",
    "README.md": "# thing\n",
}


def tarball(described: dict[str, Any], top: str = "package") -> bytes:
    buffer = io.BytesIO()
    files = {**FILES, "package.json": json.dumps(described)}
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


class _Registry(http.server.BaseHTTPRequestHandler):
    """Answers as a registry does: what a package's versions are, and their archives."""

    archives: dict[str, bytes]

    def do_GET(self) -> None:
        name = self.path.strip("/").replace("%2f", "/")
        if name.endswith(".tgz"):
            self._send(self.archives[name.removesuffix(".tgz")])
        elif name in self.archives:
            data = self.archives[name]
            described = {
                "name": name,
                "version": "1.2.0",
                "dist": {
                    "tarball": f"http://{self.headers['Host']}/{name}.tgz",
                    "integrity": "sha512-"
                    + base64.b64encode(hashlib.sha512(data).digest()).decode(),
                },
            }
            whole = {
                "name": name,
                "dist-tags": {"latest": "1.2.0"},
                "versions": {"1.2.0": described},
            }
            self._send(json.dumps(whole).encode())
        else:
            self.send_error(404)

    def _send(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """The packages of a registry that npm is told of; to be filled."""
    archives: dict[str, bytes] = {}
    handler = type("Handler", (_Registry,), {"archives": archives})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    yield archives
    server.shutdown()
    server.server_close()


@needs_npm
def test_a_package_is_fetched_and_none_of_its_scripts_runs(
    tmp_path: Path, registry: dict[str, bytes]
) -> None:
    mark = tmp_path / "ran"
    scripts = dict.fromkeys(("prepack", "prepare", "postpack", "install"), f"touch {mark}")
    described = {"name": "@me/thing", "version": "1.2.0", "license": "MIT", "scripts": scripts}
    registry["@me/thing"] = tarball(described, top="thing")
    into = tmp_path / "into"
    found = fetch("@me/thing", "1.2.0", into)
    assert (found.version, found.license) == ("1.2.0", "MIT")
    kept = sorted(p.relative_to(into).as_posix() for p in into.rglob("*") if p.is_file())
    assert kept == [
        "thing/bin/run.sh",
        "thing/lib/index.d.ts",
        "thing/lib/index.js",
        "thing/lib/own.js",
        "thing/package.json",
        "thing/src/index.ts",
    ]
    assert found.left_out == ("thing/lib/index.js",)
    assert not mark.exists()


@needs_npm
def test_a_package_that_is_not_to_be_had(tmp_path: Path, registry: dict[str, bytes]) -> None:
    with pytest.raises(CorpusError, match="The npm package nothing@latest cannot be had") as caught:
        fetch("nothing", None, tmp_path / "into")
    assert "take it off the list" in caught.value.remedy


@needs_npm
@pytest.mark.parametrize("described", [[], {"license": "MIT"}, {"version": "1", "license": {}}])
def test_a_package_json_of_no_use(
    tmp_path: Path, registry: dict[str, bytes], described: Any
) -> None:
    registry["thing"] = tarball(described)
    if described == {"version": "1", "license": {}}:
        assert fetch("thing", "1.2.0", tmp_path / "into").license == "unknown"
        return
    with pytest.raises(CorpusError, match=r"npm package thing has no package\.json"):
        fetch("thing", "1.2.0", tmp_path / "into")


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ({"license": "MIT"}, "MIT"),
        ({"license": "(MIT OR Apache-2.0)"}, "MIT OR Apache-2.0"),
        ({"license": {"type": "BSD", "url": "u"}}, "BSD"),
        ({"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}, "MIT AND GPL-2.0"),
        ({"license": "SEE LICENSE IN LICENSE.md"}, "SEE LICENSE IN LICENSE.md"),
        ({}, "unknown"),
        ({"license": ""}, "unknown"),
        ({"license": None}, "unknown"),
    ],
)
def test_the_licence_of_a_package_json(described: dict[str, Any], expected: str) -> None:
    assert license_of(described) == expected
