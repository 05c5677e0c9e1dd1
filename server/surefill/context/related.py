"""What a model sees of other files: signatures of what is imported, and what looks most alike.

Training and serving both choose excerpts here. Pure functions on texts; which files there are is
not known here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from surefill.context.remembered import Remembered, digest
from surefill.syntax.languages import Language
from surefill.syntax.outline import outline

_MOST_LINES = 24
_FEWEST_LINES = 6
_CHARACTERS_PER_LINE = 40
_WINDOWS_PER_LENGTH = 3
"""Windows overlap: each begins a third of its length behind the one before."""
_LEAST_ALIKE = 0.12
_MOST_ALIKE = 0.85
"""What is nearly the same as the text around the cursor, a small model copies blindly."""
_LONGEST_LINE = 300
_MOST_WINDOWS = 400
_MOST_WORDS = 200
"""Of a window, so many of the words that it uses most count."""
_REMEMBERED_CHARACTERS = 2_000_000
"""Of other files, what is known of so much text stays known."""
_WORD = re.compile(r"[^\W\d]\w+")


@dataclass(frozen=True)
class OtherFile:
    """Another file of the project. ``path`` is what the model sees of where it lies."""

    path: str
    text: str
    language: Language | None
    imported: bool = False
    """Whether the document imports it: then its signatures are wanted."""


def excerpts(files: Iterable[OtherFile], around: str, budget: int) -> list[str]:
    """Excerpts of ``files`` for a cursor in the text ``around``, within ``budget`` characters.

    Each is a file's path, a newline and a part of its text. Signatures of imported files come
    first; of the others the windows of lines that have most words in common with ``around``. The
    least important stands first, farthest from the cursor.
    """
    chosen: list[str] = []
    ranked: list[tuple[float, str, str]] = []
    wanted = words(around)
    lines = max(_FEWEST_LINES, min(_MOST_LINES, budget // _CHARACTERS_PER_LINE))
    for file in files:
        if file.imported and file.language is not None:
            signatures = _outline(file.text, file.language)
            # So many that no single module takes all.
            text = _whole_lines(signatures, budget // 2)
            if text:
                budget -= _add(chosen, file.path, text)
        else:
            text, likeness = most_alike(file.text, wanted, lines)
            if text:
                ranked.append((likeness, file.path, text))
    for _, path, window in sorted(ranked, key=lambda item: -item[0]):
        text = _whole_lines(window, budget - len(path) - 1)
        if text:
            budget -= _add(chosen, path, text)
    return chosen[::-1]


def most_alike(text: str, wanted: frozenset[str], lines: int) -> tuple[str, float]:
    """The ``lines`` lines of ``text`` that have most words in common with ``wanted``.

    And how alike they are: the Jaccard index of the sets of words. Empty where none is alike
    enough.
    """
    best, likeness = "", 0.0
    for window, own in _windows(text, lines):
        both = len(own & wanted)
        index = both / max(1, len(own) + len(wanted) - both)
        if likeness < index < _MOST_ALIKE:
            best, likeness = window, index
    return (best, likeness) if likeness >= _LEAST_ALIKE else ("", 0.0)


def words(text: str) -> frozenset[str]:
    """The words of ``text`` that say what it is about: those that it does not use all the time."""
    return _most_used(_WORD.findall(text))


def _most_used(found: Iterable[str]) -> frozenset[str]:
    return frozenset(word for word, _ in Counter(found).most_common(_MOST_WORDS))


def _windows(text: str, length: int) -> Iterator[tuple[str, frozenset[str]]]:
    """Windows of ``length`` lines, each with its ``words``."""
    lines, found = text.splitlines(keepends=True), _words_by_line(text)
    step = max(1, length // _WINDOWS_PER_LENGTH)
    starts = range(0, max(1, len(lines) - length + step), step)[:_MOST_WINDOWS]
    for start in starts:
        window = lines[start : start + length]
        if max(map(len, window), default=0) > _LONGEST_LINE:
            continue
        own: frozenset[str] = frozenset().union(*found[start : start + length])
        if len(own) > _MOST_WORDS:
            own = _most_used(chain.from_iterable(found[start : start + length]))
        yield "".join(window), own


# Parsing takes longer than all else here, finding words comes next, and imported modules are the
# same all day.
_outlines: Remembered[tuple[bytes, str], str] = Remembered(_REMEMBERED_CHARACTERS)
_words: Remembered[bytes, tuple[tuple[str, ...], ...]] = Remembered(_REMEMBERED_CHARACTERS)


def _outline(text: str, language: Language) -> str:
    key = digest(text), language.id
    known = _outlines.get(key)
    if known is None:
        known = outline(text, language)
        _outlines.put(key, known, len(text))
    return known


def _words_by_line(text: str) -> tuple[tuple[str, ...], ...]:
    """The words on each line, in their order; a word that recurs is one object."""
    key = digest(text)
    known = _words.get(key)
    if known is None:
        same: dict[str, str] = {}
        known = tuple(
            tuple(same.setdefault(word, word) for word in _WORD.findall(line))
            for line in text.splitlines()
        )
        _words.put(key, known, len(text))
    return known


def _add(chosen: list[str], path: str, text: str) -> int:
    chosen.append(f"{path}\n{text}")
    return len(chosen[-1])


def _whole_lines(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: text.rfind("\n", 0, max(0, limit)) + 1]
