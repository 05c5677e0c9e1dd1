"""Whether a document is still correct with a suggestion in it, judged by others than the server.

The pipeline shows only what its own check has passed, so its own verdict says next to nothing. What
is known here is Python, by Python's own parser; of other languages the pipeline's verdict stays.
"""

from __future__ import annotations

import ast
import itertools
import warnings
from collections.abc import Iterator
from functools import lru_cache

from surefill.completion.suggestion import Suggestion
from surefill.syntax.brackets import scan
from surefill.syntax.indentation import indent_width
from surefill_training.evaluate.holes import Hole

_DEEPER = 4
_OPERAND = " _"


def judge(hole: Hole, suggestion: Suggestion) -> bool | None:
    """Whether the document parses with ``suggestion`` in place of what is missing.

    Python counts as parsing by ``ast.parse`` of the whole document, exactly as the editor would
    have it: what stands below is there, so a line that leaves an indented body or the rest of a
    bracket below it without a beginning does not parse. Only where nothing follows in the line may
    a suggestion be the beginning of something still to be typed: what it leaves open is then given
    the smallest end (closing quotes or brackets, an operand in front of them, a body of ``pass``),
    and the document has to parse with that. None for a Python document that does not parse by
    itself, for this or another version of Python, and where the pipeline could not check.
    """
    language = hole.language
    if language is None or language.id != "python":
        outcome = suggestion.verdicts["parses"].outcome
        return None if outcome == "unchecked" else outcome == "passed"
    if not _whole(hole.document.text):
        return None
    written = hole.prefix + suggestion.text
    return any(_is_python(written + end + hole.suffix) for end in _ends(hole, written))


def _ends(hole: Hole, written: str) -> Iterator[str]:
    """Nothing, then what could end what ``written`` leaves open, where its line ends with it."""
    yield ""
    if hole.suffix.split("\n", 1)[0].strip():
        return
    state = scan(written, hole.language)
    if state.in_comment or len(state.string) == 1:
        return  # ends with its line
    for closers in _closers(state.closers):
        end = state.string + closers
        yield end
        if (written + end).rstrip().endswith(":"):
            yield from (end + body for body in _bodies(written))


def _closers(closers: str) -> Iterator[str]:
    """The first of ``closers``, by how many there are; the others are closed further down."""
    yield ""
    for count in range(1, len(closers) + 1):
        for operand, colon in itertools.product(("", _OPERAND), ("", ":")):
            yield operand + closers[:count] + colon


def _bodies(written: str) -> Iterator[str]:
    margin = " " * indent_width(written.rstrip().rsplit("\n", 1)[-1])
    body = f"\n{margin}{' ' * _DEEPER}pass"
    yield body
    yield f"{body}\n{margin}finally:{body}"  # of ``try:``


@lru_cache(maxsize=64)
def _whole(text: str) -> bool:
    return _is_python(text)


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in the document's strings
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
