"""Counts of the token n-grams in the project's documents, as they are now.

Knows keys and ids; neither files nor text. One thread writes, any thread reads: a reader takes a
``View``, which never changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefill.engine.ngrams.evidence import Evidence, from_followers
from surefill.engine.ngrams.suffixes import SAMPLE, SuffixIndex

Spans = Mapping[str, tuple[int, int]]

_LATEST = 8_192
"""Tokens of the documents that changed last, which are sorted again at every change; of more, as
long as they all change."""
_YOUNG = 32_768
"""Tokens of those that changed before, which are sorted again when others join them."""


@dataclass(frozen=True)
class _Segment:
    """Documents indexed together."""

    index: SuffixIndex
    spans: Spans
    """Where each document stands in ``index.ids``, those whose text is still the one here."""
    counts: npt.NDArray[np.int64]
    """How often each token stands in them, [vocabulary]."""
    hidden: npt.NDArray[np.bool_] | None = None
    """Positions whose text is no longer that of their document."""

    def without(self, keys: Set[str]) -> _Segment:
        """The same without the documents ``keys``, as far as they are here."""
        gone = self.spans.keys() & keys
        if not gone:
            return self
        ids = self.index.ids
        hidden = np.zeros(len(ids), np.bool_) if self.hidden is None else self.hidden.copy()
        counts = self.counts.copy()
        for key in gone:
            start, end = self.spans[key]
            hidden[start:end] = True
            counts -= np.bincount(ids[start:end], minlength=len(counts))
        spans = {key: span for key, span in self.spans.items() if key not in gone}
        return _Segment(self.index, spans, counts, hidden)

    def occurrences(self, excluded: str) -> npt.NDArray[np.int64]:
        """How often each token stands here apart from document ``excluded``, [vocabulary]."""
        if excluded not in self.spans:
            return self.counts
        start, end = self.spans[excluded]
        return self.counts - np.bincount(self.index.ids[start:end], minlength=len(self.counts))

    def followers(
        self, context: Sequence[int], orders: Iterable[int], excluded: str
    ) -> dict[int, tuple[npt.NDArray[np.int32], int]]:
        """Tokens behind ``context`` by order, and the number of places they are a sample of."""
        ranges = self.index.ranges(context)
        span = self.spans.get(excluded)
        found = {}
        for order in orders:
            if order > len(ranges):
                break
            low, high = ranges[order - 1]
            step = -(-(high - low) // SAMPLE)
            tokens = self.index.followers[low:high:step]
            if span or self.hidden is not None:
                places = self.index.places[low:high:step]
                start, end = span or (0, 0)
                shown = (places < start) | (places >= end)
                if self.hidden is not None:
                    shown &= ~self.hidden[places]
                tokens = tokens[shown]
            if len(tokens):
                found[order] = tokens, len(tokens) * step
        return found


@dataclass(frozen=True)
class View:
    """All documents at one moment, each in one segment: by how lately it has changed."""

    old: _Segment
    young: _Segment
    latest: _Segment

    @property
    def segments(self) -> tuple[_Segment, ...]:
        """Each is sorted more often than the one before it, and is smaller."""
        return self.old, self.young, self.latest

    def evidence(
        self, context: Sequence[int], orders: Sequence[int], excluded: str = ""
    ) -> dict[int, Evidence]:
        """What followed the last tokens of ``context``, by their number, as far as it stood here.

        Document ``excluded`` does not count.
        """
        said = [segment.followers(context, orders, excluded) for segment in self.segments]
        found = {}
        for order in orders:
            parts = [followers[order] for followers in said if order in followers]
            if parts:
                tokens = np.concatenate([part[0] for part in parts]) if parts[1:] else parts[0][0]
                found[order] = from_followers(tokens, sum(part[1] for part in parts))
        return found

    def occurrences(self, excluded: str = "") -> npt.NDArray[np.int64]:
        """How often each token stands in documents other than ``excluded``, [vocabulary]."""
        old, young, latest = (segment.occurrences(excluded) for segment in self.segments)
        return old + young + latest


class TokenCache:
    """The documents of a project as token ids, at most ``limit`` tokens of them.

    Beyond the limit the documents that were updated longest ago go.
    """

    def __init__(self, vocabulary: int, *, limit: int = 500_000) -> None:
        self._vocabulary = vocabulary
        self._limit = limit
        self._documents: OrderedDict[str, npt.NDArray[np.int32]] = OrderedDict()
        self.tokens = 0
        """Tokens that are held."""
        empty = self._segment(())
        self.view = View(empty, empty, empty)
        """What is known now; replaced as a whole."""

    def apply(self, changes: Mapping[str, Sequence[int] | None]) -> None:
        """Put ids in the place of what is known of documents; forget those whose ids are None.

        Takes microseconds a token of what changed last; now and then of all that changed lately,
        and seldom of everything.
        """
        changed = self._take(changes)
        if not changed:
            return
        old, young, latest = (segment.without(changed) for segment in self.view.segments)
        fresh = changed & self._documents.keys()
        earlier = latest.spans.keys()
        if self._size(fresh | earlier) <= _LATEST:
            fresh |= earlier
        elif earlier:
            lately = young.spans.keys() | earlier
            if self._size(lately) > max(_YOUNG, self.tokens // 4):
                old, young = self._segment(self._documents.keys() - fresh), self._segment(())
            else:
                young = self._segment(lately)
        self.view = View(old, young, self._segment(fresh))

    def _take(self, changes: Mapping[str, Sequence[int] | None]) -> set[str]:
        """Enter the changes; the documents that are no longer what they were."""
        changed = set()
        for key, ids in changes.items():
            before = self._documents.get(key)
            after = None if ids is None else np.asarray(ids[: self._limit], np.int32)
            if before is not None and after is not None and np.array_equal(before, after):
                self._documents.move_to_end(key)
                continue
            if before is not None or after is not None:
                changed.add(key)
            self._drop(key)
            if after is not None:
                self._documents[key] = after
                self.tokens += len(after)
        while self.tokens > self._limit:
            oldest = next(iter(self._documents))
            changed.add(oldest)
            self._drop(oldest)
        return changed

    def _drop(self, key: str) -> None:
        ids = self._documents.pop(key, None)
        if ids is not None:
            self.tokens -= len(ids)

    def _size(self, keys: Iterable[str]) -> int:
        """Tokens of the documents ``keys``."""
        return sum(len(self._documents[key]) for key in keys)

    def _segment(self, keys: Collection[str]) -> _Segment:
        """The documents ``keys``, those that were updated longest ago first."""
        separator = np.array([self._vocabulary], np.int32)
        parts, spans, at = [separator], {}, 1
        for key in self._documents if keys else ():
            if key in keys:
                ids = self._documents[key]
                spans[key] = (at, at + len(ids))
                parts += [ids, separator]
                at += len(ids) + 1
        ids = np.concatenate(parts)
        counts = np.bincount(ids, minlength=self._vocabulary)[: self._vocabulary]
        return _Segment(SuffixIndex(ids, self._vocabulary), spans, counts)
