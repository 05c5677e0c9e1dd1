"""Counts token n-grams over the packages of a corpus, part by part, so that sorting fits memory.

An n-gram that only one package has is its own and helps nobody else, so what counts is in how many
packages it occurs: each package adds the square root of how often it does. Knows token ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefill.engine.ngrams.hashing import Hashes, extend_all

Ids = npt.NDArray[np.integer]

AT_ONCE = 16_000_000
"""Tokens whose n-grams are sorted together: about 700 MB, beside tokens and results."""


@dataclass(frozen=True)
class Counts:
    """The n-grams of one order that at least two packages have, sorted by key.

    A key is a context's hash with the following token in the place of its low bits.
    """

    keys: Hashes
    shorter: Hashes
    """Key of the same n-gram without its first token."""
    weights: npt.NDArray[np.float32]
    totals: npt.NDArray[np.float32]
    """Weights of all that follows the context, also in one package only."""


def token_bits(vocabulary: int) -> int:
    """Low bits of a key that hold the token."""
    return (vocabulary - 1).bit_length()


def count_order(
    packages: Sequence[Sequence[Ids]], context: int, vocabulary: int, at_once: int = AT_ONCE
) -> Counts:
    """Count the n-grams with ``context`` tokens before the last; ``packages`` hold documents."""
    joined = [_join(documents, vocabulary) for documents in packages]
    size = sum(map(len, joined))
    part_bits = max(0, (max(1, -(-size // at_once)) - 1).bit_length())
    parts = [
        _count_part(joined, context, vocabulary, part, part_bits) for part in range(1 << part_bits)
    ]
    return Counts(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))


_FIELDS = ("keys", "shorter", "weights", "totals")


def count_unigrams(packages: Sequence[Sequence[Ids]], vocabulary: int) -> npt.NDArray[np.float32]:
    """Natural log-probabilities of the tokens by themselves, [vocabulary], none of them zero."""
    weights = np.full(vocabulary, 0.5)
    for documents in packages:
        weights += np.sqrt(np.bincount(np.concatenate(documents), minlength=vocabulary))
    log_shares: npt.NDArray[np.float32] = np.log(weights / weights.sum()).astype(np.float32)
    return log_shares


def _join(documents: Sequence[Ids], vocabulary: int) -> npt.NDArray[np.int32]:
    """One sequence with ``vocabulary`` in front of each document."""
    pieces = [piece for ids in documents for piece in ((vocabulary,), ids)]
    return np.concatenate(pieces).astype(np.int32) if pieces else np.zeros(0, np.int32)


def _count_part(
    packages: Sequence[npt.NDArray[np.int32]],
    context: int,
    vocabulary: int,
    part: int,
    part_bits: int,
) -> Counts:
    """Count those whose context's hash begins with the bits of ``part``."""
    kept: list[tuple[Hashes, Hashes, npt.NDArray[np.float32]]] = []
    for ids in packages:
        keys, shorter = _keys(ids, context, vocabulary)
        if part_bits:
            chosen = keys >> np.uint64(64 - part_bits) == part
            keys, shorter = keys[chosen], shorter[chosen]
        unique, first, counts = np.unique(keys, return_index=True, return_counts=True)
        kept.append((unique, shorter[first], np.sqrt(counts).astype(np.float32)))
    keys = np.concatenate([item[0] for item in kept])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    weights = np.concatenate([item[2] for item in kept])[order]
    starts = np.flatnonzero(_changes(keys))
    present = np.diff(starts, append=len(keys))
    shorter = np.concatenate([item[1] for item in kept])[order[starts]]
    return _shared(keys[starts], shorter, _sums(weights, starts), present, vocabulary)


def _shared(
    keys: Hashes,
    shorter: Hashes,
    weights: npt.NDArray[np.float32],
    present: npt.NDArray[np.integer],
    vocabulary: int,
) -> Counts:
    """What at least two packages have, with the totals of everything."""
    contexts = keys >> np.uint64(token_bits(vocabulary))
    starts = np.flatnonzero(_changes(contexts))
    totals = np.repeat(_sums(weights, starts), np.diff(starts, append=len(keys)))
    shared = present > 1
    return Counts(keys[shared], shorter[shared], weights[shared], totals[shared])


def _keys(ids: npt.NDArray[np.int32], context: int, vocabulary: int) -> tuple[Hashes, Hashes]:
    """Key of each n-gram within a document, and of the one that is a token shorter."""
    length = max(0, len(ids) - context)
    tokens = ids[context:]
    inside = np.ones(length, np.bool_)
    hashes = np.zeros(length, np.uint64)
    shorter = hashes
    for back in range(context + 1):
        older = ids[context - back : context - back + length]
        inside &= older != vocabulary
        if back:
            shorter, hashes = hashes, extend_all(hashes, older)
    low = token_bits(vocabulary)
    mask = ~np.uint64((1 << low) - 1)
    followers = tokens.astype(np.uint64)
    return ((hashes & mask) | followers)[inside], ((shorter & mask) | followers)[inside]


def _changes(values: Hashes) -> npt.NDArray[np.bool_]:
    """Where a sorted array has a value for the first time."""
    first = np.ones(len(values), np.bool_)
    first[1:] = values[1:] != values[:-1]
    return first


def _sums(values: npt.NDArray[np.float32], starts: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    if not len(starts):
        return np.zeros(0, np.float32)
    summed: npt.NDArray[np.float32] = np.add.reduceat(values.astype(np.float64), starts).astype(
        np.float32
    )
    return summed
