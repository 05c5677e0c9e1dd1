"""Lines, quotes and brackets of Python text, as far as they show without a tree.

Functions on a text and offsets in it; what is put together from them is told by ``statements``.
"""

from __future__ import annotations

import re

from surefill.syntax.brackets import OPENERS, PAIRS
from surefill.syntax.literals import inside

TOKEN = re.compile(r"#[^\r\n]*|\"\"\"|'''|[\"'()\[\]{}]|\\?(?:\r\n|[\r\n])")
LEAD = re.compile(r"[ \t\f]*")
_HARD_KEYWORDS = (
    "def|class|return|import|while|with|try|except|finally|raise|pass|break|continue|assert|del"
    "|global|nonlocal|elif"
)
_CERTAIN = re.compile(
    rf"[ \t]*(?:(?:{_HARD_KEYWORDS})\b|async[ \t]+(?:def|with)\b|from[ \t]+[\w.]+[ \t]+import\b"
    r"|@\w[\w.]*(?:\([^\r\n]*\))?[ \t]*[\r\n]+[ \t]*(?:def|class|async|@)\b)"
)
"""A line that no bracket can have in it: it begins a statement, whatever is open above."""
_HEADER = re.compile(r"[ \t]*(?:if|for|else)\b([^\r\n]*):[ \t]*(?:#[^\r\n]*)?(?:[\r\n]|$)")
CONTINUES = re.compile(r"(?:and|or|if|else|for|in|is|not)\b|[)\]}#.,=+*/%<>|&^:-]|[\r\n]|$")
"""What begins a line that goes on with an expression, or a line without code."""
_CLOSER = re.compile(r"\s*[)\]}]")
BLOCK_WORD = re.compile(
    r"(?:async\s|class\b|def\b|if\b|elif\b|else\b|for\b|while\b|with\b|try\b|except\b|finally\b"
    r"|match\b|case\b)"
)
GOES_ON = re.compile(r"[ \t]*(?!(?:if|else|for|in|or|and|is|not|async)\b)\w")
"""Text that cannot follow the end of a string."""
PREFIX = re.compile(r"(?<![\w.])[A-Za-z]{1,2}$")


def begins_statement(text: str, line: int) -> bool:
    """Whether the line at ``line`` begins a statement, whatever stands above it."""
    if _CERTAIN.match(text, line):
        return True
    header = _HEADER.match(text, line)
    # The last line of a condition over several lines closes what was opened above.
    return header is not None and all(
        header[1].count(opener) >= header[1].count(closer) for opener, closer in PAIRS.items()
    )


def closes_all(text: str, position: int, brackets: list[str]) -> bool:
    """Whether the statement goes on so that all ``brackets`` are closed and nothing else is."""
    stack = list(brackets)
    while match := TOKEN.search(text, position):
        token, position = match.group(), match.end()
        if token in _ENDS:
            position = string_end(text, position, token)
            if position < 0:
                return False
        elif token in PAIRS:
            stack.append(token)
        elif token in OPENERS:
            if not stack or stack.pop() != OPENERS[token]:
                return False
        elif token[0] in "\r\n":
            if not stack:
                return _CLOSER.match(text, position) is None
            if begins_statement(text, position):
                return False
    return not stack


def string_end(text: str, start: int, quote: str) -> int:
    """Offset behind the closing ``quote``; -1 where there is none, or not in this line."""
    match = _ENDS[quote].match(text, start)
    return match.end() if match else -1


_ENDS = {
    quote: re.compile(inside(quote, multiline=len(quote) > 1) + quote)
    for quote in ('"', "'", '"""', "'''")
}
_END_OF_LINE = re.compile(r"[\r\n]|$")


def line_end(text: str, start: int) -> int:
    match = _END_OF_LINE.search(text, start)
    return match.start() if match else len(text)


def first_line_end(text: str, start: int) -> int:
    """Where the text of the line of ``start`` ends, without what is blank."""
    return start + len(text[start : line_end(text, start)].rstrip())


def next_line(text: str, start: int) -> int:
    end = line_end(text, start)
    return end + (2 if text.startswith("\r\n", end) else 1)


def code_within(text: str, line: int, end: int) -> int:
    """The first line from ``line`` on that is visibly a statement, before ``end``; -1 if none."""
    while line < end:
        if begins_statement(text, line):
            return line
        line = next_line(text, line)
    return -1
