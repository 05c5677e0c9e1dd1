"""Nodes of syntax trees and pieces of code, in words that need no grammar to understand."""

from __future__ import annotations

LONGEST_SHOWN = 40

_NAMES = {
    "identifier": "A name",
    "property_identifier": "A name",
    "type_identifier": "The name of a type",
    "field_identifier": "The name of a field",
    "package_identifier": "The name of a package",
    "statement_identifier": "A name",
    "number": "A number",
    "string": "A string",
    "string_content": "The text of the string",
    "string_end": "The end of the string",
    "block": "A block",
    "expression": "An expression",
    "newline": "A line end",
    "_newline": "A line end",
    "_automatic_semicolon": "A semicolon",
    "\n": "A line end",
    ";": "A semicolon",
    ":": "A colon",
    ",": "A comma",
}


def named(kind: str) -> str:
    """A node's type as the beginning of a sentence."""
    if kind in _NAMES:
        return _NAMES[kind]
    if kind.isidentifier() and "_" not in kind and not kind.islower():
        return f"`{kind}`"
    if kind.strip("_").replace("_", "").isalpha() and "_" in kind:
        words = kind.strip("_").replace("_", " ")
        return f"{'An' if words[0] in 'aeiou' else 'A'} {words}"
    return f"`{kind}`"


def shown(code: str) -> str:
    """Code as a message shows it: one line, not too long."""
    line = " ".join(code.split())
    return line if len(line) <= LONGEST_SHOWN else line[: LONGEST_SHOWN - 1] + "…"
