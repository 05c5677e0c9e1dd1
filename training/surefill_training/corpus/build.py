"""Builds a corpus: read, filter, deduplicate, split by package, write.

A corpus is a directory with ``train.jsonl.gz``, ``heldout.jsonl.gz`` (one document per line:
``source``, ``path``, ``text``) and ``manifest.json``. What was read of a source is kept under
``sources/``, so that an interrupted build goes on where it stopped. The same sources give the same
hash.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from surefill_training.corpus.decontaminate import TOKENS, Contamination, content_hash, files_of
from surefill_training.corpus.deduplicate import Deduplicator, copied_shares
from surefill_training.corpus.documents import Document, Reading, read
from surefill_training.corpus.filters import Limits, is_permissive
from surefill_training.corpus.shares import mix
from surefill_training.corpus.sources import Source, canonical
from surefill_training.errors import CorpusError
from surefill_training.files import make_folder, not_written, write_atomically
from surefill_training.progress import Progress

_ROUNDING = 1e-9


@dataclass(frozen=True)
class CorpusOptions:
    """How a corpus is built."""

    heldout: tuple[str, ...] = ()
    """Names of the packages that are held out of tokenizer and training, whole."""
    limits: Limits = field(default_factory=Limits)
    max_source_chars: int = 4_000_000
    """At most this much of each language in one package, so that no single one dominates."""
    near_threshold: float = 0.7
    max_copied: float = 0.3
    """Largest share of a held-out document's word 5-grams that the training side may hold."""
    decontaminate: tuple[Path, ...] = ()
    """Files with text that must not occur in training, or folders of such: benchmarks, say."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Each language's part of the training side; without any, all is taken as it is."""
    max_chars: int = 80_000_000
    """Characters of which the shares are taken."""
    decontaminate_tokens: int = TOKENS
    """Tokens in a row that a document may not share with these."""
    any_license: bool = False
    """Take packages whatever their licence: for your own code only."""
    seed: int = 0


@dataclass
class _Tally:
    """What came of one source."""

    source: Source
    split: str
    chars: int = 0
    documents: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def record(self) -> dict[str, Any]:
        """The source's entry in the manifest."""
        return {
            "name": self.source.name,
            "version": self.source.version,
            "license": self.source.license,
            **({"first_release": month} if (month := self.source.first_release) else {}),
            "split": self.split,
            "documents": self.documents,
            "chars": self.chars,
            "dropped": dict(sorted(self.dropped.items())),
        }


def build(
    sources: Sequence[Source], out: Path, options: CorpusOptions, progress: Progress | None = None
) -> dict[str, Any]:
    """Write the corpus of ``sources`` to ``out`` and return its manifest.

    Raises CorpusError when nothing usable is left, when a held-out package is not among the
    sources, when two sources have one name, or when a package's licence is not permissive.
    """
    _validate(sources, options)
    report = progress or (lambda _what, _done, _total: None)
    make_folder(out)
    heldout = {canonical(name) for name in options.heldout}
    # Held-out packages come first, so that a duplicate across the split leaves the training side.
    ordered = sorted(sources, key=lambda s: (canonical(s.name) not in heldout, s.name))
    tallies = {
        source.name: _Tally(source, "heldout" if canonical(source.name) in heldout else "train")
        for source in ordered
    }
    splits = _collect(tallies, out / "sources", options, report)
    report("comparing the splits", len(ordered), len(ordered))
    splits["heldout"] = _without_copies(splits, options.max_copied, tallies)
    if options.shares:
        splits["train"], rest = mix(
            splits["train"], options.shares, options.max_chars, options.seed
        )
        for document in rest:
            tallies[document.source].dropped["beyond the language's share"] += 1
    for document in itertools.chain.from_iterable(splits.values()):
        tallies[document.source].documents += 1
        tallies[document.source].chars += len(document.text)
    report("writing", len(ordered), len(ordered))
    return _write(splits, [tally.record() for tally in tallies.values()], out, options)


def _collect(
    tallies: Mapping[str, _Tally], stages: Path, options: CorpusOptions, report: Progress
) -> dict[str, list[Document]]:
    """The documents of each split, without duplicates and without what is to be measured on."""
    reading = Reading(options.limits, options.max_source_chars, options.seed)
    deduplicator = Deduplicator(options.near_threshold)
    contamination = Contamination(options.decontaminate, options.decontaminate_tokens)
    splits: dict[str, list[Document]] = {"train": [], "heldout": []}
    for index, (name, tally) in enumerate(tallies.items()):
        report(name, index, len(tallies))
        documents, dropped = read(tally.source, stages, reading)
        tally.dropped.update(dropped)
        for document in documents:
            reason = deduplicator.seen(f"{name}/{document.path}", document.text)
            if reason is None and tally.split == "train" and contamination.touches(document.text):
                reason = "in text to measure on"
            if reason:
                tally.dropped[reason] += 1
                continue
            splits[tally.split].append(document)
    return splits


def _without_copies(
    splits: Mapping[str, list[Document]], most: float, tallies: Mapping[str, _Tally]
) -> list[Document]:
    """The held-out documents that do not come from what is trained on.

    Packages carry modified copies of others inside them; measuring on those would flatter.
    """
    heldout = splits["heldout"]
    shares = copied_shares((d.text for d in heldout), (d.text for d in splits["train"]))
    kept = []
    for document, share in zip(heldout, shares, strict=True):
        if share <= most:
            kept.append(document)
        else:
            tallies[document.source].dropped["copy of training code"] += 1
    return kept


def load(corpus: Path, split: str) -> Iterator[Document]:
    """The documents of one split, ``train`` or ``heldout``."""
    path = corpus / f"{split}.jsonl.gz"
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield Document(**json.loads(line))
    except FileNotFoundError as error:
        raise CorpusError(
            f"{path} does not exist.", "Build it first: surefill-train corpus --out DIR."
        ) from error
    except (OSError, EOFError, zlib.error, ValueError, TypeError) as error:
        raise CorpusError(
            f"{path} is damaged ({error}).", "Delete the folder and build the corpus again."
        ) from error


def manifest(corpus: Path) -> dict[str, Any]:
    """The manifest of a corpus that ``build`` wrote."""
    path = corpus / "manifest.json"
    try:
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not (isinstance(loaded, dict) and "hash" in loaded):
            raise ValueError("its manifest.json is something else")
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{corpus} is not a corpus ({error}).", "Build one: surefill-train corpus --out DIR."
        ) from error
    return loaded


def used_sources(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    """Name, version, licence and split of each package that has a document in the corpus."""
    return [
        {key: str(package[key]) for key in ("name", "version", "license", "split")}
        for package in manifest.get("packages", [])
        if package["documents"]
    ]


def decontaminated(manifest: Mapping[str, Any]) -> list[str]:
    """SHA-256 of each file whose text does not occur in the training split, sorted."""
    return sorted(set(manifest.get("options", {}).get("decontaminate", {}).values()))


def _validate(sources: Sequence[Source], options: CorpusOptions) -> None:
    if not sources:
        raise CorpusError(
            "No sources were given.", "Name some: --package NAME, --directory DIR or --stdlib."
        )
    if sum(options.shares.values()) > 1 + _ROUNDING:
        raise CorpusError(
            f"The languages' shares are more than the whole: {sum(options.shares.values()):.3g}.",
            "Let the shares of --language-share add up to 1 at most.",
        )
    names = Counter(canonical(source.name) for source in sources)
    # The split goes by name, so a name that means two sources could not be held out.
    repeated = sorted(name for name, count in names.items() if count > 1)
    if repeated:
        raise CorpusError(
            f"Several sources have one name: {', '.join(repeated)}.",
            "Leave out all but one, or give the folder that holds them.",
        )
    missing = sorted(name for name in options.heldout if canonical(name) not in names)
    if missing:
        raise CorpusError(
            f"Held-out packages are not among the sources: {', '.join(missing)}.",
            "Add them with --package, or correct --heldout.",
        )
    if options.any_license:
        return
    refused = [f"{s.name} ({s.license})" for s in sources if not is_permissive(s.license)]
    if refused:
        raise CorpusError(
            f"Not under a permissive licence: {', '.join(refused)}.",
            "Leave them out, or pass --any-license for code that is your own.",
        )


def _write(
    splits: dict[str, list[Document]],
    packages: list[dict[str, Any]],
    out: Path,
    options: CorpusOptions,
) -> dict[str, Any]:
    if not splits["train"]:
        raise CorpusError(
            "Not a single usable file is left to train on.",
            f"Add sources; dropped were: {_dropped(packages)}.",
        )
    try:
        # Half of a new corpus beside the manifest of the old one would pass for the old one.
        (out / "manifest.json").unlink(missing_ok=True)
    except OSError as error:
        raise not_written(out / "manifest.json", error) from error
    digest = hashlib.sha256()
    for split, documents in splits.items():
        documents.sort(key=lambda d: (d.source, d.path))
        buffer = io.BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as packed:
            for document in documents:
                line = (json.dumps(asdict(document), sort_keys=True) + "\n").encode()
                digest.update(split.encode() + line)
                packed.write(line)
        write_atomically(out / f"{split}.jsonl.gz", buffer.getvalue())
    result: dict[str, Any] = {
        "hash": digest.hexdigest(),
        "options": {
            **asdict(options),
            "decontaminate": {
                file.name: content_hash(file) for file in files_of(options.decontaminate)
            },
        },
        "documents": {split: len(documents) for split, documents in splits.items()},
        "chars": {s: sum(len(d.text) for d in documents) for s, documents in splits.items()},
        "languages": {s: _chars_by_language(documents) for s, documents in splits.items()},
        "packages": packages,
    }
    write_atomically(out / "manifest.json", (json.dumps(result, indent=1) + "\n").encode())
    return result


def _chars_by_language(documents: Sequence[Document]) -> dict[str, int]:
    chars: Counter[str] = Counter()
    for document in documents:
        chars[document.language] += len(document.text)
    return dict(sorted(chars.items()))


def _dropped(packages: list[dict[str, Any]]) -> str:
    """Reasons and counts over all packages, in words."""
    total: Counter[str] = Counter()
    for package in packages:
        total.update(package["dropped"])
    return ", ".join(f"{count} {reason}" for reason, count in total.most_common()) or "none"
