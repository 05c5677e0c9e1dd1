"""The measures in ordinary programs as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surefill_training.evaluate.program_results import ProgramPlan, ProgramResult
from surefill_training.evaluate.program_scores import OutcomeShares
from surefill_training.evaluate.report import points, share, table

_HEADER = ("", "places", "right", "right or begins right", "wrong", "silent")
_KINDS = {
    "line_start": "a whole line",
    "after_dot": "after a dot",
    "after_assign": "after an assignment sign",
    "call_arguments": "arguments of a call",
    "after_return": "after return",
    "block_header": "header of a block",
    "body": "body of a block",
    "import_line": "import",
    "comment_to_code": "under a comment",
}
EXPLANATION = """\
Everything was asked as an editor does of its own accord, with the default settings and their \
thresholds in force, in programs of {languages} ({programs} programs, {places} places, seed {seed}\
{checker}). Each place was asked with the rest of the program below it and with nothing below. \
Right: all that is shown is what the author wrote there, and it does not end in the middle of a \
word. Begins right: at least three characters from its start are. Spaces at the ends of lines do \
not count; intervals are 95 % bootstrap over programs, then over the places in each. Typed from an \
empty file: a suggestion is accepted, for one keystroke, where it is right to its end."""


def markdown_programs(results: Sequence[ProgramResult]) -> str:
    """A table of the outcomes for each contestant, and one of the programs that were typed."""
    parts = []
    for result in results:
        scores = result.scores
        rows = [
            *_rows(scores.languages),
            *_rows(scores.below),
            *_rows({_KINDS[kind]: each for kind, each in scores.kinds.items()}),
        ]
        parts.append(table((result.contestant.label, *_HEADER[1:]), rows))
        if result.difference is not None:
            parts.append(
                f"Right or begins right less that of {result.against}, in points: "
                f"{points(result.difference)}."
            )
        parts.append(f"A request: median {scores.median_ms:.0f} ms, 95 % {scores.p95_ms:.0f} ms.")
    typed = _typing_rows(results)
    if typed:
        labels = [result.contestant.label for result in results]
        parts.append(table(("typed from an empty file", *labels), typed))
    return "\n\n".join(parts)


def explain(plan: ProgramPlan) -> str:
    """What was measured, for the text of a report."""
    languages = dict.fromkeys(program.language_id for program in plan.programs)
    return EXPLANATION.format(
        languages=", ".join(languages),
        programs=len(plan.programs),
        places=len(plan.places) // 2,
        seed=plan.options.seed,
        checker="" if plan.options.checker else ", without the type checker",
    )


def _rows(groups: Mapping[str, OutcomeShares]) -> list[list[str]]:
    return [
        [
            name,
            str(group.places),
            *(share(e) for e in (group.right, group.right_or_begins, group.wrong, group.silent)),
        ]
        for name, group in groups.items()
    ]


def _typing_rows(results: Sequence[ProgramResult]) -> list[list[str]]:
    """By language, one column for each contestant."""
    rows = []
    for name in results[0].scores.typing if results else ():
        typed = [result.scores.typing[name] for result in results]
        rows.append([f"{name}, characters saved", *(share(each.saved) for each in typed)])
        rows.append(
            [
                f"{name}, requests; median and 95 % in ms",
                *(f"{t.requests}; {t.median_ms:.0f}, {t.p95_ms:.0f}" for t in typed),
            ]
        )
    return rows
