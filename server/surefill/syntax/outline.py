"""The outline of a source file: its signatures without their bodies. Pure; knows no documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from surefill.syntax.languages import Language

if TYPE_CHECKING:
    import tree_sitter

_MOST_BYTES = 400_000
"""A file that is larger is data or generated, and not worth the time."""
_DEEPEST = 2
"""Classes inside this many others are still shown."""
_LONGEST_SIGNATURE = 300
_HOLDERS = ("class", "interface", "struct", "impl", "trait", "module", "namespace", "enum")
"""What node types are called whose members belong to an outline, in any grammar."""


def outline(text: str, language: Language) -> str:
    """Signatures of the functions, classes and methods in ``text``, a line or more each.

    Each ends where its body begins; nothing that stands in a function is shown. Empty for a text
    without any, and for one that is too large.
    """
    import tree_sitter  # native library, loaded with the first document

    source = text.encode("utf-8", "replace")
    if len(source) > _MOST_BYTES:
        return ""
    tree = tree_sitter.Parser(language.grammar()).parse(source)
    return "".join(_signatures(tree.root_node, source, 0))


def _signatures(node: tree_sitter.Node, source: bytes, depth: int) -> Iterator[str]:
    for child in node.named_children:
        body = child.child_by_field_name("body")
        if body is None:
            # Decorated definitions, exports and the like hold what they decorate.
            if child.child_by_field_name("definition") or "export" in child.type:
                yield from _signatures(child, source, depth)
            continue
        if child.child_by_field_name("condition") or not _named(child):
            continue
        start = source.rfind(b"\n", 0, child.start_byte) + 1
        end = _end_of_signature(child, body, source)
        signature = source[start:end].decode("utf-8", "replace").rstrip()
        if len(signature) <= _LONGEST_SIGNATURE:
            yield signature + "\n"
        if depth < _DEEPEST and any(kind in child.type for kind in _HOLDERS):
            yield from _signatures(body, source, depth + 1)


def _end_of_signature(node: tree_sitter.Node, body: tree_sitter.Node, source: bytes) -> int:
    """Where the signature ends: behind what opens the body, before comments in between."""
    end = body.start_byte
    colon = source.find(b":\n", node.start_byte, end)
    if colon >= 0:
        return colon + 1
    return end + 1 if source[end : end + 1] == b"{" else end


def _named(node: tree_sitter.Node) -> bool:
    named = node.child_by_field_name("name") or node.child_by_field_name("declarator")
    return named is not None or node.child_by_field_name("type") is not None
