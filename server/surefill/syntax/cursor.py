"""What is around a position: word, string, comment, brackets, block, indentation, headers.

Works on the lines near the cursor and on the syntax tree where that is sound, so that an
unfinished line, the usual state while typing, does not change the answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from surefill.syntax.brackets import Lexical, scan
from surefill.syntax.document import Snapshot
from surefill.syntax.languages import INDENTED_HEADER, Language
from surefill.syntax.position import Position, Range
from surefill.syntax.scopes import enclosing_headers, import_lines, indent_of, indent_unit

if TYPE_CHECKING:
    import tree_sitter

_NEAR_LINES = 200
_NEAR_BELOW = 20
_NEAR_CHARACTERS = 10_000

_COMPLETE_WORD = re.compile(r"\b(pass|break|continue|return|fi|done|esac|end)$")
_ONLY_CLOSERS = re.compile(r"[\s)\]}>\"'`;,:]*")


@dataclass(frozen=True)
class Cursor:
    """A position and its surroundings. Line numbers are 0-based, spans exclude their end."""

    position: Position
    line_prefix: str
    """The line before the cursor."""
    line_suffix: str
    """The rest of the line, without its end."""
    in_word: bool
    """A word goes on behind the cursor."""
    string: str
    """Delimiter of the string the cursor is in, or empty."""
    in_comment: bool
    in_docstring: bool
    """In a string of several lines that is a statement of its own."""
    opens_block: bool
    """The text before the cursor ends with what opens a block, on this line."""
    after_opener: bool
    """On a blank line right after a line that opens a block."""
    after_description: bool
    """On a blank line right after a comment or docstring."""
    line_above: str
    """The line right above, or the one above a single blank line."""
    line_below: str
    """The next line below that is not blank, if it is near; else empty."""
    open_brackets: tuple[tuple[str, int], ...]
    """Unclosed brackets before the cursor, outermost first, with the line each is on."""
    statement_complete: bool
    """What stands before the cursor on this line needs no continuation."""
    indent: str
    """Leading whitespace of the line."""
    indent_unit: str
    """One level of indentation in this file."""
    headers: tuple[tuple[int, int], ...]
    """Lines of the enclosing classes' and functions' headers, outermost first."""
    imports: tuple[int, int]
    """Lines of the imports at the top of the file; empty when both are equal."""

    @property
    def blank(self) -> bool:
        """Only whitespace before the cursor."""
        return not self.line_prefix.strip()

    @property
    def rest_is_closers(self) -> bool:
        """Behind the cursor the line only closes: what an editor inserts by itself, or nothing."""
        return _ONLY_CLOSERS.fullmatch(self.line_suffix) is not None

    @classmethod
    def at(cls, snapshot: Snapshot, position: Position) -> Cursor:
        """Analyse ``position``, clamped into the document. For the worker thread: may parse."""
        position = snapshot.clamp(position)
        language = snapshot.language
        line = snapshot.line(position.line)
        prefix, suffix = line[: position.character], line[position.character :]
        lexical, first_line, scanned = scan_before(snapshot, position)
        string, comment, docstring = _literal(snapshot, position, lexical)
        blank = not prefix.strip()
        code = not string and not comment
        above = _line_above(snapshot, position.line)
        return cls(
            position=position,
            line_prefix=prefix,
            line_suffix=suffix,
            in_word=bool(suffix) and _is_word(suffix[0]) and bool(prefix) and _is_word(prefix[-1]),
            string=string,
            in_comment=comment,
            in_docstring=docstring,
            opens_block=code and not blank and _opens(prefix, language, lexical),
            after_opener=code and blank and _opens(above, language, None),
            after_description=code and blank and _describes(above, language),
            line_above=above,
            line_below=_line_below(snapshot, position.line),
            open_brackets=tuple(
                (bracket, first_line + scanned.count("\n", 0, offset))
                for bracket, offset in lexical.open
            ),
            statement_complete=code and _complete(prefix, suffix, language, lexical),
            indent=indent_of(line),
            indent_unit=indent_unit(snapshot, position.line),
            headers=enclosing_headers(snapshot, position),
            imports=import_lines(snapshot),
        )


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _line_above(snapshot: Snapshot, number: int) -> str:
    """The line right above, or the one above a single blank line."""
    for candidate in (number - 1, number - 2):
        if line := snapshot.line(candidate).rstrip():
            return line
    return ""


def _line_below(snapshot: Snapshot, number: int) -> str:
    """The next line that is not blank, if it is near."""
    for candidate in range(number + 1, min(number + 1 + _NEAR_BELOW, len(snapshot.lines))):
        if line := snapshot.line(candidate).rstrip():
            return line
    return ""


def scan_before(snapshot: Snapshot, position: Position) -> tuple[Lexical, int, str]:
    """Lexical state before the cursor, the line where the scan began, and the scanned text."""
    near = Position(max(0, position.line - _NEAR_LINES), 0)
    start = _outside_literal(snapshot, near, position)
    text = snapshot.text_in(Range(start, position))
    if len(text) > _NEAR_CHARACTERS:
        cut = len(text) - _NEAR_CHARACTERS
        line_start = text.find("\n", cut) + 1
        near = Position(start.line + text.count("\n", 0, line_start or cut), 0)
        if line_start:
            start = _outside_literal(snapshot, near, position)
            text = snapshot.text_in(Range(start, position))
        else:  # the cursor's own line is that long
            start, text = near, text[cut:]
    return scan(text, snapshot.language), start.line, text


def _outside_literal(snapshot: Snapshot, start: Position, end: Position) -> Position:
    """``start``, or behind the string or comment that it is in, at ``end`` at the latest."""
    tree = snapshot.tree if start.line else None
    if tree is None:
        return start
    byte = snapshot.byte_at(start)
    for node in _path(tree, byte):
        if _is_literal(node.type) and node.end_byte > byte:
            return min(snapshot.position_at(node.end_byte), end)
    return start


def _path(tree: tree_sitter.Tree, byte: int) -> list[tree_sitter.Node]:
    """Nodes that contain ``byte``, from the root down."""
    walk = tree.walk()
    path = []
    while (node := walk.node) is not None:
        if node.start_byte > byte or node.end_byte < byte:
            break
        path.append(node)
        if walk.goto_first_child_for_byte(byte) is None:
            break
    return path


def inside_literal(snapshot: Snapshot, position: Position) -> bool:
    """Whether a string or comment that began before ``position`` goes on there."""
    if snapshot.tree is None:
        return False
    byte = snapshot.byte_at(position)
    path = _path(snapshot.tree, byte)
    return any(_is_literal(node.type) and node.start_byte < byte < node.end_byte for node in path)


def _is_literal(kind: str) -> bool:
    return "comment" in kind or kind in {
        "string",
        "string_literal",
        "template_string",
        "raw_string_literal",
        "interpreted_string_literal",
        "char_literal",
        "raw_string",
    }


def _literal(snapshot: Snapshot, position: Position, lexical: Lexical) -> tuple[str, bool, bool]:
    """The string delimiter, whether in a comment, whether in a docstring, at the cursor."""
    string, comment = lexical.string, lexical.in_comment
    tree = snapshot.tree
    if tree is None:
        return string, comment, False
    byte = snapshot.byte_at(position)
    path = _path(tree, max(byte - 1, 0))
    literal = next((node for node in path if _is_literal(node.type)), None)
    if any(node.is_error for node in path) or (literal is None and tree.root_node.has_error):
        return string, comment, len(string) == 3 and _alone(snapshot, position, string)
    if literal is None:
        leaf = path[-1] if path else tree.root_node
        inside = leaf.child_count == 0 and leaf.start_byte < byte < leaf.end_byte
        return string if inside else "", False, False
    if "comment" in literal.type:
        one_line = literal.start_point.row == literal.end_point.row
        ends_line = one_line and not snapshot.line(position.line)[position.character :].strip()
        inside = literal.start_byte < byte < literal.end_byte
        return "", inside or (ends_line and literal.end_byte == byte and comment), False
    if not literal.start_byte < byte < literal.end_byte:
        return "", False, False
    parent = literal.parent
    docstring = parent is not None and parent.type == "expression_statement"
    return string or '"', False, docstring


def _alone(snapshot: Snapshot, position: Position, delimiter: str) -> bool:
    """Whether the open string begins a line of its own."""
    for number in range(position.line, max(-1, position.line - _NEAR_LINES), -1):
        line = snapshot.line(number)
        if delimiter in line:
            return line.strip().startswith((delimiter, "r" + delimiter))
    return False


def _opens(line: str, language: Language | None, lexical: Lexical | None) -> bool:
    """Whether ``line`` ends with what opens a block."""
    if language is None:
        return False
    code = _without_comment(line, language)
    if language.openers:
        return re.search(language.openers, code) is not None
    if language.blocks == "braces":
        return code.endswith("{")
    if language.blocks == "indent" and code.endswith(":"):
        inside = lexical is not None and lexical.open
        return not inside and (
            INDENTED_HEADER.match(code) is not None or code.lstrip().startswith(")")
        )
    return False


def _without_comment(line: str, language: Language) -> str:
    comment = scan(line, language).comment
    return line[: comment if comment >= 0 else None].rstrip()


def _describes(line: str, language: Language | None) -> bool:
    """Whether ``line`` is a comment, or ends a docstring or a documentation comment."""
    stripped = line.strip()
    if language is None or not stripped:
        return False
    if language.line_comment and stripped.startswith(language.line_comment):
        return True
    if language.block_comment and stripped.endswith(language.block_comment[1]):
        return True
    return language.blocks == "indent" and stripped.endswith(('"""', "'''"))


def _complete(prefix: str, suffix: str, language: Language | None, lexical: Lexical) -> bool:
    """Whether the line before the cursor is a statement that nothing needs to follow.

    A name or number may always go on, so only what visibly ends something counts.
    """
    code = prefix.rstrip()
    if language is None or not code or suffix.strip():
        return False
    if language.terminator:
        return code.endswith((language.terminator, "}")) and not any(
            bracket != "{" for bracket, _ in lexical.open
        )
    if lexical.open and (language.blocks != "braces" or lexical.open[-1][0] != "{"):
        return False
    return code.endswith((")", "]", "}", '"', "'", "`")) or bool(_COMPLETE_WORD.search(code))
