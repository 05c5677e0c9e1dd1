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
_MOST_HALVES = 16
_QUERY = """
(function_definition body: (block)) @function
(block (expression_statement . (string) .) @text)
(module (class_definition name: (identifier) @name) @part)
(module (function_definition name: (identifier) @name) @part)
(module (decorated_definition definition: (_ name: (identifier) @name)) @part)
(module (expression_statement . (assignment left: (identifier) @name) .) @part)
[(global_statement) (nonlocal_statement)] @given
(import_statement name: (dotted_name (identifier) (identifier))) @given
(assignment left: [
  (attribute) @attribute
  (pattern_list (attribute) @attribute)
  (tuple_pattern (attribute) @attribute)
  (list_pattern (attribute) @attribute)])
(for_statement left: (attribute) @attribute)
(as_pattern_target (attribute) @attribute)
(yield) @yield
"""
_DEFINES = re.compile(r"\s*(?:async\s+)?def\b")
_NO_RETURN = re.compile(rb"\b(?:NoReturn|Never)\b")
_WORD = re.compile(r"[^\W\d]\w*")
_NAMED = re.compile(r"(?:\.\s*)?[^\W\d]\w*")
_BINDING_WORD = re.compile(
    r"^\s*(?:@|(?:async|class|def|del|for|from|import|with)\b)", re.MULTILINE
)
_BINDING_SIGN = re.compile(r"^([^#=\n]*?)(?:=(?!=)|:)", re.MULTILINE)


class _Part(NamedTuple):
    """Something that others may depend on by a name: a definition, or a body that sets attributes.

    The names of attributes begin with their dot. In a body's place stands ``instead`` where nobody
    does, in that of a definition nothing.
    """

    names: frozenset[str]
    start: int
    end: int
    instead: str

    def without(self, lines: Sequence[str]) -> list[str]:
        """Its lines, of all ``lines``, where it is left out."""
        first = f"{indent_of(lines[self.start])}{self.instead}".rstrip(" \t") + "\n"
        return [first, *["\n"] * (self.end - self.start)]

    def moved(self, rows: int) -> _Part:
        return self._replace(start=self.start + rows, end=self.end + rows)


class Condensed:
    """What stands above and below some lines of a document.

    ``lines`` are those of the document as far as anybody depends on them, with an empty one in
    place of these, at ``row``; ``others`` are all but these.
    """

    def __init__(
        self,
        lines: list[str],
        row: int,
        parts: Sequence[_Part],
        others: Sequence[str],
        *,
        in_function: bool,
    ) -> None:
        self._lines = lines
        self._row = row
        self._others = others
        self._in_function = in_function
        self._bodies = [part for part in parts if part.instead]
        self._definitions = [part for part in parts if not part.instead]
        self._owner = {
            body: definition
            for body in self._bodies
            for definition in self._definitions
            if definition.start <= body.start <= definition.end
        }
        self._halves: dict[tuple[frozenset[str], bool], tuple[str, str]] = {}
        self._users: dict[str, list[_Part]] = {}
        for part in parts:
            for name in part.names:
                self._users.setdefault(name, []).append(part)

    def around_for(self, text: str, *, all_attributes: bool) -> tuple[str, str]:
        """The text above and below of what the lines depend on when they are ``text``.

        That is what is named in them, in the function and class around them, or in what is named.
        Attributes that nobody names belong to it where ``all_attributes`` have to be known. The
        text below begins with the end of the last of the lines.
        """
        words = frozenset().union(*map(_words, text.splitlines()))
        named = words.intersection(self._users)
        key = named, all_attributes
        if key not in self._halves:
            if len(self._halves) >= _MOST_HALVES:
                self._halves.clear()
            self._halves[key] = self._around(named, all_attributes)
        return self._halves[key]

    def _around(self, named: frozenset[str], all_attributes: bool) -> tuple[str, str]:
        base = list(self._lines)
        for body in () if all_attributes else self._bodies:
            base[body.start : body.end + 1] = body.without(base)
        lines = list(base)
        for part in self._definitions:
            lines[part.start : part.end + 1] = part.without(lines)
        names: set[str] = set()
        kept: set[_Part] = set(self._bodies) if all_attributes else set()
        waiting = ["\n".join(named), *lines]

        def keep(part: _Part, source: Sequence[str]) -> None:
            kept.add(part)
            own = source[part.start : part.end + 1]
            lines[part.start : part.end + 1] = own
            waiting.extend(own)

        while waiting:
            new = _words(waiting.pop()) - names
            names |= new
            users = {part for name in new for part in self._users.get(name, ())}
            for part in users - kept:
                owner = self._owner.get(part)
                if not part.instead:
                    keep(part, base)
                    for body in self._bodies:
                        if self._owner.get(body) is part and not names.isdisjoint(body.names):
                            keep(body, self._lines)
                elif owner is None or owner in kept:
                    keep(part, self._lines)
        return "".join(lines[: self._row]), "".join(lines[self._row :])

    def suffices_for(self, text: str) -> bool:
        """Whether the lines, when they are ``text``, change nothing for what is left out.

        In a function they do so only by what is global; what becomes of an attribute's type in
        other methods is left aside. Elsewhere they do where they bind a name that others use.
        """
        if self._in_function:
            return "global" not in _WORD.findall(text)
        bound = _WORD.findall(text) if _BINDING_WORD.search(text) else []
        for match in _BINDING_SIGN.finditer(text):
            bound += _WORD.findall(match[1])
        return not bound or self._used_elsewhere.isdisjoint(bound)

    @cached_property
    def _used_elsewhere(self) -> frozenset[str]:
        return frozenset(word.lstrip(".") for line in self._others for word in _words(line))


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
    parts: list[_Part] = []
    for part in (*_texts(found), *_bodies(found, snapshot.source), *_definitions(found)):
        if part.start <= last and part.end >= own:
            continue
        if part.names:
            parts.append(part)
        else:
            lines[part.start : part.end + 1] = part.without(lines)
    taken = last - first
    parts = [part.moved(-taken) if part.start > last else part for part in parts]
    lines[first : last + 1] = [snapshot.lines[last][len(snapshot.line(last)) :]]
    others = (*snapshot.lines[:first], *snapshot.lines[last + 1 :])
    return Condensed(lines, first, parts, others, in_function=header is not None)


def _own_function(snapshot: Snapshot, span: Range) -> int | None:
    """The first line of the outermost function around ``span``, where there is one."""
    headers = enclosing_headers(snapshot, span.start)
    return next((line for line, _ in headers if _DEFINES.match(snapshot.line(line))), None)


def _texts(found: Captures) -> Iterator[_Part]:
    """Documentation."""
    for text in found.get("text", ()):
        block = text.parent
        start, end = text.start_point[0], text.end_point[0]
        if end > start and block is not None and not block.has_error:
            yield _Part(frozenset(), start, end, '""')


def _bodies(found: Captures, source: bytes) -> Iterator[_Part]:
    """Bodies of functions on which others depend by attributes alone, or not at all."""
    given = sorted(node.start_byte for node in found.get("given", ()))
    yields = sorted(node.start_byte for node in found.get("yield", ()))
    attributes = sorted(found.get("attribute", ()), key=lambda node: node.start_byte)
    starts = [node.start_byte for node in attributes]
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
        inside = attributes[
            bisect_left(starts, body.start_byte) : bisect_left(starts, body.end_byte)
        ]
        yield _Part(frozenset(_set_by(function, inside)), start, end, _STUB)


def _set_by(function: tree_sitter.Node, attributes: Sequence[tree_sitter.Node]) -> Iterator[str]:
    """Names of the attributes that a method sets of its own object."""
    parameters = function.child_by_field_name("parameters")
    first = parameters.named_children[0] if parameters and parameters.named_children else None
    if first is None or first.text is None:
        return
    own = _WORD.match(first.text.decode("utf-8", "replace"))
    for attribute in attributes:
        of = attribute.child_by_field_name("object")
        name = attribute.child_by_field_name("attribute")
        if own and of and name and of.text == own[0].encode() and name.text:
            yield "." + name.text.decode("utf-8", "replace")


def _definitions(found: Captures) -> Iterator[_Part]:
    """What is defined at the top level."""
    names = sorted(found.get("name", ()), key=lambda node: node.start_byte)
    starts = [name.start_byte for name in names]
    for part in found.get("part", ()):
        at = bisect_left(starts, part.start_byte)
        name = names[at].text if at < len(names) else None
        if name is not None and not part.has_error:
            start, end = part.start_point[0], part.end_point[0]
            yield _Part(frozenset([name.decode("utf-8", "replace")]), start, end, "")


def _any_in(node: tree_sitter.Node, starts: Sequence[int]) -> bool:
    at = bisect_left(starts, node.start_byte)
    return at < len(starts) and starts[at] < node.end_byte


@lru_cache(maxsize=20_000)
def _words(line: str) -> frozenset[str]:
    """The names in a line, those behind a dot with it."""
    return frozenset() if line.lstrip().startswith("#") else frozenset(_NAMED.findall(line))


@cache
def _query(language: Language) -> tree_sitter.Query:
    import tree_sitter

    return tree_sitter.Query(language.grammar(), _QUERY)
