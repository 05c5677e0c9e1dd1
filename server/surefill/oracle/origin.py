"""Which distribution a file belongs to, by the metadata beside it. Reads the disk; blocks."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from surefill.oracle.answers import Origin

_SITE = {"site-packages", "dist-packages"}
_STUBS = re.compile(r"-stubs$")
_MOST_FOLDERS = 8


class Origins:
    """Tells the origin of files. ``python`` is the version of the environment's Python."""

    def __init__(self, folders: tuple[Path, ...], python: str) -> None:
        self._folders = folders
        self._python = python

    def of(self, path: Path, line: int) -> Origin:
        """The origin of a definition in ``path``."""
        site = _site_packages(path)
        if site is not None:
            found = _distribution(site, path.relative_to(site))
            return Origin("distribution" if found[0] else "other", *found, path, line)
        if any(folder in path.parents for folder in self._folders):
            return Origin("workspace", "", "", path, line)
        if _is_stdlib(path):
            return Origin("stdlib", "python", self._python, path, line)
        stub = _bundled_stub(path)
        return Origin("distribution" if stub else "other", stub, "", path, line)


def _site_packages(path: Path) -> Path | None:
    return next((parent for parent in path.parents if parent.name in _SITE), None)


def _is_stdlib(path: Path) -> bool:
    """Whether a file is in an interpreter's library, or in a checker's stubs of it."""
    names = [parent.name for parent in path.parents]
    return (
        "stdlib" in names
        or any("typeshed" in name for name in names)
        or any(re.fullmatch(r"(?:python|pypy)3\.\d+t?", name) for name in names)
        or "Lib" in names
    )


def _bundled_stub(path: Path) -> str:
    """The package whose stubs a checker brings along: ``.../pandas-stubs/core/frame.pyi``."""
    parts = [parent.name for parent in path.parents if parent.name.endswith("-stubs")]
    return _STUBS.sub("", parts[0]) if parts else ""


def _distribution(site: Path, file: Path) -> tuple[str, str]:
    """Name and version of the distribution that installed ``file``; empty when none did."""
    top = file.parts[0]
    stamp = site.stat().st_mtime_ns if site.is_dir() else 0
    owners = _owners(site, stamp)
    plain = _STUBS.sub("", top).removesuffix(".py").removesuffix(".pyi")
    for name in (plain, top):
        exact = owners.get(name, ())
        if len(exact) == 1:
            return exact[0]
        for candidate in exact:  # a namespace that several distributions share
            if _installs(site, candidate[0], file):
                return candidate
    return "", ""


@lru_cache(_MOST_FOLDERS)
def _owners(site: Path, _stamp: int) -> dict[str, tuple[tuple[str, str], ...]]:
    """Distributions by the top-level names that they install."""
    owners: dict[str, dict[tuple[str, str], None]] = {}
    for distribution in metadata.distributions(path=[str(site)]):
        name = distribution.metadata["Name"]
        if not name:
            continue
        for file in distribution.files or ():
            top = file.parts[0]
            if not top.endswith((".dist-info", ".egg-info")) and top not in ("..", "__pycache__"):
                plain = top.removesuffix(".py").removesuffix(".pyi")
                owners.setdefault(plain, {})[name, distribution.version] = None
    return {top: tuple(found) for top, found in owners.items()}


def _installs(site: Path, name: str, file: Path) -> bool:
    for distribution in metadata.distributions(name=name, path=[str(site)]):
        return any(Path(each) == file for each in distribution.files or ())
    return False
