"""Tokens of code in any spelling, also of what no grammar takes: by their text alone."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

_TOKEN = re.compile(
    r"(?P<comment>#[^\r\n]*)"
    r"|(?P<string>[A-Za-z]{0,2}(?:\"\"\"(?:\\[\s\S]|(?!\"\"\")[^\\])*\"\"\""
    r"|'''(?:\\[\s\S]|(?!''')[^\\])*'''|\"(?:\\.|[^\\\r\n\"])*\"|'(?:\\.|[^\\\r\n'])*'|`[^`\\]*`))"
    r"|(?P<word>\w+)"
    r"|(?P<operator>===|!==|\*\*=|//=|>>=|<<=|&&|\|\||\+\+|--|=>|=<|->|<>|//|\*\*|<<|>>"
    r"|[-+*/%&|^<>=!:]=|[^\w\s])"
)
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


class Token(NamedTuple):
    """One token at ``start`` to ``end`` of a text."""

    kind: Literal["comment", "string", "word", "operator"]
    text: str
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        return self.kind == "word"


def lex(text: str) -> list[Token]:
    """The tokens of a text."""
    return [
        Token(match.lastgroup, match[0], match.start(), match.end())  # type: ignore[arg-type]
        for match in _TOKEN.finditer(text)
    ]


def without_text(code: str) -> str:
    """Code with blanks in place of its strings and comments."""
    for token in lex(code):
        if token.kind in ("string", "comment"):
            blank = " " * (token.end - token.start)
            code = code[: token.start] + blank + code[token.end :]
    return code


def spaced(text: str, token: Token, new: str) -> str:
    """``new`` in place of a token, with blanks where it would run into a name."""
    if not (new[0].isalpha() or text[token.start - 1 : token.start].isspace()):
        return new
    before = " " if token.start and not text[token.start - 1].isspace() else ""
    behind = " " if token.end < len(text) and not text[token.end].isspace() else ""
    return before + new + behind


def group_end(tokens: list[Token], opener: int) -> int:
    """The number after that of the closer of an opener; that of all tokens where there is none."""
    depth = 0
    for number in range(opener, len(tokens)):
        depth += (tokens[number].text in _CLOSERS) - (tokens[number].text in _CLOSERS.values())
        if depth == 0:
            return number + 1
    return len(tokens)


def after_operand(tokens: list[Token], number: int) -> int:
    """The number of the token after a name, a call, an element of something, or a group."""
    while number < len(tokens) and tokens[number].text == "!":
        number += 1
    if number == len(tokens):
        return number
    number = group_end(tokens, number) if tokens[number].text in _CLOSERS else number + 1
    while number < len(tokens):
        text = tokens[number].text
        if text == "." and number + 1 < len(tokens):
            number += 2
        elif text in ("(", "["):
            number = group_end(tokens, number)
        else:
            break
    return number
