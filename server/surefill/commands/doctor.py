"""``surefill doctor``: what works on this machine, and what to do about what does not."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from surefill import __version__
from surefill.errors import SettingsError, SurefillError
from surefill.settings import Settings

_CHECKER_SECONDS = 90.0
_WELL = {"ready", "environment"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    detail: str
    problem: bool = False
    remedy: str = ""


def examine(raw_settings: Mapping[str, object]) -> list[Finding]:
    """Look at everything that completion needs; never raises for what it finds."""
    settings, problems = Settings.parse(raw_settings)
    if problems:
        raise SettingsError(problems[0])
    checks: Sequence[tuple[str, Callable[[], list[Finding]]]] = (
        ("Surefill", _versions),
        ("runtime", _runtime),
        ("model", lambda: _model(settings)),
        ("grammars", _grammars),
        ("type checker", lambda: _checker(settings)),
        ("data folder", _folder),
        ("sandbox", _sandbox),
    )
    findings = []
    for subject, check in checks:
        try:
            findings += check()
        except SurefillError as error:
            findings.append(Finding(subject, error.message, True, error.remedy))
        except Exception as error:  # noqa: BLE001 - a doctor reports whatever it meets
            findings.append(
                Finding(
                    subject,
                    f"failed with {type(error).__name__}: {error}",
                    True,
                    "Install Surefill again; if that does not help, report this line.",
                )
            )
    return findings


def as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """One object for each finding."""
    return [
        {"subject": f.subject, "detail": f.detail, "ok": not f.problem, "remedy": f.remedy}
        for f in findings
    ]


def as_text(findings: Sequence[Finding]) -> str:
    """One line for each finding, the remedy under it."""
    lines = []
    for finding in findings:
        mark = "problem" if finding.problem else "ok"
        lines.append(f"{mark:8}{finding.subject}: {finding.detail}")
        if finding.problem and finding.remedy:
            lines.append(f"{'':8}{finding.remedy}")
    count = sum(finding.problem for finding in findings)
    lines.append("Everything works." if not count else f"{count} to mend.")
    return "\n".join(lines)


def _versions() -> list[Finding]:
    where = f"Python {platform.python_version()} at {sys.executable}"
    return [Finding("Surefill", f"{__version__}, {where}")]


def _runtime() -> list[Finding]:
    from surefill.engine.runtime import import_onnxruntime, physical_cores

    runtime = import_onnxruntime()
    installed = {
        name: metadata.version(name)
        for name in ("onnxruntime", "onnxruntime-gpu")
        if any(metadata.distributions(name=name))
    }
    names = ", ".join(f"{name} {version}" for name, version in installed.items())
    found = [
        Finding("runtime", f"{names or runtime.__version__}, physical cores: {physical_cores()}")
    ]
    if len(installed) > 1:
        found.append(
            Finding(
                "runtime",
                "onnxruntime and onnxruntime-gpu are both installed and overwrite each other",
                True,
                "pip uninstall onnxruntime onnxruntime-gpu, then install the one you want.",
            )
        )
    return found


def _model(settings: Settings) -> list[Finding]:
    from surefill.completion.loading import load_model
    from surefill.completion.pipeline import CompletionPipeline, CompletionRequest
    from surefill.engine.interface import Cancellation
    from surefill.syntax.document import Document
    from surefill.syntax.languages import language_for
    from surefill.syntax.position import Position

    document = Document("file:///doctor.py", language_for("python", None), "import os\n\nos.\n")
    model = load_model(settings)
    try:
        request = CompletionRequest(document.snapshot(), Position(2, 3), explicit=True)
        CompletionPipeline(model.context, settings).complete(request, model.engine, Cancellation())
    finally:
        model.engine.close()
    return [
        Finding("model", f"{model.name} {model.version}, all files unchanged"),
        Finding("provider", model.note or f"Runs on {model.provider}."),
    ]


def _checker(settings: Settings) -> list[Finding]:
    """The type checker for Python, asked a question whose answer is known."""
    from surefill.completion.facts import Facts, Memory
    from surefill.engine.interface import Cancellation
    from surefill.oracle.answers import Status
    from surefill.oracle.service import OracleService
    from surefill.syntax.document import Document
    from surefill.syntax.languages import language_for
    from surefill.syntax.position import Position, Range

    statuses: list[Status] = []
    service = OracleService(statuses.append)
    try:
        service.configure(settings.oracle, [Path.cwd()])
        if not service.answers_for("python"):
            return [Finding("type checker", "turned off: suggestions are not checked by types")]
        python = language_for("python", None)
        snapshot = Document("file:///doctor.py", python, "import os\nos.\n").snapshot()
        at = Position(1, 3)
        facts = Facts(
            service,
            Memory(),
            snapshot,
            Range(at, at),
            seconds=_CHECKER_SECONDS,
            cancel=Cancellation(),
        )
        members = facts.members("os.", len("os."))
        problem = next((each for each in statuses if each.state not in _WELL), None)
        if not members or not members.lacks("surefill"):
            reason = problem.note if problem else getattr(members, "reason", "it knows no module")
            advice = problem.advice if problem else "Suggestions are shown unchecked without it."
            return [Finding("type checker", reason, True, advice)]
        notes = [each for each in statuses if each.state == "environment"]
        found = [Finding("type checker", f"{facts.checker} answers")]
        return found + [Finding("environment", each.note, False, each.advice) for each in notes]
    finally:
        service.close(2.0)


def _grammars() -> list[Finding]:
    from surefill.syntax.languages import LANGUAGES

    for language in LANGUAGES:
        language.grammar()
    return [Finding("grammars", ", ".join(sorted(each.id for each in LANGUAGES)))]


def _sandbox() -> list[Finding]:
    """No problem where there is none: completion does not need it."""
    from surefill.checks.execution import available

    reason = available()
    if reason is not None:
        return [Finding("sandbox", f"no program will be executed. {reason}")]
    return [Finding("sandbox", "programs are executed in bubblewrap, without network and files")]


def _folder() -> list[Finding]:
    import platformdirs

    folder = Path(platformdirs.user_data_dir("surefill"))
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return [
            Finding(
                "data folder",
                f"{folder} cannot be written ({error.strerror})",
                True,
                f"Make {existing} writable, or set "
                f"{'LOCALAPPDATA' if os.name == 'nt' else 'XDG_DATA_HOME'} to another folder.",
            )
        ]
    return [Finding("data folder", str(folder))]
