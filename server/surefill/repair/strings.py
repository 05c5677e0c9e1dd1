"""Candidates for a string that is not closed: its quote put in wherever it may have stood."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from surefill.diagnostics.statement import is_code
from surefill.diagnostics.words import shown
from surefill.repair.edit import KNOWN, Candidate, smallest
from surefill.repair.region import Region
from surefill.syntax.brackets import PAIRS
from surefill.syntax.document import with_newlines

_BOUNDARY = re.compile(r"(?<=\w)(?=\W)|(?<=\W)(?=\w)|(?<=\W)(?=\W)|$")
_CLOSERS = re.compile(r"[)\]}]*[,:]?[)\]}]*\s*(?:#.*)?$")
_SEPARATOR = re.compile(
    r"(?:^|[^\w\"'])[A-Za-z]{0,2}(?P<quote>[\"'])(?:[^\"'\\\n]*,[ ]?|,[ ][^\"'\\\n]*)(?P=quote)\w"
)
"""What looks like a string and is what stands between two of them."""
_MOST_LINES = 120
_LINE_END = re.compile(r"(?<=\S)[ \t]*(?=\r?\n|$)")
_LIKE_CODE = re.compile(r"\w\(|, \*?\w+[.=(\[]|\w\[\w")
"""What hardly stands in a string, and often behind one."""

_APOSTROPHE = re.compile(
    r"(?<![\w'])(?P<prefix>[rRbBuUfF]?)'(?P<text>(?:[^'\\\r\n]|\\.|(?<=[^\W\d_])'(?=[^\W\d_]))*)'"
    r"(?![\w'])"
)
"""A string in single quotes with apostrophes in it: those stand between letters."""
_CONTRACTED = re.compile(r"(?<=[A-Za-z])'(?=(?:s|t|d|m|re|ve|ll)\b)", re.IGNORECASE)
_BARE_QUOTE = re.compile(r"(?<!\\)'")


def apostrophe_candidates(region: Region) -> Iterator[Candidate]:
    """``'it's'`` as ``"it's"``, or with the apostrophe escaped where that cannot be."""
    language = region.snapshot.language
    if len(region.problem.wanted) == 3:
        return
    if language is None or not {"'", '"'} <= set(language.quotes):
        return
    code = region.code
    done: list[tuple[str, str]] = []
    certain = True

    def quoted(match: re.Match[str]) -> str:
        nonlocal certain
        text = match["text"]
        if not _BARE_QUOTE.search(text):
            return match[0]
        certain = certain and len(_CONTRACTED.findall(text)) == len(_BARE_QUOTE.findall(text))
        if '"' not in text:
            new = f'{match["prefix"]}"{text}"'
        else:
            escaped = _BARE_QUOTE.sub("\\'", text)
            new = f"{match['prefix']}'{escaped}'"
        done.append((match[0], new))
        return new

    result = _APOSTROPHE.sub(quoted, code)
    if done:
        title = f"Write `{shown(done[0][1])}`"
        span, text = smallest(region.span, code, result)
        yield Candidate(span, text, title, KNOWN, "certain" if certain else "guess")


def string_candidates(region: Region) -> Iterator[Candidate]:
    """For a problem of the cause "string"; to be judged by parsing."""
    if len(region.problem.wanted) == 3:
        yield from _long(region)
    else:
        yield from _short(region)


def _short(region: Region) -> Iterator[Candidate]:
    """The quote at every boundary of the line, from its first quote on and a little before."""
    code, quote = region.code, region.problem.wanted
    problem, _ = region.problem_offsets
    line_start = code.rfind("\n", 0, problem) + 1
    line_end = code.find("\n", problem)
    line_end = len(code) if line_end < 0 else line_end
    line = code[line_start:line_end].rstrip()
    for match in _BOUNDARY.finditer(line):
        at = match.start()
        behind = at + line_start > problem
        if code[line_start + at - 1 : line_start + at] == "\\":
            continue
        prior = _prior(line, at, quote, behind=behind)
        if _SEPARATOR.search(line[:at] + quote + line[at:]):
            prior -= 3.0
        yield region.insert(line_start + at, quote, prior, "only")


def _prior(line: str, at: int, quote: str, *, behind: bool) -> float:
    before, rest = line[:at], line[at:]
    content = before[before.rfind(quote) + 1 :]
    prior = -2.0 if behind else -3.0
    if behind and _CLOSERS.match(rest):
        prior = 0.5 - 0.1 * len(rest)
    elif rest.startswith((", ", ")", "]", ":", ",")) and before[-1:].isalnum():
        prior += 0.8
    elif rest[:1].isalnum() and before.endswith(("(", "[", ", ", "= ", "{")):
        prior += 0.5
    if before.endswith(quote) or rest.startswith(quote):
        prior -= 3.0
    if before.endswith((" ", ",", "(")) and behind:
        prior -= 1.5
    if behind and (_LIKE_CODE.search(content) or not _balanced(content)):
        prior -= 2.0
    return prior


def _balanced(content: str) -> bool:
    return all(content.count(each) == content.count(PAIRS[each]) for each in PAIRS)


def _long(region: Region) -> Iterator[Candidate]:
    """The quotes at the end of a line, or on a line of their own behind it."""
    code, quote = region.code, region.problem.wanted
    _, end = region.problem_offsets
    ends = [end, *(end + match.start() for match in _LINE_END.finditer(code[end:]))]
    ends = [each for each in dict.fromkeys(ends) if not code[:each].endswith("\n")][:_MOST_LINES]
    first = _first_of_code(code, ends)
    for number, at in enumerate(ends):
        likely = -0.5 * abs(number - first)
        own = region.newline + region.indent + quote
        yield region.insert(at, quote, likely + (1.0 if number == 0 else 0.0))
        yield region.insert(at, own, likely + (-2.0 if number == 0 else 0.5))


def _first_of_code(code: str, ends: list[int]) -> int:
    """The number of the first end behind which there is code and no prose."""
    first = len(ends) - 1
    for number in range(len(ends) - 1, -1, -1):
        if not is_code(textwrap.dedent(with_newlines(code[ends[number] :]).strip("\n"))):
            break
        if code[ends[number] :].strip() or number == len(ends) - 1:
            first = number
    return first
