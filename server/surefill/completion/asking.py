"""What a request asks the oracle: for rules while the model writes, for checks afterwards."""

from __future__ import annotations

from surefill.budget import Cancellation
from surefill.completion.checking import OracleChecks
from surefill.completion.facts import Facts, Memory
from surefill.completion.rules import ExistingNames
from surefill.completion.suggestion import Withheld
from surefill.oracle.service import OracleService
from surefill.revision import ProjectRevision
from surefill.settings import CheckSettings
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range

_LARGEST = 1_000_000
"""Characters of a document beyond which no checker keeps pace with a typist."""
_LONGEST_LINE = 5_000
"""Characters of a line that is no code to be read token by token."""


class Asking:
    """Asks for one pipeline. Without a service, or where settings say no, nothing is asked."""

    def __init__(self, service: OracleService | None, settings: CheckSettings) -> None:
        self._service = service
        self._settings = settings
        self._memory = Memory()

    def about(
        self,
        snapshot: Snapshot,
        position: Position,
        cursor: Cursor,
        revision: ProjectRevision,
        *,
        seconds: float,
        cancel: Cancellation,
    ) -> Asked:
        """What can be asked for one request, which was made at ``revision``.

        Answers are waited for ``seconds`` in all.
        """
        language = snapshot.language
        wanted = self._settings.guide or self._settings.types
        if (
            self._service is None
            or not wanted
            or language is None
            or cursor.in_comment
            or not self._service.answers_for(language.id)
            or sum(map(len, snapshot.lines)) > _LARGEST
            or len(snapshot.line(position.line)) > _LONGEST_LINE
        ):
            return Asked()
        span = Range(position, position)
        facts = Facts(
            self._service,
            self._memory,
            snapshot,
            span,
            seconds=seconds,
            cancel=cancel,
            revision=revision,
        )
        checks = OracleChecks(facts, snapshot, span) if self._settings.types else None
        asked = Asked(facts, snapshot, position, checks, guides=self._settings.guide)
        asked.anticipate()
        return asked


class Asked:
    """One request's questions; without facts there are none."""

    def __init__(
        self,
        facts: Facts | None = None,
        snapshot: Snapshot | None = None,
        position: Position | None = None,
        checks: OracleChecks | None = None,
        *,
        guides: bool = False,
    ) -> None:
        self._facts = facts
        self._snapshot = snapshot
        self._position = position
        self._checks = checks
        self._guides = guides
        self._rules: ExistingNames | None = None

    def anticipate(self) -> None:
        """Ask at once what the rules will want to know first."""
        rules = self.rules("")
        if rules is not None:
            rules.anticipate()

    def rules(self, lead: str) -> ExistingNames | None:
        """What the model may write; None where that is not known."""
        if self._facts is None or self._snapshot is None or self._position is None:
            return None
        if self._guides:
            self._rules = ExistingNames(self._facts, self._snapshot, self._position, lead)
        return self._rules

    def checks(self) -> OracleChecks | None:
        """Checks of what was written."""
        return self._checks

    @property
    def spent(self) -> float:
        """Seconds that were waited for the oracle."""
        return self._facts.spent if self._facts is not None else 0.0

    @property
    def late(self) -> bool:
        """Whether something could not be looked up in time; the next request may fare better."""
        return self._facts is not None and self._facts.late

    @property
    def withheld(self) -> tuple[Withheld, ...]:
        """What the model may not have written."""
        if self._rules is None:
            return ()
        return tuple(Withheld(name, reason) for name, reason in self._rules.withheld.items())
