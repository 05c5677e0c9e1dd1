"""A corpus as one strongly compressed file of bounded size, and back.

The file is an xz stream: a line of JSON with the corpus's manifest and the numbers of documents,
then the corpus's own lines, held out ones first, each split in its order. So a corpus that was
packed whole comes back with the same documents in the same order, and a run on it takes the same
rows as on the original.

Where the whole does not fit, training documents are taken from one package after the other, in
rounds, until no more fit. Which of a package's documents come first is drawn by its name, so the
same corpus and limit give the same choice. What comes back then has a hash of its own.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from surefill_training.corpus import build
from surefill_training.corpus.documents import Document
from surefill_training.errors import CorpusError, PackingError
from surefill_training.files import make_folder, not_written, write_atomically
from surefill_training.packing.parts import Parts, blocks, flush_to_disk, require_complete

NAME = "corpus.jsonl.xz"
SPLITS = ("heldout", "train")

_SMALLER = 0.97
"""Of the text that fitted, how much is tried next: other documents compress a little otherwise."""
_BLOCK = 2**20
_MEMORY = 2**26
"""Text in which repetitions are found; packing takes eleven times as much memory."""

Progress = Callable[[float], None]
"""Called with the share of the corpus's text that has been compressed, 0 to 1."""


@dataclass(frozen=True)
class Selection:
    """Which training documents are packed, by their place in the corpus; None means all."""

    places: frozenset[int] | None = None

    def takes(self, place: int) -> bool:
        """Whether the document at ``place`` is packed."""
        return self.places is None or place in self.places


def compress(
    corpus: Path, target: Path, limit: int, progress: Progress | None = None
) -> dict[str, Any]:
    """Write ``corpus`` to the file ``target`` in at most ``limit`` bytes; what was packed.

    Takes about a second per megabyte of text on one core, twice as long where the whole does not
    fit. Raises CorpusError for what is no corpus and PackingError where nothing fits.
    """
    manifest = build.manifest(corpus)
    report = progress or (lambda _share: None)
    documents = _survey(corpus)
    selection = Selection()
    while True:
        used = _write(corpus, manifest, selection, target=target, limit=limit, report=report)
        if used is None:
            break
        selection = _choose(documents, int(_SMALLER * used))
        if not selection.places:
            raise PackingError(
                f"Not even the held-out documents of {corpus} fit into {limit} bytes.",
                "Give a larger --limit, or hold out fewer packages.",
            )
    kept = len(documents) if selection.places is None else len(selection.places)
    return {
        "corpus": manifest["hash"],
        "complete": selection.places is None,
        "train_documents": kept,
        "train_documents_in_all": len(documents),
    }


def restore(packed: Parts, folder: Path, out: Path) -> bool:
    """Write the corpus that is packed in ``folder`` to ``out``; False when it is there already.

    Raises PackingError when a part is missing or damaged; ``out`` is then as it was before.
    """
    record = out / "packed.json"
    if _is_restored(out, record, packed):
        return False
    require_complete(packed, folder)
    make_folder(out)
    # Half of a new corpus beside the manifest of the old one would pass for the old one.
    for stale in (out / "manifest.json", record):
        stale.unlink(missing_ok=True)
    try:
        manifest = _restore_lines(_Lines(packed, folder), out)
    except (lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise PackingError(
            f"{packed.name} does not hold a corpus ({error}).", "Pack the corpus again."
        ) from error
    except OSError as error:
        raise not_written(out, error) from error
    write_atomically(record, json.dumps({"sha256": packed.sha256}).encode())
    write_atomically(out / "manifest.json", (json.dumps(manifest, indent=1) + "\n").encode())
    return True


def _is_restored(out: Path, record: Path, packed: Parts) -> bool:
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return known == {"sha256": packed.sha256} and (out / "manifest.json").is_file()


def _survey(corpus: Path) -> list[tuple[str, int]]:
    """Package and size in bytes of each training document, in the corpus's order."""
    return [(json.loads(line)["source"], len(line)) for line in _lines(corpus, "train")]


def _choose(documents: list[tuple[str, int]], size: int) -> Selection:
    """Documents of ``size`` bytes at most, one from each package in turn."""
    packages: dict[str, list[int]] = {}
    for place, (package, _) in enumerate(documents):
        packages.setdefault(package, []).append(place)
    for package, places in packages.items():
        random.Random(package).shuffle(places)
    chosen: set[int] = set()
    for turn in range(max(map(len, packages.values()), default=0)):
        for package in sorted(packages):
            if turn < len(packages[package]):
                place = packages[package][turn]
                size -= documents[place][1]
                if size < 0:
                    return Selection(frozenset(chosen))
                chosen.add(place)
    return Selection(frozenset(chosen))


def _write(
    corpus: Path,
    manifest: Mapping[str, Any],
    selection: Selection,
    *,
    target: Path,
    limit: int,
    report: Progress,
) -> int | None:
    """Compress the selection; None when it fits, else how much training text did."""
    counts = dict(manifest["documents"])
    if selection.places is not None:
        counts["train"] = len(selection.places)
    header = {"manifest": manifest, "documents": counts}
    whole = 8 * sum(manifest["chars"].values()) // 7  # in JSON, which escapes line ends and quotes
    used = size = 0
    try:
        with target.open("wb") as file:
            packer = _Packer(file, limit, whole)
            fits = packer.add((json.dumps(header) + "\n").encode())
            for split in SPLITS:
                for place, line in enumerate(_lines(corpus, split)):
                    if split == "train" and not selection.takes(place):
                        continue
                    size += len(line)
                    if not packer.add(line):
                        return used
                    used += len(line) if split == "train" else 0
                    report(min(1.0, size / whole))
            fits = packer.end()
            flush_to_disk(file)
    except OSError as error:
        raise not_written(target, error) from error
    return None if fits else used


class _Packer:
    """Compresses into a file until that has reached its limit."""

    def __init__(self, file: BinaryIO, limit: int, expected: int) -> None:
        self._file = file
        self._left = limit
        memory = max(_BLOCK, min(_MEMORY, expected))
        # Code gains from longer contexts, and nothing from an alignment that it does not have.
        lzma2 = {"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": memory, "lc": 4, "pb": 0}
        self._xz = lzma.LZMACompressor(lzma.FORMAT_XZ, lzma.CHECK_SHA256, filters=[lzma2])
        self._waiting = bytearray()

    def add(self, data: bytes) -> bool:
        """Take more; False when it does not fit any more."""
        self._waiting += data
        if len(self._waiting) < _BLOCK:
            return True
        packed = self._xz.compress(bytes(self._waiting))
        self._waiting.clear()
        return self._put(packed)

    def end(self) -> bool:
        """Write what is left; False when that does not fit."""
        return self._put(self._xz.compress(bytes(self._waiting)) + self._xz.flush())

    def _put(self, packed: bytes) -> bool:
        self._left -= len(packed)
        if self._left < 0:
            return False
        self._file.write(packed)
        return True


def _lines(corpus: Path, split: str) -> Iterator[bytes]:
    """The lines of one split as they were written, whatever a document holds."""
    path = corpus / f"{split}.jsonl.gz"
    try:
        with gzip.open(path, "rb") as stream:
            yield from stream
    except FileNotFoundError as error:
        raise CorpusError(
            f"{path} does not exist.", "Build it first: surefill-train corpus --out DIR."
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusError(
            f"{path} is damaged ({error}).", "Delete the folder and build the corpus again."
        ) from error


class _Lines:
    """The lines of a packed corpus; what is decompressed is held a block at a time."""

    def __init__(self, packed: Parts, folder: Path) -> None:
        self._lines = self._read(packed, folder)

    def take(self) -> bytes:
        """The next line; ValueError at the end."""
        line = next(self._lines, None)
        if line is None:
            raise ValueError("it ends too early")
        return line

    @staticmethod
    def _read(packed: Parts, folder: Path) -> Iterator[bytes]:
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ)
        rest = b""
        for block in blocks(packed, folder):
            *lines, rest = (rest + unpacker.decompress(block)).split(b"\n")
            for line in lines:
                yield line + b"\n"


def _restore_lines(lines: _Lines, out: Path) -> dict[str, Any]:
    """Write both splits; the manifest of what was written."""
    header = json.loads(lines.take())
    manifest: dict[str, Any] = header["manifest"]
    counts: dict[str, int] = header["documents"]
    tally = None if counts == manifest["documents"] else _Tally(manifest["hash"])
    for split in SPLITS:
        partial = out / f"{split}.jsonl.gz.partial"
        with (
            partial.open("wb") as file,
            gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed,
        ):
            for _ in range(counts[split]):
                line = lines.take()
                packed.write(line)
                if tally is not None:
                    tally.add(split, line)
        partial.replace(out / f"{split}.jsonl.gz")
    return manifest if tally is None else tally.manifest(manifest, counts)


class _Tally:
    """Counts what was restored of a corpus that was not packed whole."""

    def __init__(self, whole: str) -> None:
        self._digest = hashlib.sha256(whole.encode())
        self._packages: dict[str, Counter[str]] = {"documents": Counter(), "chars": Counter()}
        self._languages: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}

    def add(self, split: str, line: bytes) -> None:
        """Count one document, as its line in the corpus."""
        self._digest.update(split.encode() + line)
        document = Document(**json.loads(line))
        self._packages["documents"][document.source] += 1
        self._packages["chars"][document.source] += len(document.text)
        self._languages[split][document.language] += len(document.text)

    def manifest(self, whole: Mapping[str, Any], documents: Mapping[str, int]) -> dict[str, Any]:
        """That of the whole corpus, with the numbers of what is there."""
        packages = [
            {**package, **{what: found[package["name"]] for what, found in self._packages.items()}}
            for package in whole["packages"]
        ]
        return {
            **whole,
            "hash": self._digest.hexdigest(),
            "documents": dict(documents),
            "chars": {split: found.total() for split, found in self._languages.items()},
            "languages": {s: dict(sorted(found.items())) for s, found in self._languages.items()},
            "packages": packages,
            "chosen_from": {"hash": whole["hash"], "documents": whole["documents"]},
        }
