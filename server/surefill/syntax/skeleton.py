"""A Python text without the bodies of its functions: what of it can change a type elsewhere.

By indentation alone, without a parser: what cannot be told apart is kept, so that two texts with
one skeleton declare the same. Made for comparing texts, not for reading them.
"""

from __future__ import annotations

import re

from surefill.syntax.document import split_lines

_FUNCTION = re.compile(r"([ \t]*)(?:async[ \t]+)?def\b")
_HEADER_END = re.compile(r":[ \t]*(?:#.*)?$")


def skeleton(text: str, without: int) -> tuple[str, ...]:
    """The lines of ``text`` that stand in no function's body, those that are blank left out.

    Line number ``without``, from 0, is left out as well: it is the one being asked about.
    """
    kept: list[str] = []
    outer: int | None = None
    """How deep the function is indented whose header or body is read; None outside of all."""
    in_header = False
    for number, line in enumerate(split_lines(text)):
        code = line.strip()
        if number == without or not code:
            continue
        indent = len(line) - len(line.lstrip())
        if outer is not None and indent > outer and not in_header:
            continue
        if outer is not None and indent <= outer and not (in_header and code[0] in ")]}"):
            outer, in_header = None, False
        kept.append(line.rstrip())
        if outer is None and (found := _FUNCTION.match(line)):
            outer, in_header = len(found[1]), True
        if in_header and _HEADER_END.search(code):
            in_header = False
    return tuple(kept)
