"""The chance that a suggestion is right up to a point, from what decoding and checks know of it.

After JetBrains' filter model (https://arxiv.org/abs/2405.08704): showing less, and less of it, is
worth more than a better model. Here a logistic model of few features is asked again for every
point at which a suggestion may be cut. Its weights come from the bundle or are those for any model.
"""

from __future__ import annotations

import functools
import math
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from surefill.completion.postprocess import Surroundings
from surefill.engine.display import DisplayWeights, weights_of_any_model
from surefill.engine.interface import Candidate
from surefill.syntax.brackets import scan

FEWEST_CHARACTERS = 3
"""A cut within a line leaves at least so many that are not white space."""

_NEAR_LINES = 40
_MOST_MARGIN = 8.0
_MOST_SURETY = 6.0
_LEAST_LOGPROB = -8.0
"""Beyond these a feature says nothing more, and a wild value would decide by itself."""

_AFTER_DOT = re.compile(r"\.\w*$")
_AFTER_ASSIGN = re.compile(r"(?<![=!<>])=\s*$")


class DisplayFilter:
    """Chances of candidates at one place; ``weights`` are those of the model in use."""

    def __init__(self, weights: DisplayWeights, around: Surroundings) -> None:
        self._weights = weights
        self._around = around
        language = around.language
        self._language = language.id if language else ""
        self._place = _place_features(around)
        near = [*around.above[-_NEAR_LINES:], *around.below[:_NEAR_LINES]]
        self._near = {line.strip() for line in near if _says_something(line)}
        self._defined = {_defined(line) for line in near if language and language.is_header(line)}

    def chance(self, candidate: Candidate, text: str, *, types_passed: bool) -> float:
        """The chance that ``text``, what is left of the candidate, is right in whole.

        1 where the engine tells no probabilities.
        """
        if not candidate.logprobs:
            return 1.0
        features = self.features(candidate, text, types_passed=types_passed)
        return self._weights.chance(features, self._language)

    def begins(self, candidate: Candidate, text: str, *, types_passed: bool) -> float:
        """The chance that ``text`` begins right, with as much as is worth something."""
        return self.chance(candidate, beginning(candidate, text), types_passed=types_passed)

    def at_best(self, candidate: Candidate, text: str) -> float:
        """The chance if the checks, which cost more than this, are as good as they can be."""
        return self.chance(candidate, text, types_passed=self._checks_help)

    def begins_at_best(self, candidate: Candidate, text: str) -> float:
        """As ``begins``, if the checks are as good as they can be."""
        return self.begins(candidate, text, types_passed=self._checks_help)

    @property
    def _checks_help(self) -> bool:
        return self._weights.weights.get("types_passed", 0.0) > 0

    def features(self, candidate: Candidate, text: str, *, types_passed: bool) -> dict[str, float]:
        """The values of ``engine.display.FEATURES`` for a candidate that is cut to ``text``."""
        tokens, characters = _tokens(candidate), _count(text)
        last = min(bisect_left(tokens.reach, characters), len(tokens.reach) - 1)
        total = tokens.totals[last]
        whole = characters >= tokens.reach[-1] and candidate.stop_reason in ("end", "stop")
        return {
            "total": total,
            "surety": min(_MOST_SURETY, -math.log1p(-math.exp(min(total, -1e-9)))),
            "mean": total / (last + 1),
            "least": tokens.least[last],
            "first": tokens.first,
            "first_margin": tokens.first_margin,
            "least_margin": tokens.least_margins[last],
            "end": candidate.end_probability,
            "tokens": math.log1p(last + 1),
            "characters": math.log1p(characters),
            "whole": float(whole),
            "line_end": float(whole or characters in tokens.line_ends),
            **self._place,
            **self._echo(text),
            "types_passed": float(types_passed),
        }

    def cuts(self, candidate: Candidate, text: str) -> list[str]:
        """Parts of the first line of ``text`` that end with a token and in no word, longest first.

        They leave open no bracket and no string. The whole line is none of them, and neither is
        what is hardly anything.
        """
        line = next((each for each in text.split("\n") if each.strip()), "")
        start = text.find(line)
        ends = set(reached(candidate))
        found = []
        for end, count in enumerate(accumulate(not sign.isspace() for sign in line), start=1):
            part, rest = line[:end], line[end:]
            if count < FEWEST_CHARACTERS or count not in ends or not rest.strip():
                continue
            if part[-1].isspace() or (_is_word(part[-1]) and _is_word(rest[0])):
                continue
            state = scan(part, self._around.language)
            if not (state.open or state.string):
                found.append(text[:start] + part)
        return found[::-1]

    def _echo(self, text: str) -> dict[str, float]:
        lines = (self._around.cursor.line_prefix + text).split("\n")
        lines = [line for line in lines if _says_something(line)]
        echoes = [line.strip() in self._near for line in lines]
        again = any(
            _defined(line) in self._defined
            for line in lines
            if self._around.language and self._around.language.is_header(line)
        )
        return {
            "echo_first": float(bool(echoes) and echoes[0]),
            "echo_share": sum(echoes) / len(echoes) if echoes else 0.0,
            "echo_definition": float(again),
        }


MakeFilter = Callable[[Surroundings], DisplayFilter]


def filter_for_any_model(around: Surroundings) -> DisplayFilter:
    """The filter for models whose bundle brings none."""
    return DisplayFilter(weights_of_any_model(), around)


@dataclass(frozen=True)
class _Tokens:
    """A candidate's probabilities up to each token, for any number of cuts."""

    reach: Sequence[int]
    totals: Sequence[float]
    least: Sequence[float]
    least_margins: Sequence[float]
    first: float
    first_margin: float
    line_ends: frozenset[int]
    """Characters that are not white space up to the end of each line."""


@functools.lru_cache(maxsize=16)
def _tokens(candidate: Candidate) -> _Tokens:
    reach, margins = reached(candidate), _margins(candidate)
    logprobs = [max(min(value, 0.0), _LEAST_LOGPROB) for value in candidate.logprobs]
    first = next((i for i, end in enumerate(reach) if end), 0)
    return _Tokens(
        reach=reach,
        totals=list(accumulate(logprobs)),
        least=list(accumulate(logprobs, min)),
        least_margins=list(accumulate(margins, min)),
        first=logprobs[first],
        first_margin=margins[first],
        line_ends=frozenset(accumulate(_count(line) for line in candidate.text.split("\n"))),
    )


def reached(candidate: Candidate) -> list[int]:
    """How many characters that are not white space the text has after each token.

    White space is changed when a text is fitted to its place; the other characters are not.
    Where the engine does not say what its tokens are, they are taken to be of equal length.
    """
    counts = [0, *accumulate(not sign.isspace() for sign in candidate.text)]
    tokens = len(candidate.logprobs)
    if len(candidate.reach) == tokens:
        return [counts[end] for end in candidate.reach]
    return [counts[len(candidate.text) * number // tokens] for number in range(1, tokens + 1)]


def beginning(candidate: Candidate, text: str) -> str:
    """``text`` up to the first token with which enough is written to say that it begins right."""
    ends = (end for end in reached(candidate) if end >= FEWEST_CHARACTERS)
    wanted = next(ends, _count(text))
    counts = accumulate(not sign.isspace() for sign in text)
    return text[: next((i for i, count in enumerate(counts, 1) if count >= wanted), len(text))]


def _place_features(around: Surroundings) -> dict[str, float]:
    cursor, language = around.cursor, around.language
    in_text = bool(cursor.string) or cursor.in_comment
    braces_are_blocks = language is None or language.blocks != "indent"
    brackets = [bracket for bracket, _ in cursor.open_brackets]
    facts = {
        "after_dot": not in_text and _AFTER_DOT.search(cursor.line_prefix) is not None,
        "after_assign": not in_text and _AFTER_ASSIGN.search(cursor.line_prefix) is not None,
        "in_brackets": bool(brackets) and not (braces_are_blocks and brackets[-1] == "{"),
        "blank_line": cursor.blank,
        "begins_block": cursor.opens_block or cursor.after_opener,
        "described": cursor.after_description,
        "in_text": in_text,
        "complete": cursor.statement_complete,
        "code_after": not cursor.rest_is_closers,
        "nothing_below": not any(line.strip() for line in around.below),
    }
    return {name: float(value) for name, value in facts.items()}


def _margins(candidate: Candidate) -> list[float]:
    """By how much each token was likelier than the second best.

    Where that one is not known, it is taken to have all the probability that is left.
    """
    runners_up: Sequence[float] = candidate.runners_up
    if len(runners_up) != len(candidate.logprobs):
        runners_up = [math.log(max(-math.expm1(min(p, -1e-9)), 1e-9)) for p in candidate.logprobs]
    pairs = zip(candidate.logprobs, runners_up, strict=True)
    return [max(-_MOST_MARGIN, min(_MOST_MARGIN, p - other)) for p, other in pairs]


def _count(text: str) -> int:
    """Characters that are not white space."""
    return len("".join(text.split()))


def _says_something(line: str) -> bool:
    return any(_is_word(sign) for sign in line)


def _defined(header: str) -> str:
    """A header up to the parameters: two that are the same here define the same name."""
    return re.split(r"[({:=]", header, maxsplit=1)[0].strip()


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"
