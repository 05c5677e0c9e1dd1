"""Parsing with tree-sitter: in slices, within a time limit, and incrementally along edits.

Knows bytes and trees, nothing of lines.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from surefill.syntax.languages import Language

if TYPE_CHECKING:
    import tree_sitter

MAX_PARSED_BYTES = 16_000_000
"""Documents above this size have no tree."""
FRESH_PARSE_BYTES = 32_000
"""Up to this size a tree with errors is parsed anew: after an incremental parse the place where
tree-sitter puts an error depends on the edits' history, after a fresh parse only on the text."""
PARSE_SECONDS = 1.5
"""A parse that takes longer is given up; pathological input can make error recovery very slow."""
RETRY_SECONDS = 20.0
"""How long after a parse that was given up the next one is tried: one more edit rarely helps, but
the text may get better or the machine less busy."""
_PENDING_EDITS = 2_000
_READ_BYTES = 4_096


def encode(text: str) -> bytes:
    """UTF-8 for the parser, one to one in length whatever the text holds.

    Lone surrogates become "?" so that invalid UTF-16 from an editor cannot raise.
    """
    return text.encode("utf-8", "replace")


class Edit(NamedTuple):
    """The arguments of ``tree_sitter.Tree.edit``."""

    start_byte: int
    old_end_byte: int
    new_end_byte: int
    start_point: tuple[int, int]
    old_end_point: tuple[int, int]
    new_end_point: tuple[int, int]


class Revision:
    """One state of a document's tree: parsed already, or reachable from ``parent`` by ``edit``."""

    __slots__ = ("age", "edit", "lock", "parent", "retry_at", "tree")

    def __init__(self, parent: Revision | None, edit: Edit | None) -> None:
        self.parent: Revision | None = parent
        self.edit: Edit | None = edit
        self.age: int = 0 if parent is None or parent.tree is not None else parent.age + 1
        if self.age > _PENDING_EDITS:
            self.parent, self.edit, self.age = None, None, 0
        self.lock: threading.Lock = parent.lock if parent is not None else threading.Lock()
        self.tree: tree_sitter.Tree | None = None
        self.retry_at: float = parent.retry_at if parent is not None else -math.inf

    @property
    def worth_parsing(self) -> bool:
        return self.tree is None and time.monotonic() >= self.retry_at

    def take(self, tree: tree_sitter.Tree | None) -> None:
        """Keep what a parse came to; the way to it is not needed any more."""
        self.tree, self.parent, self.edit = tree, None, None
        if tree is None:
            self.retry_at = time.monotonic() + RETRY_SECONDS

    def base(self) -> tree_sitter.Tree | None:
        """A copy of the nearest parsed ancestor's tree with all later edits applied."""
        edits: list[Edit] = []
        revision: Revision | None = self
        while revision is not None and revision.tree is None:
            if revision.edit is not None:
                edits.append(revision.edit)
            revision = revision.parent
        if revision is None or revision.tree is None:
            return None
        tree = revision.tree.copy()
        for edit in reversed(edits):
            tree.edit(*edit)
        return tree


def parse(
    language: Language, source: bytes, old_tree: tree_sitter.Tree | None = None
) -> tree_sitter.Tree | None:
    """Parse ``source``, reusing ``old_tree`` (already edited); None when it is given up.

    The source is handed over piece by piece: between two pieces other threads can run, while a
    parse of one bytes object would hold the interpreter lock from start to end.
    """
    import tree_sitter  # starting the server needs no parser

    if len(source) > MAX_PARSED_BYTES:
        return None
    parser = tree_sitter.Parser(language.grammar())
    give_up = time.monotonic() + PARSE_SECONDS

    def read(offset: int, _point: tree_sitter.Point) -> bytes:
        return source[offset : offset + _READ_BYTES]

    def late(_offset: int, _has_error: bool) -> bool:
        return time.monotonic() > give_up

    try:
        if old_tree is None:
            return parser.parse(read, progress_callback=late)
        return parser.parse(read, old_tree, progress_callback=late)
    except ValueError:  # the progress callback stopped it
        return None


def parse_exactly(
    language: Language, source: bytes, old_tree: tree_sitter.Tree | None
) -> tree_sitter.Tree | None:
    """``parse``, and once more from scratch where a small text has errors (FRESH_PARSE_BYTES)."""
    tree = parse(language, source, old_tree)
    small = len(source) <= FRESH_PARSE_BYTES
    if tree is not None and old_tree is not None and small and tree.root_node.has_error:
        return parse(language, source)
    return tree
