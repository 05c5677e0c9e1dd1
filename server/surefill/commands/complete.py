"""``surefill complete``: one file, one position, the same pipeline as the editor's."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from surefill.completion.loading import load_model
from surefill.completion.pipeline import CompletionPipeline, CompletionRequest
from surefill.completion.suggestion import ApiUse, CompletionResult, Suggestion
from surefill.context.neighbours import ProjectNeighbours
from surefill.context.sources import SourceReader
from surefill.engine.interface import Cancellation
from surefill.errors import InputError, SettingsError
from surefill.oracle.service import OracleService
from surefill.settings import Settings
from surefill.syntax.document import Document, Snapshot
from surefill.syntax.languages import LANGUAGES, language_for
from surefill.syntax.position import Position

_BOLD, _DIM, _GREEN, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[0m"
_LINES_AROUND = 3
_CLOSING_SECONDS = 2.0


@dataclass(frozen=True)
class Completed:
    """A result with all that is needed to show it."""

    path: Path
    snapshot: Snapshot
    position: Position
    result: CompletionResult
    bundle: str
    version: str
    provider: str
    load_ms: float


def complete(
    path: Path,
    at: Position,
    *,
    n: int,
    explicit: bool,
    language: str | None,
    settings: Mapping[str, object],
) -> Completed:
    """Complete ``path`` at ``at``; raises InputError for what cannot be completed.

    Modules that it imports count as in an editor whose workspace is the working directory.
    """
    parsed, problems = Settings.parse(settings)
    if problems:
        raise SettingsError(problems[0])
    text = read_source(path)
    known = language_for(language, str(path))
    if known is None:
        names = ", ".join(sorted(each.id for each in LANGUAGES))
        raise InputError(
            f"The language of {path} is not known.", f"Give --language, one of {names}."
        )
    snapshot = Document(path.resolve().as_uri(), known, text).snapshot()
    check_position(path, snapshot, at)
    began = time.perf_counter()
    model = load_model(parsed)
    try:
        load_ms = 1000 * (time.perf_counter() - began)
        # The command waits as long as it takes; an editor's deadline is not for it.
        parsed = replace(parsed, completion=replace(parsed.completion, deadline_ms=60_000))
        request = CompletionRequest(
            snapshot,
            at,
            explicit=explicit,
            n=n,
            deadline_ms=parsed.completion.deadline_ms,
            neighbours=ProjectNeighbours(
                SourceReader(),
                path.resolve(),
                [Path.cwd()],
                disabled=frozenset(parsed.disabled_languages),
            ),
        )
        with _oracle(parsed, snapshot) as oracle:
            pipeline = CompletionPipeline(
                model.context,
                parsed,
                oracle=oracle,
                languages=model.languages,
                display=model.display,
            )
            result = pipeline.complete(request, model.engine, Cancellation())
    finally:
        model.engine.close()
    return Completed(path, snapshot, at, result, model.name, model.version, model.provider, load_ms)


@contextlib.contextmanager
def _oracle(settings: Settings, snapshot: Snapshot) -> Iterator[OracleService]:
    """The type checker, as for an editor whose workspace is the working directory."""
    oracle = OracleService()
    oracle.configure(settings.oracle, [Path.cwd()])
    if snapshot.language is not None:
        oracle.tell(snapshot.language.id, lambda asked: asked.open(snapshot.uri, snapshot.text))
    try:
        yield oracle
    finally:
        oracle.close(_CLOSING_SECONDS)


def read_source(path: Path) -> str:
    """The text of a file; raises InputError when there is none or it is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.", "Give the path of a file.") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a directory.", "Give the path of a file.") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text (byte {error.object[error.start]:#04x} at offset "
            f"{error.start}).",
            "Convert it to UTF-8.",
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def parse_position(text: str) -> Position:
    """``LINE:COLUMN``, both counted from 1; raises InputError."""
    line, separator, column = text.partition(":")
    if not separator or not line.isdecimal() or not column.isdecimal():
        raise InputError(f"{text!r} is not a position.", "Give LINE:COLUMN, as in 12:5.")
    if int(line) < 1 or int(column) < 1:
        raise InputError(f"{text!r} is not a position.", "Lines and columns are counted from 1.")
    return Position(int(line) - 1, int(column) - 1)


def check_position(path: Path, snapshot: Snapshot, at: Position) -> None:
    """Raise InputError for a position outside the document."""
    if snapshot.clamp(at) == at:
        return
    if at.line >= len(snapshot.lines):
        raise InputError(
            f"{path} has {len(snapshot.lines)} lines; line {at.line + 1} is outside.",
            "Give a position inside the file.",
        )
    width = snapshot.clamp(Position(at.line, 2**31)).character
    raise InputError(
        f"Line {at.line + 1} of {path} has {width} characters; column {at.character + 1} is "
        "outside.",
        f"The last column is {width + 1}.",
    )


def as_json(completed: Completed) -> dict[str, Any]:
    """The documented JSON form; positions in ``range`` are counted from 1."""
    timings = completed.result.timings
    return {
        "items": [
            {
                "text": suggestion.text,
                "range": {
                    name: {"line": position.line + 1, "column": position.character + 1}
                    for name, position in zip(("start", "end"), suggestion.range, strict=True)
                },
                "verdicts": {name: v.outcome for name, v in suggestion.verdicts.items()},
                "reasons": {name: v.reason for name, v in suggestion.verdicts.items() if v.reason},
                "checker": suggestion.evidence.checker,
                "uses": [_use(use) for use in suggestion.evidence.uses],
                "mean_logprob": suggestion.mean_logprob,
                "chance": round(suggestion.chance, 4),
                "chance_begins": round(suggestion.begins, 4),
            }
            for suggestion in completed.result.suggestions
        ],
        "reason": completed.result.reason,
        "withheld": [
            {"text": each.text, "reason": each.reason} for each in completed.result.withheld
        ],
        "timings_ms": {
            name: round(getattr(timings, name), 2)
            for name in ("total", "context", "prefill", "decode", "checks", "oracle")
        },
        "bundle": {"name": completed.bundle, "version": completed.version},
        "provider": completed.provider,
    }


def _named(use: ApiUse) -> str:
    return f"{use.owner}.{use.name}" if use.owner and use.kind != "keyword" else use.name


def _use(use: ApiUse) -> dict[str, Any]:
    return {
        "kind": use.kind,
        "name": _named(use),
        "known": use.known,
        "found_in": f"{use.package} {use.version}".strip(),
    }


def as_text(completed: Completed, *, color: bool) -> str:
    """The suggestions in place, their verdicts, and where the time went."""
    where = f"{completed.path}:{completed.position.line + 1}:{completed.position.character + 1}"
    blocks = [f"{_BOLD}{where}{_PLAIN}" if color else where]
    if not completed.result.suggestions:
        blocks.append(f"No suggestion: {completed.result.reason or 'nothing passed the checks'}.")
    for suggestion in completed.result.suggestions:
        blocks.append(_in_place(completed.snapshot, suggestion, color))
        blocks.append(_verdicts(suggestion))
    timings = completed.result.timings
    blocks.append(
        f"{timings.total:.0f} ms (context {timings.context:.0f}, prefill {timings.prefill:.0f}, "
        f"decode {timings.decode:.0f}, checks {timings.checks:.0f}) with {completed.bundle} "
        f"{completed.version} on {completed.provider}, loaded in {completed.load_ms:.0f} ms"
    )
    return "\n\n".join(blocks)


def _in_place(snapshot: Snapshot, suggestion: Suggestion, color: bool) -> str:
    """The lines around the suggestion with it in place, its own part marked."""
    start, end = suggestion.range
    before = [snapshot.line(n).rstrip("\r\n") for n in range(start.line)][-_LINES_AROUND:]
    after = [
        snapshot.line(n).rstrip("\r\n")
        for n in range(end.line + 1, min(len(snapshot.lines), end.line + 1 + _LINES_AROUND))
    ]
    head = snapshot.line(start.line)[: start.character]
    tail = snapshot.line(end.line)[end.character :].rstrip("\r\n")
    rows = [(False, line, 0, 0) for line in before]
    inserted = suggestion.text.split("\n")
    for number, part in enumerate(inserted):
        left = head if number == 0 else ""
        right = tail if number == len(inserted) - 1 else ""
        rows.append((True, left + part + right, len(left), len(left) + len(part)))
    rows += [(False, line, 0, 0) for line in after]
    first = start.line - len(before)
    width = len(str(first + len(rows)))
    shown = []
    for number, (ours, line, begin, finish) in enumerate(rows, first + 1):
        margin = f"{'+' if ours else ' '} {number:>{width}} | "
        if color:
            marked = f"{line[:begin]}{_GREEN}{line[begin:finish]}{_PLAIN}{line[finish:]}"
            shown.append(f"{_DIM}{margin}{_PLAIN}{marked if ours else line}")
        else:
            shown.append(margin + line)
        if ours and not color and finish > begin:
            shown.append(" " * (len(margin) + begin) + "~" * (finish - begin))
    return "\n".join(shown)


def _verdicts(suggestion: Suggestion) -> str:
    parts = [
        f"{name}: {verdict.outcome}" + (f" ({verdict.reason})" if verdict.reason else "")
        for name, verdict in suggestion.verdicts.items()
    ]
    lines = ["  ".join([*parts, f"chance to be right: {suggestion.chance:.0%}"])]
    called = [use for use in suggestion.evidence.uses if use.package]
    if called:
        found = (f"{_named(use)} in {use.package} {use.version}".rstrip() for use in called)
        lines.append(f"{suggestion.evidence.checker} found {', '.join(found)}")
    return "\n".join(lines)
