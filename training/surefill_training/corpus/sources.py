"""Where documents come from: installed packages, directories, the standard library.

Finds files and licences; judges no content.
"""

from __future__ import annotations

import contextlib
import os
import re
import sysconfig
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from surefill_training.corpus.filters import is_permissive
from surefill_training.errors import CorpusError

SUFFIXES = {
    ".py": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".tsx": "typescriptreact",
    ".sql": "sql",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    ".c": "c",
    ".h": "c",
    ".cpp": "cpp",
    ".cc": "cpp",
    ".cxx": "cpp",
    ".hpp": "cpp",
    ".hh": "cpp",
    ".sh": "bash",
    ".bash": "bash",
    ".html": "html",
    ".css": "css",
}
"""File suffixes that are read, with the language that each belongs to."""

_CLASSIFIER = "License :: "
_SAYS_NOTHING = {"License :: OSI Approved", "License :: Freely Distributable"}


@dataclass(frozen=True)
class Source:
    """A named set of files under one licence."""

    name: str
    version: str
    license: str
    root: Path
    files: tuple[PurePosixPath, ...]
    """Relative to ``root``, sorted."""
    first_release: str = ""
    """Month of the package's first release, where a list tells it."""

    @property
    def key(self) -> str:
        return re.sub(r"[^A-Za-z0-9._-]+", "_", f"{self.name}-{self.version}")


def canonical(name: str) -> str:
    """A name as package indexes compare it: case, ``-``, ``_`` and ``.`` make no difference."""
    return re.sub(r"[-_.]+", "-", name).lower()


def from_package(name: str, search_path: Sequence[Path] | None = None) -> Source:
    """The sources of an installed package, licence taken from its metadata.

    ``search_path`` names site-packages folders to look in; None means this interpreter's.
    """
    where: dict[str, Any] = {"path": [str(p) for p in search_path]} if search_path else {}
    context = metadata.DistributionFinder.Context(name=name, **where)
    # An empty name would match every package.
    found = next(iter(metadata.distributions(context=context)), None) if name else None
    if found is None:
        raise CorpusError(
            f"The package {name!r} is not installed.",
            f"Install it (pip install --no-deps {name}) or leave it out of the list.",
        )
    root = Path(str(found.locate_file("")))
    listed = (PurePosixPath(str(file)) for file in found.files or () if file.suffix in SUFFIXES)
    files = tuple(sorted(_inside(listed, root)))
    if not files:
        # So it is with packages in development mode, and with those that the system installed.
        raise CorpusError(
            f"The installation of {name!r} does not list a single source file.",
            "Give the folder of its sources with --directory instead.",
        )
    return Source(name, found.version, license_of(found), root, files)


def from_environment(leave_out: Container[str] = ()) -> list[Source]:
    """Every permissively licensed package of this interpreter that lists source files.

    ``leave_out`` holds canonical names.
    """
    names = {canonical(found.name) for found in metadata.distributions() if found.name}
    found = []
    for name in sorted(names):
        if name in leave_out:
            continue
        # What is installed for development lists no files.
        with contextlib.suppress(CorpusError):
            found.append(from_package(name))
    return [source for source in found if is_permissive(source.license)]


def from_directory(directory: Path, license_name: str = "unknown") -> Source:
    """All source files under a directory; hidden folders and environments are skipped."""
    if not directory.is_dir():
        raise CorpusError(f"{directory} is not a directory.", "Give an existing directory.")
    return Source(
        directory.resolve().name, "local", license_name, directory, tuple(_walk(directory))
    )


def from_standard_library() -> Source:
    """This interpreter's standard library, without its own test suite and vendored wheels."""
    root = Path(sysconfig.get_path("stdlib"))
    skipped = {"site-packages", "dist-packages", "test", "tests", "idle_test", "lib2to3"}
    files = tuple(f for f in _walk(root) if skipped.isdisjoint(f.parts))
    version = sysconfig.get_python_version()
    return Source("python-standard-library", version, "PSF-2.0", root, files)


def _inside(files: Iterable[PurePosixPath], root: Path) -> Iterator[PurePosixPath]:
    """Those of a package's record that lie in ``root``: none elsewhere, and none by a link."""
    real = os.path.realpath(root)
    folders: dict[PurePosixPath, bool] = {}
    for file in files:
        if file.is_absolute() or ".." in file.parts:
            continue
        if file.parent not in folders:
            # Asked once for each folder, for a package has thousands of files.
            where = os.path.realpath(root / file.parent)
            folders[file.parent] = where == real or where.startswith(real + os.sep)
        if folders[file.parent] and not (root / file).is_symlink():
            yield file


def _walk(root: Path) -> Iterator[PurePosixPath]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            f
            for f in folders
            if not f.startswith(".")
            and f not in {"node_modules", "__pycache__"}
            and not (Path(folder) / f / "pyvenv.cfg").exists()
        )
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix in SUFFIXES and path.is_file():
                yield PurePosixPath(path.relative_to(root).as_posix())


def license_of(distribution: metadata.Distribution) -> str:
    """SPDX expression where the metadata has one, else classifiers, else the free-form field."""
    fields = distribution.metadata
    if "License-Expression" in fields:
        return fields["License-Expression"]
    classifiers = [
        value.rsplit(" :: ", 1)[-1]
        for value in fields.get_all("Classifier") or []
        if value.startswith(_CLASSIFIER) and value not in _SAYS_NOTHING
    ]
    if classifiers:
        return "; ".join(classifiers)
    text = fields["License"].strip() if "License" in fields else ""
    return text.splitlines()[0][:100] if text else "unknown"
