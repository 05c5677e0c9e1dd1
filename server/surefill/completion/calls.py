"""Calls for a completion menu: what can be called here, with what, and what is done with it.

Joins the checker's members and signatures, the model's wishes and the forms of calls. For a thread
of its own: it waits for the checker and for the model's worker, and neither waits for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

from surefill.apis.calls import Call, plain_call, with_namesakes, written_call
from surefill.apis.catalog import callable_names, ranked
from surefill.apis.results import Result, Way, handled, way_of
from surefill.apis.snippets import Snippet
from surefill.budget import Deadline, MenuBudget
from surefill.completion.call_items import CallItem, CallRequest
from surefill.completion.facts import Facts, Memory
from surefill.completion.fitting import Fitting, Form
from surefill.completion.wishes import AskModel, Wishes, Written
from surefill.oracle.answers import Signatures, Unknown
from surefill.oracle.service import OracleService
from surefill.settings import Settings
from surefill.syntax.callsite import CallSite, Statement, call_site
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document, Snapshot
from surefill.syntax.position import Position, Range

MOST = 5
"""Items in all, whatever could be called."""
_WRITTEN = 3
"""For so many calls the model is asked what it would pass."""
_RESULTS_SOUGHT = 2
"""Of so many calls, the best ones, it is looked at what they give."""
_LARGEST = 1_000_000
"""Characters of a document beyond which no checker keeps pace with a typist."""
_SURE_OF_ARGUMENTS = 0.5
"""Below this mean probability of a token, what the model would pass beyond what must be is left
out. A guess."""
_LABELS: Mapping[Way, str] = {
    "response": "{call}: raise_for_status, json",
    "with": "with {call}",
    "async with": "async with {call}",
    "await": "await {call}",
    "for": "for … in {call}",
    "async for": "async for … in {call}",
}


class CallCompletion:
    """Answers with one set of settings. Stateless: what is found out is not kept."""

    def __init__(self, oracle: OracleService, settings: Settings) -> None:
        self._oracle = oracle
        self._settings = settings

    def find(self, request: CallRequest, ask: AskModel, found: list[CallItem]) -> bool:
        """Append the calls at a position to ``found``, each as soon as it is known, best first.

        Returns whether they are all, whatever is typed next. Works until the deadline at most, save
        for what it waits for by then.
        """
        snapshot = request.snapshot
        language = snapshot.language
        if (
            language is None
            or language.id in self._settings.disabled_languages
            or not self._oracle.answers_for(language.id)
            or sum(map(len, snapshot.lines)) > _LARGEST
        ):
            return True
        position = snapshot.clamp(request.position)
        cursor = Cursor.at(snapshot, position)
        site = call_site(snapshot, position, cursor)
        if site is None:
            return True
        work = _Work(request, cursor, site, oracle=self._oracle, settings=self._settings, ask=ask)
        found.extend(work.items())
        return site.kind == "arguments" and work.answered and not work.late


class _Work:
    """One request at one site."""

    def __init__(
        self,
        request: CallRequest,
        cursor: Cursor,
        site: CallSite,
        *,
        oracle: OracleService,
        settings: Settings,
        ask: AskModel,
    ) -> None:
        self._oracle = oracle
        self._settings = settings
        self._request = request
        self._snapshot = request.snapshot
        self._ask = ask
        self._cursor = cursor
        self._site = site
        self._budget = MenuBudget.until(request.cancel.deadline)
        self._memory = Memory()
        self._facts = self._facts_about(request.snapshot, site.position)
        self._fitting = Fitting(self._facts, request.snapshot, site.position)
        self._kinds: dict[str, str] = {}
        self.answered = True
        """Whether the checker has said how each is called; it may still be starting."""

    @property
    def late(self) -> bool:
        """Whether the checker had no time for something: the list may come out fuller again."""
        return self._facts.late

    def items(self) -> Iterator[CallItem]:
        """The calls, best first, and behind the first that has one the handling of its result."""
        handles = self._settings.snippets.results
        count = 0
        for tried, (name, signatures) in enumerate(self._callable(self._names())):
            call = self._call(name, signatures, written=tried < _WRITTEN)
            if call is not None and self._says_something(call):
                yield self._item(call)
                count += 1
                if count < MOST and handles and tried < _RESULTS_SOUGHT:
                    result = self._handled(call)
                    if result is not None:
                        yield result
                        count += 1
                        handles = False
            if count == MOST:
                return

    def _names(self) -> list[str]:
        """What may be called, best first."""
        site = self._site
        if site.kind != "member":
            return [site.name]
        line, start = self._cursor.line_prefix + self._cursor.line_suffix, site.start.character
        members = self._facts.members(line, start)
        if not members:
            return []
        self._kinds = {member.name: member.kind for member in members.items}
        raises = line.lstrip().startswith("raise ")
        names = callable_names(members, site.name, raises=raises)
        preferred: list[str] = []
        if len(names) > 1:
            wishes = self._wishes(self._snapshot, site.position, self._budget.ranked)
            preferred = list(itertools.islice(wishes.names(start, frozenset(names)), MOST))
        return ranked(names, preferred, site.name, self._snapshot.text)

    def _callable(self, names: list[str]) -> Iterator[tuple[str, Signatures]]:
        """Those that the checker knows how to call, until the time is over."""
        for name in names:
            if self._request.cancel.cancelled or self._budget.end.passed:
                self.answered = False
                return
            if self._site.kind == "arguments":
                lines, at = self._fitting.lines("", self._site.position)
            else:
                before, at = self._fitting.lines(f"{name}(", self._site.start)
                lines = f"{before[:at]}){before[at:]}"
            signatures = self._facts.signature(lines, at)
            self.answered = self.answered and not isinstance(signatures, Unknown)
            if signatures and signatures.items and (self._kinds or signatures.items[0].known):
                yield name, signatures

    def _call(self, name: str, signatures: Signatures, *, written: bool) -> Call | None:
        """The call with what would be passed here, as far as that is right.

        What is called as a parameter goes before what the model would write: it is nearly always
        what was meant, and a small model often does not see it.
        """
        call = plain_call(name, signatures)
        wish = self._written(name) if written and call.takes_arguments else None
        language = self._snapshot.language
        if wish is not None and language is not None:
            call = written_call(name, signatures, wish.text, language)
            if wish.confidence < _SURE_OF_ARGUMENTS:
                call = replace(call, arguments=tuple(a for a in call.arguments if a.required))
        best: Call | None = None
        for each in dict.fromkeys((with_namesakes(call, self._snapshot.text), call)):
            fitting = self._fitting.call(each, self._begin, self._form)
            if fitting == each:
                return each
            if fitting is not None and (best is None or fitting.filled > best.filled):
                best = fitting
        return best or self._fitting.call(plain_call(name, signatures), self._begin, self._form)

    def _says_something(self, call: Call) -> bool:
        return self._site.kind != "arguments" or bool(call.arguments)

    def _written(self, name: str) -> Written | None:
        """What the model writes into the call's brackets."""
        until = self._budget.filled
        if until.passed:
            return None
        snapshot, position = self._snapshot, self._site.position
        if self._site.kind != "arguments":
            opened = f"{name}("
            document = Document.of(snapshot)
            document.edit(Range(self._site.start, position), opened)
            snapshot = document.snapshot()
            position = Position(position.line, self._site.start.character + len(opened))
        facts = self._facts_about(snapshot, position) if self._settings.checks.guide else None
        return self._wishes(snapshot, position, until).arguments(facts)

    def _handled(self, call: Call) -> CallItem | None:
        """The call and what is usually done with its result, in place of the statement."""
        site, statement = self._site, self._site.statement
        if statement is None:
            return None
        receiver = statement.callee.removesuffix(site.name)
        whole = Snippet((receiver,)) + call.snippet
        awaited = statement.awaited
        result = self._result(whole, statement, awaited=awaited)
        made = self._kinds.get(call.name) == "class"
        way = None
        if result is not None:
            way = way_of(result, in_async=site.in_async, awaited=awaited, made=made)
        if way == "await":
            inner = self._result(whole, statement, awaited=True)
            further = way_of(inner, in_async=True, awaited=True) if inner else None
            if further is not None:
                result, way, awaited = inner, further, True
        if result is None or way is None:
            return None
        snippet = handled(
            way,
            whole,
            result,
            target=statement.target,
            indent=self._cursor.indent_unit,
            awaited=awaited,
        )
        if not self._fitting.holds(snippet.indented(self._cursor.indent), statement.start):
            return None
        removes = Range(statement.start, site.start)
        return replace(
            self._item(call),
            label=_LABELS[way].format(call=call.label),
            snippet=snippet,
            removes=removes if removes.start < removes.end else None,
            way=way,
        )

    def _result(self, whole: Snippet, statement: Statement, *, awaited: bool) -> Result | None:
        """What the call gives; None where its type is not known."""
        text = f"(await {whole.plain})." if awaited else f"{whole.plain}."
        members = self._facts.members(*self._fitting.lines(text, statement.start))
        if not members or not members.closed or members.optional:
            return None
        return Result(members.receiver, members.names)

    def _item(self, call: Call) -> CallItem:
        snippet = self._form.of(call)
        inside = self._site.kind == "arguments"
        return CallItem(
            label=call.inside.plain or call.label if inside else call.label,
            snippet=snippet,
            span=Range(self._begin, self._site.position),
            removes=None,
            matches="" if inside else call.name,
            kind=self._kinds.get(call.name, ""),
            way=None,
            signature=f"{call.name}{call.signature.label}",
            documentation=call.signature.documentation,
            indent=self._cursor.indent,
        )

    @property
    def _begin(self) -> Position:
        """Where an item's text begins."""
        return self._site.position if self._site.kind == "arguments" else self._site.start

    @property
    def _form(self) -> Form:
        """The part of a call that does not stand there already."""
        closed = ")" in (self._cursor.line_suffix[:1], self._cursor.line_below.lstrip()[:1])
        return Form(inside=self._site.kind == "arguments", closes=not closed)

    def _wishes(self, snapshot: Snapshot, position: Position, until: Deadline) -> Wishes:
        cancel = self._request.cancel.child(until)
        return Wishes(self._ask, snapshot, position, self._request.neighbours, cancel)

    def _facts_about(self, snapshot: Snapshot, position: Position) -> Facts:
        return Facts(
            self._oracle,
            self._memory,
            snapshot,
            Range(position, position),
            seconds=self._budget.end.remaining,
            cancel=self._request.cancel,
        )
