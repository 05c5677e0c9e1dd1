"""What a model sees of other files: signatures of what is imported, and what looks most alike.

Training and serving both choose excerpts here. Pure functions on texts; which files there are is
not known here.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

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
    for window in _windows(text, lines):
        own = words(window)
        both = len(own & wanted)
        index = both / max(1, len(own) + len(wanted) - both)
        if likeness < index < _MOST_ALIKE:
            best, likeness = window, index
    return (best, likeness) if likeness >= _LEAST_ALIKE else ("", 0.0)


# Parsing takes longer than all else here, and imported modules are the same all day.
_outline = functools.lru_cache(64)(outline)


@functools.lru_cache(4_096)
def words(text: str) -> frozenset[str]:
    """The words of ``text`` that say what it is about: those that it does not use all the time."""
    counts = Counter(_WORD.findall(text))
    return frozenset(word for word, _ in counts.most_common(200))


@functools.lru_cache(256)
def _windows(text: str, length: int) -> tuple[str, ...]:
    lines = text.splitlines(keepends=True)
    step = max(1, length // _WINDOWS_PER_LENGTH)
    starts = range(0, max(1, len(lines) - length + step), step)[:_MOST_WINDOWS]
    windows = (lines[start : start + length] for start in starts)
    return tuple(
        "".join(window) for window in windows if max(map(len, window), default=0) <= _LONGEST_LINE
    )


def _add(chosen: list[str], path: str, text: str) -> int:
    chosen.append(f"{path}\n{text}")
    return len(chosen[-1])


def _whole_lines(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: text.rfind("\n", 0, max(0, limit)) + 1]
