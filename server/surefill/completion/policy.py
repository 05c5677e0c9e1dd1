"""Whether to suggest at a position, how much, and when a model should stop.

Decides from what is around the cursor. Knows nothing of models; the stop functions only see the
text generated so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from surefill.engine.interface import Stop
from surefill.settings import CompletionSettings
from surefill.syntax.brackets import scan
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Snapshot
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import Language
from surefill.syntax.position import Position

Kind = Literal["none", "line", "block", "brackets"]

_MOST_LEADING_NEWLINES = 3


@dataclass(frozen=True)
class Decision:
    """What to ask of the model. With kind "none" only ``reason`` means something."""

    kind: Kind
    reason: str
    max_new_tokens: int = 0
    stop: Stop | None = None
    min_confidence: float = 0.0
    """The chance to begin right that a suggestion needs; 0 shows all of every one."""


def decide(
    snapshot: Snapshot,
    position: Position,
    cursor: Cursor,
    *,
    explicit: bool,
    settings: CompletionSettings,
) -> Decision:
    """Decide for ``position``; ``explicit`` when the user asked for a suggestion."""
    if cursor.in_word:
        return Decision("none", "the cursor is inside a word")
    kind, reason, stop = _extent(snapshot, cursor, explicit, settings)
    bar = 0.0 if explicit else settings.min_confidence
    return Decision(kind, reason, settings.max_new_tokens, stop, bar)


def _extent(
    snapshot: Snapshot, cursor: Cursor, explicit: bool, settings: CompletionSettings
) -> tuple[Kind, str, Stop]:
    if cursor.string or cursor.in_comment:
        return "line", "one line inside a string or comment", line_stop(may_lead=False)
    language = snapshot.language
    wanted = explicit or settings.multiline == "always"
    several = settings.multiline != "never" and cursor.rest_is_closers
    stop = line_stop(may_lead=cursor.statement_complete or cursor.opens_block)
    extent: tuple[Kind, str, Stop]
    if several and _within_brackets(language, cursor):
        width = indent_width(snapshot.line(cursor.open_brackets[-1][1])) + 1
        extent = "brackets", "up to the bracket that closes", brackets_stop(language)
    elif several and (cursor.opens_block or cursor.after_opener):
        width = _block_width(cursor)
        extent = "block", "a block, after the line that opens it", block_stop(language, width)
    elif several and (cursor.after_description or wanted):
        width = indent_width(cursor.line_prefix) if cursor.blank else indent_width(cursor.indent)
        if cursor.after_description and not cursor.line_prefix:
            width = indent_width(cursor.line_above)  # as deep as the description
        reason = "a block, as its description says" if cursor.after_description else "a block"
        return "block", reason, block_stop(language, width, paragraph=True)
    else:
        return "line", "one line", stop
    if _goes_on(cursor, width) and not wanted:
        return "line", "one line, as there are more below", stop
    return extent


def _within_brackets(language: Language | None, cursor: Cursor) -> bool:
    """Whether the innermost open bracket is one of an expression, not of a block."""
    if not cursor.open_brackets:
        return False
    braces_are_blocks = language is None or language.blocks != "indent"
    innermost = cursor.open_brackets[-1][0]
    if language is not None and language.id == "json":
        return True
    return not (braces_are_blocks and innermost == "{")


def _goes_on(cursor: Cursor, width: int) -> bool:
    """Whether the line below stands ``width`` columns deep: what the cursor is in goes on there.

    Several lines would come into the way of those that are there already.
    """
    below = cursor.line_below
    return indent_width(below) >= width and not below.lstrip().startswith((")", "]", "}"))


def _block_width(cursor: Cursor) -> int:
    """Columns that the lines of the block at the cursor are indented at least."""
    if cursor.opens_block:
        return indent_width(cursor.indent) + 1
    return max(1, indent_width(cursor.line_prefix))


def line_stop(*, may_lead: bool) -> Stop:
    """Stop at the first line end; with ``may_lead`` at the first one behind some text."""

    def stop(text: str) -> int | None:
        begin = len(text) - len(text.lstrip()) if may_lead else 0
        if may_lead and begin == len(text):
            return 0 if text.count("\n") > _MOST_LEADING_NEWLINES else None
        end = text.find("\n", begin)
        return end if end >= 0 else None

    return stop


def block_stop(language: Language | None, width: int, *, paragraph: bool = False) -> Stop:
    """Stop where the block ends: before a line indented less than ``width`` columns.

    A line that closes the block's own brace belongs to it. A ``paragraph`` also ends before the
    first line that stands at ``width`` again after a blank line: what a comment describes is one
    thing, while a body may have any number of paragraphs. Blank lines alone end nothing.
    """
    braces = language is not None and language.blocks == "braces"

    def stop(text: str) -> int | None:
        first, *others = text.split("\n")
        seen, blank, start = bool(first.strip()), False, len(first) + 1
        for number, line in enumerate(others, start=1):
            own, content = indent_width(line), line.strip()
            if own < width and content:
                if not (braces and content.startswith(("}", ")", "]"))):
                    return len(text[:start].rstrip())
                return start + len(line) if number < len(others) else None
            if paragraph and seen and blank and content and own == width:
                return len(text[:start].rstrip())
            seen, blank, start = seen or bool(content), not content, start + len(line) + 1
        return 0 if not seen and len(others) > _MOST_LEADING_NEWLINES else None

    return stop


def brackets_stop(language: Language | None) -> Stop:
    """Stop at the end of the line on which the bracket that was open at the cursor is closed."""

    def stop(text: str) -> int | None:
        stray = scan(text, language).stray
        if not stray:
            return None
        end = text.find("\n", stray[0][1])
        return end if end >= 0 else None

    return stop
