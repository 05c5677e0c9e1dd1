"""The source files of a project: found in its folders, the nearest to what is open first.

Knows folders and names; reads no file but ``.gitignore``. Follows no links, so that it ends and
stays inside. Walks the disk: for a background thread.
"""

from __future__ import annotations

import heapq
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from surefill.context.sources import is_secret, read_source

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

logger = logging.getLogger(__name__)

MOST_ENTRIES = 20_000
"""How many names are looked at; a larger project is known in part, the part that is open."""
_IGNORE_BYTES = 64_000
_MOST_WILDCARDS = 3
"""Patterns with more can take a regular expression minutes, and the whole process with it."""
_SKIPPED = frozenset(
    {
        "__pycache__", "bower_components", "build", "coverage", "dist", "env", "htmlcov",
        "node_modules", "out", "site-packages", "target", "third_party", "vendor", "venv",
        "virtualenv",
    }
)  # fmt: skip


def source_files(
    folders: Sequence[Path], near: Sequence[Path], wanted: Callable[[Path], bool]
) -> Iterator[Path]:
    """Files below ``folders`` that are ``wanted``, nearest to the folders ``near`` first.

    Left out are hidden files and folders, what ``.gitignore`` names, virtual environments,
    installed packages, build output, links, and files that usually hold secrets. Nothing is raised
    for what cannot be read.
    """
    found = list(_walk(folders, near, wanted))
    yield from (path for _, path in sorted(found))


def belongs(path: Path, folders: Sequence[Path]) -> bool:
    """Whether ``source_files`` would come upon ``path``, were it wanted and there."""
    return any(_found_below(folder, path) for folder in folders if path.is_relative_to(folder))


def _found_below(folder: Path, path: Path) -> bool:
    ignored: tuple[_Ignored, ...] = ()
    inner = path.relative_to(folder).parts
    try:
        for depth in range(len(inner)):
            around = folder.joinpath(*inner[:depth])
            step = around / inner[depth]
            if (around / "pyvenv.cfg").exists() or step.is_symlink():
                return False
            if spec := _ignore_spec(around / ".gitignore"):
                ignored = (*ignored, _Ignored(around, spec))
            if _skipped(step, ignored, is_folder=depth < len(inner) - 1):
                return False
    except (OSError, ValueError):
        return False
    return True


@dataclass(frozen=True)
class _Ignored:
    """What one folder's ``.gitignore`` says."""

    folder: Path
    spec: GitIgnoreSpec

    def verdict(self, path: Path, *, is_folder: bool) -> bool | None:
        """Whether ``path`` is ignored; None where nothing is said of it."""
        name = path.relative_to(self.folder).as_posix() + "/" * is_folder
        return self.spec.check_file(name).include


def _walk(
    folders: Sequence[Path], near: Sequence[Path], wanted: Callable[[Path], bool]
) -> Iterator[tuple[int, Path]]:
    """Wanted files, each with its folder's distance from the nearest of ``near``."""
    waiting: list[tuple[int, Path, tuple[_Ignored, ...]]] = []
    for folder in dict.fromkeys(folders):
        heapq.heappush(waiting, (_distance(folder, near), folder, ()))
    seen: set[Path] = set()
    entries = 0
    while waiting and entries < MOST_ENTRIES:
        distance, folder, ignored = heapq.heappop(waiting)
        if folder in seen:  # one workspace folder may hold another
            continue
        seen.add(folder)
        listed = _entries(folder)
        entries += len(listed)
        names = {entry.name for entry in listed}
        if "pyvenv.cfg" in names:
            continue
        if ".gitignore" in names and (spec := _ignore_spec(folder / ".gitignore")):
            ignored = (*ignored, _Ignored(folder, spec))
        for entry in listed:
            path, is_folder = folder / entry.name, _is_folder(entry)
            if is_folder is None or _skipped(path, ignored, is_folder=is_folder):
                continue
            if is_folder:
                heapq.heappush(waiting, (_distance(path, near), path, ignored))
            elif wanted(path):
                yield distance, path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry, _ in zip(entries, range(MOST_ENTRIES), strict=False)]
    except (OSError, ValueError):
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool | None:
    """None for links, devices and the like, which nobody follows."""
    try:
        if entry.is_dir(follow_symlinks=False):
            return True
        return False if entry.is_file(follow_symlinks=False) else None
    except OSError:
        return None


def _skipped(path: Path, ignored: Sequence[_Ignored], *, is_folder: bool) -> bool:
    name = path.name
    if name.startswith(".") or (is_folder and (name in _SKIPPED or name.endswith(".egg-info"))):
        return True
    if is_secret(path):
        return True
    # The innermost folder's word counts, as with git.
    verdicts = (each.verdict(path, is_folder=is_folder) for each in reversed(ignored))
    return next((verdict for verdict in verdicts if verdict is not None), False)


def _ignore_spec(file: Path) -> GitIgnoreSpec | None:
    from pathspec import GitIgnoreSpec  # needed only where there is such a file

    text = read_source(file, _IGNORE_BYTES)
    if text is None:
        return None
    sound = []
    for line in text.splitlines():
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            logger.debug("%s has a line that is no pattern: %.80s", file, line)
        else:
            sound += [line] * (len(re.findall(r"\*+", line)) <= _MOST_WILDCARDS)
    return GitIgnoreSpec.from_lines(sound)


def _distance(folder: Path, near: Iterable[Path]) -> int:
    """Steps from ``folder`` to the nearest of ``near``, up and down the tree."""

    def steps(other: Path) -> int:
        same = 0
        for mine, theirs in zip(folder.parts, other.parts, strict=False):
            if mine != theirs:
                break
            same += 1
        return len(folder.parts) + len(other.parts) - 2 * same

    return min(map(steps, near), default=len(folder.parts))
