"""Which brackets, strings and comments are open at the end of a piece of text.

A lexical scan by the facts of ``languages``. It needs no tree, so it also answers where the text is
unfinished, which is the usual state at a cursor; what it does not know (regular expression
literals, for instance) it reads as ordinary text.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from surefill.syntax.languages import Language
from surefill.syntax.literals import inside

PAIRS = {"(": ")", "[": "]", "{": "}"}
OPENERS = {closer: opener for opener, closer in PAIRS.items()}


@dataclass(frozen=True)
class Lexical:
    """The state at the end of a scanned text.

    ``open`` are the unclosed opening brackets, outermost first, with their offsets; ``stray`` the
    closing brackets that match nothing in the text. ``string`` is the delimiter of a string that is
    still open, ``comment`` the offset of a comment that is, or -1.
    """

    open: tuple[tuple[str, int], ...] = ()
    stray: tuple[tuple[str, int], ...] = ()
    string: str = ""
    comment: int = -1

    @property
    def in_comment(self) -> bool:
        return self.comment >= 0

    @property
    def closers(self) -> str:
        """What closes all open brackets, innermost first."""
        return "".join(PAIRS[opener] for opener, _ in reversed(self.open))


def scan(text: str, language: Language | None, *, string: str = "") -> Lexical:
    """Scan ``text``; ``string`` is the delimiter of a string that is open where it begins."""
    pattern = _tokens(language)
    quotes = language.quotes if language else ('"',)
    multiline = language.multiline if language else ()
    stack = _Stack()
    position = 0
    if string:
        position = _end_of_string(text, 0, string, string in multiline)
        if position < 0:
            return Lexical(string=string)
    while match := pattern.search(text, position):
        token, position = match.group(), match.end()
        if token in PAIRS:
            stack.push(token, match.start())
        elif token in OPENERS:
            stack.close(token, match.start())
        elif token in quotes:
            position = _end_of_string(text, position, token, token in multiline)
            if position < 0:
                return stack.state(string=token)
        else:
            position = _end_of_comment(text, position, token, language)
            if position < 0:
                return stack.state(comment=match.start())
    return stack.state()


class _Stack:
    """Brackets on their way; each is pushed and taken off once, so a scan is linear."""

    def __init__(self) -> None:
        self._open: list[tuple[str, int]] = []
        self._stray: list[tuple[str, int]] = []
        self._counts = dict.fromkeys(PAIRS, 0)

    def push(self, opener: str, offset: int) -> None:
        self._open.append((opener, offset))
        self._counts[opener] += 1

    def close(self, closer: str, offset: int) -> None:
        """Take the matching opener off, with whatever was left open inside it."""
        wanted = OPENERS[closer]
        if not self._counts[wanted]:
            self._stray.append((closer, offset))
            return
        opener = ""
        while opener != wanted:
            opener, _ = self._open.pop()
            self._counts[opener] -= 1

    def state(self, *, string: str = "", comment: int = -1) -> Lexical:
        return Lexical(tuple(self._open), tuple(self._stray), string, comment)


def _end_of_string(text: str, start: int, delimiter: str, multiline: bool) -> int:
    """Offset behind the string; behind its line where it may not go on; -1 where it is open."""
    match = _string_end(delimiter, multiline).match(text, start)
    if match is None:
        return -1
    if match.end() == len(text) and not match.group().endswith(delimiter):
        return -1
    return match.end()


def _end_of_comment(text: str, start: int, token: str, language: Language | None) -> int:
    block = language.block_comment if language else None
    if block and token == block[0]:
        end = text.find(block[1], start)
        return -1 if end < 0 else end + len(block[1])
    match = _LINE_END.search(text, start)
    return -1 if match is None else match.end()


_LINE_END = re.compile(r"[\r\n]")


@functools.cache
def _string_end(delimiter: str, multiline: bool) -> re.Pattern[str]:
    body, end = inside(delimiter, multiline=multiline), re.escape(delimiter)
    return re.compile(body + (end if multiline else rf"(?:{end}|[\r\n]|$)"))


@functools.cache
def _tokens(language: Language | None) -> re.Pattern[str]:
    """Everything that can begin a comment, a string or a bracket."""
    parts: list[str] = []
    if language is not None:
        if language.block_comment:
            parts.append(re.escape(language.block_comment[0]))
        if language.line_comment == "#" and language.blocks == "none":
            parts.append(r"(?<![^\s;&|()])#")  # a shell's $# and ${x#y} are no comments
        elif language.line_comment:
            parts.append(re.escape(language.line_comment))
        if language.brackets:
            parts += [re.escape(quote) for quote in language.quotes]
    if language is None or language.brackets:
        parts += [r"[()\[\]{}]"]
    return re.compile("|".join(parts))
