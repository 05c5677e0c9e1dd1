"""Counts of the token n-grams in the project's documents, as they are now.

Knows keys and ids; neither files nor text. One thread writes, any thread reads: a reader takes a
``View``, which never changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from surefill.engine.ngrams.evidence import Evidence, from_followers
from surefill.engine.ngrams.suffixes import SuffixIndex

Spans = Mapping[str, tuple[int, int]]

_SAMPLE = 512
"""Places that are looked at in a context that stood at more of them."""
_YOUNG = 32_768
"""Tokens of documents that changed lately, which are sorted again at every change."""


@dataclass(frozen=True)
class _Segment:
    """Documents indexed together, and where each stands in ``index.ids``."""

    index: SuffixIndex
    spans: Spans
    counts: npt.NDArray[np.int64]
    """How often each token stands here, [vocabulary]."""
    hidden: npt.NDArray[np.bool_] | None = None
    """Positions whose text is no longer that of their document."""

    def occurrences(self, excluded: str) -> npt.NDArray[np.int64]:
        """How often each token stands here apart from document ``excluded``, [vocabulary].

        Old text of documents that changed since still counts: that is a matter of moments.
        """
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
            step = -(-(high - low) // _SAMPLE)
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
    """All documents at one moment: the old ones, and those that changed since they were sorted."""

    old: _Segment
    young: _Segment

    def evidence(
        self, context: Sequence[int], orders: Sequence[int], excluded: str = ""
    ) -> dict[int, Evidence]:
        """What followed the last tokens of ``context``, by their number, as far as it stood here.

        Document ``excluded`` does not count.
        """
        old = self.old.followers(context, orders, excluded)
        young = self.young.followers(context, orders, excluded)
        found = {}
        for order in orders:
            parts = [side[order] for side in (old, young) if order in side]
            if parts:
                tokens = np.concatenate([part[0] for part in parts]) if parts[1:] else parts[0][0]
                found[order] = from_followers(tokens, sum(part[1] for part in parts))
        return found

    def occurrences(self, excluded: str = "") -> npt.NDArray[np.int64]:
        """How often each token stands in documents other than ``excluded``, [vocabulary]."""
        return self.old.occurrences(excluded) + self.young.occurrences(excluded)


class TokenCache:
    """The documents of a project as token ids, at most ``limit`` tokens of them.

    Beyond the limit the documents that were updated longest ago go.
    """

    def __init__(self, vocabulary: int, *, limit: int = 500_000) -> None:
        self._vocabulary = vocabulary
        self._limit = limit
        self._documents: OrderedDict[str, npt.NDArray[np.int32]] = OrderedDict()
        self._young: set[str] = set()
        self.tokens = 0
        """Tokens that are held."""
        empty = self._segment(())
        self.view = View(empty, empty)
        """What is known now; replaced as a whole."""

    def update(self, key: str, ids: Sequence[int]) -> None:
        """Put ``ids`` in the place of what is known of document ``key``."""
        self.apply({key: ids})

    def remove(self, key: str) -> None:
        """Forget a document."""
        self.apply({key: None})

    def apply(self, changes: Mapping[str, Sequence[int] | None]) -> None:
        """Update several documents at once, or remove those whose ids are None.

        Takes microseconds a token: sorting again the documents that changed, and from time to time
        all of them.
        """
        if not self._take(changes):
            return
        old = self.view.old
        young = sum(len(self._documents[key]) for key in self._young)
        if young > max(_YOUNG, self.tokens // 4):
            self._young.clear()
            old = self._segment(self._documents)
        fresh = self._segment(key for key in self._documents if key in self._young)
        self.view = View(self._without_stale(old), fresh)

    def _take(self, changes: Mapping[str, Sequence[int] | None]) -> bool:
        """Enter the changes; whether there were any."""
        changed = False
        for key, ids in changes.items():
            before = self._documents.get(key)
            after = None if ids is None else np.asarray(ids[: self._limit], np.int32)
            if before is not None and after is not None and np.array_equal(before, after):
                self._documents.move_to_end(key)
                continue
            changed = changed or before is not None or after is not None
            self._drop(key)
            if after is not None:
                self._documents[key] = after
                self._young.add(key)
                self.tokens += len(after)
        while self.tokens > self._limit:
            self._drop(next(iter(self._documents)))
        return changed

    def _drop(self, key: str) -> None:
        ids = self._documents.pop(key, None)
        if ids is not None:
            self.tokens -= len(ids)
            self._young.discard(key)

    def _without_stale(self, old: _Segment) -> _Segment:
        """``old`` with what has changed or gone since hidden."""
        stale = [k for k in old.spans if k in self._young or k not in self._documents]
        if not stale:
            return replace(old, hidden=None)
        hidden = np.zeros(len(old.index.ids), np.bool_)
        for key in stale:
            start, end = old.spans[key]
            hidden[start:end] = True
        return replace(old, hidden=hidden)

    def _segment(self, keys: Iterable[str]) -> _Segment:
        separator = np.array([self._vocabulary], np.int32)
        parts, spans, at = [separator], {}, 1
        for key in keys:
            ids = self._documents[key]
            spans[key] = (at, at + len(ids))
            parts += [ids, separator]
            at += len(ids) + 1
        ids = np.concatenate(parts)
        counts = np.bincount(ids, minlength=self._vocabulary)[: self._vocabulary]
        return _Segment(SuffixIndex(ids, self._vocabulary), spans, counts)
