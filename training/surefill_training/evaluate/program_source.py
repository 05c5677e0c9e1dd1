"""A program's tokens, lines and quoted parts, as the rules that find places ask for them.

All offsets are in characters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from surefill.syntax.document import Document
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import Language
from surefill.syntax.parsing import encode

if TYPE_CHECKING:
    import tree_sitter

_COMMENT = re.compile("comment|marginalia")
_QUOTED = re.compile("string|char.*literal|rune_literal|heredoc_body|regex|attribute_value")
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class Token:
    """A leaf of the syntax tree, or a comment or string as a whole."""

    start: int
    end: int
    type: str
    parent: str
    comment: bool = False
    string: bool = False


class ProgramSource:
    """The text of a program, read by the language's grammar; without one it has no tokens."""

    def __init__(self, text: str, language: Language | None) -> None:
        self.text = text
        self.language = language
        self.lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self.lines)][:-1]
        self.tokens: list[Token] = []
        self.nodes: dict[int, list[int]] = {}
        """Ends of the named nodes that begin at an offset."""
        tree = Document("", language, text).snapshot().tree
        if tree is not None:
            self._walk(tree.root_node)
        self._token_starts = [token.start for token in self.tokens]

    def _walk(self, root: tree_sitter.Node) -> None:
        data = encode(self.text)
        wide = len(data) != len(self.text)

        def at(byte: int) -> int:
            return len(data[:byte].decode("utf-8", "ignore")) if wide else byte

        pending = [root]
        while pending:
            node = pending.pop()
            start, end = at(node.start_byte), at(node.end_byte)
            text = self.text[start:end]
            comment = node.is_named and _COMMENT.search(node.type) is not None
            string = node.is_named and (
                _QUOTED.search(node.type) is not None
                or (node.type == "literal" and text[:1] in {"'", '"'})
            )
            if node.is_named and text:
                self.nodes.setdefault(start, []).append(end)
            if not (comment or string) and node.child_count:
                pending.extend(reversed(node.children))
            elif text:
                end = start + len(text.rstrip()) if comment else end
                parent = node.parent.type if node.parent else ""
                self.tokens.append(Token(start, end, node.type, parent, comment, string))

    def line_of(self, offset: int) -> int:
        """Number of the line that ``offset`` is in."""
        return bisect_right(self._starts, offset) - 1

    def line_start(self, offset: int) -> int:
        """Where the line that ``offset`` is in begins."""
        return self._starts[self.line_of(offset)]

    def line_end(self, offset: int) -> int:
        """Where the line that ``offset`` is in ends, without its line feed."""
        number = self.line_of(offset)
        return self._starts[number] + len(self.lines[number])

    def code_start(self, number: int) -> int:
        """Where the indentation of line ``number`` ends."""
        line = self.lines[number]
        return self._starts[number] + len(line) - len(line.lstrip())

    def indent(self, number: int) -> int:
        """Columns that line ``number`` is indented."""
        return indent_width(self.lines[number])

    def tokens_in(self, start: int, end: int) -> list[Token]:
        """The tokens that begin in a span."""
        first = bisect_right(self._token_starts, start - 1)
        last = bisect_right(self._token_starts, end - 1)
        return self.tokens[first:last]

    def code_in(self, number: int) -> list[Token]:
        """The tokens that begin on line ``number``, without comments."""
        start = self._starts[number]
        inside = self.tokens_in(start, start + len(self.lines[number]))
        return [token for token in inside if not token.comment]

    def code(self) -> Iterator[Token]:
        """The tokens that are neither comments nor strings."""
        return (token for token in self.tokens if not (token.comment or token.string))

    def quoted(self, offset: int) -> bool:
        """Whether ``offset`` is inside a comment or a string."""
        number = bisect_right(self._token_starts, offset - 1) - 1
        if number < 0:
            return False
        token = self.tokens[number]
        return (token.comment or token.string) and token.start < offset < token.end

    def first_token(self, number: int) -> Token | None:
        """The token that line ``number`` begins with; None where one from above goes on."""
        start = self.code_start(number)
        found = self.tokens_in(start, start + 1)
        return found[0] if found else None

    def left_open(self, start: int, end: int) -> bool:
        """Whether a bracket or string that begins in a span goes on after it, blocks apart."""
        depth, last = 0, ""
        for token in self.tokens_in(start, end):
            if token.end > end:
                return True
            if token.comment or token.string:
                continue
            last = token.type
            if last[-1:] in _OPENING:
                depth += 1
            elif last in _CLOSING:
                depth = max(0, depth - 1)
        return depth > 0 and last != "{"
