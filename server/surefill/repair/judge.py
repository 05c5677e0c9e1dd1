"""Whether a document is better with a change than without: fewer problems, and none new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from surefill.repair.edit import Candidate, moved
from surefill.syntax.position import Position, Range


class Mark(NamedTuple):
    """What tells one problem from another, apart from where it is."""

    code: str
    message: str
    start: Position


def better(before: Iterable[Mark], after: Iterable[Mark], span: Range, text: str) -> bool:
    """Whether ``after``, the problems with ``text`` in place of ``span``, are less and none new.

    A problem is the same where code and message are and it begins at the same place, wherever the
    change has moved that. One that begins inside the change is the same anywhere in it.
    """
    known = Counter(_moved(mark, span, text) for mark in before)
    found = Counter(_inside(mark, span, text) for mark in after)
    return found.total() < known.total() and not found - known


def none_new(before: Iterable[Mark], after: Iterable[Mark], span: Range, text: str) -> bool:
    """Whether all of ``after`` was there before."""
    known = Counter(_moved(mark, span, text) for mark in before)
    return not Counter(_inside(mark, span, text) for mark in after) - known


def no_worse_within(
    before: Iterable[Mark], after: Iterable[Mark], region: Range, candidate: Candidate
) -> bool:
    """Whether a checker's errors are no more after a change of syntax, and none new in ``region``.

    Elsewhere an error may come to light that was hidden by what did not parse: such errors count
    unless the change mends all of the syntax that the checker minded.
    """
    first, last = (
        moved(each, candidate.range, candidate.text) or candidate.range.start for each in region
    )
    old, new = list(before), list(after)
    known = Counter((mark.code, mark.message) for mark in old)
    found = Counter(
        (mark.code, mark.message) for mark in new if first.line <= mark.start.line <= last.line
    )
    mended = any(map(_is_syntax, old)) and not any(map(_is_syntax, new))
    return (mended or len(new) <= len(old)) and not found - known


def _is_syntax(mark: Mark) -> bool:
    return mark.code in ("invalid-syntax", "parse-error")


_WITHIN = Position(-1, -1)


def _moved(mark: Mark, span: Range, text: str) -> Mark:
    if span.start <= mark.start < span.end:
        return mark._replace(start=_WITHIN)
    return mark._replace(start=moved(mark.start, span, text) or _WITHIN)


def _inside(mark: Mark, span: Range, text: str) -> Mark:
    end = moved(span.end, span, text) or span.end
    return mark._replace(start=_WITHIN) if span.start <= mark.start < end else mark
