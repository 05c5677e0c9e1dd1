"""A Python document without what a place in it does not depend on, line for line.

Where a function's result is what its signature says, nothing outside depends on its body: a type
checker that reads a part of a file says the same about one function, in a fraction of the time.
What a body gives to others stays: attributes of objects, globals, submodules that it imports.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from surefill.syntax.document import Snapshot
from surefill.syntax.languages import Language
from surefill.syntax.position import Range
from surefill.syntax.scopes import enclosing_headers, indent_of

if TYPE_CHECKING:
    import tree_sitter

    Captures = Mapping[str, Sequence[tree_sitter.Node]]

_STUB = 'return eval("")'
"""A body that fits every signature: what ``eval`` returns may be anything."""
_SMALL = 4_000
"""Characters of a document that is not worth condensing."""
_LEAST_ROWS = 3
_QUERY = """
(function_definition body: (block)) @function
(block (expression_statement . (string) .) @text)
(module (class_definition name: (identifier) @name) @part)
(module (function_definition name: (identifier) @name) @part)
(module (decorated_definition definition: (_ name: (identifier) @name)) @part)
(module (expression_statement . (assignment left: (identifier) @name) .) @part)
[(global_statement) (nonlocal_statement)] @given
(import_statement name: (dotted_name (identifier) (identifier))) @given
(assignment left: [(attribute) (pattern_list (attribute)) (tuple_pattern (attribute))]) @given
(for_statement left: (attribute)) @given
(as_pattern_target (attribute)) @given
(yield) @yield
"""
_DEFINES = re.compile(r"\s*(?:async\s+)?def\b")
_NO_RETURN = re.compile(rb"\b(?:NoReturn|Never)\b")
_WORD = re.compile(r"[^\W\d]\w*")
_BINDING_WORD = re.compile(
    r"^\s*(?:@|(?:async|class|def|del|for|from|import|with)\b)", re.MULTILINE
)
_BINDING_SIGN = re.compile(r"^([^#=\n]*?)(?:=(?!=)|:)", re.MULTILINE)


class Condensed:
    """What stands above and below some lines of a document."""

    def __init__(
        self,
        snapshot: Snapshot,
        lines: list[str],
        span: Range,
        parts: Sequence[_Part],
        in_function: bool,
    ) -> None:
        self._lines = lines
        self._row = span.start.line
        self._others = (*snapshot.lines[: self._row], *snapshot.lines[span.end.line + 1 :])
        self._in_function = in_function
        self._parts: dict[str, list[_Part]] = {}
        for part in parts:
            self._parts.setdefault(part.name, []).append(part)

    @cached_property
    def around(self) -> tuple[str, str]:
        """The text above, and below; the latter begins with the end of the last of the lines."""
        return self._halves(self._lines)

    def around_for(self, text: str) -> tuple[str, str]:
        """``around`` without what is defined for others than for the lines, which are ``text``.

        Kept is what is named in them, in the function and class around them, or in what is kept.
        """
        lines = list(self._lines)
        for part in self._all_parts:
            lines[part.start : part.end + 1] = ["\n"] * (part.end + 1 - part.start)
        waiting = [text, *lines]
        known: set[str] = set()
        while waiting:
            for name in _words(waiting.pop()) - known:
                known.add(name)
                for part in self._parts.get(name, ()):
                    own = self._lines[part.start : part.end + 1]
                    lines[part.start : part.end + 1] = own
                    waiting += own
        return self._halves(lines)

    def suffices_for(self, text: str) -> bool:
        """Whether the lines, when they are ``text``, change nothing for what is left out.

        In a function they do so only by what is global; what becomes of an attribute's type in
        other methods is left aside. Elsewhere they do where they bind a name that others use.
        """
        if self._in_function:
            return "global" not in _words(text)
        bound = _WORD.findall(text) if _BINDING_WORD.search(text) else []
        for match in _BINDING_SIGN.finditer(text):
            bound += _WORD.findall(match[1])
        return not any(bound) or self._used_elsewhere.isdisjoint(bound)

    @cached_property
    def _used_elsewhere(self) -> frozenset[str]:
        return frozenset().union(*map(_words, self._others))

    @cached_property
    def _all_parts(self) -> tuple[_Part, ...]:
        return tuple(part for parts in self._parts.values() for part in parts)

    def _halves(self, lines: Sequence[str]) -> tuple[str, str]:
        return "".join(lines[: self._row]), "".join(lines[self._row :])


class _Part(NamedTuple):
    """Something defined at the top level: its name, first and last row."""

    name: str
    start: int
    end: int


def condense(snapshot: Snapshot, span: Range) -> Condensed | None:
    """The document around the lines that ``span`` touches.

    None where it would not be worth it, in other languages, or without a tree.
    """
    language = snapshot.language
    if language is None or language.id != "python" or len(snapshot.text) < _SMALL:
        return None
    tree = snapshot.tree
    if tree is None:
        return None
    import tree_sitter

    header = _own_function(snapshot, span)
    own = span.start.line if header is None else header
    first, last = span.start.line, span.end.line
    found = tree_sitter.QueryCursor(_query(language)).captures(tree.root_node)
    lines = list(snapshot.lines)
    for start, end, instead in _left_out(found, snapshot.source):
        if end < own or start > last:
            lines[start : end + 1] = [
                f"{indent_of(lines[start])}{instead}\n",
                *["\n"] * (end - start),
            ]
    taken = last - first + 1
    parts = [
        part if part.end < first else _Part(part.name, part.start - taken + 1, part.end - taken + 1)
        for part in _parts(found)
        if part.end < own or part.start > last
    ]
    lines[first : last + 1] = [snapshot.lines[last][len(snapshot.line(last)) :]]
    return Condensed(snapshot, lines, span, parts, header is not None)


def _own_function(snapshot: Snapshot, span: Range) -> int | None:
    """The first line of the outermost function around ``span``, where there is one."""
    headers = enclosing_headers(snapshot, span.start)
    return next((line for line, _ in headers if _DEFINES.match(snapshot.line(line))), None)


def _left_out(found: Captures, source: bytes) -> Iterator[tuple[int, int, str]]:
    """First and last row of what nobody outside depends on, and what to put there, in order."""
    for text in found.get("text", ()):
        block = text.parent
        start, end = text.start_point[0], text.end_point[0]
        if end > start and block is not None and not block.has_error:
            yield start, end, '""'
    given = sorted(node.start_byte for node in found.get("given", ()))
    yields = sorted(node.start_byte for node in found.get("yield", ()))
    behind = 0
    for function in sorted(found.get("function", ()), key=lambda node: node.start_byte):
        body = function.child_by_field_name("body")
        if function.start_byte < behind or body is None:
            continue
        behind = function.end_byte
        start, end = body.start_point[0], body.end_point[0]
        if end - start + 1 < _LEAST_ROWS or start == function.start_point[0]:
            continue
        returns = function.child_by_field_name("return_type")
        generates = function.children[0].type == "async" and _any_in(body, yields)
        if (
            generates  # with a yield in it, what it returns is no coroutine
            or _any_in(body, given)
            or function.has_error
            or (
                returns is not None
                and _NO_RETURN.search(source, returns.start_byte, returns.end_byte)
            )
        ):
            continue
        yield start, end, _STUB


def _parts(found: Captures) -> Iterator[_Part]:
    names = sorted(found.get("name", ()), key=lambda node: node.start_byte)
    starts = [name.start_byte for name in names]
    for part in found.get("part", ()):
        at = bisect_left(starts, part.start_byte)
        name = names[at].text if at < len(names) else None
        if name is not None and not part.has_error:
            yield _Part(name.decode(), part.start_point[0], part.end_point[0])


def _any_in(node: tree_sitter.Node, starts: Sequence[int]) -> bool:
    at = bisect_left(starts, node.start_byte)
    return at < len(starts) and starts[at] < node.end_byte


@lru_cache(maxsize=20_000)
def _words(line: str) -> frozenset[str]:
    return frozenset() if line.lstrip().startswith("#") else frozenset(_WORD.findall(line))


@cache
def _query(language: Language) -> tree_sitter.Query:
    import tree_sitter

    return tree_sitter.Query(language.grammar(), _QUERY)
