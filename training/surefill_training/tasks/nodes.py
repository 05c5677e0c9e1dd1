"""Nodes of a syntax tree that are worth completing: bodies, described statements, arguments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter

from surefill.syntax.languages import Language

Span = tuple[int, int]

_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
_BODY_FIELDS = ("body", "consequence", "alternative")
_BLOCKS = frozenset({"block", "statement_block", "compound_statement"})
_SHELL_CLAUSES = frozenset({"if_statement", "elif_clause", "else_clause"})
_SQL_CLAUSES = frozenset({"select", "from", "where", "group_by", "order_by"})
_OPENING_TAGS = frozenset({"start_tag", "jsx_opening_element"})
_CLOSING_TAGS = frozenset({"end_tag", "jsx_closing_element"})
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
        for begin, end in _bodies(node, source):
            places.add(found.bodies, begin, end)
        for begin, end in _arguments(node, source):
            if end - begin <= _MOST_ARGUMENTS:
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


def _bodies(node: tree_sitter.Node, source: bytes) -> Iterator[Span]:
    """The bodies of a node, in bytes, for each place where a user waits for one."""
    for body in _blocks(node):
        if not body.has_error:
            for start in _starts(node, body, source):
                yield start, _end(body)
    if node.type in _SHELL_CLAUSES:
        yield from _shell_clause(node)
    elif node.type in _SQL_CLAUSES and node.named_children:
        statement = node
        while statement.parent is not None and statement.type != "statement":
            statement = statement.parent
        yield node.named_children[0].end_byte, statement.end_byte
    elif node.type == "column_definitions":
        yield node.start_byte + 1, node.end_byte - 1
    else:
        yield from _between_tags(node)


def _blocks(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """What a head or a condition governs."""
    for field_name in _BODY_FIELDS:
        body = node.child_by_field_name(field_name)
        if body is not None and (field_name != "alternative" or body.type in _BLOCKS):
            yield body
    if node.type == "else_clause" and node.named_children:
        last = node.named_children[-1]
        if last.type in _BLOCKS and node.child_by_field_name("body") is None:
            yield last


def _starts(node: tree_sitter.Node, body: tree_sitter.Node, source: bytes) -> Iterator[int]:
    """Where the user waits: after the head, and after the docstring, if there is one."""
    if source[body.start_byte : body.start_byte + 1] == b"{":
        yield body.start_byte + 1
        return
    if body.type == "do_group":
        yield body.start_byte + len(b"do")
        return
    head = source.rfind(b":", node.start_byte, body.start_byte) + 1
    if not head or not _is_blank(source[head : body.start_byte]):
        yield body.start_byte
        return
    yield head
    first = body.named_children[0] if body.named_children else None
    if first is None or first.type != "expression_statement" or len(body.named_children) == 1:
        return
    if first.named_children and first.named_children[0].type == "string":
        yield first.end_byte


def _is_blank(source: bytes) -> bool:
    """Whether there is nothing but white space and a comment in Python's style."""
    return all(not line.strip() or line.strip().startswith(b"#") for line in source.split(b"\n"))


def _end(body: tree_sitter.Node) -> int:
    """Where a body ends, its closing brace left out."""
    last = body.named_children[-1] if body.named_children else body
    return last.end_byte


def _shell_clause(node: tree_sitter.Node) -> Iterator[Span]:
    """What stands between ``then`` or ``else`` and the next such word of the shell."""
    begin = end = None
    for child in node.children:
        if child.type in {"then", "else"}:
            begin = child.end_byte
        elif begin is not None and child.is_named and child.type not in _SHELL_CLAUSES:
            end = child.end_byte
        elif begin is not None and child.type in _SHELL_CLAUSES:
            break
    if begin is not None and end is not None:
        yield begin, end


def _between_tags(node: tree_sitter.Node) -> Iterator[Span]:
    """What stands between the tags of an element in a markup language."""
    if len(node.children) < 3:
        return
    first, last = node.children[0], node.children[-1]
    if first.type in _OPENING_TAGS and last.type in _CLOSING_TAGS:
        yield first.end_byte, last.start_byte


def _arguments(node: tree_sitter.Node, source: bytes) -> Iterator[Span]:
    """What stands between the brackets of a call, or in a tag after its name."""
    arguments = node.child_by_field_name("arguments")
    if node.type == "macro_invocation" or (node.type == "insert" and arguments is None):
        arguments = node.named_children[-1] if node.named_children else None
    if arguments is not None and not arguments.has_error:
        begin, end = arguments.start_byte + 1, arguments.end_byte - 1
        if source[begin - 1 : begin] == b"(":
            yield begin, end
    if node.type == "invocation":
        bracket = source.find(b"(", node.start_byte, node.end_byte)
        if bracket >= 0:
            yield bracket + 1, node.end_byte - 1
    if node.type in _OPENING_TAGS and len(node.named_children) > 1:
        yield node.named_children[0].end_byte, node.named_children[-1].end_byte


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
        end = begin + len(self._source[begin:end].rstrip())
        if not 0 <= begin < end or self._source.count(b"\n", begin, end) > self._max_lines:
            return
        if self._source[begin:end].strip():
            sort.append((self._character(begin), self._character(end)))

    def _character(self, byte: int) -> int:
        return byte if self._ascii else len(self._source[:byte].decode("utf-8", "replace"))
