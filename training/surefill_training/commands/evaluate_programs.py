"""The part of ``evaluate`` that measures bundles in ordinary programs; no command of its own."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefill_training.commands.shared import positive
from surefill_training.errors import ProgramsError
from surefill_training.files import make_folder, write_atomically

if TYPE_CHECKING:
    from surefill_training.evaluate.contestants import Contestant
    from surefill_training.evaluate.program_results import (
        MeasuredPrograms,
        ProgramPlan,
        ProgramResult,
    )
    from surefill_training.progress import Progress

REPORT = "programs.md"
PLACES = "places.jsonl"

_SHIPPED = Path()
_NEED_PROGRAMS = ("--languages", "--places", "--typing-requests")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this part."""
    add = parser.add_argument_group(
        "ordinary programs",
        "What is shown of its own accord, with the default thresholds, while people write the "
        "programs that they write every day: right, right at its beginning, wrong, or nothing.",
    ).add_argument
    add(
        "--programs",
        type=Path,
        nargs="?",
        const=_SHIPPED,
        metavar="DIR",
        help="measure in programs: those that come with this package, or those of DIR, which has "
        "one folder for each language, named by its id as in python/",
    )
    add("--programs-only", action="store_true", help="measure nothing else; implies --programs")
    add(
        "--languages",
        metavar="LIST",
        help="only the programs of these languages, separated by commas, as in python,go",
    )
    add(
        "--places",
        type=positive,
        metavar="N",
        help="places in each program, each asked with the rest below and with nothing below; "
        "without it 5",
    )
    add(
        "--typing-requests",
        type=_not_negative,
        metavar="N",
        help="how often the model is asked when programs are typed from an empty file, over all "
        "programs; without it 400, 0 leaves that out",
    )
    add(
        "--checker",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="ask the type checker too, as the server does",
    )


def _not_negative(text: str) -> int:
    return 0 if text.strip() == "0" else positive(text)


def check(arguments: argparse.Namespace) -> None:
    """Refuse with ProgramsError what says something about programs where none are measured."""
    if arguments.programs_only and arguments.programs is None:
        arguments.programs = _SHIPPED
    if arguments.programs is not None:
        return
    given = [flag for flag in _NEED_PROGRAMS if vars(arguments)[flag[2:].replace("-", "_")]]
    if given:
        raise ProgramsError(
            f"{', '.join(given)} can only be used in ordinary programs.",
            "Give --programs too, or leave it out.",
        )


class ProgramRun:
    """What is to be measured in programs, and what has been."""

    def __init__(self, plan: ProgramPlan) -> None:
        self.plan = plan
        self.measured: list[MeasuredPrograms] = []

    def measure(self, report: Progress) -> None:
        """Measure all; what is finished stays when this is broken off."""
        from surefill_training.evaluate.program_results import measure_programs

        self.measured.extend(measure_programs(self.plan, report))

    def results(self) -> list[ProgramResult]:
        """Scores of what has been measured."""
        from surefill_training.evaluate.program_results import program_results

        return program_results(self.plan, self.measured)

    def markdown(self) -> str:
        """The tables."""
        from surefill_training.evaluate.program_report import markdown_programs

        return markdown_programs(self.results())

    def add_to(
        self, entries: list[dict[str, Any]], entry_for: Callable[[Contestant], dict[str, Any]]
    ) -> None:
        """Say in ``entries``, one for each contestant by its label, what was found in programs."""
        known = {entry["label"]: entry for entry in entries}
        for result in self.results():
            entry = known.get(result.contestant.label)
            if entry is None:
                entry = entry_for(result.contestant)
                entries.append(entry)
            entry["programs"] = result.as_plain()

    def write_report(self, folder: Path) -> None:
        """Write the tables with what they say, and what came at each place."""
        from surefill_training.evaluate.program_report import explain
        from surefill_training.evaluate.program_results import place_rows

        make_folder(folder)
        text = f"# Ordinary programs\n\n{self.markdown()}\n\n{explain(self.plan)}\n"
        write_atomically(folder / REPORT, text.encode())
        lines = "".join(json.dumps(row) + "\n" for row in place_rows(self.measured))
        write_atomically(folder / PLACES, lines.encode())


def prepare(arguments: argparse.Namespace) -> ProgramRun | None:
    """What the arguments ask for; None where that is nothing. Says what is left out.

    Raises ProgramsError before anything is measured.
    """
    if arguments.programs is None:
        return None
    from surefill_training.commands.progress import console
    from surefill_training.evaluate.program_results import ProgramOptions, plan_programs

    default = ProgramOptions()
    typing = arguments.typing_requests
    plan = plan_programs(
        arguments.bundles,
        ProgramOptions(
            folder=None if arguments.programs == _SHIPPED else arguments.programs,
            languages=_names(arguments.languages),
            places=arguments.places or default.places,
            typing_requests=default.typing_requests if typing is None else typing,
            seed=arguments.seed,
            checker=arguments.checker,
            against=arguments.against,
        ),
    )
    for note in plan.notes:
        console.print(note, markup=False, highlight=False)
    return ProgramRun(plan)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
