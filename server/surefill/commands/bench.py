"""``surefill bench``: the latency and memory budgets, measured with the real server over stdio.

The code that is completed is the standard library's of the running Python, so that everyone has it.
Nothing else should run meanwhile.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from surefill.commands.editor import Editor, MeasurementError
from surefill.completion.loading import load_model
from surefill.completion.pipeline import CompletionPipeline, CompletionRequest
from surefill.engine.bundle import find_bundle
from surefill.engine.interface import Cancellation
from surefill.engine.tokenizer import BundleTokenizer
from surefill.errors import SettingsError
from surefill.settings import Settings
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position

Report = Callable[[str], None]

TYPING = "answer while typing on"
"""The measure that a user feels most."""

_FILE_TOKENS = 500
_FEWEST_FILES = 40
_MODULES = """
    argparse ast calendar cmd configparser copy csv dataclasses difflib dis doctest enum fileinput
    fractions ftplib functools gettext glob gzip heapq imaplib inspect ipaddress locale mailbox
    optparse pdb pickle plistlib poplib pprint queue random sched shelve shlex shutil smtplib
    socketserver statistics string subprocess tarfile tempfile textwrap threading timeit trace
    traceback turtle typing uuid warnings zipfile
""".split()  # noqa: SIM905 - eighty quoted names would fill a page


@dataclass
class Row:
    """One measure: its samples and the bounds that DESIGN gives its percentiles."""

    name: str
    unit: str
    bounds: Mapping[str, float]
    samples: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """The smallest sample that is not exceeded by ``share`` percent of them."""
        ordered = sorted(self.samples)
        index = max(0, -(-len(ordered) * share // 100) - 1)
        return ordered[int(index)] if ordered else float("nan")

    @property
    def values(self) -> dict[str, float]:
        return {name: self.percentile(float(name[1:])) for name in ("p50", "p95", "p99")}

    @property
    def kept(self) -> bool:
        """Whether every bound is kept; a measure without samples keeps none."""
        return all(self.values[name] < bound for name, bound in self.bounds.items())


@dataclass(frozen=True)
class Place:
    """A file of 500 tokens with the cursor inside a line, and what stood behind the cursor."""

    text: str
    line: int
    character: int
    rest: str


def measure(raw_settings: Mapping[str, object], rounds: int, report: Report) -> list[Row]:
    """All measures, each with about ``rounds`` samples."""
    settings, problems = Settings.parse(raw_settings)
    if problems:
        raise SettingsError(problems[0])
    tokenizer = BundleTokenizer(find_bundle(settings.bundle) / "tokenizer.json")
    places = list(_places(tokenizer))
    report("starting the server")
    rows = [_start(raw_settings, min(rounds, 10))]
    with Editor(raw_settings) as editor:
        editor.wait_for_model()
        report("typing on")
        _settle_elsewhere(editor)
        typing_on = _typing_on(editor, places, rounds)
    # Whatever the model suggests is shown, so that there is something to type through.
    completion = {"minConfidence": 0.0}
    with Editor({**raw_settings, "completion": completion}) as editor:
        editor.wait_for_model()
        report("cold answers, typing through")
        _settle_elsewhere(editor)
        rows += _typing(editor, places, rounds)
        rows.insert(2, typing_on)
        report("answers to prompts that were read ahead")
        rows.insert(2, _read_ahead(editor, places, rounds))
        report("keystrokes while the model is busy")
        rows.append(_busy(editor, places, rounds))
        rows.append(Row("memory of the server", "MB", {"p50": 450}, _resident(editor.pid)))
    report("checks")
    rows.append(_checks(settings, places, rounds))
    return rows


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One object for each measure."""
    return [
        {
            "name": row.name,
            "unit": row.unit,
            "samples": len(row.samples),
            **{name: round(value, 2) for name, value in row.values.items()},
            "bounds": dict(row.bounds),
            "kept": row.kept,
        }
        for row in rows
    ]


def as_text(rows: Sequence[Row]) -> str:
    """A Markdown table, the bound beside each measure."""
    lines = ["| measure | n | p50 | p95 | p99 | bound | kept |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        numbers = " | ".join(f"{value:.1f}" for value in row.values.values())
        bounds = ", ".join(f"{name} < {bound:g} {row.unit}" for name, bound in row.bounds.items())
        kept = "yes" if row.kept else "NO"
        lines.append(f"| {row.name} | {len(row.samples)} | {numbers} | {bounds} | {kept} |")
    return "\n".join(lines)


def _places(tokenizer: BundleTokenizer) -> Iterator[Place]:
    """Files cut to 500 tokens, the cursor some characters into a line three quarters down."""
    folder = Path(sysconfig.get_path("stdlib"))
    for module in _MODULES:
        file = folder / f"{module}.py"
        if not file.exists():
            continue
        source = file.read_text(encoding="utf-8")
        # From the middle of the file, where code is rather than its docstring.
        start = source.find("\n    def ", len(source) // 3) + 1
        ids = tokenizer.encode(source[start : start + 20 * _FILE_TOKENS])
        if len(ids) < _FILE_TOKENS:
            continue
        lines = tokenizer.decode(ids[:_FILE_TOKENS]).split("\n")
        for number in range(len(lines) * 3 // 4, len(lines) - 1):
            line = lines[number]
            code = line.strip()
            if len(code) < 24 or code[0] in "#\"'" or not code[0].isalpha():
                continue
            column = len(line) - len(code) + code.find(" ", 6) + 1
            if code.find(" ", 6) > 0 and len(line) - column > 8:
                kept = [*lines[:number], line[:column], *lines[number + 1 :]]
                yield Place("\n".join(kept), number, column, line[column:])
                break


def _start(settings: Mapping[str, object], rounds: int) -> Row:
    row = Row("server start to initialized", "ms", {"p50": 500})
    for _ in range(rounds):
        began = time.perf_counter()
        with Editor(settings):
            row.samples.append(1000 * (time.perf_counter() - began))
    return row


def _typing(editor: Editor, places: Sequence[Place], rounds: int) -> list[Row]:
    cold = Row("cold first answer in a 500-token file", "ms", {"p50": 500})
    typing = Row("the same, written to its end however unlikely", "ms", {"p50": 250})
    through = Row("typing through a suggestion", "ms", {"p95": 10})
    for number in range(max(4 * rounds, _FEWEST_FILES)):
        if min(len(cold.samples), len(typing.samples), len(through.samples)) >= rounds:
            break
        place = places[number % len(places)]
        # Another first line each time: nothing of the file is in the KV cache from before.
        uri, line = f"file:///bench/{number}.py", place.line + 1
        editor.open(uri, f"# {number:06d}\n{place.text}")
        items = _timed(editor, uri, line, place.character, cold, by_model=True)
        column, version = place.character, 2
        if items and items[0]["insertText"][:1].isprintable():
            typed = items[0]["insertText"][0]
            if typed not in "([{\"'":
                editor.insert(uri, version, line, column, typed)
                _timed(editor, uri, line, column + 1, through, by_model=False)
                column, version = column + 1, version + 1
        _type_on(editor, (uri, line, column, version), place, typing)
        editor.close(uri)
    return list(map(_sampled, (cold, typing, through)))


def _typing_on(editor: Editor, places: Sequence[Place], rounds: int) -> Row:
    """By the settings as they are: what is not likely enough is not written to its end."""
    row = Row(TYPING, "ms", {"p50": 90, "p95": 250})
    for number in range(max(4 * rounds, _FEWEST_FILES)):
        if len(row.samples) >= 2 * rounds:
            break
        place = places[number % len(places)]
        uri, line = f"file:///bench/on-{number}.py", place.line + 1
        editor.open(uri, f"# {number:06d} on\n{place.text}")
        editor.inline(uri, line, place.character)
        _type_on(editor, (uri, line, place.character, 2), place, row)
        editor.close(uri)
    return _sampled(row)


def _type_on(editor: Editor, cursor: tuple[str, int, int, int], place: Place, row: Row) -> None:
    """Type what stood after the cursor in threes, and ask each time."""
    uri, line, column, version = cursor
    rest = place.rest[column - place.character :]
    for start in range(0, min(len(rest) - 3, 9), 3):
        editor.insert(uri, version, line, column, rest[start : start + 3])
        column, version = column + 3, version + 1
        _timed(editor, uri, line, column, row, by_model=True)


def _sampled(row: Row) -> Row:
    if not row.samples:
        raise MeasurementError(f"No sample of {row.name!r} could be taken.")
    return row


def _settle_elsewhere(editor: Editor) -> None:
    """Leave the cursor in a document: while it stays open, others are not read when they open."""
    uri = "file:///bench/elsewhere.py"
    editor.open(uri, "\n")
    editor.insert(uri, 2, 0, 0, "#")
    editor.wait_for_reading()


def _read_ahead(editor: Editor, places: Sequence[Place], rounds: int) -> Row:
    """Something is typed in a file that was just opened, and then nothing for a while."""
    row = Row("first answer in a 500-token file, read ahead", "ms", {"p50": 200})
    for number in range(max(4 * rounds, _FEWEST_FILES)):
        if len(row.samples) >= rounds:
            break
        place = places[number % len(places)]
        uri, line = f"file:///bench/ahead-{number}.py", place.line + 1
        editor.open(uri, f"# {number:06d} ahead\n{place.text}")
        editor.insert(uri, 2, line, place.character, place.rest[:2])
        editor.wait_for_reading()
        _timed(editor, uri, line, place.character + 2, row, by_model=True)
        editor.close(uri)
    return row


def _timed(
    editor: Editor, uri: str, line: int, column: int, row: Row, *, by_model: bool
) -> list[dict[str, Any]]:
    """Ask, and take the time as a sample if the model was (or was not) asked, as wanted."""
    calls = editor.status()["counters"]["model_calls"]
    began = time.perf_counter()
    items = editor.inline(uri, line, column)
    elapsed = 1000 * (time.perf_counter() - began)
    called = editor.status()["counters"]["model_calls"] > calls
    if called == by_model and (called or items):
        row.samples.append(elapsed)
    return items


def _busy(editor: Editor, places: Sequence[Place], rounds: int) -> Row:
    """From a keystroke to the proof that it was handled, while a long answer is being made."""
    row = Row("keystroke while the model is busy", "ms", {"p99": 20})
    typed_in, version, column = "file:///bench/typed.py", 2, 0
    editor.open(typed_in, "\n".join(place.text for place in places))
    attempt = 0
    while len(row.samples) < 5 * rounds and attempt < 20 * rounds:
        place = places[attempt % len(places)]
        uri = f"file:///bench/busy-{attempt}.py"
        attempt += 1
        editor.open(uri, f"# {attempt:06d} busy\n{place.text}")
        request = editor.begin_inline(uri, place.line + 1, place.character, explicit=True)
        for _ in range(8):
            began = time.perf_counter()
            editor.insert(typed_in, version, 0, column, "x")
            version, column = version + 1, column + 1
            live = editor.status()["live"]
            elapsed = 1000 * (time.perf_counter() - began)
            if not live:
                break
            row.samples.append(elapsed)
            time.sleep(0.005)
        editor.wait(request)
        editor.close(uri)
    editor.close(typed_in)
    return row


def _checks(settings: Settings, places: Sequence[Place], rounds: int) -> Row:
    """The checks' own time, in this process, as the pipeline takes it."""
    row = Row("checks of a suggestion", "ms", {"p95": 30})
    model = load_model(settings)
    try:
        pipeline = CompletionPipeline(model.context, settings)
        for number in range(rounds):
            place = places[number % len(places)]
            document = Document(f"file:///{number}.py", language_for("python", None), place.text)
            request = CompletionRequest(
                document.snapshot(),
                Position(place.line, place.character),
                explicit=False,
                n=1,
                deadline_ms=10_000,
            )
            result = pipeline.complete(request, model.engine, Cancellation())
            if result.suggestions:
                row.samples.append(result.timings.checks)
    finally:
        model.engine.close()
    return row


def _resident(pid: int) -> list[float]:
    """Resident memory of a process in megabytes; nothing where there is no ``ps``."""
    if sys.platform == "win32":
        return []
    shown = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(shown.stdout) / 1000] if shown.stdout.strip().isdecimal() else []
