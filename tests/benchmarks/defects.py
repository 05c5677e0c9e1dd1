"""Seeded defects: correct Python code with one thing broken in it, the same ones for a seed."""

from __future__ import annotations

import ast
import io
import keyword
import random
import string
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KINDS = (
    "misspelt member",
    "wrong keyword",
    "missing bracket",
    "missing colon",
    "unclosed string",
    "wrong import",
)
_LONGEST = 60_000
"""Characters of a file that is taken."""


@dataclass(frozen=True)
class Defect:
    """``text`` is ``original`` with one thing broken in the part from ``start`` to ``end``.

    Offsets count characters; those of ``text`` and of ``original`` agree up to ``start``.
    """

    kind: str
    path: Path
    original: str
    text: str
    start: int
    end: int

    @property
    def line(self) -> int:
        """0-based line of the defect."""
        return self.text.count("\n", 0, self.start)


def defects(files: list[Path], count: int, seed: int) -> Iterator[Defect]:
    """``count`` defects, each kind in its turn, each in a file drawn at random; may repeat files.

    Goes on for as long as it is asked, so that whoever needs another one can have it.
    """
    chooser = random.Random(seed)
    made = 0
    while made < count:
        path = chooser.choice(files)
        try:
            original = path.read_text("utf-8")
            ast.parse(original)
        except (OSError, ValueError, SyntaxError):
            continue
        if not 200 < len(original) < _LONGEST or "\r" in original or "\t" in original:
            continue
        kind = KINDS[made % len(KINDS)]
        places = list(_PLACES[kind](original))
        if not places:
            continue
        start, end, text = _BREAKERS[kind](chooser, original, *chooser.choice(places))
        if text is None:
            continue
        broken = original[:start] + text + original[end:]
        made += 1
        yield Defect(kind, path, original, broken, start, start + len(text))


def _tokens(text: str) -> Iterator[tuple[tokenize.TokenInfo, int, int]]:
    """Tokens with their offsets."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        first, last = (starts[row - 1] + column for row, column in (token.start, token.end))
        yield token, first, last


def _brackets(text: str) -> Iterator[tuple[int, int]]:
    for token, start, end in _tokens(text):
        if token.type == tokenize.OP and token.string in ")]}([{":
            yield start, end


def _colons(text: str) -> Iterator[tuple[int, int]]:
    before: tuple[str, int, int] | None = None
    for token, start, end in _tokens(text):
        if token.type == tokenize.NEWLINE and before and before[0] == ":":
            yield before[1], before[2]
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            before = token.string, start, end


def _strings(text: str) -> Iterator[tuple[int, int]]:
    for token, _, end in _tokens(text):
        if token.type == tokenize.STRING and len(token.string) > 4:
            quote = 3 if token.string.endswith(('"""', "'''")) else 1
            yield end - quote, end


def _members(text: str) -> Iterator[tuple[int, int]]:
    starts = _line_starts(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            end = starts[node.end_lineno - 1] + _column(text, starts, node.end_lineno, node)
            yield end - len(node.attr), end


def _keywords(text: str) -> Iterator[tuple[int, int]]:
    starts = _line_starts(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.keyword) and node.arg:
            line = text[starts[node.lineno - 1] :].split("\n", 1)[0]
            column = len(line.encode()[: node.col_offset].decode())
            start = starts[node.lineno - 1] + column
            yield start, start + len(node.arg)


def _imports(text: str) -> Iterator[tuple[int, int]]:
    """Names in ``from ... import`` and modules, where they stand in one line by themselves."""
    starts = _line_starts(text)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            start = starts[alias.lineno - 1] + alias.col_offset
            name = alias.name.split(".")[-1]
            if alias.name != "*":
                yield start + len(alias.name) - len(name), start + len(alias.name)
        if isinstance(node, ast.ImportFrom) and node.module:
            at = text.find(node.module, starts[node.lineno - 1] + node.col_offset + 4)
            name = node.module.split(".")[-1]
            yield at + len(node.module) - len(name), at + len(node.module)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _column(text: str, starts: list[int], row: int, node: ast.Attribute) -> int:
    line = text[starts[row - 1] :].split("\n", 1)[0]
    return len(line.encode()[: node.end_col_offset].decode())


def _removed(
    chooser: random.Random, text: str, start: int, end: int
) -> tuple[int, int, str | None]:
    return start, end, ""


def _misspelt(
    chooser: random.Random, text: str, start: int, end: int
) -> tuple[int, int, str | None]:
    """A name with a slip of the finger in it: two letters swapped, one lost, doubled or wrong."""
    name = text[start:end]
    if len(name) < 4 or name.startswith("__") or not name.isidentifier():
        return start, end, None
    at = chooser.randrange(1, len(name) - 1)
    slips = [
        name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        name[:at] + name[at + 1 :],
        name[:at] + name[at] + name[at:],
        name[:at] + chooser.choice(string.ascii_lowercase) + name[at + 1 :],
    ]
    chosen = chooser.choice(slips)
    usable = chosen != name and chosen.isidentifier() and not keyword.iskeyword(chosen)
    return start, end, chosen if usable else None


_PLACES = {
    "misspelt member": _members,
    "wrong keyword": _keywords,
    "missing bracket": _brackets,
    "missing colon": _colons,
    "unclosed string": _strings,
    "wrong import": _imports,
}
_BREAKERS = {
    "misspelt member": _misspelt,
    "wrong keyword": _misspelt,
    "missing bracket": _removed,
    "missing colon": _removed,
    "unclosed string": _removed,
    "wrong import": _misspelt,
}
