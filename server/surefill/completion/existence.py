"""Whether a name exists where it stands: one judgement for the guide and for the checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from surefill.completion.facts import Facts
from surefill.oracle.answers import Members
from surefill.syntax.document import Snapshot

Kind = Literal["member", "module", "imported", "keyword"]


@dataclass(frozen=True)
class Finding:
    """What is known of one name."""

    known: bool
    """The oracle could tell."""
    reason: str = ""
    """Why the name is wrong; empty when it is not, or not known to be."""
    completable: bool = False
    """It is wrong as it stands, and the beginning of names that are not."""
    asked: bool = True
    """It was a question for the oracle's lists."""
    listed: bool = False
    """It is wrong because a list that should be complete lacks it."""


NOT_ASKED = Finding(known=False, asked=False)
"""Of a name that is no member, import or keyword argument: the type check judges it."""
_NOT_KNOWN = Finding(known=False)
EXISTS = Finding(known=True)
"""Of a name that is known to be right."""


class Existence:
    """Judges names in texts about which ``facts`` can be asked."""

    def __init__(self, facts: Facts, snapshot: Snapshot) -> None:
        self._facts = facts
        self._snapshot = snapshot

    def of(
        self,
        lines: str,
        kind: Kind,
        name: str,
        start: int,
        *,
        unfinished: bool = False,
        called: bool = False,
    ) -> Finding:
        """What is known of the name at ``start`` of ``lines``, which are as ``Facts`` takes them.

        One that is ``unfinished`` exists if it is the beginning of one that does; ``called`` says
        that a bracket follows.
        """
        if kind == "keyword":
            return self._keyword(lines, name, start)
        before = self._facts.listed_before(lines, start)
        if before and _among(name, before, unfinished=unfinished):
            return EXISTS  # what follows rarely matters to the receiver, and is checked as a whole
        members = self._facts.listed(lines, start)
        if members and not _among(name, members, unfinished=unfinished):
            members = self._facts.members(lines, start)
        if not members:
            return _NOT_KNOWN
        if _among(name, members, unfinished=unfinished):
            return EXISTS
        wrong = members.closed or (
            kind == "member" and called and not unfinished and self._invented(name, members)
        )
        if not wrong:
            return _NOT_KNOWN
        reason = f"{_owner(kind, members)} has no {name}"
        completable = _among(name, members, unfinished=True)
        return Finding(True, reason, completable, listed=members.closed)

    def _keyword(self, lines: str, name: str, start: int) -> Finding:
        signatures = self._facts.signature(lines, start)
        keywords = signatures.keywords if signatures else None
        if keywords is None:
            return _NOT_KNOWN
        if name in keywords:
            return EXISTS
        return Finding(True, f"what is called takes no argument {name}")

    def _invented(self, name: str, members: Members) -> bool:
        """Whether a name is called that a receiver which would take any does not declare.

        Objects with ``__getattr__`` have columns, fields and the like under such names, which are
        read; what is called is nearly always declared, or stands elsewhere in the document. Of a
        receiver without a known type only what every object has is listed.
        """
        declares = any(not each.startswith("__") for each in members.names)
        return declares and f".{name}" not in self._snapshot.text


def _among(name: str, members: Members, *, unfinished: bool) -> bool:
    """Whether ``name`` is a member, or the beginning of one where it is ``unfinished``."""
    if name in members.names:
        return True
    return unfinished and any(each.startswith(name) for each in members.names)


def _owner(kind: Kind, members: Members) -> str:
    if members.receiver:
        return members.receiver
    return "the module" if kind == "imported" else "it" if kind == "member" else "the environment"
