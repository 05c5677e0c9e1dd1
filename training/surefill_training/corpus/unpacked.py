"""A package's sources in a folder of their own, with a record of what they are.

Knows the layout of these folders only: npm.py and debian.py fill them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from surefill_training.corpus.sources import SUFFIXES, Source
from surefill_training.errors import CorpusError
from surefill_training.files import make_folder, write_atomically

_RECORD = ".source.json"
_SHELL = re.compile(rb"#!\s*/\S*(/|/env\s+)(ba)?sh\b")


@dataclass(frozen=True)
class Unpacked:
    """What is known of a package that was unpacked."""

    version: str
    license: str
    left_out: tuple[str, ...] = ()
    """Files that do not belong into a corpus: under another licence, or made by a compiler."""


def may_be_source(path: PurePosixPath) -> bool:
    """Whether a file can be of a language that the corpus has, by its name."""
    return path.suffix in SUFFIXES or not path.suffix


def placed(path: PurePosixPath, content: bytes) -> PurePosixPath | None:
    """The name by which a file is kept: a shell script without a suffix gets one.

    None for other files without a suffix.
    """
    if path.suffix:
        return path
    is_script = _SHELL.match(content[:100]) is not None
    return path.with_name(f"{path.name}.sh") if is_script else None


def is_kept(folder: Path) -> bool:
    """Whether ``keep`` has filled a folder."""
    return (folder / _RECORD).is_file()


def keep(folder: Path, fill: Callable[[Path], Unpacked]) -> None:
    """Let ``fill`` fill ``folder``, in place of what may be there half filled."""
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    record = fill(folder)
    write_atomically(folder / _RECORD, json.dumps(asdict(record), indent=1).encode())


def find(folder: Path, name: str) -> Source:
    """The sources in a folder that ``keep`` filled, under ``name``.

    Raises CorpusError where there are none.
    """
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        version, license_name = str(record["version"]), str(record["license"])
        left_out = frozenset(map(str, record["left_out"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(
            f"{name} has not been fetched.", "Let surefill-train corpus fetch it: --fetch DIR."
        ) from error
    files = tuple(sorted(file for file in _files(folder) if str(file) not in left_out))
    if not files:
        raise CorpusError(f"{name} holds not a single source file.", "Take it off the list.")
    return Source(name, version, license_name, folder, files)


def _files(folder: Path) -> Iterator[PurePosixPath]:
    """The sources in a folder, relative to it; what is reached by a link is left out."""
    for where, _, names in os.walk(folder):
        inner = PurePosixPath(Path(where).relative_to(folder).as_posix())
        for name in names:
            file = inner / name
            if file.suffix in SUFFIXES and not (folder / file).is_symlink():
                yield file
