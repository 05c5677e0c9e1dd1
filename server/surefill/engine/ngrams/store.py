"""An immutable store of token n-grams: what usually follows, counted over a training corpus.

For each order a hash table of contexts, laid out for size: the high bits of a context's hash choose
a bucket, 16 further bits tell its contexts apart (so one in some thousand lookups finds a
stranger), and each context has its likeliest followers with their shares in steps of 4 %. Eight
bytes or so for a context. Knows ids and hashes; of tokenizers only which one it was made with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from surefill.engine.ngrams.container import Array, damaged, read
from surefill.engine.ngrams.evidence import Evidence
from surefill.engine.ngrams.hashing import Hashes, hashes_of
from surefill.engine.ngrams.layout import CONTEXTS
from surefill.engine.ngrams.weights import Weights
from surefill.errors import BundleError

MOST_FOLLOWERS = 15
"""Followers that a context can have; their number stands in the low bits of its size."""

_SHARE_STEP = 0.0625
"""Shares are kept as their negative logarithm to base 2, in these steps."""
_FINGERPRINT_BITS = 16
_PER_BUCKET = 4
"""Contexts in a bucket, on average: more save bytes, fewer save strangers."""
_SHARES = np.exp2(-_SHARE_STEP * np.arange(256)).astype(np.float32)


@dataclass(frozen=True)
class OrderTable:
    """The contexts of one length, by the ``bits`` high bits of their hash."""

    bits: int
    contexts: npt.NDArray[np.uint32]
    """First context of each bucket, [2 ** bits + 1]."""
    entries: npt.NDArray[np.uint32]
    """First follower of each bucket, [2 ** bits + 1]."""
    fingerprints: npt.NDArray[np.uint16]
    """[contexts]"""
    sizes: npt.NDArray[np.uint8]
    """Logarithm to base 2 of the total, times 16, and number of followers, [contexts]."""
    tokens: npt.NDArray[np.integer]
    """[followers]"""
    shares: npt.NDArray[np.uint8]
    """[followers]"""

    def find(self, hash_: int) -> Evidence | None:
        """What follows the context with this 64-bit hash; None when it is not known."""
        bucket = hash_ >> (64 - self.bits)
        first, last = self.contexts[bucket : bucket + 2].tolist()
        wanted = (hash_ >> (64 - self.bits - _FINGERPRINT_BITS)) & 0xFFFF
        known = self.fingerprints[first:last].tolist()
        if wanted not in known:
            return None
        *skipped, size = self.sizes[first : first + known.index(wanted) + 1].tolist()
        start = int(self.entries[bucket]) + sum(other & 15 for other in skipped)
        end = start + (size & 15)
        shares = _SHARES[self.shares[start:end]]
        # Rounded one by one, they may come to more than there is.
        shares /= max(np.float32(1), shares.sum())
        return Evidence(self.tokens[start:end], shares, 2.0 ** (size >> 4))

    def problem(self, vocabulary: int) -> str:
        """What cannot be right about the arrays; empty when nothing is."""
        contexts, followers = len(self.fingerprints), len(self.tokens)
        counts = self.sizes & 15
        for starts, end in ((self.contexts, contexts), (self.entries, followers)):
            if len(starts) != (1 << self.bits) + 1 or starts[0] != 0 or starts[-1] != end:
                return "its buckets do not fit its contents"
            if (starts[1:] < starts[:-1]).any():
                return "its buckets are out of order"
        if len(self.sizes) != contexts or len(self.shares) != followers:
            return "its parts have different lengths"
        cumulated = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        if (cumulated[self.contexts] != self.entries).any():
            return "its counts do not add up"
        if followers and int(self.tokens.max()) >= vocabulary:
            return "it holds tokens beyond its vocabulary"
        return ""


def make_table(
    hashes: Hashes,
    *,
    counts: npt.NDArray[np.integer],
    totals: npt.NDArray[np.floating],
    tokens: npt.NDArray[np.integer],
    shares: npt.NDArray[np.floating],
    vocabulary: int,
) -> OrderTable:
    """A table of contexts sorted by ``hashes``, each with ``counts`` of the flat followers.

    Followers stand in the order of their contexts, the likeliest of each first.
    """
    bits = bucket_bits(len(hashes))
    buckets = (hashes >> np.uint64(64 - bits)).astype(np.int64)
    contexts = np.searchsorted(buckets, np.arange((1 << bits) + 1)).astype(np.uint32)
    cumulated = np.concatenate([[0], np.cumsum(counts)])
    logarithms = np.clip(np.round(np.log2(np.maximum(totals, 1))), 0, 15).astype(np.uint8)
    steps = np.clip(np.round(-np.log2(shares) / _SHARE_STEP), 0, 255)
    fingerprints = hashes >> np.uint64(64 - bits - _FINGERPRINT_BITS)
    return OrderTable(
        bits=bits,
        contexts=contexts,
        entries=cumulated[contexts].astype(np.uint32),
        fingerprints=(fingerprints & np.uint64(0xFFFF)).astype(np.uint16),
        sizes=(logarithms << 4) | counts.astype(np.uint8),
        tokens=tokens.astype(np.uint16 if vocabulary <= 1 << 16 else np.uint32),
        shares=steps.astype(np.uint8),
    )


def bucket_bits(contexts: int) -> int:
    """The bits that choose among the buckets of a table of so many contexts."""
    return max(1, max(1, contexts // _PER_BUCKET).bit_length())


@dataclass(frozen=True)
class NgramStore:
    """All that ``ngrams.bin`` holds: tables, single tokens, and the weights of the mixtures."""

    tokenizer: str
    """SHA-256 of the tokenizer.json whose ids these are."""
    vocabulary: int
    tables: tuple[OrderTable, ...]
    """For contexts of one, two, ... tokens."""
    unigrams: npt.NDArray[np.float32]
    """Natural log-probability of each token by itself, [vocabulary]."""
    weights: Mapping[str, Weights]
    """What was learned of the mixture: beside a model, or ``alone``."""
    made: Mapping[str, object]
    """What it was made from."""

    def evidence(self, context: Sequence[int]) -> list[Evidence | None]:
        """What usually follows the last one, two, ... tokens of ``context``."""
        found: list[Evidence | None] = [None] * len(self.tables)
        for number, hash_ in enumerate(hashes_of(context, len(self.tables))):
            found[number] = self.tables[number].find(hash_)
        return found

    @classmethod
    def load(cls, path: Path, tokenizer: str) -> NgramStore:
        """Map the file and check it whole; raises BundleError, also for another ``tokenizer``."""
        header, arrays = read(path)
        try:
            store = cls._parse(header, arrays)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise damaged(path, "a part is missing or of the wrong kind") from error
        if store.tokenizer != tokenizer:
            raise BundleError(
                f"{path} was made with another tokenizer than the bundle's.",
                "Make it again with `surefill-train ngrams` and this bundle.",
            )
        for table in store.tables:
            if problem := table.problem(store.vocabulary):
                raise damaged(path, problem)
        return store

    @classmethod
    def _parse(cls, header: Mapping[str, object], arrays: Mapping[str, Array]) -> NgramStore:
        vocabulary, made, names = header["vocabulary"], header["made"], header["weights"]
        if not isinstance(vocabulary, int) or not isinstance(made, dict):
            raise TypeError("header")
        if not isinstance(names, list):
            raise TypeError("weights")
        unigrams = arrays["unigrams"].astype(np.float32)
        if unigrams.shape != (vocabulary,) or not np.isfinite(unigrams).all():
            raise ValueError("unigrams")
        tables = []
        for order in CONTEXTS:
            parts = {name: arrays[f"{order}.{name}"] for name in _PARTS}
            bits = (len(parts["contexts"]) - 1).bit_length() - 1
            tables.append(OrderTable(bits=bits, **parts))
        return cls(
            tokenizer=str(header["tokenizer"]),
            vocabulary=vocabulary,
            tables=tuple(tables),
            unigrams=unigrams,
            weights={str(name): Weights.from_arrays(arrays, str(name)) for name in names},
            made=made,
        )

    def contents(self) -> tuple[dict[str, object], dict[str, Array]]:
        """Header and arrays for ``container.pack``."""
        arrays: dict[str, Array] = {"unigrams": self.unigrams.astype(np.float16)}
        for order, table in zip(CONTEXTS, self.tables, strict=True):
            arrays |= {f"{order}.{name}": getattr(table, name) for name in _PARTS}
        for name, weights in self.weights.items():
            arrays |= weights.to_arrays(name)
        header = {
            "tokenizer": self.tokenizer,
            "vocabulary": self.vocabulary,
            "weights": sorted(self.weights),
            "made": dict(self.made),
        }
        return header, arrays


_PARTS = ("contexts", "entries", "fingerprints", "sizes", "tokens", "shares")
