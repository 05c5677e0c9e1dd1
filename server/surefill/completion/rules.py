"""Which names a model may write: members, keyword arguments and imports that exist.

Joins what a text claims (``syntax.claims``) with what the oracle knows (``facts``). Where the
oracle does not know, anything may be written.
"""

from __future__ import annotations

from surefill.completion.existence import Existence
from surefill.completion.facts import Facts
from surefill.engine.guide import Names
from surefill.syntax.brackets import scan
from surefill.syntax.claims import Claim, ClaimReader, ClaimState
from surefill.syntax.cursor import scan_before
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position


class ExistingNames:
    """``engine.guide.Rules`` for what is written at one position of a document.

    ``lead`` is the end of the line before the position that the model writes anew.
    """

    def __init__(self, facts: Facts, snapshot: Snapshot, position: Position, lead: str) -> None:
        language = snapshot.language
        if language is None:
            raise ValueError("a document without a language makes no claims")
        line = snapshot.line(position.line)
        before, self._rest = line[: position.character], line[position.character :]
        self._language = language
        self._closed_by_rest = len(scan(self._rest, language).stray)
        self._cursor = len(before)
        self._base = before.removesuffix(lead)
        self._facts = facts
        self._existence = Existence(facts, snapshot)
        self._reader = ClaimReader(language)
        above, _, scanned = scan_before(snapshot, Position(position.line, 0))
        self._first = self._state = self._reader.begin(above, scanned)
        self._seen = ""
        self.withheld: dict[str, str] = {}
        """What the model would have liked to write and may not: each with the reason."""

    def anticipate(self) -> None:
        """Have it looked up what may stand at the position, while there is other work."""
        claims, _ = self._reader.read(self._base, self._first)
        if claims and claims[-1].open and claims[-1].kind != "keyword":
            self._facts.anticipate_members(self._lines(self._base), claims[-1].start)

    def names(self, generated: str, *, all_of_them: bool = True) -> Names | None:
        """See ``engine.guide.Rules``."""
        text = self._base + generated
        claims, self._state = self._reader.read(text, self._state_for(text))
        self._seen = text
        claim = claims[-1] if claims else None
        if claim is None or not claim.open or claim.kind == "keyword":
            return None
        ask = self._facts.members if all_of_them else self._facts.listed
        members = ask(self._lines(text), claim.start)
        if not members or (all_of_them and not members.closed):
            return None
        names = members.names
        if claim.end <= self._cursor and not any(name.startswith(claim.name) for name in names):
            return None  # the user wrote it, whatever it is
        return Names(claim.name, names)

    def allows(self, generated: str) -> bool:
        """See ``engine.guide.Rules``."""
        text = self._base + generated
        claims, _ = self._reader.read(text, self._state_for(text))
        return all(self._holds(text, claim) for claim in claims)

    def _state_for(self, text: str) -> ClaimState:
        """A state to read ``text`` from: the last one, unless that is of another text."""
        known = self._seen[: self._state.length]
        return self._state if text.startswith(known) else self._first

    def _lines(self, text: str) -> str:
        """``text`` and the rest of the line, with the brackets closed that are open behind both.

        Inside of one a checker takes the lines below for the rest of the expression.
        """
        closers = scan(text, self._language, string=self._first.string).closers
        return f"{text}{self._rest}{closers[self._closed_by_rest :]}"

    def _holds(self, text: str, claim: Claim) -> bool:
        if claim.end < self._cursor:
            return True
        finding = self._existence.of(
            self._lines(text),
            claim.kind,
            claim.name,
            claim.start,
            unfinished=claim.open,
            called=text[claim.end : claim.end + 1] == "(",
        )
        if finding.reason and claim.end <= self._cursor and not finding.completable:
            return True  # the user wrote it, whatever it is
        if finding.reason:
            self.withheld.setdefault(claim.name, finding.reason)
        return not finding.reason
