"""What the oracle says of a suggestion: does it bring type errors, does what it names exist.

One `OracleChecks` belongs to one request. It knows nothing of models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from keyword import iskeyword

from surefill.checks.types import Change, errors_within, new_errors_elsewhere
from surefill.completion.existence import EXISTS, NOT_ASKED, Existence, Finding
from surefill.completion.facts import Facts
from surefill.completion.suggestion import ApiUse, Verdict
from surefill.oracle.answers import Diagnostic, Diagnostics, Unknown
from surefill.syntax.document import Document, Snapshot
from surefill.syntax.position import Position, Range
from surefill.syntax.uses import Use, uses
from surefill.syntax.validity import completed_by

_NOTHING = Diagnostics(())
_NAMES = re.compile(r"[^\W\d]\w*")
_UNKNOWN = "surefill_unknown_"
_MOST_ORIGINS = 6
"""Of so many called names it is found out where they come from."""


@dataclass(frozen=True)
class Checked:
    """The verdicts ``types`` and ``apis`` on one text, and what it takes from elsewhere."""

    types: Verdict
    apis: Verdict
    uses: tuple[ApiUse, ...] = ()
    wrong_at: int = 0
    """Offset in the text of what is wrong, if that is on its first line."""
    wrong_row: int | None = None
    """The line of the text, from 0, without which it may be right; None where that is not known."""

    @property
    def failure(self) -> str:
        """Why the text must not be shown; empty when it may."""
        return next((v.reason for v in (self.types, self.apis) if v.outcome == "failed"), "")


class OracleChecks:
    """Checks texts in place of ``span`` of a document."""

    def __init__(self, facts: Facts, snapshot: Snapshot, span: Range) -> None:
        self._facts = facts
        self._snapshot = snapshot
        self._span = span
        self._existence = Existence(facts, snapshot)

    @property
    def checker(self) -> str:
        """Name and version of who is asked."""
        return self._facts.checker

    def check(self, text: str, *, unfinished: bool = False) -> Checked:
        """Both verdicts on ``text``.

        Of one that is ``unfinished``, a name that the user will go on from, it only counts whether
        it exists: what type the whole will have is not known.
        """
        rest = completed_by(self._snapshot, self._span, text)
        lines = self._line_prefix + text + rest
        types = Verdict("unchecked", "the expression goes on")
        if not unfinished:
            types, error = self._types(text, lines)
            if types.outcome == "failed":
                apis = Verdict("unchecked", "the type check has failed")
                return Checked(types, apis, (), *self._wrong(error, text))
        findings = self._findings(text, rest, lines, sound=types.outcome == "passed")
        for use, finding in findings:
            if finding.reason and not (finding.listed and self._accepts(lines, use, types)):
                return Checked(
                    Verdict("unchecked", "what it names does not exist"),
                    Verdict("failed", finding.reason),
                    wrong_at=max(0, use.offset - len(self._line_prefix)),
                )
        found = tuple(
            # A name that stands by itself is known when nothing is said against it.
            replace(use, known=finding.known if finding.asked else types.outcome == "passed")
            for use, finding in findings
        )
        return Checked(types, _verdict_on(found), found)

    def _accepts(self, lines: str, use: ApiUse, types: Verdict) -> bool:
        """Whether the checker has nothing against a name that a list of its lacks.

        Submodules that somebody else imports are there, and in no list.
        """
        if types.outcome == "passed":
            return True
        said = self._facts.diagnostics(lines)
        if isinstance(said, Unknown):
            return False
        about = re.compile(rf"[`'\"]{re.escape(use.name)}[`'\"]")
        return not any(about.search(error.message) for error in said.errors)

    def with_origins(self, text: str, checked: Checked) -> Checked:
        """``checked`` with where the names come from that ``text`` calls."""
        lines = self._line_prefix + text + completed_by(self._snapshot, self._span, text)
        found = []
        for number, use in enumerate(checked.uses):
            if use.kind == "call" and number < _MOST_ORIGINS:
                origin = self._facts.origin(lines, use.offset)
                if origin:
                    found.append(use.found_in(origin.name or origin.kind, origin.version))
                    continue
            found.append(use)
        return Checked(checked.types, checked.apis, tuple(found))

    @property
    def _line_prefix(self) -> str:
        return self._snapshot.line(self._span.start.line)[: self._span.start.character]

    def _types(self, text: str, lines: str) -> tuple[Verdict, Diagnostic | None]:
        """The verdict, and the first error."""
        after = self._facts.diagnostics(lines)
        if isinstance(after, Unknown):
            return Verdict("unchecked", after.reason), None
        change = Change(self._span, text)
        errors = errors_within(after, change)
        if not errors and new_errors_elsewhere(_NOTHING, after, change):
            # Else it does not matter what the document was like without it.
            before = self._facts.diagnostics_before(lines)
            if isinstance(before, Unknown):
                return Verdict("unchecked", before.reason), None
            errors = new_errors_elsewhere(before, after, change)
            if errors and _NAMES.search(text):
                errors = self._because_of_names(text, errors)
        if errors:
            return Verdict("failed", errors[0].message), errors[0]
        return Verdict("passed", "no new type error"), None

    def _wrong(self, error: Diagnostic | None, text: str) -> tuple[int, int | None]:
        """``wrong_at`` and ``wrong_row``: what is said of ``a.b(c).d`` is wrong at its end."""
        first = self._span.start
        if error is None or not errors_within(Diagnostics((error,)), Change(self._span, text)):
            return 0, None
        start, end = error.range
        row = end.line - first.line
        if row > 0 and start.line != first.line:
            return 0, row
        last = end if row == 0 else start
        return max(0, last.character - 1 - first.character), row

    def _because_of_names(
        self, text: str, errors: tuple[Diagnostic, ...]
    ) -> tuple[Diagnostic, ...]:
        """Those of ``errors`` elsewhere that there are not with unknown names in ``text``.

        A document may not parse without the text; what is wrong in it shows when it does.
        """
        unknown = _NAMES.sub(lambda name: name[0] if iskeyword(name[0]) else _UNKNOWN, text)
        lines = self._line_prefix + unknown + completed_by(self._snapshot, self._span, unknown)
        stood = self._facts.diagnostics(lines)
        if isinstance(stood, Unknown):
            return errors
        known = {(each.code, each.message, each.range.start.line) for each in stood.errors}
        return tuple(
            each for each in errors if (each.code, each.message, each.range.start.line) not in known
        )

    def _findings(
        self, text: str, rest: str, lines: str, *, sound: bool
    ) -> list[tuple[ApiUse, Finding]]:
        """What ``text`` takes from elsewhere, up to the first name that does not exist.

        In what is ``sound`` a name that has a definition exists.
        """
        found: list[tuple[ApiUse, Finding]] = []
        for use, offset in self._uses(text, rest):
            called = lines[offset + len(use.name) : offset + len(use.name) + 1] == "("
            finding = NOT_ASKED
            if sound and use.kind != "keyword" and self._facts.origin(lines, offset):
                finding = EXISTS
            elif use.kind != "call":
                finding = self._existence.of(lines, use.kind, use.name, offset, called=called)
            elif found and found[-1][0].offset == offset:
                finding = found[-1][1]  # what is called is a member as well
            found.append((ApiUse(use.kind, use.name, use.owner, offset, known=False), finding))
            if finding.reason:
                break
        return found

    def _uses(self, text: str, rest: str) -> list[tuple[Use, int]]:
        """What ``text`` takes from elsewhere, with offsets in the lines as ``Facts`` takes them."""
        document = Document.of(self._snapshot)
        last = self._span.end.line
        line_end = Position(last, len(self._snapshot.line(last)))
        document.edit(Range(self._span.start, line_end), text + rest)
        snapshot = document.snapshot()
        first = self._span.start
        change = Range(first, Change(self._span, text).end)
        start = Position(first.line, 0)
        return [
            (use, len(snapshot.text_in(Range(start, use.span.start))))
            for use in uses(snapshot, change)
            if use.span.end > first
        ]


def _verdict_on(found: Sequence[ApiUse]) -> Verdict:
    names = {use.offset: use.known for use in found}
    unknown = sum(not known for known in names.values())
    if not names:
        return Verdict("passed", "it names nothing that could be missing")
    if unknown:
        return Verdict("unchecked", f"{unknown} of {len(names)} names could not be looked up")
    return Verdict("passed", "what it names exists")
