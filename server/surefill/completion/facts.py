"""What the oracle knows about one place in a document, with suggestions in it: for the worker.

Every answer is remembered by the texts around the place, because the guide, the checks and the next
keystroke ask the same again. Time is limited for a question and for all of them together: past it
every answer is Unknown, and nothing is held up.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import Future
from functools import cached_property, partial
from typing import Any, TypeAlias, TypeVar

from surefill.budget import Cancellation, Deadline, question_seconds
from surefill.engine.healing import is_part_of_name
from surefill.oracle.answers import Diagnostics, Members, Origin, Signatures, Source, Unknown
from surefill.oracle.oracle import Oracle
from surefill.oracle.service import OracleService, wait_for
from surefill.revision import ALONE, ProjectRevision
from surefill.syntax.condensed import Condensed, condense
from surefill.syntax.document import Snapshot, end_of
from surefill.syntax.position import Position, Range

T = TypeVar("T")
_Question: TypeAlias = "tuple[Hashable, ...]"
_Ask: TypeAlias = "Callable[[dict[str, Any], Oracle], Coroutine[Any, Any, T | Unknown]]"

_REMEMBERED = 256


class Memory:
    """Answers to the questions asked last, of all documents. For one thread at a time.

    A key has everything that its answer rests on, so that none is ever out of date.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable) -> Any:  # noqa: ANN401 - answers of all kinds
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Hashable, answer: object) -> None:
        self._answers[key] = answer
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)


class Facts:
    """Questions about a document with other text in place of the lines that ``span`` touches.

    That text, the argument ``lines`` of every question, begins with the first of these lines and
    ends with the last one, without its line end; offsets are in it. ``seconds`` is how long all
    questions may take together; ``revision`` is what the rest of the project was when it was asked.
    """

    def __init__(
        self,
        service: OracleService,
        memory: Memory,
        snapshot: Snapshot,
        span: Range,
        *,
        seconds: float,
        cancel: Cancellation,
        revision: ProjectRevision = ALONE,
    ) -> None:
        self._service = service
        self._memory = memory
        self._uri = snapshot.uri
        self._language = snapshot.language.id if snapshot.language else ""
        self._first, last = span.start.line, span.end.line
        self._head = "".join(snapshot.lines[: self._first])
        self._foot = snapshot.suffix(Position(last, len(snapshot.line(last))))
        self._snapshot, self._span = snapshot, span
        self.lines = snapshot.text_in(Range(Position(self._first, 0), Position(last, 1 << 30)))
        """The lines as they are."""
        self._left = seconds
        self._most = question_seconds(seconds)
        self._cancel = cancel
        self._revision = revision
        self._coming: dict[tuple[Hashable, ...], Future[Any]] = {}
        """Answers that were asked for before they are needed."""
        self.spent = 0.0
        """Seconds that were waited for answers."""
        self.late = False
        """Whether an answer is missing that there was not time enough for."""

    @property
    def available(self) -> bool:
        """Whether there is a checker for the document's language."""
        return self._service.answers_for(self._language)

    @property
    def checker(self) -> str:
        """Name and version of the checker; empty before it has started."""
        return self._service.checker(self._language)

    def anticipate_members(self, lines: str, offset: int) -> None:
        """Ask for what ``listed`` and ``members`` will say, without waiting for it."""
        for question, ask in (self._listed(lines, offset), self._members(lines, offset)):
            if self._remembered(question) is None and question not in self._coming:
                limits = self._limits(self._deadline())
                self._coming[question] = self._service.submit(self._language, partial(ask, limits))

    def members(self, lines: str, offset: int) -> Members | Unknown:
        """What may stand in place of the name at ``offset``."""
        return self._ask(*self._members(lines, offset))

    def listed(self, lines: str, offset: int) -> Members | Unknown:
        """As ``members``, sooner; what is not listed may exist all the same."""
        around = _around_name(lines, offset)
        found: Members | Unknown | None = self._remembered(("members", *around))
        if found is None:
            found = self._ask(*self._listed(lines, offset))
        return self._keep(("listed before", around[0]), found)

    def listed_before(self, lines: str, offset: int) -> Members | Unknown:
        """What was ``listed`` last for the same text in front of the name, without asking."""
        before, _ = _around_name(lines, offset)
        return self._remembered(("listed before", before)) or Unknown("it has not been asked")

    def signature(self, lines: str, offset: int) -> Signatures | Unknown:
        """What the call around the name at ``offset`` takes."""
        at = self.position(lines, offset)
        return self._ask(
            ("signature", *_around_name(lines, offset)),
            lambda limits, oracle: oracle.signature(self._source(lines), at, **limits),
        )

    def diagnostics(self, lines: str) -> Diagnostics | Unknown:
        """What the checker says about the document, but for functions that do not depend on it."""
        source = self._with(lines, self._around(lines, checked=True))
        return self._ask(
            ("diagnostics", source.text),
            lambda limits, oracle: oracle.diagnostics(source, **limits),
        )

    def origin(self, lines: str, offset: int) -> Origin | Unknown:
        """Where the symbol at ``offset`` comes from. Soon said of what has just been checked."""
        source = self._with(lines, self._around(lines, checked=True))
        at = self.position(lines, offset)
        return self._ask(
            ("origin", lines, offset),
            lambda limits, oracle: oracle.origin(source, at, **limits),
        )

    def diagnostics_before(self, lines: str) -> Diagnostics | Unknown:
        """What ``diagnostics`` of ``lines`` are compared with: those of the document as it is."""
        source = self._with(self.lines, self._around(lines, checked=True))
        return self._ask(
            ("diagnostics", source.text),
            lambda limits, oracle: oracle.diagnostics(source, **limits),
        )

    @cached_property
    def _condensed(self) -> Condensed | None:
        if self._service.reads_bodies(self._language):
            return None
        question = ("condensed",)
        known: tuple[Condensed | None] | None = self._remembered(question)
        if known is None:
            known = (condense(self._snapshot, self._span),)
            self._memory.put(self._key(question), known)
        return known[0]

    def _members(self, lines: str, offset: int) -> tuple[_Question, _Ask[Members]]:
        source, at = self._source(lines), self.position(lines, offset)
        question = "members", *_around_name(lines, offset)
        return question, lambda limits, oracle: oracle.members(source, at, **limits)

    def _listed(self, lines: str, offset: int) -> tuple[_Question, _Ask[Members]]:
        source, at = self._source(lines), self.position(lines, offset)
        question = "listed", *_around_name(lines, offset)
        return question, lambda limits, oracle: oracle.listed(source, at, **limits)

    def _around(self, lines: str, *, checked: bool = False) -> tuple[str, str]:
        """What a checker has to see above and below ``lines``.

        Where they are to be ``checked``, with every function that may depend on them.
        """
        condensed = self._condensed
        if condensed is None or (checked and not condensed.suffices_for(lines)):
            return self._head, self._foot
        return condensed.around_for(lines, all_attributes=not checked)

    def _with(self, lines: str, around: tuple[str, str]) -> Source:
        return Source(self._uri, f"{around[0]}{lines}{around[1]}")

    def _source(self, lines: str) -> Source:
        return self._with(lines, self._around(lines))

    def position(self, lines: str, offset: int) -> Position:
        """Where an offset of ``lines`` is in the document with them."""
        return end_of(Position(self._first, 0), lines[:offset])

    def _ask(self, question: _Question, ask: _Ask[T]) -> T | Unknown:
        known: T | None = self._remembered(question)
        if known is not None:
            return known
        if self._left <= 0 or self._cancel.cancelled:
            self.late = True
            return Unknown("there was no time left", late=True)
        deadline = self._deadline()
        future: Future[T | Unknown] | None = self._coming.pop(question, None)
        if future is None:
            future = self._service.submit(self._language, partial(ask, self._limits(deadline)))
        return self._keep(question, self._wait(future, deadline))

    def _limits(self, deadline: Deadline) -> dict[str, Any]:
        return {"deadline": deadline.at, "cancel": self._cancel}

    def _deadline(self) -> Deadline:
        return Deadline.after(min(self._most, max(0.0, self._left)))

    def _wait(self, future: Future[T | Unknown], deadline: Deadline) -> T | Unknown:
        began = time.monotonic()
        answer = wait_for(future, deadline)
        taken = time.monotonic() - began
        self._left -= taken
        self.spent += taken
        self.late = self.late or (isinstance(answer, Unknown) and answer.late)
        return answer

    def _remembered(self, question: _Question) -> Any:  # noqa: ANN401 - any answer
        return self._memory.get(self._key(question))

    def _keep(self, question: _Question, answer: T | Unknown) -> T | Unknown:
        if answer:
            self._memory.put(self._key(question), answer)
        return answer

    def _key(self, question: _Question) -> Hashable:
        return self._uri, self._head, self._foot, self._revision, question


def _around_name(lines: str, offset: int) -> tuple[str, str]:
    """What stands before and behind the name at ``offset``: the name itself is no matter."""
    start = end = offset
    while start > 0 and is_part_of_name(lines[start - 1]):
        start -= 1
    while end < len(lines) and is_part_of_name(lines[end]):
        end += 1
    return lines[:start], lines[end:]
