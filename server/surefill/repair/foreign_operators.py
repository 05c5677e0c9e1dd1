"""Operators and constants of other languages in Python's spelling."""

from __future__ import annotations

import re

from surefill.diagnostics.statement import HEADER
from surefill.repair.lexer import Token, after_operand, lex, spaced

CONSTANTS = {
    "null": "None",
    "nil": "None",
    "NULL": "None",
    "nullptr": "None",
    "undefined": "None",
    "true": "True",
    "TRUE": "True",
    "false": "False",
    "FALSE": "False",
}
_OPERATORS = {"&&": "and", "||": "or", "===": "==", "!==": "!=", "<>": "!=", "=<": "<="}


def is_defined(name: str, document: str) -> bool:
    """Whether the document itself gives ``name`` a meaning, as far as its text shows."""
    return bool(
        re.search(
            rf"\b(?:import|as|def|class|for|global)\s+(?:[\w., ]+,\s*)?{name}\b"
            rf"|^[ \t]*(?:\w+,\s*)*{name}\s*(?::[^=\n]+|,[\w, ]+)?=(?!=)",
            document,
            re.MULTILINE,
        )
    )


def operators_in_python(text: str, document: str) -> tuple[str, list[tuple[str, str]]]:
    """``text`` with Python's operators and constants, and which were replaced."""
    notes: list[tuple[str, str]] = []
    tokens = lex(text)
    edits: list[tuple[int, int, str]] = []
    for number, token in enumerate(tokens):
        before = tokens[number - 1] if number else None
        after = tokens[number + 1] if number + 1 < len(tokens) else None
        new = _OPERATORS.get(token.text, "")
        if token.text == "=>" and HEADER.match(text):  # where no function begins
            new = ">="
        if token.text == "=>" and _is_entry(tokens, number):
            new = ":"
        if token.kind == "operator" and new:
            if len(token.text) == 3 and after and CONSTANTS.get(after.text) == "None":
                new = "is" if new == "==" else "is not"
            edits.append((token.start, token.end, spaced(text, token, new)))
            notes.append((token.text, new))
        elif token.text == "!" and not _belongs_to(before, token):
            end = after_operand(tokens, number + 1)
            first = "(" if _needs_brackets(tokens, number, end) else ""
            edits.append((token.start, token.end, f"{first}not "))
            if first:
                at = tokens[end - 1].end
                edits.append((at, at, ")"))
            notes.append(("!", "not"))
        elif token.text in CONSTANTS and not (before and before.text == "."):
            named = after is not None and after.text in ("=", ".", "(")
            if not named and not is_defined(token.text, document):
                edits.append((token.start, token.end, CONSTANTS[token.text]))
                notes.append((token.text, CONSTANTS[token.text]))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text, list(dict.fromkeys(notes))


def _belongs_to(before: Token | None, token: Token) -> bool:
    """Whether ``!`` is part of what stands right before it: ``name!``, and a swapped ``!=``."""
    return (
        before is not None and before.end == token.start and (before.is_word or before.text == "=")
    )


def _is_entry(tokens: list[Token], number: int) -> bool:
    """Whether ``=>`` stands behind a key of a dictionary."""
    key = number and tokens[number - 1].kind == "string"
    return bool(key) and number > 1 and tokens[number - 2].text in ("{", ",")


_LOOSE = frozenset(
    ("and", "or", "not", "in", "if", "else", "elif", "while", "return", "assert", "yield", "lambda")
) | frozenset(("&&", "||", "!", "(", ")", "[", "]", "{", "}", ",", ":", ";", "=", "+=", "=>", "?"))
"""What binds no tighter than ``not``."""


def _needs_brackets(tokens: list[Token], number: int, end: int) -> bool:
    """Whether ``not`` binds looser than ``!`` did between what stands around it."""
    after = tokens[end].text if end < len(tokens) else ";"
    before = tokens[number - 1].text if number else ";"
    is_comment = end < len(tokens) and tokens[end].kind == "comment"
    return (after not in _LOOSE and not is_comment) or (before not in _LOOSE)
