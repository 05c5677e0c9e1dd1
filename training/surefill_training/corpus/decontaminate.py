"""Keeps text that a model will be measured on out of its training.

A document is dropped when it shares a run of tokens with such text, by default of 13, the rule of
Brown et al., 2020 (https://arxiv.org/abs/2005.14165), appendix C. Tokens are words and single
signs. So few suit benchmarks of short problems. Sixty ordinary programs share 13 in a row with 22 %
of a corpus, for command lines and loops begin alike everywhere, and 30 with 0.2 %; a copied program
shares hundreds.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from surefill_training.corpus.deduplicate import grams
from surefill_training.errors import CorpusError

TOKENS = 13
_MOST_BYTES = 1 << 28

_TOKEN = re.compile(r"\w+|[^\w\s]")


class Contamination:
    """Recognises documents that share a run of tokens with the texts in some files or folders.

    Files ending in ``.jsonl`` (or ``.jsonl.gz``, or ``.json``) are read as JSON and every text in
    them counts, as public benchmarks come; any other file is one text.
    """

    def __init__(self, paths: Sequence[Path], tokens: int = TOKENS) -> None:
        self._tokens = tokens
        files = files_of(paths)
        texts = (_TOKEN.findall(text) for file in files for text in _texts(file))
        found = [grams(text, tokens) for text in texts if len(text) >= tokens]
        if paths and not found:
            raise CorpusError(
                f"No text of {tokens} tokens is in {', '.join(map(str, paths))}.",
                "Give files with the text that must not occur in training.",
            )
        self._known = np.unique(np.concatenate(found)) if found else np.zeros(0, np.uint64)

    def __bool__(self) -> bool:
        return bool(len(self._known))

    def touches(self, text: str) -> bool:
        """Whether ``text`` shares a run of tokens with what must not be trained on."""
        tokens = _TOKEN.findall(text)
        if len(tokens) < self._tokens or not self:
            return False
        own = grams(tokens, self._tokens)
        at = np.searchsorted(self._known, own)
        at[at == len(self._known)] = 0
        return bool((self._known[at] == own).any())


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files named, and all files of the folders named, hidden ones aside."""
    found = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inner = [p for p in sorted(path.rglob("*")) if p.is_file()]
        hidden = ("__pycache__", ".")
        found += [
            p for p in inner if not any(q.startswith(hidden) for q in p.relative_to(path).parts)
        ]
    return found


def content_hash(file: Path) -> str:
    """SHA-256 of a file's content, uncompressed: what a set of problems is known by."""
    return hashlib.sha256(_content(file)).hexdigest()


def _content(file: Path) -> bytes:
    """What a file holds, unpacked; ValueError where that is more than any benchmark has."""
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it holds more than {_MOST_BYTES >> 20} MiB")
    return data


def _texts(file: Path) -> Iterator[str]:
    try:
        text = _content(file).decode("utf-8")
        name = file.name.removesuffix(".gz")
        if name.endswith(".jsonl"):
            for line in text.splitlines():
                if line.strip():
                    yield from _strings(json.loads(line))
        elif name.endswith(".json"):
            yield from _strings(json.loads(text))
        else:
            yield text
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise CorpusError(
            f"{file} cannot be read ({error}).",
            "Give a text file, or JSON lines as public benchmarks come.",
        ) from error


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
