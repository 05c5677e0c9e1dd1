"""Indentation of a suggestion: the file's unit, relative to where the cursor is."""

from __future__ import annotations

from surefill.syntax.cursor import Cursor
from surefill.syntax.languages import Language


def normalise_indentation(
    text: str, cursor: Cursor, language: Language | None, above: tuple[str, ...]
) -> str:
    """Indent ``text`` in the file's unit, its first line so that it fits behind the cursor."""
    if cursor.string and "\n" in text:
        return text
    first, *others = text.split("\n")
    others = [_in_unit(line, cursor.indent_unit) for line in others]
    if not cursor.blank:
        return "\n".join((first, *others))
    content = first.lstrip(" \t")
    if not content:
        return "\n".join((first if others else "", *others))
    extra = first[: len(first) - len(content)]
    wanted = _wanted_extra(_in_unit(extra, cursor.indent_unit), cursor, above)
    moved = len(wanted) - len(extra)
    if moved and _follow_the_first(others, cursor, extra):
        others = [_shift(line, moved, cursor.indent_unit) for line in others]
    return "\n".join((wanted + content, *others))


def _in_unit(line: str, unit: str) -> str:
    """``line`` with its leading whitespace written in tabs or in spaces, as the file does."""
    content = line.lstrip(" \t")
    leading = line[: len(line) - len(content)]
    if unit == "\t" and " " in leading:
        columns = len(leading.replace("\t", "    "))
        return "\t" * (columns // 4) + " " * (columns % 4) + content
    if unit != "\t" and "\t" in leading:
        return leading.replace("\t", unit) + content
    return line


def _wanted_extra(extra: str, cursor: Cursor, above: tuple[str, ...]) -> str:
    """What the first line still needs between the cursor and its text."""
    prefix = cursor.line_prefix
    if cursor.after_opener:
        opener = next((line for line in reversed(above) if line.strip()), "")
        indent = opener[: len(opener) - len(opener.lstrip(" \t"))]
        return (indent + cursor.indent_unit)[len(prefix) :] if indent.startswith(prefix) else ""
    # Where the editor has indented already, the model's own indentation comes on top of it.
    return "" if prefix else extra


def _follow_the_first(others: list[str], cursor: Cursor, extra: str) -> bool:
    """Whether the other lines are indented relative to the same wrong column as the first."""
    filled = [line for line in others if line.strip()]
    if not filled:
        return False
    column = len(cursor.line_prefix) + len(extra)
    narrowest = min(len(line) - len(line.lstrip(" \t")) for line in filled)
    if extra and cursor.line_prefix:
        return narrowest >= column
    return not extra and narrowest < len(cursor.indent_unit) and not cursor.line_prefix


def _shift(line: str, columns: int, unit: str) -> str:
    """``line`` moved right by ``columns``, or left where it has that much whitespace."""
    if not line.strip():
        return line
    if columns > 0:
        return (unit[0] * columns) + line
    leading = len(line) - len(line.lstrip(" \t"))
    return line[min(-columns, leading) :]
