"""Lists of packages: name, version and licence of each, read, fetched with pip, and checked.

A list is a requirements file whose comments name the licence, so that pip reads it as well:
``attrs==25.4.0  # MIT``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from surefill_training.corpus.filters import is_permissive
from surefill_training.corpus.sources import Source, canonical, from_package
from surefill_training.errors import CorpusError

_ENTRY = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"(?:\s*==\s*(?P<version>[A-Za-z0-9.!+_-]+))?"
    r"\s*(?:#\s*(?P<license>.*?)\s*)?"
)


@dataclass(frozen=True)
class Listed:
    """One entry; what it leaves open is None."""

    name: str
    version: str | None = None
    license: str | None = None

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}" if self.version else self.name


def read_list(path: Path, *, any_license: bool = False) -> list[Listed]:
    """The entries of a list, in its order; raises CorpusError naming the first bad line.

    A licence that is not permissive is refused unless ``any_license``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CorpusError(
            f"{path} cannot be read ({reason}).", "Give a text file with one package on each line."
        ) from error
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _ENTRY.fullmatch(line.strip())
        if found is None:
            raise CorpusError(
                f"Line {number} of {path} is no package: {line.strip()[:60]!r}.",
                "Write NAME==VERSION  # LICENCE.",
            )
        entries.append(Listed(found["name"], found["version"], found["license"] or None))
    for entry in entries:
        if entry.license and not (any_license or is_permissive(entry.license)):
            raise CorpusError(
                f"{path} lists {entry.name}, whose licence {entry.license!r} is not permissive.",
                "Take it off the list.",
            )
    return entries


def fetch(entries: Sequence[Listed], folder: Path) -> int:
    """Install those of ``entries`` into ``folder`` that are not there; how many they were.

    Their dependencies are not installed, nothing is built, and none of their code runs.
    """
    present = {
        (canonical(found.name), found.version)
        for found in metadata.distributions(path=[str(folder)])
        if found.name
    }
    names = {name for name, _ in present}
    missing = [
        entry
        for entry in entries
        if (canonical(entry.name), entry.version) not in present
        and (entry.version or canonical(entry.name) not in names)
    ]
    for entry in missing:
        stale = _records(entry, folder)
        _install(entry, folder)
        for record in stale:
            # pip replaces the code of another version in such a folder, and leaves its record.
            shutil.rmtree(record, ignore_errors=True)
    return len(missing)


def find(entry: Listed, search_path: Sequence[Path] | None = None) -> Source:
    """The sources of ``entry``; raises CorpusError where version or licence is another."""
    source = from_package(entry.name, search_path)
    if entry.version not in (None, source.version):
        raise CorpusError(
            f"The list asks for {entry.requirement}, and {source.version} is installed.",
            "Let surefill-train corpus install it: --fetch DIR.",
        )
    if entry.license not in (None, source.license):
        raise CorpusError(
            f"The list says that {entry.name} is under {entry.license}, and its metadata say "
            f"{source.license}.",
            "Read its licence and correct the list.",
        )
    return source


def _records(entry: Listed, folder: Path) -> list[Path]:
    """The folders in which installed versions of a package are described."""
    return [
        found
        for found in folder.glob("*.dist-info")
        if canonical(found.name.partition("-")[0]) == canonical(entry.name)
    ]


def _install(entry: Listed, folder: Path) -> None:
    # fmt: off
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary", ":all:", "--no-compile", "--upgrade",
        "--target", str(folder), entry.requirement,
    ]
    # fmt: on
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = (errors or done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise CorpusError(
            f"The package {entry.requirement} cannot be had ({reason.removeprefix('ERROR: ')}).",
            "Check the name, the version and the connection, or take it off the list.",
        )
