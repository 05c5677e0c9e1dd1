"""From what a model wrote to what fits at the cursor. Pure functions on text.

A model sees the suffix and repeats it all the same, closes brackets the editor has closed already,
and guesses the indentation. Everything here only removes or re-indents; nothing is invented.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from surefill.completion.openings import opening_what_is_closed_below
from surefill.completion.overlap import without_overlap_below, without_overlap_on_line
from surefill.completion.reindent import normalise_indentation
from surefill.completion.repetition import without_repetition
from surefill.context.prompt import TEMPLATES
from surefill.syntax.brackets import Lexical, scan
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Snapshot, with_newlines
from surefill.syntax.languages import Language

_LINES_AROUND = 200


@dataclass(frozen=True)
class Surroundings:
    """What stands around a suggestion: the cursor, and the lines above and below it."""

    cursor: Cursor
    language: Language | None
    above: tuple[str, ...]
    """Nearest last."""
    below: tuple[str, ...]

    @classmethod
    def of(cls, snapshot: Snapshot, cursor: Cursor) -> Surroundings:
        line = cursor.position.line
        around = range(max(0, line - _LINES_AROUND), line + _LINES_AROUND + 1)
        return cls(
            cursor=cursor,
            language=snapshot.language,
            above=tuple(snapshot.line(n) for n in around if n < line),
            below=tuple(snapshot.line(n) for n in around if line < n < len(snapshot.lines)),
        )

    @functools.cached_property
    def closers(self) -> str:
        """The brackets behind the cursor that close something before it."""
        behind = "\n".join((self.cursor.line_suffix, *self.below))
        return "".join(closer for closer, _ in scan(behind, self.language).stray)


def postprocess(text: str, around: Surroundings, special_tokens: tuple[str, ...] = ()) -> str:
    """The text to insert at the cursor, empty when nothing of ``text`` is worth showing.

    ``special_tokens`` are those of the model in use; the unmistakable ones of all templates are
    removed anyway.
    """
    cursor = around.cursor
    text = cut_special_tokens(text, special_tokens)
    text = with_newlines(text).rstrip("\ufffd")
    text = normalise_indentation(text, cursor, around.language, around.above)
    text = without_overlap_on_line(text, cursor, around.language, around.closers)
    text = without_overlap_below(text, cursor.line_prefix, around.below)
    text = opening_what_is_closed_below(text, cursor, around.language, around.below)
    text = without_repetition(text, around)
    text = strip_trailing_whitespace(text, cursor.line_suffix)
    return text if text.strip() else ""


_SPECIAL = re.compile(r"<[|｜][\w▁]{2,40}[|｜]>|▁<(EOT|SUF|MID)>| ?<EOT>$")
"""Special tokens of models and servers that no template names."""


@functools.cache
def _unmistakable_tokens() -> tuple[str, ...]:
    """Special tokens of all templates that cannot be ordinary code, as ``<s>`` in HTML can."""
    tokens = {token for template in TEMPLATES.values() for token in template.special_tokens()}
    return tuple(sorted(token for token in tokens if re.search(r"\||｜|▁|fim_|file_sep", token)))


def cut_special_tokens(text: str, special_tokens: tuple[str, ...] = ()) -> str:
    """``text`` up to the first special token, or to the beginning of one at its end.

    What a model writes behind a leaked special token is not an answer to the prompt any more.
    """
    if foreign := _SPECIAL.search(text):
        text = text[: foreign.start()]
    for token in (*_unmistakable_tokens(), *special_tokens):
        at = text.find(token)
        if at >= 0:
            text = text[:at]
        for length in range(len(token) - 1, 3, -1):
            if text.endswith(token[:length]):
                text = text[:-length]
                break
    return text


def strip_trailing_whitespace(text: str, line_suffix: str) -> str:
    """Remove whitespace at line ends, and at the end unless it indents what follows there."""
    *lines, last = text.split("\n")
    lines = [line.rstrip() for line in lines]
    if lines and not last.strip() and line_suffix.strip():
        return "\n".join((*lines, last))
    return "\n".join((*lines, last.rstrip())).rstrip()


def versions(text: str, around: Surroundings, *, complete: bool) -> list[str]:
    """What may be shown of ``text``, which ``postprocess`` gave, longest first.

    Only a shortened text may show that its last lines repeat what is below.
    """
    shorter = shorter_versions(text, around.language, complete=complete)
    prefix, below = around.cursor.line_prefix, around.below
    kept = (without_overlap_below(version, prefix, below) for version in shorter)
    return [version for version in dict.fromkeys(kept) if version.strip()]


def shorter_versions(text: str, language: Language | None, *, complete: bool) -> list[str]:
    """``text`` and what is left of it without its last lines, longest first.

    Where the model did not finish (``complete`` is false) the last of several lines is dropped at
    once. A version does not end with a line that opens what then has no content.
    """
    lines = text.split("\n")
    if not complete and len(lines) > 1 and any(line.strip() for line in lines[:-1]):
        lines.pop()
    versions = ["\n".join(lines).rstrip() if len(lines) < text.count("\n") + 1 else text]
    for end in range(len(lines) - 1, 0, -1):
        version = "\n".join(lines[:end]).rstrip()
        if version.strip() and version != versions[-1] and not _only_opens(version, language):
            versions.append(version)
    return [version for version in versions if version.strip()]


def cut_before(text: str, offset: int, language: Language | None, *, behind_dot: bool) -> list[str]:
    """What may be left of ``text`` where something at ``offset`` is wrong, longest first.

    A whole call on its first line: ``get(url)`` of ``get(url).jsn()``. And ``behind_dot`` the name
    that it begins with, even if that is all: to know which one it is helps, whatever follows.
    """
    line = text.split("\n", 1)[0]
    calls = (at + 1 for at, sign in enumerate(line[:offset]) if sign == ")")
    cuts = [end for end in calls if scan(line[:end], language) == Lexical()][-1:]
    shorter = [line[:end] for end in cuts if end < len(text)]
    if behind_dot and (name := re.match(r"[^\W\d]\w*", line)):
        shorter.append(name[0])
    return shorter


def _only_opens(version: str, language: Language | None) -> bool:
    """Whether a shortened text ends in the middle of something."""
    return bool(scan(version, language).open) or version.endswith((":", ","))
