"""The documents of a source: its files read, filtered, and kept for the next build.

Knows one source at a time: what it has in common with others is judged elsewhere.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import random
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from surefill_training.corpus import filters
from surefill_training.corpus.filters import Limits, reason_to_drop, without_license_header
from surefill_training.corpus.sources import SUFFIXES, Source
from surefill_training.files import write_atomically

_DAMAGED = (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError)
"""What reading a damaged stage file can raise."""

_RULES = hashlib.sha256(b"".join(Path(f).read_bytes() for f in (filters.__file__, __file__)))
"""What was staged under other rules is read again."""

_TEST_FOLDERS = frozenset({"test", "tests", "testing", "unit_tests", "integration_tests"})

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Document:
    """One source file of the corpus."""

    source: str
    path: str
    text: str

    @property
    def language(self) -> str:
        """Its language's id in LSP, by the file's suffix."""
        return SUFFIXES[PurePosixPath(self.path).suffix]


@dataclass(frozen=True)
class Reading:
    """How much of a source is taken, and which files."""

    limits: Limits
    most: int
    """Characters of each language in one source."""
    seed: int


def read(
    source: Source, stages: Path, reading: Reading
) -> tuple[list[Document], Mapping[str, int]]:
    """The usable documents of one source, and how many files were dropped, by reason.

    They come from the file in ``stages`` that an earlier call left there, where nothing has changed
    since.
    """
    stage = stages / f"{source.key}-{_fingerprint(source, reading)}.json.gz"
    if stage.exists():
        try:
            kept = json.loads(gzip.decompress(stage.read_bytes()))
            found = [Document(**document) for document in kept["documents"]]
            return found, {str(k): int(n) for k, n in kept["dropped"].items()}
        except _DAMAGED as error:
            logger.warning("%s is damaged (%s); reading %s again.", stage, error, source.name)
    dropped: Counter[str] = Counter()
    documents = list(_usable(source, reading, dropped))
    packed = {"dropped": dict(dropped), "documents": [asdict(d) for d in documents]}
    write_atomically(stage, gzip.compress(json.dumps(packed).encode(), 1, mtime=0))
    return documents, dropped


def _fingerprint(source: Source, reading: Reading) -> str:
    """All that decides what is read of a source."""
    files = [(str(file), *_stamp(source.root / file)) for file in source.files]
    values = [source.key, _RULES.hexdigest(), asdict(reading), str(source.root.resolve()), files]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def _stamp(file: Path) -> tuple[int, int]:
    """Size and time of change: a file that was edited since is to be read again."""
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _usable(source: Source, reading: Reading, dropped: Counter[str]) -> Iterator[Document]:
    files = list(source.files)
    random.Random(f"{reading.seed}:{source.key}").shuffle(files)
    # Where a package is larger than its share, its own code teaches more than its tests.
    files.sort(key=_is_test)
    taken: Counter[str] = Counter()
    for file in files:
        language = SUFFIXES[file.suffix]
        if taken[language] >= reading.most:
            dropped["beyond the package's share"] += 1
            continue
        try:
            text = (source.root / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            dropped["unreadable"] += 1
            continue
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        reason = reason_to_drop(file, text, reading.limits)
        if reason:
            dropped[reason] += 1
            continue
        text = without_license_header(text)
        taken[language] += len(text)
        yield Document(source.name, str(file), text)


def _is_test(path: PurePosixPath) -> bool:
    named = path.stem.startswith("test_") or path.stem.endswith(("_test", ".test", ".spec"))
    return named or not _TEST_FOLDERS.isdisjoint(path.parts)
