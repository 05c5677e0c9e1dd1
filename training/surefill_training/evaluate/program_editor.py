"""A program open in an editor, and what the server shows there of its own accord.

The workspace holds nothing else, and nothing is saved: neither the project's index nor the type
checker can see on the disk what is missing in the editor. Knows neither places nor truths.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from surefill.completion.loading import LoadedModel
from surefill.completion.pipeline import CompletionPipeline, CompletionRequest
from surefill.context.neighbours import ProjectNeighbours
from surefill.context.sources import SourceReader
from surefill.engine.interface import Cancellation
from surefill.oracle.service import OracleService
from surefill.settings import Settings
from surefill.syntax.document import Document
from surefill.syntax.position import Position
from surefill_training.evaluate.programs import Program

_DEADLINE_MS = 3_600_000
"""Never in practice: a slow machine changes the times that are measured, not the suggestions."""
_CLOSING_SECONDS = 5.0


@dataclass(frozen=True)
class Shown:
    """The answer to one request."""

    text: str
    """What the editor shows; empty for nothing."""
    reason: str
    """Why nothing is shown."""
    confidence: float
    """The chance that it begins right, by the display filter; 0 without a suggestion."""
    milliseconds: float
    remembered: bool
    """It was known from an earlier request, as what was suggested is typed."""


class ProgramEditor:
    """Asks one model, with settings as users have them, in one program after the other."""

    def __init__(
        self,
        model: LoadedModel,
        settings: Settings,
        folder: Path,
        checker: OracleService | None = None,
    ) -> None:
        self._model = model
        self._folder = folder
        self._checker = checker
        self._pipeline = CompletionPipeline(
            model.context,
            settings,
            oracle=checker,
            languages=model.languages,
            display=model.display,
        )
        self._reader = SourceReader()
        self._program: Program | None = None

    def ask(self, program: Program, text: str, position: Position) -> Shown:
        """What is shown at ``position`` when the program reads ``text``.

        Answers are remembered as the server does. Raises EngineError when the model fails.
        """
        path = self._folder / program.language_id / program.name
        uri = path.as_uri()
        snapshot = Document(uri, program.language, text).snapshot()
        self._tell(program, uri, text)
        request = CompletionRequest(
            snapshot,
            position,
            deadline_ms=_DEADLINE_MS,
            language_id=program.language_id,
            neighbours=ProjectNeighbours(self._reader, path, (self._folder,)),
        )
        result = self._pipeline.complete(request, self._model.engine, Cancellation())
        best = result.suggestions[0] if result.suggestions else None
        return Shown(
            text=best.text if best else "",
            reason="" if best else result.reason,
            confidence=best.begins if best else 0.0,
            milliseconds=result.timings.total,
            remembered=result.cached,
        )

    def forget(self) -> None:
        """Close the program: what was asked in it must not answer what is asked next."""
        program, self._program = self._program, None
        if program is None:
            return
        uri = (self._folder / program.language_id / program.name).as_uri()
        self._pipeline.forget(uri)
        if self._model.memory is not None:
            self._model.memory.remove(uri)
            self._model.memory.flush()
        if self._checker is not None:
            self._checker.tell(program.language_id, lambda asked: asked.close_document(uri))

    def _tell(self, program: Program, uri: str, text: str) -> None:
        """Tell the project's index and the type checker how the program reads now."""
        known = self._program is program
        if not known:
            self.forget()
        self._program = program
        if self._model.memory is not None:
            self._model.memory.update(uri, text)
            self._model.memory.flush()
        if self._checker is not None:
            self._checker.tell(
                program.language_id,
                lambda asked: (asked.update if known else asked.open)(uri, text),
            )


@contextlib.contextmanager
def open_editor(
    model: LoadedModel, settings: Settings, *, checker: bool
) -> Iterator[ProgramEditor]:
    """An editor with an empty workspace, beside it the type checker for those who want it.

    The checker knows the packages of the interpreter that runs this.
    """
    with tempfile.TemporaryDirectory(prefix="surefill-programs-") as name:
        folder = Path(name).resolve()
        service = OracleService() if checker else None
        if service is not None:
            service.configure(replace(settings.oracle, python=sys.executable), [folder])
        editor = ProgramEditor(model, settings, folder, service)
        try:
            yield editor
        finally:
            editor.forget()
            if service is not None:
                service.close(_CLOSING_SECONDS)
