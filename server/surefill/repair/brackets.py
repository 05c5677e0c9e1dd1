"""Candidates where brackets do not match: what is missing put in, what is too much taken out."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator

from surefill.repair.edit import Candidate
from surefill.repair.region import Region
from surefill.syntax.position import Position, Range

LINES_ABOVE = 12
"""So far above a closer its opener is looked for."""
_NO_END = (
    ";",
    "(",
    "[",
    "{",
    ",",
    ".",
    "=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "|",
    "&",
    "^",
    "<",
    ">",
    ":",
    "@",
)
_ENDS_LINE = re.compile(r"[ \t]*[,:]?[ \t]*(?:#[^\n]*)?\n")
_LINE_START = re.compile(r"\n[ \t]*(?=\S)")
_KEYWORDS = frozenset(keyword.kwlist) - {"True", "False", "None"}


def bracket_candidates(region: Region) -> Iterator[Candidate]:
    """For a problem of the cause "bracket", "stray" or "mismatch"; to be judged by parsing."""
    if region.problem.cause == "bracket":
        yield from _closing(region)
    elif region.problem.cause == "mismatch":
        start, end = region.problem_offsets
        wanted = region.problem.wanted
        title = f"Replace `{region.code[start:end]}` by `{wanted}`"
        yield region.replace(start, end, wanted, title, 0.0)
        yield region.insert(start, wanted, -3.0)
        yield from _opening(region, start, -2.0)
    else:
        yield from _opening(region, region.problem_offsets[0], 0.0)


def _closing(region: Region) -> Iterator[Candidate]:
    """Closers for what is open, behind every token from the opener on."""
    opener, opened = region.problem_offsets
    code, wanted = region.code, region.problem.wanted
    ends = [end for start, end in region.pieces if start >= opener]
    if not ends:
        return
    whole = len(code.rstrip())
    if "\n" in code[opened:] and not code[opened : _line_end(code, opened)].strip():
        # The bracket stands at the end of its line: so does its closer at the beginning of one.
        opening_line = region.snapshot.line(region.position(opener).line)
        indent = opening_line[: len(opening_line) - len(opening_line.lstrip())]
        for end in _line_ends(code, opened):
            prior = 1.0 if end >= whole else -2.0
            text = region.newline + indent + wanted
            yield region.insert(end, text, prior, "only")
    for start in _line_starts(code, opened):
        likely = 0.5 if code.startswith(("->", ":"), start) else -2.0
        yield region.insert(start, wanted, likely, "only")
    for end in ends:
        piece = code[:end].rstrip()
        if (
            end != opened
            and piece.endswith(_NO_END)
            and (end < whole or piece[-1] == ";")
            and not _is_call(code, end)
        ):
            continue
        yield region.insert(end, wanted, _closing_prior(code, opener, end, whole), "only")


def _closing_prior(code: str, opener: int, end: int, whole: int) -> float:
    rest = code[end:whole]
    prior = -2.0
    if not rest:
        prior = 0.0
    elif rest == ":" or rest in (",", "):", ")", "]", "}"):
        prior = -0.2
    elif _ENDS_LINE.match(rest):
        prior = -0.7
    if end == opener + 1:
        prior -= 1.5
    if code[end : end + 1].isspace() and rest:
        prior += 0.3
    return prior


def _opening(region: Region, closer: int, prior: float) -> Iterator[Candidate]:
    """An opener in front of a closer that closes nothing, or that closer gone."""
    code = region.code
    opener = {")": "(", "]": "[", "}": "{"}[code[closer : closer + 1]]
    for start, end in region.pieces:
        if start >= closer:
            break
        if opener == "(" and (code[start].isdigit() or code[start] in "\"'"):
            continue  # neither a number nor a string can be called
        yield from _split_words(region, start, end, opener, prior)
        follows = code[end : end + 1]
        before = _last_word(code[:end])
        if before in _KEYWORDS:
            behind = end + (follows == " ")
            yield region.insert(behind, opener, prior - 1.5)
        elif _adjacent(code, end) or (end == closer and region.words[before] > 1):
            yield region.insert(end, opener, prior + 1.0)
        elif code[start] in "([{=,+-*/%:<>|&":
            yield region.insert(end + (follows == " "), opener, prior - 1.5)
        else:
            yield region.insert(end, opener, prior - 2.0)
    yield region.insert(0, opener, prior - 2.5)
    yield region.remove(closer, closer + 1, prior - 3.5)
    yield from _above(region, opener, prior)


def _above(region: Region, opener: str, prior: float) -> Iterator[Candidate]:
    """The opener at the end of a line above, where what it opened stands in lines of its own."""
    first = region.span.start.line
    for number in range(first - 1, max(-1, first - 1 - LINES_ABOVE), -1):
        line = region.snapshot.line(number)
        code = line.rstrip()
        if not code:
            return
        at = Position(number, len(code))
        title = f"Insert `{opener}` at the end of line {number + 1}"
        shallower = len(line) - len(line.lstrip()) < len(region.indent)
        yield Candidate(Range(at, at), opener, title, prior + (0.5 if shallower else -2.5))
        if shallower:
            return


def _is_call(code: str, end: int) -> bool:
    """Whether a call's opening bracket stands right before ``end``."""
    before = code[end - 2 : end - 1]
    return code[end - 1 : end] == "(" and (before.isalnum() or before == "_")


def _adjacent(code: str, end: int) -> bool:
    """Whether two tokens meet at ``end`` that never stand so close: a name and a string."""
    before, after = code[end - 1 : end], code[end : end + 1]
    return (before.isalnum() or before == "_") and after in ("'", '"')


def _split_words(
    region: Region, start: int, end: int, opener: str, prior: float
) -> Iterator[Candidate]:
    """Two names that ran into each other where a bracket was lost."""
    word = region.code[start:end]
    if not word.isidentifier() or region.words[word] > 1:
        return
    for cut in range(1, len(word)):
        left, right = region.words[word[:cut]] > 0, region.words[word[cut:]] > 0
        if left or right:
            likely = 1.0 if left and right else -1.5 if left else -0.5
            yield region.insert(start + cut, opener, prior + likely)


def _last_word(code: str) -> str:
    word = re.search(r"\w+$", code)
    return word.group() if word else ""


def _line_end(code: str, offset: int) -> int:
    end = code.find("\n", offset)
    return len(code) if end < 0 else end


def _line_starts(code: str, offset: int) -> Iterator[int]:
    """Where the text of each line behind that of ``offset`` begins."""
    for match in _LINE_START.finditer(code, offset):
        yield match.end()


def _line_ends(code: str, offset: int) -> Iterator[int]:
    """Where each line of code from ``offset`` on ends, without its line end."""
    while offset < len(code):
        end = _line_end(code, offset)
        line = code[offset:end].rstrip()
        if line:
            yield offset + len(line)
        offset = end + 1
