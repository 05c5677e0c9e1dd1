"""What the guide and the checks are worth: the same positions without them, with checks, with both.

    python tests/benchmarks/checked.py FOLDER --positions 1000

The first run installs the packages that no training has seen, with what they need, into FOLDER and
copies their sources there. At positions behind a dot and inside a call the rest of the line is
taken away, and asked for as an editor does while one types, whatever the model's confidence, with
the settings of each column. What is shown is judged anew by the type checker, with all the time
that it wants. Run nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from surefill.checks.types import Change, errors_within, new_errors_elsewhere
from surefill.completion.checking import OracleChecks
from surefill.completion.facts import Facts, Memory
from surefill.completion.loading import LoadedModel, load_model
from surefill.completion.pipeline import CompletionPipeline
from surefill.completion.suggestion import CompletionRequest, CompletionResult
from surefill.engine.interface import Cancellation
from surefill.oracle.answers import Diagnostics, Source, Unknown
from surefill.oracle.service import OracleService
from surefill.settings import CheckSettings, CompletionSettings, OracleSettings, Settings
from surefill.syntax.document import Document, Snapshot
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range
from surefill.syntax.validity import completed_by, parses_with

PACKAGES = {
    "httpx": "httpx==0.28.1",
    "luigi": "luigi==3.8.1",
    "marshmallow": "marshmallow==4.4.0",
    "seaborn": "seaborn==0.13.2",
    "starlette": "starlette==1.10.0",
    "tenacity": "tenacity==9.2.1",
    "typer": "typer==0.29.2",
    "websockets": "websockets==17.4",
}
"""Import name and requirement: what the default model's corpus holds out."""
MODES = {
    "off": CheckSettings(guide=False, types=False),
    "checks": CheckSettings(guide=False, types=True),
    "guide and checks": CheckSettings(guide=True, types=True),
}
PATIENCE = 30.0
_BOOTSTRAP = 1000


@dataclass(frozen=True)
class Place:
    """A position, and what stood behind it on its line."""

    package: str
    snapshot: Snapshot
    """The document without the rest of the line."""
    position: Position
    kind: str
    """"member" or "argument"."""
    name: str
    """The member's name that stood there; empty for arguments."""
    whole: Snapshot
    """The document as it was written."""


@dataclass
class Measured:
    """One answer in one mode."""

    shown: bool
    right: bool
    parses: bool = True
    type_error: bool = False
    invented: bool = False
    total_ms: float = 0.0
    oracle_ms: float = 0.0


def main() -> None:
    arguments = _arguments()
    python = prepare(arguments.folder)
    work = arguments.folder / "work"
    places = list(choose(work, arguments.positions, arguments.seed))
    settings = Settings(completion=CompletionSettings(min_confidence=0.0))
    if arguments.bundle:
        settings = replace(settings, bundle=str(arguments.bundle.resolve()))
    model = load_model(settings)
    service = OracleService()
    service.configure(OracleSettings(engine=arguments.engine, python=str(python)), [work])
    try:
        rows = measure(places, model, settings, service)
    finally:
        service.close(5)
        model.engine.close()
    print(table(rows, places, model))
    if arguments.json:
        arguments.json.write_text(
            json.dumps({mode: [vars(each) for each in measured] for mode, measured in rows.items()})
        )


def prepare(folder: Path) -> Path:
    """The environment, made at the first run; its interpreter."""
    environment = folder / "env"
    python = environment / "bin" / "python"
    if not (folder / "done").exists():
        venv.create(environment, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", *PACKAGES.values(), "pandas", "matplotlib"],
            check=True,
        )
        site = Path(
            subprocess.run(
                [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
        )
        for name in PACKAGES:
            shutil.copytree(site / name, folder / "work" / name, dirs_exist_ok=True)
        (folder / "done").touch()
    return python


def choose(work: Path, count: int, seed: int) -> Iterator[Place]:
    """``count`` places, as many of each package and kind as there are, drawn with ``seed``."""
    rng = random.Random(seed)
    share = count // (2 * len(PACKAGES)) + 1
    chosen: list[Place] = []
    others: list[Place] = []
    for package in PACKAGES:
        found: dict[str, list[Place]] = {"member": [], "argument": []}
        for path in sorted((work / package).rglob("*.py")):
            for place in _places(package, path):
                found[place.kind].append(place)
        for kind in found.values():
            rng.shuffle(kind)
            chosen += kind[:share]
            others += kind[share:]
    rng.shuffle(others)
    chosen += others[: max(0, count - len(chosen))]
    rng.shuffle(chosen)
    yield from chosen[:count]


def _places(package: str, path: Path) -> Iterator[Place]:
    text = path.read_text(encoding="utf-8")
    if not text.isascii() or len(text) > 100_000:
        return
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            line, end = node.end_lineno or 0, node.end_col_offset or 0
            yield from _place(package, path, lines, line - 1, end - len(node.attr), node.attr)
        elif isinstance(node, ast.Call) and node.keywords:
            keyword = node.keywords[0].value
            name = node.keywords[0].arg
            start = keyword.col_offset - len(f"{name}=")
            before = lines[keyword.lineno - 1][:start]
            if name and before.rstrip().endswith(("(", ",")):
                yield from _place(package, path, lines, keyword.lineno - 1, start, "")


def _place(
    package: str, path: Path, lines: list[str], line: int, column: int, name: str
) -> Iterator[Place]:
    before, behind = lines[line][:column], lines[line][column:]
    if not before.strip() or not behind or (name and not before.endswith(".")):
        return
    without = "\n".join([*lines[:line], before, *lines[line + 1 :]]) + "\n"
    python = language_for("python", None)
    snapshot = Document(path.as_uri(), python, without).snapshot()
    whole = Document(path.as_uri(), python, "\n".join(lines) + "\n").snapshot()
    kind = "member" if name else "argument"
    yield Place(package, snapshot, Position(line, column), kind, name, whole)


def measure(
    places: list[Place], model: LoadedModel, settings: Settings, service: OracleService
) -> dict[str, list[Measured]]:
    """Every place in every mode, each time from the same state of the model."""
    pipelines = {
        mode: CompletionPipeline(model.context, replace(settings, checks=checks), oracle=service)
        for mode, checks in MODES.items()
    }
    rows: dict[str, list[Measured]] = {mode: [] for mode in MODES}
    began = time.monotonic()
    for number, place in enumerate(places):
        uri, text = place.snapshot.uri, place.snapshot.text
        service.tell("python", lambda oracle, uri=uri, text=text: oracle.open(uri, text))
        warm(service, place)
        # The prompt is read once before, so that no mode has to pay for the others.
        ask(pipelines["off"], place, model)
        for pipeline in pipelines.values():
            pipeline.forget(uri)
        order = list(MODES)
        random.Random(number).shuffle(order)
        for mode in order:
            rows[mode].append(judged(place, ask(pipelines[mode], place, model), service))
        service.tell("python", lambda oracle, uri=uri: oracle.close_document(uri))
        if number % 100 == 99:
            minutes = (time.monotonic() - began) / 60
            print(f"{number + 1} of {len(places)} in {minutes:.1f} min", file=sys.stderr)
    return rows


def warm(service: OracleService, place: Place) -> None:
    """What an editor's user has long before: the checker knows the document and its imports."""
    facts = _facts(service, place)
    facts.diagnostics(facts.lines)
    facts.members(facts.lines, place.position.character)


def ask(pipeline: CompletionPipeline, place: Place, model: LoadedModel) -> CompletionResult:
    request = CompletionRequest(place.snapshot, place.position)
    return pipeline.complete(request, model.engine, Cancellation())


def judged(place: Place, result: CompletionResult, service: OracleService) -> Measured:
    """What is shown, judged anew without a deadline."""
    timings = result.timings
    if not result.suggestions:
        return Measured(False, False, total_ms=timings.total, oracle_ms=timings.oracle)
    text = result.suggestions[0].text
    span = Range(place.position, place.position)
    facts = _facts(service, place)
    exists = OracleChecks(facts, place.snapshot, span).check(text, unfinished=True)
    # From a name alone the user goes on; its line is as unfinished as it was.
    goes_on = text.isidentifier() and place.kind == "member"
    return Measured(
        shown=True,
        right=_first_name(text) == place.name,
        parses=goes_on or parses_with(place.snapshot, span, text)[0],
        type_error=not goes_on and adds_type_error(place, text, service),
        invented=exists.apis.outcome == "failed",
        total_ms=timings.total,
        oracle_ms=timings.oracle,
    )


def adds_type_error(place: Place, text: str, service: OracleService) -> bool:
    """Whether the whole document has an error in ``text``, or one elsewhere that it has neither
    without it nor as it was written.
    """
    span, line = Range(place.position, place.position), place.position.line
    rest = completed_by(place.snapshot, span, text)
    change = Change(span, text)
    after = diagnosed(place, place.snapshot.line(line) + text + rest, service)
    as_it_is = diagnosed(place, place.snapshot.line(line), service)
    as_written = diagnosed(place, place.whole.line(line), service)
    if errors_within(after, change):
        return True
    elsewhere = new_errors_elsewhere(as_it_is, after, change)
    new = new_errors_elsewhere(as_written, after, change)
    return bool(set(elsewhere) & set(new))


def diagnosed(place: Place, line: str, service: OracleService) -> Diagnostics:
    """What the checker says about the document with ``line`` in place of the position's."""
    number = place.position.line
    lines = [*place.whole.lines[:number], f"{line}\n", *place.whole.lines[number + 1 :]]
    source = Source(place.snapshot.uri, "".join(lines))
    deadline = time.monotonic() + PATIENCE
    answer = service.submit(
        "python", lambda oracle: oracle.diagnostics(source, deadline=deadline)
    ).result()
    if isinstance(answer, Unknown):
        raise TimeoutError(answer.reason)
    return answer


def _facts(service: OracleService, place: Place) -> Facts:
    span = Range(place.position, place.position)
    return Facts(
        service, Memory(), place.snapshot, span, seconds=3 * PATIENCE, cancel=Cancellation()
    )


def _first_name(text: str) -> str:
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return text[:end]


def table(rows: dict[str, list[Measured]], places: list[Place], model: LoadedModel) -> str:
    """The figures as Markdown."""
    members = [place.kind == "member" for place in places]
    lines = [
        f"{model.name} {model.version}, {len(places)} positions, {sum(members)} behind a dot",
        "",
        "| | " + " | ".join(MODES) + " |",
        "|---" * (len(MODES) + 1) + "|",
    ]

    def row(name: str, cells: list[str]) -> None:
        lines.append(f"| {name} | " + " | ".join(cells) + " |")

    def of_shown(name: str, attribute: str) -> None:
        cells = []
        for measured in rows.values():
            values = [getattr(each, attribute) for each in measured if each.shown]
            cells.append(f"{sum(values)} of {len(values)} ({_percent(values)})")
        row(name, cells)

    row("requests that get a suggestion", [_percent([m.shown for m in r]) for r in rows.values()])
    of_shown("shown that parse", "parses")
    of_shown("shown that add a type error", "type_error")
    of_shown("shown that name what does not exist", "invented")
    right = {
        mode: np.array([m.right for m, member in zip(measured, members, strict=True) if member])
        for mode, measured in rows.items()
    }
    row("next member right", [f"{values.mean():.1%}" for values in right.values()])
    row("... as a ratio", [_ratio(values, right["off"]) for values in right.values()])
    off = np.array([m.total_ms for m in rows["off"]])
    for name, part in (("p50", 50), ("p95", 95)):
        totals = [np.percentile([m.total_ms for m in r], part) for r in rows.values()]
        row(f"milliseconds, {name}", [f"{value:.0f}" for value in totals])
    for name, part in (("p50", 50), ("p95", 95)):
        waited = [np.percentile([m.oracle_ms for m in r], part) for r in rows.values()]
        row(f"... of them for the checker, {name}", [f"{value:.0f}" for value in waited])
    for name, part in (("p50", 50), ("p95", 95)):
        added = [
            np.percentile(np.array([m.total_ms for m in r]) - off, part) for r in rows.values()
        ]
        row(f"more than without, same position, {name}", [f"{value:.0f}" for value in added])
    return "\n".join(lines)


def _percent(values: list[bool]) -> str:
    return f"{sum(values) / max(1, len(values)):.1%}"


def _ratio(values: np.ndarray, base: np.ndarray) -> str:
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(base), (_BOOTSTRAP, len(base)))
    ratios = values[drawn].mean(axis=1) / np.maximum(base[drawn].mean(axis=1), 1e-9)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return f"{values.mean() / max(base.mean(), 1e-9):.2f} ({low:.2f} to {high:.2f})"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="for the environment and the sources")
    parser.add_argument("--positions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=("ty", "pyrefly"), default="ty")
    parser.add_argument("--bundle", type=Path, help="instead of the default one")
    parser.add_argument("--json", type=Path, help="where to write every answer's figures")
    return parser.parse_args()


if __name__ == "__main__":
    main()
