"""Source files on disk: which of them may be looked into, and their text.

Knows names and bytes, nothing of editors or models. Reading never fails: what is no ordinary
source file, or cannot be had, is None. Blocks for as long as the disk does, so not for the event
loop.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from pathlib import Path, PurePath

from surefill.context.remembered import Remembered
from surefill.syntax.languages import Language

MAX_FILE_BYTES = 200_000
"""What is larger was hardly written by hand."""
_LONGEST_LINE = 4_000
"""A file with a longer line is minified, or data."""
_REMEMBERED_CHARACTERS = 4_000_000

_SECRET_NAMES = (
    ".env*", "*.env", ".netrc", "_netrc", ".pgpass", ".npmrc", ".pypirc", ".htpasswd",
    ".git-credentials", "credentials", "credentials.*", "secret.*", "secrets.*", "*.secret",
    "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.tfvars",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*",
)  # fmt: skip
_SECRET_FOLDERS = frozenset({".ssh", ".aws", ".gnupg", ".kube", ".docker", ".azure"})

_FAMILIES = (
    frozenset({"javascript", "typescript", "typescriptreact"}),
    frozenset({"c", "cpp"}),
)


def is_secret(path: PurePath) -> bool:
    """Whether a file of this name usually holds passwords or keys: then nobody looks into it."""
    name = path.name.lower()
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in _SECRET_NAMES):
        return True
    return not _SECRET_FOLDERS.isdisjoint(part.lower() for part in path.parts[:-1])


def akin(one: Language | None, other: Language | None) -> bool:
    """Whether code in one language says something about code in the other."""
    if one is None or other is None:
        return False
    return one.id == other.id or any({one.id, other.id} <= family for family in _FAMILIES)


def read_source(path: Path, max_bytes: int = MAX_FILE_BYTES) -> str | None:
    """The text of an ordinary UTF-8 source file; None for anything else."""
    if is_secret(path):
        return None
    # Opened first and looked at then: nothing can be put in its place in between. A pipe without
    # a writer would block the opening itself.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            data = file.read(max_bytes + 1)
    except (OSError, ValueError):  # ValueError: a NUL character in the path
        return None
    if len(data) > max_bytes or b"\0" in data:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if any(len(line) > _LONGEST_LINE for line in text.split("\n")) else text


class SourceReader:
    """Reads files again only when they have changed. Safe in any thread."""

    def __init__(self) -> None:
        self._texts: Remembered[Path, tuple[tuple[int, ...], str | None]]
        self._texts = Remembered(_REMEMBERED_CHARACTERS)

    def read(self, path: Path) -> str | None:
        """As ``read_source``; the texts read last are remembered."""
        try:
            status = path.stat()
        except (OSError, ValueError):
            return None
        mark = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._texts.get(path)
        if known and known[0] == mark:
            return known[1]
        text = read_source(path)
        self._texts.put(path, (mark, text), len(text or ""))
        return text
