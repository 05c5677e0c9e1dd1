"""Which names may stand at a position, and whether the list is the whole truth.

The list is a completion. Whether it is closed is found by a probe: a name that cannot exist is put
at the position, and the checker has to say that it does not. Where it says nothing the receiver
takes any name, or has no known type. A probe costs a look at the whole text, so what it has shown
of a type is remembered.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from surefill.oracle.answers import Diagnostic, Member, Members
from surefill.oracle.question import Question
from surefill.syntax.position import Position

PROBE = "surefill_probe_"
"""No program has this name."""

_KINDS = (
    "", "text", "method", "function", "constructor", "field", "variable", "class", "interface",
    "module", "property", "unit", "value", "enum", "keyword", "snippet", "color", "file",
    "reference", "folder", "enum member", "constant", "struct", "event", "operator",
    "type parameter",
)  # fmt: skip
_MOST_TYPES = 512
_MOST_STATES = 8
"""States of declarations whose probes are remembered: those of the documents in use. A guess."""
_NO_NAMES = {"text", "keyword", "snippet"}
_MODULE_WANTED = re.compile(r"^\s*(?:from\s+|import\s+(?:.*,\s*)?)\.*[\w.]*$")
_TYPE_SAID = re.compile(r"(?:of type|of class|[Mm]odule|in union) `([^`]+)`|on type '([^']+)'")


@dataclass(frozen=True)
class _Place:
    """The name at a position, taken out of the text around it."""

    before: str
    after: str
    start: Position
    typed: str
    """What stands of the name in front of the position."""

    def with_name(self, name: str) -> str:
        return self.before + name + self.after


@dataclass(frozen=True)
class _Verdict:
    """What a probe showed."""

    absent: bool
    optional: bool
    receiver: str
    start: int | None
    """Offset in the text where the receiver begins, where the checker says it."""


class ProbedTypes:
    """What probes have shown of types, each known by the list of its members.

    The list does not tell whether a base is known, which is declared elsewhere: an answer holds
    ``at`` the state of all declarations in which it was found.
    """

    def __init__(self) -> None:
        self._states: OrderedDict[Hashable, ProbesOfState] = OrderedDict()

    def at(self, state: Hashable) -> ProbesOfState:
        """What was found in one state, which is any value that is equal for equal states."""
        found = self._states.setdefault(state, ProbesOfState())
        self._states.move_to_end(state)
        if len(self._states) > _MOST_STATES:
            self._states.popitem(last=False)
        return found


class ProbesOfState:
    """What probes have shown in one state of the declarations."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Member, ...], Members] = OrderedDict()

    def get(self, listed: tuple[Member, ...]) -> Members | None:
        known = self._known.get(listed)
        if known is not None:
            self._known.move_to_end(listed)
        return known

    def put(self, listed: tuple[Member, ...], members: Members) -> None:
        """Remember it, if the list says enough of the type.

        A value of no known type lists what every object has; one that is only narrowed to a type
        lists what that has, and takes any name: the type itself takes only those.
        """
        names = members.names
        own = any(not name.startswith("__") for name in names)
        if own and (members.closed or "__getattr__" in names) and not members.optional:
            self._known[listed] = members
            if len(self._known) > _MOST_TYPES:
                self._known.popitem(last=False)


async def find_members(question: Question, position: Position, probed: ProbesOfState) -> Members:
    """The members at ``position``, whatever of the name stands there already."""
    place = _place(question, position)
    dialect = question.dialect
    wants_module = dialect.python and _wants_module(place)
    items, complete = await _items(question, place, modules=wants_module)
    listed = _distinct(items, identifiers=dialect.python)
    by_list = dialect.list_tells_type and place.before.endswith(".") and not wants_module
    known = probed.get(listed) if by_list else None
    if known is not None:
        return known
    verdict = await _probe(question, place)
    optional, receiver = verdict.optional, verdict.receiver
    if optional and dialect.python and verdict.start is not None:
        place = _without_none(question, place, verdict.start)
        items, complete = await _items(question, place, modules=False)
        verdict = await _probe(question, place)
    items_found = _distinct(items, identifiers=dialect.python)
    members = Members(
        items_found,
        closed=verdict.absent and complete and bool(items_found),
        dynamic=not verdict.absent,
        optional=optional,
        receiver=receiver,
    )
    if by_list:
        probed.put(listed, members)
    return members


async def list_members(question: Question, position: Position) -> Members:
    """The members at ``position``, without a look at whether they are all; half the work."""
    place = _place(question, position)
    python = question.dialect.python
    items, _ = await _items(question, place, modules=python and _wants_module(place))
    return Members(_distinct(items, identifiers=python), closed=False, dynamic=False)


async def find_item(question: Question, position: Position, name: str) -> dict[str, Any] | None:
    """The completion item for ``name`` at ``position``, with all that the server tells of it."""
    place = _place(question, position)
    for item in await question.completion(place.with_name(name), _end(place, name)):
        if _name(item) == name:
            return dict(await question.session.resolve(item))
    items, _ = await _raw_items(question, place)
    found = next((item for item in items if _name(item) == name), None)
    return None if found is None else dict(await question.session.resolve(found))


def _place(question: Question, position: Position) -> _Place:
    text = question.source.text
    lines = question.lines(text)
    at = lines.offset(position)
    start = at
    while start > 0 and _continues_name(text[start - 1]):
        start -= 1
    end = at
    while end < len(text) and _continues_name(text[end]):
        end += 1
    line = min(max(position.line, 0), len(lines.starts) - 1)
    where = Position(line, start - lines.starts[line])
    return _Place(text[:start], text[end:], where, text[start:at])


def _continues_name(character: str) -> bool:
    return character in "_$" or character.isalnum()


def _end(place: _Place, name: str) -> Position:
    return Position(place.start.line, place.start.character + len(name))


def _wants_module(place: _Place) -> bool:
    line = re.split(r"[\r\n]", place.before)[-1]
    return _MODULE_WANTED.match(line) is not None


async def _raw_items(question: Question, place: _Place) -> tuple[list[dict[str, Any]], bool]:
    """Completion items, and whether they are all: those for what was typed where the server cuts
    its list.
    """
    most = question.dialect.most_items
    items = await question.completion(place.with_name(""), place.start)
    if most is None or len(items) < most:
        return items, True
    if place.typed:
        fewer = await question.completion(place.with_name(place.typed), _end(place, place.typed))
        if len(fewer) < most:
            return fewer, False
    return items, False


async def _items(
    question: Question, place: _Place, *, modules: bool
) -> tuple[list[dict[str, Any]], bool]:
    if modules and place.typed and not question.dialect.lists_modules:
        items = await question.completion(place.with_name(place.typed), _end(place, place.typed))
        complete = False
    else:
        items, complete = await _raw_items(question, place)
        behind_dot = place.before.endswith(".")
        complete = complete and (not modules or behind_dot or question.dialect.lists_modules)
    if modules:
        items = [item for item in items if _kind(item) == "module"]
    return items, complete


async def _probe(question: Question, place: _Place) -> _Verdict:
    text = place.with_name(PROBE)
    diagnostics = await question.diagnostics(text)
    said = [d for d in diagnostics if PROBE in d.message and d.severity != "hint"]
    lines = question.lines(text)
    probed = len(place.before)
    start = next(
        (at for d in said if (at := lines.offset(d.range.start)) < probed and _at_probe(d, place)),
        None,
    )
    messages = [d.message for d in said]
    around = messages
    if not question.dialect.python:  # that it may be nothing is said apart, of the receiver
        around = [d.message for d in diagnostics if d.range.start.line == place.start.line]
    return _Verdict(
        absent=bool(said),
        optional=_optional(question, around),
        receiver=_receiver(messages),
        start=start,
    )


def _at_probe(diagnostic: Diagnostic, place: _Place) -> bool:
    return diagnostic.range.end == _end(place, PROBE)


def _optional(question: Question, messages: Iterable[str]) -> bool:
    pattern = question.dialect.optional
    return pattern is not None and any(map(pattern.search, messages))


def _receiver(messages: list[str]) -> str:
    for message in messages:
        found = _TYPE_SAID.search(message)
        if found is not None and PROBE not in found[0]:
            return found[1] or found[2]
    return ""


def _without_none(question: Question, place: _Place, start: int) -> _Place:
    """The place behind the receiver with None taken out of its type."""
    dot = place.before.rstrip().removesuffix(".")
    receiver = dot[start:]
    before = f"{dot[:start]}({receiver} or exit())."
    lines = question.lines(before)
    line = len(lines.starts) - 1
    return _Place(before, place.after, Position(line, len(before) - lines.starts[line]), "")


def _kind(item: dict[str, Any]) -> str:
    kind = item.get("kind")
    return _KINDS[kind] if isinstance(kind, int) and 0 <= kind < len(_KINDS) else ""


def _name(item: dict[str, Any]) -> str:
    """The name that an item stands for; TypeScript marks optional members in the label."""
    return str(item["label"]).removesuffix("?")


def _distinct(items: Iterable[dict[str, Any]], *, identifiers: bool) -> tuple[Member, ...]:
    """Items as members, without what is no name, or only one after an import."""
    members: dict[str, Member] = {}
    for item in items:
        name, kind = _name(item), _kind(item)
        if kind in _NO_NAMES or item.get("additionalTextEdits"):
            continue
        if identifiers and not name.isidentifier():
            continue
        detail = item.get("detail")
        members.setdefault(name, Member(name, kind, detail if isinstance(detail, str) else ""))
    return tuple(members.values())
