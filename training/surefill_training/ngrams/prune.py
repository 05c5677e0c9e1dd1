"""Keeps of all n-grams those that say most for their bytes.

What an n-gram is worth: how often it occurs, times how much better it predicts than the one that is
a token shorter, in nats (weighted difference pruning: Seymore and Rosenfeld, 1996). One price per
byte for all orders is sought that fills the size given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefill.engine.ngrams.hashing import Hashes
from surefill.engine.ngrams.store import (
    MOST_FOLLOWERS,
    OrderTable,
    bucket_bits,
    make_table,
)
from surefill_training.ngrams.count import Counts, token_bits

_CONTEXT_BYTES = 5.0
"""Fingerprint, size, and its part of a bucket, on average."""
_BARE_CONTEXT_BYTES = 3
_BUCKET_BYTES = 8
_LEAST_SHARE = 1 / 256
_SEARCH_STEPS = 24


@dataclass(frozen=True)
class Candidates:
    """The n-grams of one order that could be kept, by context and, in it, the likeliest first."""

    contexts: Hashes
    tokens: npt.NDArray[np.integer]
    shares: npt.NDArray[np.float32]
    totals: npt.NDArray[np.float32]
    worth: npt.NDArray[np.float32]
    """In nats over the corpus."""


def rate(
    counts: Counts, shorter: Counts | None, unigrams: npt.NDArray[np.float32], vocabulary: int
) -> Candidates:
    """What each n-gram is worth, given those of the next lower order."""
    bits = np.uint64(token_bits(vocabulary))
    tokens = (counts.keys & np.uint64((1 << int(bits)) - 1)).astype(np.int64)
    shares = counts.weights / counts.totals
    if shorter is None:
        below = np.exp(unigrams[tokens])
    else:
        at = np.searchsorted(shorter.keys, counts.shorter)
        below = shorter.weights[at] / shorter.totals[at]
    worth = counts.weights * np.log(shares / below)
    kept = (worth > 0) & (shares >= _LEAST_SHARE)
    contexts = counts.keys >> bits << bits
    order = np.lexsort((-shares[kept], contexts[kept]))
    return Candidates(
        contexts=contexts[kept][order],
        tokens=tokens[kept][order],
        shares=shares[kept][order],
        totals=counts.totals[kept][order],
        worth=worth[kept][order].astype(np.float32),
    )


def prune(candidates: Sequence[Candidates], vocabulary: int, max_bytes: int) -> list[OrderTable]:
    """Tables of at most ``max_bytes`` together, all of them at the same price per byte."""
    low, high = 0.0, 1e6
    best = [_kept(item, high, vocabulary) for item in candidates]
    for _ in range(_SEARCH_STEPS):
        price = (low * high) ** 0.5 if low else high / 8
        chosen = [_kept(item, price, vocabulary) for item in candidates]
        size = sum(
            _size(item, mask, vocabulary) for item, mask in zip(candidates, chosen, strict=True)
        )
        if size <= max_bytes:
            best, high = chosen, price
        else:
            low = price
    return [_table(item, mask, vocabulary) for item, mask in zip(candidates, best, strict=True)]


def _follower_bytes(vocabulary: int) -> int:
    return 3 if vocabulary <= 1 << 16 else 5


def _kept(item: Candidates, price: float, vocabulary: int) -> npt.NDArray[np.bool_]:
    """Followers worth their own bytes, in contexts worth all of theirs."""
    each = _follower_bytes(vocabulary)
    mask = item.worth > price * each
    starts, ranks = _groups(item.contexts)
    # The rank counts those before it that fall out, too: a rare loss, of the least likely ones.
    mask &= ranks < MOST_FOLLOWERS
    if not len(starts):
        return mask
    worth = np.add.reduceat(np.where(mask, item.worth, 0.0), starts)
    number = np.add.reduceat(mask.astype(np.int64), starts)
    enough = worth > price * (_CONTEXT_BYTES + each * number)
    return mask & np.repeat(enough, np.diff(starts, append=len(mask)))


def _size(item: Candidates, mask: npt.NDArray[np.bool_], vocabulary: int) -> int:
    contexts = len(np.unique(item.contexts[mask]))
    followers = int(mask.sum()) * _follower_bytes(vocabulary)
    # Buckets come in powers of two, so their bytes jump.
    buckets = (1 << bucket_bits(contexts)) + 1
    return contexts * _BARE_CONTEXT_BYTES + buckets * _BUCKET_BYTES + followers


def _table(item: Candidates, mask: npt.NDArray[np.bool_], vocabulary: int) -> OrderTable:
    contexts, first, counts = np.unique(item.contexts[mask], return_index=True, return_counts=True)
    return make_table(
        contexts,
        counts=counts,
        totals=item.totals[mask][first],
        tokens=item.tokens[mask],
        shares=item.shares[mask],
        vocabulary=vocabulary,
    )


def _groups(contexts: Hashes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Where each context begins, and each follower's rank in its context."""
    first = np.ones(len(contexts), np.bool_)
    first[1:] = contexts[1:] != contexts[:-1]
    starts = np.flatnonzero(first)
    sizes = np.diff(starts, append=len(contexts))
    return starts, np.arange(len(contexts)) - np.repeat(starts, sizes)
