"""What a suggestion repeats of itself and of what stands near, cut before it begins.

A model that does not know what comes next writes what it has seen: the lines above, a definition
that the file has, its own last lines, the words before the cursor. Every check passes such text,
because it was right where it stood first. Legitimate repetition is told from it by the place: rows
of a table, branches, test cases and entries differ somewhere, or stand in blocks of their own.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from surefill.completion.redefinition import first_redefinition
from surefill.completion.repeated_words import (
    before_loop_on_line,
    is_constant,
    names_in,
    repeats_words,
    without_second_comment,
)
from surefill.completion.unreachable import first_unreachable
from surefill.completion.written import (
    Written,
    begins_with_closer,
    informative,
    is_comment,
    is_informative,
    shared,
    words,
)
from surefill.syntax.brackets import scan
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import Language

if TYPE_CHECKING:
    from surefill.completion.postprocess import Surroundings

_MOST_REPEATS = 3
"""So often a line in a row is no accident any more."""
_MOST_EQUAL_ROWS = 8
"""The same of rows of constants, as in a matrix of zeros."""
_ENOUGH_IN_BLOCK = 2
_ENOUGH_ELSEWHERE = 5
_ENOUGH_IN_TEXT = 6
_ENOUGH_OF_DATA = 8
"""Telling lines in a row that are an echo: in the same block, in another, in a string or comment,
where one function's parameters are described as those of the next, or in a record elsewhere."""
_ENOUGH_WORDS = 6
"""Different words in a few lines that say as much as two telling lines."""
_NEAR_CALLS = 2
"""Lines of its block within which a call that is assigned once more has brought nothing new."""
_NEAR_COMMENTS = 4
"""The same of a comment."""

_DIRECTIVE = re.compile(r"@|///|\b(eslint|noqa|type:|pragma|pylint|prettier|NOLINT|go:)")
"""Comments for tools, and those that document what follows in a fixed form."""

_ASSIGNMENT = re.compile(
    r"\s*(?:(?:const|let|var|final|auto|local|val|mut|my|export)\s+)*"
    r"(?P<target>[\w.$]+)(?:\s*:\s*[^=]+?)?\s*:?=(?![=~>])\s*(?P<value>.+)$"
)
_PLAIN_VALUE = re.compile(r"""([\w$]+|[-+]?[\d.]+|(["'`]).*\2|\[\]|\{\}|\(\));?$""")
_ENTRY = re.compile(r"""\s*(?P<key>["'][^"']+["']|[\w-]+)\s*(?::|=>|=(?!=))\s*\S.*$""")


def without_repetition(text: str, around: Surroundings) -> str:
    """``text`` up to where it begins to repeat; empty where nothing before that is left."""
    text = without_second_comment(text, around)
    if repeats_words(text, around) or _is_stuck(text):
        return ""
    text = before_loop_on_line(text)
    written = Written.of(text, around)
    rules: list[Callable[[Written], int | None]] = [_first_of_loop, _first_of_echo]
    if not written.in_text:
        rules += [first_unreachable, first_redefinition, _first_said_again]
    cuts = [at for rule in rules if (at := rule(written)) is not None]
    return _up_to(text, written, min(cuts), around) if cuts else text


def _up_to(text: str, written: Written, at: int, around: Surroundings) -> str:
    """``text`` before line ``at``, without what only led to it."""
    prefix = around.cursor.line_prefix
    lines = (prefix + text).split("\n")
    kept = lines[: written.numbers[at - written.first]]
    while kept:
        last = kept[-1]
        leads = last.lstrip().startswith("@") or is_comment(last, around.language)
        if not last.strip() or leads or last.rstrip().endswith((":", "{", "(", "[", "\\")):
            kept.pop()
            continue
        state = scan("\n".join(kept)[len(prefix) :], around.language)
        if not state.open or around.cursor.string:
            break
        # The last line that still is outside the bracket which the cut leaves open.
        before = "\n".join(kept)[: len(prefix) + state.open[0][1]].count("\n")
        kept = kept[:before]
    return "\n".join(kept)[len(prefix) :].rstrip() if kept else ""


def _first_of_loop(written: Written) -> int | None:
    """Index of the first line with which the lines right before begin once more."""
    lines = written.lines
    for at in written.suggested:
        for period in range(1, min(at, len(lines) - at) + 1):
            if lines[at : at + period] == lines[at - period : at] and _is_loop(written, at, period):
                return at
    return None


def _is_loop(written: Written, at: int, period: int) -> bool:
    """Whether a block of lines that ends before ``at`` and follows once more is no chance."""
    block = written.lines[at - period : at]
    if all(begins_with_closer(line) or not re.search(r"\w", line) for line in block):
        return False
    count = _copies(written.lines, at, period)
    if all(is_constant(word) for line in block for word in words(line)):
        return count > _MOST_EQUAL_ROWS
    markup = written.language is not None and not written.language.brackets
    if markup or written.among_data(at):
        return count > (_MOST_REPEATS if markup else _MOST_REPEATS - 1)
    if at == written.first and at + period == len(written.lines):
        return True  # nothing else is suggested
    if period > 1:
        said = {word for line in block for word in words(line)}
        return count >= _MOST_REPEATS or informative(block) > 1 or len(said) >= _ENOUGH_WORDS
    return count >= _MOST_REPEATS or _need_not_be_said_twice(block[0], written.language)


def _copies(lines: tuple[str, ...], at: int, period: int) -> int:
    """How often a block stands in a row, before and after ``at``."""
    block = lines[at - period : at]
    count = 1
    while lines[at : at + period] == block:
        at, count = at + period, count + 1
    start = at - count * period
    while start >= period and lines[start - period : start] == block:
        start, count = start - period, count + 1
    return count


def _need_not_be_said_twice(line: str, language: Language | None) -> bool:
    """Whether a line does nothing when it stands twice in a row."""
    if language is not None and (language.is_import(line.lstrip()) or language.is_header(line)):
        return True
    if is_comment(line, language):
        return len(words(line)) > 1
    stripped = line.strip()
    if stripped.startswith("@") or (stripped.startswith('"""') and len(stripped) > 6):
        return len(words(line)) > 1
    found = _ASSIGNMENT.match(line)
    return found is not None and not _changes_itself(found)


def _changes_itself(assignment: re.Match[str]) -> bool:
    target = assignment["target"]
    return any(f"{name}.".startswith(f"{target}.") for name in names_in(assignment["value"]))


def _first_of_echo(written: Written) -> int | None:
    """Index of the first of several lines in a row that stand elsewhere in the same order."""
    below = [line.lstrip() for line in written.below]
    in_block, elsewhere = _ENOUGH_IN_BLOCK, _ENOUGH_ELSEWHERE
    if written.in_text:
        in_block = elsewhere = _ENOUGH_IN_TEXT
    for at in written.suggested:
        line = written.lines[at]
        if not is_informative(line):
            continue
        rest = written.lines[at:]
        others = [index for index in written.places[line.lstrip()] if index < at]
        mates = set(written.siblings_above(at)) if others else set()
        far = _ENOUGH_OF_DATA if others and written.among_data(at) else elsewhere
        for index in others:
            run = _run(rest, written.lines[index:at])
            new = index not in mates or _is_asked_anew(run, written.lines[index + len(run) : at])
            if informative(run) >= (far if new else in_block):
                return at
        for index, other in enumerate(below):
            if other != line.lstrip():
                continue
            if informative(_run(rest, written.below[index:])) >= elsewhere:
                return at
    return None


def _run(one: Sequence[str], other: Sequence[str]) -> Sequence[str]:
    """The lines that both have at their beginning, whatever their depth."""
    return one[: shared(_moved(one), _moved(other[: len(one)]))]


def _is_asked_anew(run: Sequence[str], between: Sequence[str]) -> bool:
    """Whether what a run of lines works on has another value since it stood first."""
    used: set[str] = set()
    given: set[str] = set()
    for line in run:
        found = _ASSIGNMENT.match(line)
        used.update(set(names_in(found["value"] if found else line)) - given)
        given.update([found["target"]] if found else [])
    used |= {name.split(".")[0] for name in used}
    return any(_changes(line, used) for line in between)


def _moved(lines: Sequence[str]) -> list[str]:
    """Lines relative to the indentation of the first."""
    width = indent_width(lines[0]) if lines else 0
    return [f"{indent_width(line) - width} {line.lstrip()}" for line in lines]


def _first_said_again(written: Written) -> int | None:
    """Index of the first line that says what a line of its block has said, to no effect."""
    for at in written.suggested:
        line = written.lines[at].strip().rstrip(",")
        above = [written.lines[index].strip().rstrip(",") for index in written.siblings_above(at)]
        below = [other.strip().rstrip(",") for other in written.siblings_below(at)]
        if line not in above and line not in below:
            continue
        if _is_import_again(written, at) or _is_comment_again(written, at, above, below):
            return at
        if written.among_data(at) or written.lines[at].endswith(","):
            if _ENTRY.match(line) and not line.endswith(("{", "[", "(")):
                return at
        elif line in above and _is_assigned_again(written, at):
            return at
    return None


def _is_import_again(written: Written, at: int) -> bool:
    line, language = written.lines[at], written.language
    whole = not line.rstrip().endswith(("(", "{"))
    return whole and language is not None and language.is_import(line.lstrip())


def _is_comment_again(written: Written, at: int, above: list[str], below: list[str]) -> bool:
    line = written.lines[at]
    if not is_comment(line, written.language) or len(words(line)) < 3 or _DIRECTIVE.search(line):
        return False
    return line.strip() in (*above[:_NEAR_COMMENTS], *below[:_NEAR_COMMENTS])


def _is_assigned_again(written: Written, at: int) -> bool:
    """Whether an assignment stands in the block already and nothing has changed since."""
    line = written.lines[at]
    found = _ASSIGNMENT.match(line)
    if found is None or _changes_itself(found) or line.rstrip().endswith(("{", "[", "(", ",")):
        return False
    mates = list(written.siblings_above(at))
    same = (index for index in mates if written.lines[index].strip() == line.strip())
    before = next(same, None)
    if before is None:
        return False
    between = written.lines[before + 1 : at]
    names = {found["target"], *names_in(found["value"])}
    if any(_changes(other, names) for other in between):
        return False
    if written.header_of(at).lstrip().startswith("class "):
        return True  # nothing happens between fields
    if _PLAIN_VALUE.match(found["value"]):
        return "." not in found["target"] or not any("(" in other for other in between)
    return mates.index(before) < _NEAR_CALLS and not any("(" in other for other in between)


def _changes(line: str, names: set[str]) -> bool:
    """Whether ``line`` gives one of ``names`` a value."""
    target = re.match(r"\s*(?:for\s+)?([^=()]*?)(?:[-+*/%&|^<>:]*=(?!=)|\bin\b|\+\+|--)", line)
    return target is not None and not names.isdisjoint(names_in(target[1]))


def _is_stuck(text: str) -> bool:
    """Whether ``text`` begins with one line over and over: then not even the first is right."""
    lines = [line.strip() for line in text.split("\n") if line.strip()][:_MOST_REPEATS]
    same = all(one == other for one, other in itertools.pairwise(lines))
    telling = any(not is_constant(word) for line in lines for word in words(line))
    return len(lines) == _MOST_REPEATS and same and telling
