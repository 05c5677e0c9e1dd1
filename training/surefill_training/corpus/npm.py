"""Packages of the npm registry: fetched with npm, unpacked, and described by their package.json.

No script of a package runs: npm packs what the registry has, and installs nothing.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from surefill_training.corpus.archives import unpack
from surefill_training.corpus.unpacked import Unpacked, may_be_source, placed
from surefill_training.errors import CorpusError


def fetch(name: str, version: str | None, into: Path) -> Unpacked:
    """Unpack a package's sources into ``into``; what its package.json says of it.

    Raises CorpusError where npm does not give it, or it is no package.
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = _pack(f"{name}@{version or 'latest'}", Path(folder))
        unpack(archive, into, lambda path: _is_manifest(path) or may_be_source(path), placed)
    return _described(into, name)


def _is_manifest(path: PurePosixPath) -> bool:
    """Whether it is the package.json of the package; its folder need not be called ``package``."""
    return len(path.parts) == 2 and path.name == "package.json"


def _pack(wanted: str, folder: Path) -> Path:
    # In an empty folder, where no name means a local folder and no .npmrc is read.
    command = ["npm", "pack", "--ignore-scripts", "--loglevel=error", wanted]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CorpusError(
            f"npm cannot be started ({error.strerror}).",
            "Install Node.js, or leave out npm: lines.",
        ) from error
    found = sorted(folder.glob("*.tgz"))
    if done.returncode != 0 or len(found) != 1:
        lines = (done.stderr.strip() or done.stdout.strip() or "npm gave no reason").splitlines()
        raise CorpusError(
            f"The npm package {wanted} cannot be had ({lines[0][:200]}).",
            "Check the name, the version and the connection, or take it off the list.",
        )
    return found[0]


def _described(folder: Path, name: str) -> Unpacked:
    manifests = sorted(folder.glob("*/package.json"))
    try:
        described: Any = json.loads(manifests[0].read_text(encoding="utf-8"))
        version = str(described["version"])
        license_name = license_of(described)
    except (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(
            f"The npm package {name} has no package.json that can be read.",
            "Take it off the list.",
        ) from error
    return Unpacked(version, license_name, tuple(_compiled(folder)))


def _compiled(folder: Path) -> list[str]:
    """Scripts with declarations of their types beside them: a compiler wrote both."""
    return sorted(
        path.relative_to(folder).as_posix()
        for suffix, declarations in ((".js", ".d.ts"), (".mjs", ".d.mts"))
        for path in folder.rglob(f"*{suffix}")
        if path.with_suffix(declarations).is_file()
    )


def license_of(described: dict[str, Any]) -> str:
    """The licence that a package.json names: an expression of SPDX, or the old forms of it."""
    named = described.get("license") or described.get("licenses") or "unknown"
    alternatives = named if isinstance(named, list) else [named]
    # Where old packages list several, one may choose; that all must be permissive is stricter.
    texts = [str(one.get("type")) if isinstance(one, dict) else str(one) for one in alternatives]
    return " AND ".join(texts).strip("()") or "unknown"
