"""Where a call may be written: behind ``receiver.``, behind a name, or inside empty brackets.

Says what stands there as text; whether it can be called is for a type checker to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from surefill.syntax.claims import ClaimReader, ClaimState
from surefill.syntax.cursor import Cursor, scan_before
from surefill.syntax.document import Snapshot
from surefill.syntax.languages import Language
from surefill.syntax.parsing import encode, parse
from surefill.syntax.position import Position

if TYPE_CHECKING:
    import tree_sitter

SiteKind = Literal["member", "name", "arguments"]

_NAME = r"[^\W\d]\w*"
_WORD = re.compile(rf"(?<![\w.]){_NAME}$")
_CALLEE = re.compile(rf"({_NAME})\s*\($")
_BEHIND_OTHER = re.compile(
    r"\b(?:as|class|def|del|for|function|global|import|nonlocal|except|interface|type|let|const|var)"
    r"(?:\s+[\w.]*|\s*\([^)]*)$"
)
"""A name here is none that is called: it is made, taken apart or caught."""
_HEADER = re.compile(r"\s*(?:async\s+)?(?:def|class)\b")
_ANNOTATION = re.compile(rf"\s*(?!else\b|try\b|finally\b)(?:self\.)?{_NAME}\s*:[^=]*$")
_ASSIGNED = re.compile(rf"({_NAME})\s*=(?!=)\s*")
_AWAITED = re.compile(r"await\s+")
_ASYNC = re.compile(r"\s*async\s+def\b")
_FUNCTION = re.compile(r"\s*(?:async\s+)?def\b")


@dataclass(frozen=True)
class Statement:
    """The statement that is nothing but the call, or its result given a name."""

    start: Position
    target: str
    """The name that the result is given; empty where there is none."""
    callee: str
    """The text from the receiver to the cursor."""
    awaited: bool
    """``await`` stands in front of the call."""


@dataclass(frozen=True)
class CallSite:
    """A position at which a call may be written or go on."""

    kind: SiteKind
    name: str
    """What stands of the name; with kind "arguments" the callee's whole last name."""
    start: Position
    """Where the name begins."""
    position: Position
    in_async: bool
    """The innermost function around the position is asynchronous."""
    statement: Statement | None
    """Set where the call is the whole statement, so that one of several lines may be made of it."""


def call_site(snapshot: Snapshot, position: Position, cursor: Cursor) -> CallSite | None:
    """The call site at ``position``; None where no call is to be offered."""
    language = snapshot.language
    if language is None or cursor.string or cursor.in_comment or cursor.in_word:
        return None
    found = _found(snapshot, cursor, language)
    if found is None:
        return None
    kind, name, column = found
    if kind != "arguments" and cursor.line_suffix.startswith("("):
        return None  # it is called already
    return CallSite(
        kind,
        name,
        Position(position.line, column),
        position,
        in_async=_in_async(snapshot, cursor),
        statement=_statement(snapshot, cursor, language, column) if kind != "arguments" else None,
    )


def _found(
    snapshot: Snapshot, cursor: Cursor, language: Language
) -> tuple[SiteKind, str, int] | None:
    """Kind, name and the name's column."""
    python = language.id == "python"
    if python and _within_header(snapshot, cursor):
        return None
    reader = ClaimReader(language)
    above, _, scanned = scan_before(snapshot, Position(cursor.position.line, 0))
    state = reader.begin(above, scanned)
    if cursor.line_prefix.rstrip().endswith("("):
        return _callee(cursor, language, reader, state)
    if _BEHIND_OTHER.search(cursor.line_prefix) or (python and _is_annotation(cursor)):
        return None
    claims, _ = reader.read(cursor.line_prefix, state)
    if claims and claims[-1].open:
        claim = claims[-1]
        return ("member", claim.name, claim.start) if claim.kind == "member" else None
    word = _WORD.search(cursor.line_prefix)
    return ("name", word[0], word.start()) if word is not None else None


def _callee(
    cursor: Cursor, language: Language, reader: ClaimReader, state: ClaimState
) -> tuple[SiteKind, str, int] | None:
    """What is called by the brackets that the cursor is in, of which nothing is written yet."""
    prefix, behind = cursor.line_prefix, cursor.line_suffix[:1]
    callee = _CALLEE.search(prefix)
    if callee is None or (behind and behind != ")" and not behind.isspace()):
        return None
    if language.id != "python":
        return "arguments", callee[1], callee.start(1)  # the checker knows if it is none
    # Only in a call would a name and an equals sign be an argument by keyword.
    claims, _ = reader.read(prefix + "x=", state)
    if claims and claims[-1].kind == "keyword" and claims[-1].start == len(prefix):
        return "arguments", callee[1], callee.start(1)
    return None


def _within_header(snapshot: Snapshot, cursor: Cursor) -> bool:
    """Whether the cursor is in the line, or the brackets, of a function's or class's header."""
    begun = [snapshot.line(line) for _, line in cursor.open_brackets] + [cursor.line_prefix]
    return any(_HEADER.match(line) for line in begun)


def _is_annotation(cursor: Cursor) -> bool:
    return not cursor.open_brackets and _ANNOTATION.match(cursor.line_prefix) is not None


def _in_async(snapshot: Snapshot, cursor: Cursor) -> bool:
    for first, _ in reversed(cursor.headers):
        line = snapshot.line(first)
        if _FUNCTION.match(line):
            return _ASYNC.match(line) is not None
    return False


def _statement(
    snapshot: Snapshot, cursor: Cursor, language: Language, column: int
) -> Statement | None:
    """The statement, where it is the call alone; only Python's statements are known."""
    alone = not cursor.open_brackets and not cursor.line_suffix.strip()
    if language.id != "python" or not alone or _continued(snapshot, cursor):
        return None
    prefix = cursor.line_prefix
    start = at = len(cursor.indent)
    target = ""
    if assigned := _ASSIGNED.match(prefix, at):
        target, at = assigned[1], assigned.end()
    awaited = _AWAITED.match(prefix, at)
    at = awaited.end() if awaited else at
    if not _is_primary(prefix[at:column] + "x", language):
        return None
    line = cursor.position.line
    return Statement(Position(line, start), target, prefix[at:], awaited is not None)


def _continued(snapshot: Snapshot, cursor: Cursor) -> bool:
    line = cursor.position.line
    return line > 0 and snapshot.line(line - 1).endswith("\\")


def _is_primary(text: str, language: Language) -> bool:
    """Whether ``text`` is one name, or an attribute of something, and nothing else."""
    tree = parse(language, encode(text))
    if tree is None or tree.root_node.has_error or tree.root_node.child_count != 1:
        return False
    node: tree_sitter.Node | None = tree.root_node.children[0]
    if node is not None and node.type == "expression_statement" and node.child_count == 1:
        node = node.children[0]
        return node.type in ("identifier", "attribute")
    return False
