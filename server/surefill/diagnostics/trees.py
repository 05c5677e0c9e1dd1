"""Syntax problems of languages other than Python, from a tree alone.

Says only what is certain. Grammars of languages with macros or dialects err on valid text, so of
those only open brackets and strings count.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from surefill.diagnostics.problem import Cause, Problem
from surefill.diagnostics.words import named, shown
from surefill.syntax.brackets import PAIRS, scan
from surefill.syntax.document import Snapshot
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import Language
from surefill.syntax.position import Position, Range

if TYPE_CHECKING:
    import tree_sitter

_EXACT = {"javascript", "typescript", "typescriptreact", "go", "java", "rust", "json"}
"""Languages whose grammar errs only on what is wrong."""
_CONDITIONAL = re.compile(r"^[ \t]*#[ \t]*(?:if|else|elif)", re.MULTILINE)
_TOKEN = re.compile(r"\w+|\S")


def tree_problems(
    snapshot: Snapshot, tree: tree_sitter.Tree, language: Language, most: int
) -> list[Problem]:
    """Syntax problems in the order of the text, at most ``most`` of them."""
    text = snapshot.text
    starts = [0, *accumulate(len(line) for line in snapshot.lines)]

    def span(start: int, end: int) -> Range:
        return Range(*(_position(snapshot, starts, each) for each in (start, end)))

    def problem(cause: Cause, start: int, end: int, message: str, wanted: str = "") -> Problem:
        line = bisect_right(starts, start) - 1
        region = Range(Position(line, 0), Position(line, len(snapshot.line(line))))
        return Problem("syntax", cause, span(start, end), message, region, wanted)

    if lexical := list(_lexical(text, language, problem)):
        return lexical[:most]
    if language.id not in _EXACT:
        return []
    found: dict[int, Problem] = {}
    for node in _errors(tree.root_node):
        at = snapshot.position_at(node.start_byte)
        start = starts[at.line] + at.character
        if node.is_missing:
            before = len(text[:start].rstrip())
            message = f"{named(node.type)} is missing here."
            each = problem("missing", max(0, before - 1), before, message, _token(node.type))
        else:
            match = _TOKEN.search(text, start)
            if match is None or _is_comma_of_a_comment_dialect(snapshot, match.group()):
                continue
            message = f"`{shown(match.group())}` is not expected here."
            each = problem("unexpected", match.start(), match.end(), message)
        found.setdefault(each.range.start.line, each)
        if len(found) == most:
            break
    return sorted(found.values(), key=lambda each: each.range)


def _token(kind: str) -> str:
    return kind if len(kind) == 1 else ""


def _is_comma_of_a_comment_dialect(snapshot: Snapshot, token: str) -> bool:
    """JSON with comments lets a comma stand behind the last value."""
    if token != "," or snapshot.language is None or snapshot.language.id != "json":
        return False
    return snapshot.uri.endswith((".jsonc", ".code-workspace")) or "//" in snapshot.text


def _lexical(text: str, language: Language, problem: Callable[..., Problem]) -> Iterator[Problem]:
    """Brackets and strings; nothing where a preprocessor may leave them open on purpose."""
    state = scan(text, language)
    if state.string and state.string in language.multiline:
        start = text.rfind(state.string)
        message = f"This string is not closed: its {state.string} is missing."
        yield problem("string", start, start + len(state.string), message, state.string)
        return
    if state.in_comment and language.block_comment:
        start = max(0, text.rfind(language.block_comment[0]))
        message = f"This comment is not closed: its {language.block_comment[1]} is missing."
        end = start + len(language.block_comment[0])
        yield problem("missing", start, end, message, language.block_comment[1])
        return
    if language.line_comment == "//" and _CONDITIONAL.search(text):
        return
    if state.stray:
        closer, start = state.stray[0]
        yield problem("stray", start, start + 1, f"This `{closer}` closes nothing.")
    if state.open:
        opener, start = _culprit(text, language) or state.open[0]
        wanted = PAIRS[opener]
        yield problem("bracket", start, start + 1, f"This `{opener}` is never closed.", wanted)


def _culprit(text: str, language: Language) -> tuple[str, int] | None:
    """The opener whose closer, by the indentation of its line, belongs to another one."""
    stack: list[tuple[str, int, int]] = []
    offset = 0
    for line in text.splitlines(keepends=True):
        width = indent_width(line)
        for match in re.finditer(r"[()\[\]{}]", line):
            token, at = match.group(), offset + match.start()
            if token in PAIRS:
                stack.append((token, at, width))
            elif stack and PAIRS[stack[-1][0]] == token:
                opener, start, opened = stack.pop()
                first = not line[: match.start()].strip()
                if token == "}" and first and width < opened:
                    return opener, start
        offset += len(line)
    return None


def _errors(root: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """The outermost ERROR nodes and the MISSING ones, in the order of the text."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            yield node
        elif node.has_error:
            stack.extend(reversed(node.children))


def _position(snapshot: Snapshot, starts: list[int], offset: int) -> Position:
    line = min(bisect_right(starts, offset) - 1, len(snapshot.lines) - 1)
    return snapshot.clamp(Position(line, offset - starts[line]))
