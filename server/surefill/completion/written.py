"""Lines as they stand one after another once a suggestion is inserted, and what kind each is."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from surefill.syntax.brackets import scan
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import Language

if TYPE_CHECKING:
    from surefill.completion.postprocess import Surroundings

_WORD = re.compile(r"\b_*[^\W\d_]\w*")
_CLOSER = re.compile(r"\s*([)\]}]|end\b|fi\b|done\b|esac\b|</|#\s*e(lse|ndif)\b)")
_COMMONPLACE = re.compile(
    r"[\s}]*(return|raise|yield|throw|else|try|finally|pass|break|continue|end|fi|done|esac|do"
    r"|then|begin|default|except|catch|public|private|protected)\b.{0,24}$"
    r"|\s*[@#\[][\w.\[\]]*$"
)
"""Lines that stand in every other function and say nothing of their place."""


@dataclass(frozen=True)
class Written:
    """The lines above, those of a suggestion, and those below; none is blank."""

    lines: tuple[str, ...]
    """Above and suggested, the last without what stands after the cursor."""
    first: int
    """Index in ``lines`` of the first one that is suggested."""
    numbers: tuple[int, ...]
    """Of each suggested line its number among the lines of the text, blank ones included."""
    below: tuple[str, ...]
    prefix: str
    """What stood on the cursor's line before the cursor."""
    in_text: bool
    """The cursor is in a string or a comment."""
    language: Language | None
    open_before: str
    """Brackets that are open at the cursor, outermost first."""

    @classmethod
    def of(cls, text: str, around: Surroundings) -> Written:
        prefix = around.cursor.line_prefix
        above = [line.rstrip() for line in around.above if line.strip()]
        filled = [
            (number, line.rstrip())
            for number, line in enumerate((prefix + text).split("\n"))
            if line.strip()
        ]
        return cls(
            lines=(*above, *(line for _, line in filled)),
            first=len(above),
            numbers=tuple(number for number, _ in filled),
            below=tuple(line.rstrip() for line in around.below if line.strip()),
            prefix=prefix,
            in_text=bool(around.cursor.string) or around.cursor.in_comment,
            language=around.language,
            open_before="".join(bracket for bracket, _ in around.cursor.open_brackets),
        )

    @functools.cached_property
    def widths(self) -> tuple[int, ...]:
        """Columns of indentation of ``lines``."""
        return tuple(indent_width(line) for line in self.lines)

    @functools.cached_property
    def places(self) -> Mapping[str, Sequence[int]]:
        """Indices in ``lines`` by what a line says without its indentation, in order."""
        found: dict[str, list[int]] = {}
        for index, line in enumerate(self.lines):
            found.setdefault(line.lstrip(), []).append(index)
        return found

    @property
    def suggested(self) -> range:
        """Indices of the suggested lines."""
        return range(self.first, len(self.lines))

    def siblings_above(self, at: int) -> Iterator[int]:
        """Indices of the lines before ``at`` in the same block, nearest first."""
        width = self.widths[at]
        for index in range(at - 1, -1, -1):
            if self.widths[index] < width:
                return
            if self.widths[index] == width:
                yield index

    def header_of(self, at: int) -> str:
        """The nearest line before ``at`` that is indented less; empty where none is."""
        width = self.widths[at]
        before = range(at - 1, -1, -1)
        return next((self.lines[index] for index in before if self.widths[index] < width), "")

    def siblings_below(self, at: int) -> Iterator[str]:
        """The lines below the suggestion that are in the same block as its line ``at``."""
        width = self.widths[at]
        if any(other < width for other in self.widths[at + 1 :]):
            return
        for line in self.below:
            other = indent_width(line)
            if other < width:
                return
            if other == width:
                yield line

    def among_data(self, at: int) -> bool:
        """Whether a suggested line is inside brackets that hold values, not statements."""
        before = "\n".join(self.lines[self.first : at])
        brackets = scan(self.open_before + "\n" + before, self.language).open
        if not brackets:
            return False
        bracket = brackets[-1][0]
        language = self.language
        statements = language is None or (language.blocks == "braces" and language.id != "json")
        return bracket != "{" or not statements


def words(line: str) -> list[str]:
    """The names and keywords of a line."""
    return _WORD.findall(line)


def is_informative(line: str) -> bool:
    """Whether a line says enough that it does not stand twice by chance."""
    return len(words(line)) >= 2 and len(line.strip()) >= 8 and not _COMMONPLACE.match(line)


def is_comment(line: str, language: Language | None) -> bool:
    """Whether a line is nothing but a comment."""
    mark = language.line_comment if language else "#"
    return bool(mark) and line.lstrip().startswith(mark)


def begins_with_closer(line: str) -> bool:
    return _CLOSER.match(line) is not None


def informative(lines: Iterable[str]) -> int:
    """How many of ``lines`` are."""
    return sum(is_informative(line) for line in lines)


def shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two sequences have in common at their beginnings."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count
