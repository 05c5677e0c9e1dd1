"""Candidates where a statement stumbles over one token: something put in or replaced.

Left out is only what stands there twice: whatever else was written was written for a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from surefill.repair.edit import Candidate, Trust
from surefill.repair.region import Region

_INSERTED = (",", ":", ")", "(", "=", ".", "]", "}", "[", "{", " in ", " as ", " import ", "==")
_AROUND = 3
"""So many tokens before the one in question are looked at, too."""
_ONCE = {"=", ",", ";", ":", ".", ")", "]", "}"}
"""What may stand there twice by a slip of the finger; a doubled operator may mean another one."""
_AS = re.compile(r"\s*(?:from\b.*\bimport|import|with|async\s+with|except|case)\b")
_FOR = re.compile(r"\bfor\b(?![^\n]*\bin\b)")


def token_candidates(region: Region) -> Iterator[Candidate]:
    """For a problem of the cause "colon", "missing" or "unexpected"; to be judged by parsing."""
    start, end = region.problem_offsets
    code, wanted = region.code, region.problem.wanted
    if region.problem.cause in ("colon", "missing"):
        if wanted:
            trust: Trust = "certain" if region.problem.cause == "colon" else "only"
            yield region.insert(end, wanted, 2.0, trust)
        start = end
    elif wanted:
        title = f"Replace `{code[start:end]}` by `{wanted}`"
        yield region.replace(start, end, wanted, title, 0.5)
    for place, (first, last) in enumerate(_near(region, start)):
        for number, token in enumerate(_INSERTED):
            if _is_prefix(code, last) and token != "(":
                continue
            if not _belongs(code, last, token.strip()):
                continue
            prior = -1.5 - 0.1 * number - place + _fits(code, first, last, token)
            yield region.insert(
                last, token if code[last : last + 1] != " " else token.rstrip(), prior
            )
        if place < 2 and _is_doubled(region, first, last):
            yield region.remove(first, last, -2.5 - place)


def _near(region: Region, at: int) -> list[tuple[int, int]]:
    """The tokens around an offset, the one right before it first."""
    before = [piece for piece in region.pieces if piece[1] <= at]
    behind = [piece for piece in region.pieces if piece[1] > at]
    return [*reversed(before[-_AROUND:]), *behind[:2]]


def _is_doubled(region: Region, first: int, last: int) -> bool:
    """Whether the token before or after is the same, and one of them may be left out."""
    token = region.code[first:last]
    number = region.pieces.index((first, last))
    near = region.pieces[max(0, number - 1) : number] + region.pieces[number + 1 : number + 2]
    return (token in _ONCE or token.isidentifier()) and any(
        region.code[start:end] == token for start, end in near
    )


def _is_prefix(code: str, last: int) -> bool:
    """Whether what ends at ``last`` stands right before a quote: what it says of the string."""
    return code[last : last + 1] in ("'", '"') and code[last - 1 : last].isalnum()


def _belongs(code: str, last: int, token: str) -> bool:
    """Whether a word can be what is missing: those that belong to a kind of statement."""
    if token == "in":
        return _FOR.search(code[:last]) is not None
    if token == "as":
        return _AS.match(code) is not None
    if token == "import":
        return code.lstrip().startswith("from")
    return True


def _fits(code: str, first: int, last: int, token: str) -> float:
    """More for a token that usually stands in such a place."""
    before = code[:last]
    depth = {each: before.count(each) for each in "([{)]}"}
    in_braces = depth["{"] > depth["}"]
    in_brackets = in_braces or depth["("] > depth[")"] or depth["["] > depth["]"]
    if token == ":" and in_braces and ":" in code[last:] + before[before.rfind("{") :]:
        return 1.5
    if token == "," and in_brackets:
        return 1.0 if code[last : last + 1].isspace() else 0.5
    if token.strip() == "as":
        return 2.5
    if token == "(" and code[first:last].isidentifier() and not code[last : last + 1].isspace():
        return 1.0
    return 0.0
