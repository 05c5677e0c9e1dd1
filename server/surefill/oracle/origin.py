"""Which distribution a file belongs to, by the metadata beside it. Reads the disk; blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from surefill.oracle.answers import Origin

_SITE = {"site-packages", "dist-packages"}
_STUBS = re.compile(r"-stubs$")
_CACHED_FILES = 1024


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


@lru_cache(_CACHED_FILES)
def _distribution(site: Path, file: Path) -> tuple[str, str]:
    """Name and version of the distribution that installed ``file``; empty when none did.

    For a stub of its own distribution (``requests-stubs``), that of what it describes.
    """
    top = _STUBS.sub("", file.parts[0]).removesuffix(".py").removesuffix(".pyi")
    owners = [each for each in _records(site) if f"\n{top}/" in each[2] or f"\n{top}." in each[2]]
    if len(owners) > 1:  # a namespace that several distributions share
        owners = [each for each in owners if f"\n{file.as_posix()}," in each[2]] or owners[:1]
    return owners[0][:2] if owners else ("", "")


def _records(site: Path) -> Iterator[tuple[str, str, str]]:
    """Each distribution's name, version and list of files, which begins with a line feed."""
    for distribution in metadata.distributions(path=[str(site)]):
        record = distribution.read_text("RECORD")
        name = distribution.metadata["Name"]
        if record and name:
            yield name, distribution.version, "\n" + record
