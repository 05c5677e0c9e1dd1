"""Python in the spelling of other languages: ``&&``, ``!x``, ``null``, ``const``, ``else if`` …

Each rule has a right result of its own. What is judged by "does it parse" alone would be mended by
leaving something out: ``x && y`` to ``x & y``, ``!x`` to ``x``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from surefill.diagnostics.words import shown
from surefill.repair.braces import block_in_python
from surefill.repair.edit import KNOWN, Candidate, Trust, smallest
from surefill.repair.foreign_operators import CONSTANTS, is_defined
from surefill.repair.foreign_statements import comment_in_python, in_python
from surefill.repair.lexer import without_text
from surefill.repair.region import Region
from surefill.syntax.document import with_newlines
from surefill.syntax.position import Position, Range
from surefill.syntax.scopes import indent_of

_FOREIGN = re.compile(
    r"&&|\|\||===|!==|=<|\?|=>|(?<![\w!])!(?!=)|`|^(?:export\s+)?(?:const|let|var|val|auto|function"
    r"|func|fn|fun|new|delete|throw|catch|switch|elseif|elsif|public|private|static|final|void"
    r"|int|long|float|double|bool|boolean|string|String|char)\s+[\w*{\[]|\bnew\s+\w+\(|\bthen\s*:?$"
    r"|^else\s+if\b|^import\b.+\bfrom\b|^\w+\s*:=|^unless\b|(?:\+\+|--);?$|^/[/*]"
)


def is_foreign(region: Region) -> bool:
    """Whether a Python statement has the spelling of another language anywhere."""
    if region.problem.cause == "string":
        return _is_comment(region)  # else what stands in it is not code
    bare = without_text(region.code).strip()
    return "`" in region.code or _FOREIGN.search(bare) is not None


def foreign_candidates(region: Region) -> Iterator[Candidate]:
    """The statement of a syntax problem in Python's spelling; nothing where it already is."""
    if region.problem.cause == "string" and not _is_comment(region):
        return
    comment = _comment_in_python(region)
    block = comment or block_in_python(region)
    if block is not None:
        yield block
    translated = in_python(region.code, region.document)
    if translated is None:
        return
    text, done, lost = translated
    yield replacement(region.span, region.code, text, title(done, text), certain=not lost)


def _is_comment(region: Region) -> bool:
    return region.code.lstrip().startswith("//")


def replacement(span: Range, old: str, new: str, title: str, *, certain: bool) -> Candidate:
    """``new`` in place of ``old``, as small as it can be."""
    changed, text = smallest(span, old, new)
    return Candidate(changed, text, title, KNOWN, "certain" if certain else "guess")


def title(done: list[tuple[str, str]], text: str) -> str:
    """What is done to a statement, as the title of a quick fix."""
    if len(done) > 2 or any(not new for _, new in done):
        lines = text.strip().split("\n")
        return f"Write `{shown(lines[0])}{' …' if len(lines) > 1 else ''}`"
    return "Replace " + " and ".join(f"`{shown(old)}` by `{shown(new)}`" for old, new in done)


def constant_candidate(span: Range, name: str, document: str) -> Candidate | None:
    """Python's word for a constant of other languages, where the document has no such name."""
    if name not in CONSTANTS or is_defined(name, document):
        return None
    new = CONSTANTS[name]
    trust: Trust = "guess" if name == "undefined" else "certain"
    return Candidate(span, new, f"Replace `{name}` by `{new}`", KNOWN, trust)


def _comment_in_python(region: Region) -> Candidate | None:
    """A comment between ``/*`` and ``*/`` over several lines."""
    snapshot, first = region.snapshot, region.span.start.line
    while first and snapshot.line(first).lstrip().startswith("*"):
        first -= 1
    if not snapshot.line(first).lstrip().startswith("/*"):
        return None
    last = first
    while last < len(snapshot.lines) - 1 and "*/" not in snapshot.line(last):
        last += 1
    indent = indent_of(snapshot.line(first))
    span = Range(Position(first, len(indent)), Position(last, len(snapshot.line(last))))
    old = snapshot.text_in(span)
    comment = comment_in_python(with_newlines(old))
    if comment is None:
        return None
    text = comment.replace("\n", region.newline + indent)
    return replacement(span, old, text, "Write this comment with `#`", certain=True)
