"""Indentation: its width, and whether that of a text fits where indentation marks the blocks.

A grammar for tree-sitter takes an indented line anywhere and a dedent to any column, and Python's
own parser takes neither. Works on lines, so it also answers where the rest does not parse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from surefill.syntax.brackets import scan
from surefill.syntax.languages import Language

_TAB_COLUMNS = 8


def indent_width(line: str) -> int:
    """Columns of leading whitespace, with tab stops every eight columns."""
    width = 0
    for character in line:
        if character == "\t":
            width += _TAB_COLUMNS - width % _TAB_COLUMNS
        elif character == " ":
            width += 1
        else:
            break
    return width


def indentation_problem(
    above: str, text: str, below: Iterable[str], language: Language, *, given: bool
) -> str:
    """What is wrong with the indentation of ``text``, whole lines; empty when nothing is.

    ``above`` is what precedes it and ``below`` are the lines behind it. Those are the user's, and
    only the first of them is judged, if it fits without ``text``. ``given`` says that the
    indentation of the first line of ``text`` is the user's too.
    """
    reader = _Reader(language)
    levels = _Levels()
    for statement in reader.read(above.removesuffix("\n").split("\n")):
        levels.accept(statement)
    next_fits = levels.copy()
    users = given or reader.inside
    for statement in reader.read(text.split("\n")):
        problem = "" if users else levels.problem(statement)
        users = False
        if problem:
            return problem
        levels.accept(statement)
    if reader.inside or levels.opened:
        return ""  # unfinished: what is below cannot be judged
    following = next(_Reader(language).read(below), None)
    if following is None or next_fits.problem(following):
        return ""
    problem = levels.problem(following)
    return f"behind it, {problem}" if problem else ""


class _Statement(NamedTuple):
    """The first line of a statement: its columns, and whether the statement opens a block."""

    width: int
    opens: bool


class _Reader:
    """Finds statements in lines; what is inside brackets or strings begins none."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._begun: int | None = None
        """Columns of the statement that is not at its end yet."""
        self._string = ""
        self._depth = 0
        self._continued = False

    @property
    def inside(self) -> bool:
        """Whether the next line goes on with a statement."""
        return bool(self._string or self._depth or self._continued)

    def read(self, lines: Iterable[str]) -> Iterator[_Statement]:
        """One for each statement that ends in ``lines``, wherever it began."""
        for line in lines:
            starts = not self.inside
            code = self._take(line.rstrip("\r\n"))
            if starts:
                if not code.strip():
                    continue
                self._begun = indent_width(line)
            if self._begun is not None and not self.inside:
                yield _Statement(self._begun, code.endswith(":"))
                self._begun = None

    def _take(self, line: str) -> str:
        """Follow strings and brackets over one line; its code without what is a comment."""
        state = scan(line, self._language, string=self._string)
        self._string = state.string if state.string in self._language.multiline else ""
        self._depth = max(0, self._depth - len(state.stray)) + len(state.open)
        code = (line[: state.comment] if state.in_comment else line).rstrip()
        self._continued = code.endswith("\\") and not state.in_comment
        return code


class _Levels:
    """The open levels of indentation, and whether a block has to begin."""

    def __init__(self, widths: Iterable[int] = (), *, opened: bool = False) -> None:
        self._widths = list(widths)
        self.opened = opened

    def copy(self) -> _Levels:
        return _Levels(self._widths, opened=self.opened)

    def problem(self, statement: _Statement) -> str:
        """Why ``statement`` may not come next; empty when it may."""
        if not self._widths:
            return ""  # the lines that would tell are too far above
        if self.opened:
            return "" if statement.width > self._widths[-1] else "an indented block is missing"
        if statement.width > self._widths[-1]:
            return "a line is indented too far"
        if statement.width < self._widths[0] or statement.width in self._widths:
            return ""
        return "a line's indentation matches no block"

    def accept(self, statement: _Statement) -> None:
        """Go on behind ``statement``, right or wrong."""
        while self._widths and self._widths[-1] > statement.width:
            self._widths.pop()
        if not self._widths or self._widths[-1] < statement.width:
            self._widths.append(statement.width)
        self.opened = statement.opens
