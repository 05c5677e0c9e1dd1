"""Reads ``debian/copyright`` in its machine-readable form, DEP-5.

https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from surefill_training.corpus.filters import is_permissive
from surefill_training.errors import CorpusError

_SPDX = {"expat": "MIT", "public-domain": "public domain"}
_FIELD = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9-]*):[ \t]*(?P<value>.*)")


@dataclass(frozen=True)
class Copyright:
    """The licences of a source package."""

    license: str
    """Of upstream's files in general, as an expression of SPDX."""
    stanzas: tuple[tuple[str, str], ...]
    """Patterns of paths with their licence; the last that matches a path holds."""

    @classmethod
    def parse(cls, text: str, package: str) -> Copyright:
        """Raises CorpusError where the text is not DEP-5, or names no licence for all files."""
        stanzas = []
        general = None
        for fields in _stanzas(text):
            patterns = fields.get("files", "").split()
            named = fields.get("license", "").split("\n", 1)[0].strip()
            if not patterns or not named:
                continue
            expression = _expression(named)
            stanzas += [(pattern, expression) for pattern in patterns]
            if "*" in patterns:
                general = expression
        if general is None:
            raise CorpusError(
                f"The debian/copyright of {package} says no licence that a program could read.",
                "Take the package off the list.",
            )
        return cls(general, tuple(stanzas))

    def allows(self, path: PurePosixPath) -> bool:
        """Whether a file, by its path from upstream's topmost folder, is permissively licensed."""
        licenses = [name for pattern, name in self.stanzas if _compiled(pattern).match(str(path))]
        return bool(licenses) and is_permissive(licenses[-1])

    def refused(self) -> list[str]:
        """The licences of upstream's files that are not permissive."""
        upstream = {name for pattern, name in self.stanzas if not pattern.startswith("debian/")}
        return sorted(name for name in upstream if not is_permissive(name))


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    """The paragraphs, each as its fields by lower-case name; lines that go on are joined."""
    for paragraph in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        fields: dict[str, str] = {}
        name = ""
        for line in paragraph.split("\n"):
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t") and name:
                fields[name] += "\n" + line.strip()
            elif found := _FIELD.match(line):
                name = found["name"].lower()
                fields[name] = found["value"]
        if fields:
            yield fields


def _expression(named: str) -> str:
    """A licence's short name in Debian as an expression of SPDX."""
    words = re.sub(r"\s*,\s*(and|or)?\s*", r" \1 ", named).split()
    spelt = {"and": "AND", "or": "OR", "with": "WITH"}
    return " ".join(spelt.get(word.lower(), _SPDX.get(word.lower(), word)) for word in words)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of DEP-5, in which ``*`` and ``?`` also stand for a slash, as in fnmatch.

    Unlike there, a square bracket is nothing special.
    """
    return re.compile(fnmatch.translate(pattern.removeprefix("./").replace("[", "[[]")))
