"""Which names a piece of code takes from elsewhere: members, keyword arguments, imports, callees.

Says where each stands and where one would have to ask what may stand there; whether it exists is
for a type checker to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from surefill.syntax.document import Snapshot
from surefill.syntax.position import Range

if TYPE_CHECKING:
    import tree_sitter

UseKind = Literal["member", "keyword", "module", "imported", "call"]

_LONGEST_OWNER = 80


@dataclass(frozen=True)
class Use:
    """One name that something else has to have.

    ``member``: a name behind a dot. ``keyword``: a name before ``=`` in a call. ``module``: one
    part of a module's dotted name. ``imported``: what ``from … import`` takes from a module.
    ``call``: the last name of what is called, which is a member, too, where it stands behind a dot.
    """

    kind: UseKind
    name: str
    span: Range
    owner: str
    """Source of the receiver, of the callee or of the module; shortened, empty where there is none.
    """


def uses(snapshot: Snapshot, within: Range) -> tuple[Use, ...]:
    """The uses whose names lie in ``within``, at least in part, in the order of the text.

    Empty for a document without a tree, and for languages other than Python and ECMAScript's.
    """
    tree = snapshot.tree
    if tree is None or snapshot.language is None:
        return ()
    read = _READERS.get(snapshot.language.id)
    if read is None:
        return ()
    start, end = snapshot.byte_at(within.start), snapshot.byte_at(within.end)
    found = [
        _use(snapshot, each)
        for node in _nodes(tree.root_node, start, end)
        for each in read(node)
        if each.name.start_byte < end and start < each.name.end_byte
    ]
    return tuple(sorted(found, key=lambda use: (use.span, use.kind == "call")))


@dataclass(frozen=True)
class _Found:
    kind: UseKind
    name: tree_sitter.Node
    owner: tree_sitter.Node | None
    owner_end: int | None = None
    """Where the owner ends, if before its node does."""


def _use(snapshot: Snapshot, found: _Found) -> Use:
    name, owner = found.name, found.owner
    span = Range(snapshot.position_at(name.start_byte), snapshot.position_at(name.end_byte))
    text = b""
    if owner is not None:
        end = found.owner_end if found.owner_end is not None else owner.end_byte
        text = snapshot.source[owner.start_byte : end]
    shown = " ".join(text.decode("utf-8", "replace").split())
    if len(shown) > _LONGEST_OWNER:
        shown = shown[: _LONGEST_OWNER - 1] + "…"
    return Use(found.kind, snapshot.text_in(span), span, shown)


def _nodes(root: tree_sitter.Node, start: int, end: int) -> Iterator[tree_sitter.Node]:
    """All named nodes that touch the bytes from ``start`` to ``end``."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.start_byte >= end or node.end_byte <= start:
            continue
        yield node
        stack.extend(node.named_children)


def _python(node: tree_sitter.Node) -> Iterator[_Found]:
    if node.type == "attribute":
        name = node.child_by_field_name("attribute")
        if name is not None and not name.is_missing:
            yield _Found("member", name, node.child_by_field_name("object"))
    elif node.type == "keyword_argument":
        name, call = node.child_by_field_name("name"), _call_around(node)
        if name is not None and call is not None:
            yield _Found("keyword", name, call.child_by_field_name("function"))
    elif node.type == "call":
        yield from _called(node.child_by_field_name("function"), "attribute", "attribute")
    elif node.type == "import_statement":
        for each in node.children_by_field_name("name"):
            yield from _module(_imported_name(each))
    elif node.type == "import_from_statement":
        module = node.child_by_field_name("module_name")
        if module is None:
            return
        yield from _module(module)
        for each in node.children_by_field_name("name"):
            yield _Found("imported", _imported_name(each), module)


def _call_around(argument: tree_sitter.Node) -> tree_sitter.Node | None:
    """The call that ``argument`` belongs to; bases of a class are arguments of none."""
    arguments = argument.parent
    call = arguments.parent if arguments is not None else None
    return call if call is not None and call.type == "call" else None


def _called(function: tree_sitter.Node | None, access: str, field: str) -> Iterator[_Found]:
    if function is None:
        return
    if function.type == "identifier":
        yield _Found("call", function, None)
    elif function.type == access:
        name = function.child_by_field_name(field)
        if name is not None and not name.is_missing:
            yield _Found("call", name, function.child_by_field_name("object"))


def _imported_name(node: tree_sitter.Node) -> tree_sitter.Node:
    """What is imported, without the name it gets here."""
    name = node.child_by_field_name("name") if node.type == "aliased_import" else None
    return name or node


def _module(node: tree_sitter.Node) -> Iterator[_Found]:
    """Each part of a dotted name, with what stands before it as its owner."""
    names = [child for child in node.named_children if child.type == "identifier"]
    if node.type == "relative_import":
        for child in node.named_children:
            if child.type == "dotted_name":
                yield from _parts(child.named_children, node)
        return
    yield from _parts(names, node)


def _parts(names: list[tree_sitter.Node], whole: tree_sitter.Node) -> Iterator[_Found]:
    for name in names:
        if name.start_byte == whole.start_byte:
            yield _Found("module", name, None)
        else:
            before = name.prev_sibling
            end = before.start_byte if before is not None else name.start_byte
            yield _Found("module", name, whole, owner_end=end)


def _ecmascript(node: tree_sitter.Node) -> Iterator[_Found]:
    if node.type == "member_expression":
        name = node.child_by_field_name("property")
        if name is not None and name.type == "property_identifier":
            yield _Found("member", name, node.child_by_field_name("object"))
    elif node.type == "call_expression":
        function = node.child_by_field_name("function")
        yield from _called(function, "member_expression", "property")


_READERS = {
    "python": _python,
    "javascript": _ecmascript,
    "typescript": _ecmascript,
    "typescriptreact": _ecmascript,
}
