"""What Python's grammar forbids of parameters and tree-sitter's lets pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tree_sitter

_LISTS = ("parameters", "lambda_parameters")
_WITH_DEFAULT = ("default_parameter", "typed_default_parameter")
_PLAIN = ("identifier", "typed_parameter")


def lacks_default(tree: tree_sitter.Tree, byte: int) -> bool:
    """Whether the signature around ``byte`` has a parameter that needs a default: one before has.

    Behind ``*`` and ``*args`` any may have one or none.
    """
    node = tree.root_node.descendant_for_byte_range(byte, byte)
    while node is not None and node.type not in _LISTS:
        node = node.parent
    defaults = False
    for child in node.named_children if node is not None else ():
        kind, first = child.type, next(iter(child.named_children), None)
        if kind == "typed_parameter" and (first is None or first.type != "identifier"):
            return False
        if kind not in (*_PLAIN, *_WITH_DEFAULT, "positional_separator", "comment"):
            return False
        if kind in _PLAIN and defaults:
            return True
        defaults = defaults or kind in _WITH_DEFAULT
    return False
