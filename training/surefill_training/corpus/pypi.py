"""Packages of PyPI, installed with pip into a folder: wheels only, so that nothing runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Protocol

from surefill_training.corpus.sources import canonical
from surefill_training.errors import CorpusError


class Requirement(Protocol):
    """What is to be installed."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str | None: ...

    @property
    def requirement(self) -> str: ...


def install(
    wanted: Sequence[Requirement], folder: Path, report: Callable[[str, int, int], None]
) -> int:
    """Install those that ``folder`` has not; how many they were."""
    present = {
        (canonical(found.name), found.version)
        for found in metadata.distributions(path=[str(folder)])
        if found.name
    }
    names = {name for name, _ in present}
    missing = [
        entry
        for entry in wanted
        if (canonical(entry.name), entry.version) not in present
        and (entry.version or canonical(entry.name) not in names)
    ]
    for done, entry in enumerate(missing):
        report(f"fetching {entry.name}", done, len(missing))
        stale = _records(entry.name, folder)
        _install(entry.requirement, folder)
        for record in stale:
            # pip replaces the code of another version in such a folder, and leaves its record.
            shutil.rmtree(record, ignore_errors=True)
    return len(missing)


def _records(name: str, folder: Path) -> list[Path]:
    """The folders in which installed versions of a package are described."""
    return [
        found
        for found in folder.glob("*.dist-info")
        if canonical(found.name.partition("-")[0]) == canonical(name)
    ]


def _install(requirement: str, folder: Path) -> None:
    # -P, or a pip.py in the current folder would run.
    # fmt: off
    command = [
        sys.executable, "-P", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary", ":all:", "--no-compile", "--upgrade",
        "--target", str(folder), requirement,
    ]
    # fmt: on
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = (errors or done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise CorpusError(
            f"The package {requirement} cannot be had ({reason.removeprefix('ERROR: ')}).",
            "Check the name, the version and the connection, or take it off the list.",
        )
