"""Which distribution a file belongs to, by the metadata beside it. Reads the disk; blocks."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from surefill.oracle.answers import Origin

_SITE = {"site-packages", "dist-packages"}
_STUBS = re.compile(r"-stubs$")
_TOP = re.compile(r"^([^/.,\n]+)[/.]", re.MULTILINE)
_CACHED_FILES = 1024
_CACHED_SITES = 4


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
    """Name and version of the distribution that installed ``file``; empty when none did.

    For a stub of its own distribution (``requests-stubs``), that of what it describes.
    """
    top = _STUBS.sub("", file.parts[0]).removesuffix(".py").removesuffix(".pyi")
    try:
        installed = site.stat().st_mtime_ns
    except OSError:
        return "", ""
    owners = _owners(site, installed).get(top, ())
    if len(owners) > 1:  # a namespace that several distributions share
        owners = _that_have(file, owners) or owners[:1]
    return (owners[0].name, owners[0].version) if owners else ("", "")


class _Owner(NamedTuple):
    """A distribution."""

    name: str
    version: str
    metadata: metadata.Distribution


@lru_cache(_CACHED_SITES)
def _owners(site: Path, _installed: int) -> dict[str, tuple[_Owner, ...]]:
    """The distributions in ``site``, as of when something was installed last, by top-level name."""
    found: dict[str, list[_Owner]] = {}
    for distribution in metadata.distributions(path=[str(site)]):
        record = distribution.read_text("RECORD")
        name = distribution.metadata["Name"]
        if not record or not name:
            continue
        owner = _Owner(name, distribution.version, distribution)
        for top in set(_TOP.findall(record)):
            found.setdefault(top, []).append(owner)
    return {top: tuple(owners) for top, owners in found.items()}


@lru_cache(_CACHED_FILES)
def _that_have(file: Path, owners: tuple[_Owner, ...]) -> tuple[_Owner, ...]:
    line = f"\n{file.as_posix()},"
    return tuple(each for each in owners if line in f"\n{each.metadata.read_text('RECORD')}")
