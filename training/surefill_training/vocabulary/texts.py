"""The texts by language that tokens are counted on, of built corpora and of plain folders."""

from __future__ import annotations

import hashlib
import os
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Literal

from surefill.syntax.languages import language_for
from surefill_training.corpus import build
from surefill_training.errors import CorpusError

Split = Literal["train", "heldout"]

WEIGHTS: Mapping[str, float] = {
    "python": 12,
    "javascript": 2,
    "typescript": 2,
    "typescriptreact": 1,
    "go": 2,
    "rust": 2,
    "java": 2,
    "c": 1.5,
    "cpp": 1.5,
    "sql": 1,
    "bash": 1,
    "html": 1,
    "css": 1,
    "json": 0.5,
    "markdown": 0.5,
}
"""How much a byte of each language counts. Python as much as about all others together, as in
training; data and prose a little, because the names in code and the words of comments are most of
what they need."""

_OTHERS = {".css": "css", ".scss": "css", ".md": "markdown"}
_HELDOUT = 16
"""One of so many files of a plain folder is not counted on but measured on, by its path's hash."""
_LARGEST = 400_000
_LONG_LINES = 150
"""Bytes of a file, and mean characters of its lines, above which it is data or minified."""


def language_of(path: str) -> str | None:
    """The language of a file by its name: a served one, CSS or Markdown."""
    found = language_for(None, path)
    return found.id if found else _OTHERS.get(PurePath(path).suffix.lower())


def read_texts(
    folders: Sequence[Path], split: Split, chars: Mapping[str, float], seed: int = 0
) -> dict[str, list[str]]:
    """Texts by language, of each at most as many characters as ``chars`` says, drawn at random.

    A folder is a corpus that ``surefill-train corpus`` built, or any folder of source files, of
    which a sixteenth is held out. Raises CorpusError for a folder that does not exist and where no
    file to train on is in one of these languages.
    """
    found: dict[str, list[str]] = defaultdict(list)
    left = {language: int(most) for language, most in chars.items()}
    for language, text in _shuffled(folders, split, seed):
        if language is not None and left.get(language, 0) > 0:
            found[language].append(text[: left[language]])
            left[language] -= len(text)
    if not found and split == "train":
        raise CorpusError(
            f"{', '.join(map(str, folders))}: no file in a language that counts.",
            "Give corpora that surefill-train corpus built, or folders of source files.",
        )
    return dict(sorted(found.items()))


def _shuffled(folders: Sequence[Path], split: Split, seed: int) -> Iterator[tuple[str | None, str]]:
    """Language and text of each document of all folders in one random order."""
    documents: list[tuple[str | None, str | Path]] = []
    for folder in folders:
        if (folder / "manifest.json").is_file():
            loaded = build.load(folder, split)
            documents += [(language_of(document.path), document.text) for document in loaded]
        elif folder.is_dir():
            documents += [(language_of(path.name), path) for path in _files(folder, split)]
        else:
            raise CorpusError(f"{folder} is not a folder.", "Give a corpus or a folder of sources.")
    random.Random(seed).shuffle(documents)
    for language, document in documents:
        text = _read(document) if isinstance(document, Path) else document
        if text:
            yield language, text


def _files(folder: Path, split: Split) -> Iterator[Path]:
    """The files of one split that are in a known language, in a fixed order."""
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            path = Path(place) / name
            if language_of(name) is None or not path.is_file():
                continue
            relative = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
            heldout = hashlib.sha256(relative).digest()[0] % _HELDOUT == 0
            if heldout == (split == "heldout"):
                yield path


def _read(path: Path) -> str | None:
    """A file's text, unless it cannot be read or is too large or minified to be written by hand."""
    try:
        if path.stat().st_size > _LARGEST:
            return None
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return text if len(text) <= _LONG_LINES * (text.count("\n") + 1) else None
