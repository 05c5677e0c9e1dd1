"""Suggestions that still fit when the user types what was suggested.

An entry belongs to one document and to the whole text before and after the cursor. It also answers
at later cursors, as long as what was typed since is the beginning of a suggestion; the text behind
the cursor must be the same, or have gained exactly the closing brackets and quotes that the
suggestion ends with, as editors insert them. It answers at the revision of the project that it was
made at, and at no other.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from surefill.completion.suggestion import Suggestion
from surefill.revision import ALONE, ProjectRevision
from surefill.syntax.document import Snapshot, with_newlines
from surefill.syntax.position import Position, Range

_ENTRIES_PER_DOCUMENT = 64
_ENTRY_BYTES = 400
"""Roughly what an entry costs besides its texts."""
_CLOSING = frozenset(")]}>\"'`")


@dataclass(frozen=True)
class _Entry:
    """Suggestions for one cursor, with what identifies the text around it."""

    position: Position
    line_prefix: str
    line_suffix: str
    line_count: int
    above: int
    """Hash of all lines above the cursor's; a line's own hash is computed only once."""
    below: int
    explicit: bool
    n: int
    suggestions: tuple[Suggestion, ...]
    reason: str
    revision: ProjectRevision
    provisional: bool

    @property
    def size(self) -> int:
        texts = sum(len(suggestion.text) for suggestion in self.suggestions)
        return _ENTRY_BYTES + 4 * (len(self.line_prefix) + len(self.line_suffix) + texts)


@dataclass(frozen=True)
class Hit:
    """What the cache answers: at least one suggestion, or none with the reason of then."""

    suggestions: tuple[Suggestion, ...]
    reason: str


class TypeThroughCache:
    """Entries of many documents, the least recently used dropped first. Safe in any thread."""

    def __init__(self, max_bytes: int = 2_000_000) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[tuple[str, int], _Entry] = OrderedDict()
        self._by_document: dict[str, OrderedDict[int, None]] = {}
        self._bytes = 0
        self._next = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes in use, roughly."""
        return self._bytes

    def put(
        self,
        snapshot: Snapshot,
        position: Position,
        suggestions: tuple[Suggestion, ...],
        *,
        explicit: bool = False,
        n: int = 1,
        reason: str = "",
        revision: ProjectRevision = ALONE,
        provisional: bool = False,
    ) -> None:
        """Remember the answer for ``position``; all its ranges must be empty and be there.

        A ``provisional`` one, some checks of which had no time, is what the user sees and goes on
        for whoever types it; the same question gets another answer.
        """
        line = snapshot.lines[position.line]
        entry = _Entry(
            position=position,
            line_prefix=line[: position.character],
            line_suffix=line[position.character :],
            line_count=len(snapshot.lines),
            above=hash(snapshot.lines[: position.line]),
            below=hash(snapshot.lines[position.line + 1 :]),
            explicit=explicit,
            n=n,
            suggestions=suggestions,
            reason=reason,
            revision=revision,
            provisional=provisional,
        )
        if entry.size > self._max_bytes:
            return
        with self._lock:
            own = self._by_document.setdefault(snapshot.uri, OrderedDict())
            if len(own) >= _ENTRIES_PER_DOCUMENT:
                self._drop((snapshot.uri, next(iter(own))))
            own = self._by_document.setdefault(snapshot.uri, own)
            own[self._next] = None
            self._entries[snapshot.uri, self._next] = entry
            self._bytes += entry.size
            self._next += 1
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._entries)))

    def get(
        self,
        snapshot: Snapshot,
        position: Position,
        *,
        explicit: bool = False,
        n: int = 1,
        revision: ProjectRevision = ALONE,
    ) -> Hit | None:
        """The answer at ``position``, the newest entry first; None when the model must be asked.

        An explicit request is only answered by what an explicit request got.
        """
        with self._lock:
            numbers = list(reversed(self._by_document.get(snapshot.uri, {})))
            entries = [(number, self._entries[snapshot.uri, number]) for number in numbers]
        for number, entry in entries:
            if (explicit and not entry.explicit) or n > entry.n or entry.revision != revision:
                continue
            hit = _match(entry, snapshot, position)
            if hit is not None:
                with self._lock:
                    if (snapshot.uri, number) in self._entries:
                        self._entries.move_to_end((snapshot.uri, number))
                return hit
        return None

    def forget(self, uri: str) -> None:
        """Drop everything about a document, when it is closed."""
        with self._lock:
            for number in list(self._by_document.get(uri, ())):
                self._drop((uri, number))

    def _drop(self, key: tuple[str, int]) -> None:
        self._bytes -= self._entries.pop(key).size
        own = self._by_document[key[0]]
        del own[key[1]]
        if not own:
            del self._by_document[key[0]]


def _match(entry: _Entry, snapshot: Snapshot, position: Position) -> Hit | None:
    typed = _typed_since(entry, snapshot, position)
    if typed is None:
        return None
    gained = _gained_behind(entry, snapshot, position)
    if gained is None or (entry.provisional and not typed and not gained):
        return None
    suggestions = tuple(_remainders(entry, position, typed, gained))
    exactly = not typed and not gained and not entry.suggestions
    if not suggestions and not exactly:
        return None
    # The costly comparison comes last: all other lines, through their hashes.
    if hash(snapshot.lines[: entry.position.line]) != entry.above:
        return None
    if hash(snapshot.lines[position.line + 1 :]) != entry.below:
        return None
    return Hit(suggestions, entry.reason)


def _typed_since(entry: _Entry, snapshot: Snapshot, position: Position) -> str | None:
    """What stands between the entry's cursor and ``position``; None if it cannot have grown so."""
    lines = position.line - entry.position.line
    if lines < 0 or len(snapshot.lines) != entry.line_count + lines:
        return None
    if position < entry.position:
        return None
    if not snapshot.lines[entry.position.line].startswith(entry.line_prefix):
        return None
    typed = snapshot.text_in(Range(entry.position, position))
    return with_newlines(typed)


def _gained_behind(entry: _Entry, snapshot: Snapshot, position: Position) -> str | None:
    """Closing characters that appeared behind the cursor; None if it is another text."""
    suffix = snapshot.lines[position.line][position.character :]
    if not suffix.endswith(entry.line_suffix):
        return None
    gained = suffix[: len(suffix) - len(entry.line_suffix)]
    return gained if _CLOSING.issuperset(gained) else None


def _remainders(entry: _Entry, position: Position, typed: str, gained: str) -> Iterator[Suggestion]:
    """What is left of each suggestion; the document with it stays the one that was checked."""
    for suggestion in entry.suggestions:
        text = suggestion.text
        if text.startswith(typed) and text.endswith(gained):
            rest = text[len(typed) : len(text) - len(gained)]
            if rest.strip() and len(typed) + len(gained) < len(text):
                yield replace(suggestion, text=rest, range=Range(position, position))
