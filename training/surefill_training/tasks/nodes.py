"""Nodes of a syntax tree that are worth completing: bodies, described statements, arguments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter

from surefill.syntax.languages import Language

Span = tuple[int, int]

_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
_MOST_ARGUMENTS = 300
"""Characters between the brackets of a call."""


@dataclass
class Spans:
    """Places in a text, as characters (begin, end), in the order of the text."""

    bodies: list[Span] = field(default_factory=list)
    """What follows a signature, a signature with its docstring, or the head of a statement."""
    described: list[Span] = field(default_factory=list)
    """Statements right below a comment."""
    arguments: list[Span] = field(default_factory=list)
    """What stands between the brackets of a call."""


def spans(text: str, language: Language, max_lines: int) -> Spans:
    """The places in ``text``; bodies and statements of more than ``max_lines`` are left out."""
    source = text.encode("utf-8", "replace")
    tree = tree_sitter.Parser(language.grammar()).parse(source)
    places = _Places(text, source, max_lines)
    found = Spans()
    for node in _walk(tree.root_node):
        if node.has_error and not node.children:
            continue
        body = node.child_by_field_name("body")
        if body is not None and not body.has_error:
            for start in _starts(node, body, source):
                places.add(found.bodies, start, _end(body))
        arguments = node.child_by_field_name("arguments")
        if arguments is not None and not arguments.has_error:
            begin, end = arguments.start_byte + 1, arguments.end_byte - 1
            if 0 < end - begin <= _MOST_ARGUMENTS and source[begin - 1 : begin] == b"(":
                places.add(found.arguments, begin, end)
        if node.type in _COMMENTS and (below := _described(node)) is not None:
            start = source.find(b"\n", node.end_byte)
            places.add(found.described, start, below.end_byte)
    return found


def _walk(root: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """All named nodes, in the order of the text."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.named_children))


def _starts(node: tree_sitter.Node, body: tree_sitter.Node, source: bytes) -> Iterator[int]:
    """Where the user waits: behind the head, and behind the docstring, if there is one."""
    if source[body.start_byte : body.start_byte + 1] == b"{":
        yield body.start_byte + 1
        return
    head = source.rfind(b":", node.start_byte, body.start_byte) + 1
    if not head:
        return
    yield head
    first = body.named_children[0] if body.named_children else None
    if first is None or first.type != "expression_statement" or len(body.named_children) == 1:
        return
    if first.named_children and first.named_children[0].type == "string":
        yield first.end_byte


def _end(body: tree_sitter.Node) -> int:
    """Where a body ends, its closing brace left out."""
    last = body.named_children[-1] if body.named_children else body
    return last.end_byte


def _described(comment: tree_sitter.Node) -> tree_sitter.Node | None:
    """The statement on the line below a comment that has a line of its own."""
    below, above = comment.next_named_sibling, comment.prev_named_sibling
    if below is None or below.type in _COMMENTS or below.has_error:
        return None
    if above is not None and above.end_point[0] == comment.start_point[0]:
        return None
    return below if below.start_point[0] == comment.end_point[0] + 1 else None


class _Places:
    """Takes spans in bytes, keeps those that are worth it, and converts them to characters."""

    def __init__(self, text: str, source: bytes, max_lines: int) -> None:
        self._source = source
        self._ascii = len(source) == len(text)
        self._max_lines = max_lines

    def add(self, sort: list[Span], begin: int, end: int) -> None:
        if not 0 <= begin < end or self._source.count(b"\n", begin, end) > self._max_lines:
            return
        if self._source[begin:end].strip():
            sort.append((self._character(begin), self._character(end)))

    def _character(self, byte: int) -> int:
        return byte if self._ascii else len(self._source[:byte].decode("utf-8", "replace"))
