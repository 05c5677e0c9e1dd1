"""What Python's compiler says of a document with a repair in it, wherever else it has errors.

A tree is no proof: the grammar takes ``t''`` for a string of a later version, and more.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from surefill.diagnostics.statement import HEADER, is_code
from surefill.repair.edit import Candidate, advanced
from surefill.syntax.document import Snapshot, with_newlines
from surefill.syntax.position import Position, Range

_NAME = "<surefill>"  # of what is compiled there, no warnings are shown
_LONGEST = 200_000
"""Characters of a longer document are not compiled as a whole: no other Python thread would run."""
_CLAUSE = re.compile(r"(?:elif|else|except|finally|case)\b")


def compiles_at(after: Snapshot, candidate: Candidate, region: Range) -> bool:
    """Whether Python refuses nothing where ``candidate`` has changed the document to ``after``.

    ``region`` is the statement that it changes, as it was before. Errors elsewhere do not count.
    """
    first = min(region.start, candidate.range.start).line
    end = advanced(candidate.range.start, candidate.text).line
    last = end + max(0, region.end.line - candidate.range.end.line)
    line = _error_line(after.text) if len(after.text) <= _LONGEST else 0
    if line is None or line > last:
        return True
    if line >= first:
        return False
    whole = Range(Position(first, 0), Position(last, len(after.line(last))))
    return stands_alone(after.text_in(whole))


def stands_alone(code: str) -> bool:
    """Whether Python takes a statement, a header or a block with its header by itself."""
    text = textwrap.dedent(with_newlines(code)).strip("\n")
    return any(is_code(each) for each in _framed(text))


def _framed(text: str) -> Iterator[str]:
    body = text + (" pass" if text.rstrip().endswith(":") else "")
    header = HEADER.match(text)
    if _CLAUSE.match(text):
        yield f"if _: pass\n{body}"
        yield f"try: pass\n{body}"
        yield f"try: pass\nexcept _: pass\n{body}"
        yield f"match _:\n {body}"
    elif text.startswith("@"):
        yield f"{text}\ndef _(): pass"
    elif header and header["word"] == "try":
        yield f"{body}\nfinally: pass"
    elif header and header["word"] == "match" and text.endswith(":"):
        yield f"{text}\n case _: pass"
    yield body


def _error_line(text: str) -> int | None:
    """The line, counted from 0, of the first error; None without one, -1 where it has no place."""
    try:
        compile(text, _NAME, "exec", dont_inherit=True)
    except SyntaxError as error:
        return (error.lineno or 0) - 1
    except (ValueError, RecursionError, MemoryError, OverflowError):
        return -1
    return None
