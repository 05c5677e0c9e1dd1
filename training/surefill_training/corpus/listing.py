"""Lists of packages: registry, name, version and licence of each, read, fetched and checked.

A line is ``pypi:NAME==VERSION  # LICENCE``, ``npm:NAME@VERSION  # LICENCE``, or for Debian's source
and binary packages ``debian:NAME=VERSION  # LICENCE`` and ``deb:NAME=VERSION  # LICENCE``. Without
a registry it means PyPI, so that a list of Python packages is a requirements file, which pip reads
as well. After the licence may stand ``, first release YYYY-MM``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from surefill_training.corpus import debian, npm, pypi, unpacked
from surefill_training.corpus.filters import is_permissive
from surefill_training.corpus.sources import Source, from_package
from surefill_training.errors import CorpusError

_DEBIAN = r"(?P<name>[a-z0-9][a-z0-9+.-]+)(?:=(?P<version>[0-9][A-Za-z0-9.+:~-]*))?"
_REGISTRIES = {
    "pypi": r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"(?:\s*==\s*(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*))?",
    "npm": r"(?P<name>(?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*)"
    r"(?:@(?P<version>[0-9][A-Za-z0-9.+-]*))?",
    "debian": _DEBIAN,
    "deb": _DEBIAN,
}
"""How each registry writes a package: never a path, an address or an option."""

_SIGNS = {"pypi": "==", "npm": "@", "debian": "=", "deb": "="}

_ENTRY = {
    registry: re.compile(package + r"\s*(?:#\s*(?P<license>.*?)\s*)?")
    for registry, package in _REGISTRIES.items()
}
_FIRST_RELEASE = re.compile(r"(?P<license>.*?),?\s*first release (?P<month>\d{4}-\d{2})")


@dataclass(frozen=True)
class Listed:
    """One entry; what it leaves open is None."""

    name: str
    version: str | None = None
    license: str | None = None
    registry: str = "pypi"
    first_release: str = ""

    @property
    def requirement(self) -> str:
        """As the client of its registry takes it."""
        sign = _SIGNS[self.registry]
        return f"{self.name}{sign}{self.version}" if self.version else self.name

    @property
    def source_name(self) -> str:
        """By which it is held out, and by which its documents are known."""
        return self.name if self.registry == "pypi" else f"{self.registry}:{self.name}"


def parse(text: str) -> Listed | None:
    """The entry that a line holds, or None where it is none."""
    registry, colon, rest = text.strip().partition(":")
    if not (colon and registry in _REGISTRIES):
        registry, rest = "pypi", text.strip()
    found = _ENTRY[registry].fullmatch(rest)
    if found is None:
        return None
    license_name, month = found["license"] or "", ""
    if dated := _FIRST_RELEASE.fullmatch(license_name):
        license_name, month = dated["license"], dated["month"]
    return Listed(found["name"], found["version"], license_name or None, registry, month)


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
        entry = parse(line)
        if entry is None:
            raise CorpusError(
                f"Line {number} of {path} is no package: {line.strip()[:60]!r}.",
                "Write NAME==VERSION, npm:NAME@VERSION, debian:NAME=VERSION or deb:NAME=VERSION, "
                "and its licence after a #.",
            )
        entries.append(entry)
    for entry in entries:
        if entry.license and not (any_license or is_permissive(entry.license)):
            raise CorpusError(
                f"{path} lists {entry.name}, whose licence {entry.license!r} is not permissive.",
                "Take it off the list.",
            )
    return entries


def fetch(
    entries: Sequence[Listed], folder: Path, report: Callable[[str, int, int], None] | None = None
) -> int:
    """Put those of ``entries`` into ``folder`` that are not there; how many they were.

    Their dependencies are not fetched, nothing is built, and none of their code runs.
    """
    tell = report or (lambda _what, _done, _total: None)
    archive = debian.Archive(folder / ".debian")
    count = pypi.install([e for e in entries if e.registry == "pypi"], folder, tell)
    ways: dict[str, Fetch] = {
        "npm": npm.fetch,
        "debian": archive.fetch_source,
        "deb": archive.fetch_binary,
    }
    missing = [
        entry
        for entry in entries
        if entry.registry != "pypi" and not unpacked.is_kept(_folder(entry, folder))
    ]
    for done, entry in enumerate(missing):
        tell(f"fetching {entry.source_name}", done, len(missing))
        get = ways[entry.registry]

        def fill(into: Path, get: Fetch = get, entry: Listed = entry) -> unpacked.Unpacked:
            return get(entry.name, entry.version, into)

        unpacked.keep(_folder(entry, folder), fill)
    return count + len(missing)


Fetch = Callable[[str, str | None, Path], unpacked.Unpacked]


def _folder(entry: Listed, fetched: Path) -> Path:
    """Where a package that pip does not install is unpacked, beside those that it does."""
    named = f"{entry.name.replace('/', '__')}@{(entry.version or 'latest').replace(':', '%3a')}"
    return fetched / f".{entry.registry}" / "packages" / named


def find(
    entry: Listed, search_path: Sequence[Path] | None = None, fetched: Path | None = None
) -> Source:
    """The sources of ``entry``; raises CorpusError where version or licence is another."""
    if entry.registry == "pypi":
        source = from_package(entry.name, search_path)
    elif fetched is None:
        raise CorpusError(
            f"{entry.source_name} has not been fetched.", "Say where to keep it: --fetch DIR."
        )
    else:
        source = unpacked.find(_folder(entry, fetched), entry.source_name)
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
    return replace(source, first_release=entry.first_release)
