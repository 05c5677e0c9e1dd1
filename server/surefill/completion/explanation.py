"""Why a suggestion was made, and why others were not: one page of Markdown for a person to read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from surefill.completion.suggestion import (
    ApiUse,
    CompletionResult,
    ContextSummary,
    Suggestion,
    Timings,
    Withheld,
)

_CHECKS = {
    "parses": "Parses",
    "types": "Brings no type error",
    "apis": "Names only what exists",
    "executed": "Runs",
}
_SIGNS = {"passed": "✓ passed", "failed": "✗ failed", "unchecked": "– not checked"}
_MOST_WITHHELD = 20
_LONGEST = 200


@dataclass(frozen=True)
class Made:
    """What a suggestion was made with."""

    bundle: str
    """Name and version."""
    provider: str
    language: str
    """Id of the document's language, for the code blocks."""


def explain(result: CompletionResult, made: Made) -> str:
    """The page about one answer."""
    blocks = ["# Why this suggestion" if result.suggestions else "# Why no suggestion"]
    for suggestion in result.suggestions:
        blocks += _suggestion(suggestion, made)
    if not result.suggestions:
        blocks.append(f"{_sentence(result.reason or 'Nothing passed the checks')}")
    if result.withheld:
        blocks += ["## Withheld", _withheld(result.withheld)]
    blocks += ["## What it was made from", *_made(result.context, made)]
    if result.timings.total:
        blocks.append(_timings(result.timings))
    return "\n\n".join(blocks) + "\n"


def _suggestion(suggestion: Suggestion, made: Made) -> Iterable[str]:
    yield _fenced(suggestion.text, made.language)
    rows = ["| check | verdict | because |", "|---|---|---|"]
    for key, name in _CHECKS.items():
        verdict = suggestion.verdicts.get(key)
        if verdict is not None:
            rows.append(f"| {name} | {_SIGNS[verdict.outcome]} | {_cell(verdict.reason)} |")
    yield "\n".join(rows)
    probability = math.exp(min(suggestion.mean_logprob, 0.0))
    yield (
        f"The chance that all of it is right is about {suggestion.chance:.0%}, that it begins "
        f"right {suggestion.begins:.0%}; the model gives its tokens a probability of "
        f"{probability:.0%} (geometric mean)."
    )
    uses = suggestion.evidence.uses
    if uses:
        checker = suggestion.evidence.checker or "a type checker"
        yield f"What it takes from elsewhere, as {checker} knows it:"
        yield _uses(uses)


def _uses(uses: Iterable[ApiUse]) -> str:
    rows = ["| name | is a | found in |", "|---|---|---|"]
    packages = {(use.name, use.offset): use for use in uses if use.package}
    for use in uses:
        if use.kind == "call" and any(
            other.kind == "member" and other.offset == use.offset for other in uses
        ):
            continue  # the row of the member says it, too
        source = packages.get((use.name, use.offset), use)
        found = f"{source.package} {source.version}".strip()
        if not found:
            found = "it exists" if use.known else "could not be looked up"
        owned = use.owner and use.kind in ("member", "call", "imported")
        name = f"{use.owner}.{use.name}" if owned else use.name
        kind = {"call": "function", "keyword": "argument"}.get(use.kind, use.kind)
        rows.append(f"| {_code(name)} | {kind} | {_cell(found)} |")
    return "\n".join(rows)


def _withheld(withheld: Iterable[Withheld]) -> str:
    rows = [
        f"- {_code(each.text)}: {_cell(each.reason)}" for each in tuple(withheld)[:_MOST_WITHHELD]
    ]
    return "\n".join(rows)


def _made(context: ContextSummary | None, made: Made) -> Iterable[str]:
    yield f"{made.bundle} on {made.provider}."
    if context is None:
        yield "The answer was remembered: nothing was asked of the model."
        return
    counted = ", mixed with n-grams of the document and the project" if context.counted else ""
    yield (
        f"It saw {context.prefix_characters} characters before the cursor and "
        f"{context.suffix_characters} behind it: {context.tokens} tokens with what stands in "
        f"front, {context.reused} of them read before{counted}."
    )


def _timings(timings: Timings) -> str:
    return (
        f"{timings.total:.0f} ms: context {timings.context:.0f}, reading {timings.prefill:.0f}, "
        f"writing {timings.decode:.0f}, checks {timings.checks:.0f}; of these the type checker "
        f"took {timings.oracle:.0f}."
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _cell(text: str) -> str:
    """``text`` on one line of a table, as plain as Markdown allows."""
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
    return re.sub(r"([\\|*_<\[\]])", r"\\\1", line) if "`" not in line else line.replace("|", r"\|")


def _code(text: str) -> str:
    """``text`` as code on one line, whatever backticks are in it."""
    line = " ⏎ ".join(text.split("\n"))
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{space}{line}{space}{ticks}".replace("|", r"\|")


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
