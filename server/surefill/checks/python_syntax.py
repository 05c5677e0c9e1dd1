"""Python's own judgement of a text in a document: the grammar for trees accepts more than Python.

``print "x"``, ``try:`` without ``except``, ``f(a=1, 2)`` and ``return`` outside of a function all
have a tree without an error.
"""

from __future__ import annotations

import functools
import itertools
import threading
import warnings
from collections.abc import Iterator

from surefill.syntax.brackets import Lexical, scan
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import INDENTED_HEADER, Language

_LONGEST = 200_000
"""Characters beyond which a document is not compiled: those take 0.1 s, in which no other Python
thread runs."""
_MOST_CLOSERS = 6
"""Brackets that are open at once, for which ends are looked for."""
_DEEPER = 4
_OPERAND = " _"

_warning_filters = threading.Lock()
"""The filters of warnings belong to the whole process."""


def python_refuses(before: str, text: str, after: str, language: Language | None) -> str:
    """Why Python refuses ``text`` between ``before`` and ``after``; empty if it does not.

    Where nothing follows in the line, the text may be the beginning of something still to be
    typed: what it leaves open is given the smallest end. A document that has errors elsewhere, or
    that is of another version of Python, cannot be judged by its compiler; then it refuses nothing.
    """
    written = before + text
    if len(written) + len(after) > _LONGEST:
        return ""
    error = syntax_error(written + after)
    if not error or any(
        not syntax_error(written + end + after) for end in ends(written, after, language)
    ):
        return ""
    return error if any(map(_is_right, _without_line(before, after))) else ""


def ends(written: str, after: str, language: Language | None) -> Iterator[str]:
    """What could end what ``written`` leaves open, where its line ends with it, smallest first."""
    if after.split("\n", 1)[0].strip():
        return
    state = scan(written, language)
    if state.in_comment or len(state.string) == 1:
        return  # ends with its line
    opened = state.open[0][1] if state.open else len(written)
    line = written[written.rfind("\n", 0, opened) + 1 :].rstrip()
    yield from _ends(line, state)
    below = next((each for each in after.split("\n") if each.strip()), "")
    if INDENTED_HEADER.match(line) and indent_width(below) <= indent_width(line):
        yield from (f"{state.string}:{body}" for body in _bodies(line))


def _ends(line: str, state: Lexical) -> Iterator[str]:
    colons = ("", ":") if INDENTED_HEADER.match(line) else ("",)
    for closers in _closers(state.closers[:_MOST_CLOSERS], colons):
        end = state.string + closers
        if end:
            yield end
        if (line + end).endswith(":"):
            yield from (end + body for body in _bodies(line))
        elif line.lstrip().startswith("@"):
            yield f"{end}\n{' ' * indent_width(line)}class _: pass"


def _closers(closers: str, colons: tuple[str, ...]) -> Iterator[str]:
    """The first of ``closers``, by how many there are; the others are closed further down."""
    yield ""
    for count in range(1, len(closers) + 1):
        for operand, colon in itertools.product(("", _OPERAND), colons):
            yield operand + closers[:count] + colon


def _bodies(line: str) -> Iterator[str]:
    margin = " " * indent_width(line)
    body = f"\n{margin}{' ' * _DEEPER}pass"
    yield body
    yield f"{body}\n{margin}finally:{body}"  # of ``try:``
    yield f"\n{margin}{' ' * _DEEPER}case _: pass"  # of ``match x:``


def _without_line(before: str, after: str) -> Iterator[str]:
    """The document with something right in place of the line at the cursor.

    The first of them that is right shows that whatever is wrong is wrong with that line.
    """
    head, newline, line = before.rpartition("\n")
    margin = line[: len(line) - len(line.lstrip())]
    rest = after.partition("\n")
    below = rest[1] + rest[2]
    for stand_in in ("pass", "if _:"):
        yield head + newline + margin + stand_in + below
    yield before + after


@functools.lru_cache(maxsize=32)
def _is_right(text: str) -> bool:
    return not syntax_error(text)


def syntax_error(text: str) -> str:
    """What the compiler says is wrong with a whole document; empty if nothing is."""
    try:
        with _warning_filters, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in the document's strings
            compile(text, "<document>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.msg or "invalid syntax"
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return str(error) or type(error).__name__
    return ""
