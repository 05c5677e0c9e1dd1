"""Which tokens stay: those whose loss would make weighted text longest.

Tokens go one at a time, the least used first, of those that no other token is merged from. The
uses of one that goes fall to the two that it was merged from, so that the text grows by as many
tokens (vocabulary trimming; Cognetta et al., 2024, https://arxiv.org/abs/2404.00397).
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping

from surefill_training.errors import TrainingError
from surefill_training.vocabulary.byte_pairs import BYTES, BytePairs, closed

STEP = 64
"""The size of a vocabulary is a multiple of this, for the sake of matrix kernels."""


def rounded(size: int) -> int:
    """The next size that is a multiple of ``STEP``."""
    return -(-size // STEP) * STEP


def must_stay(source: BytePairs, named: Iterable[str] = ()) -> set[str]:
    """Tokens of bytes, added ones, the unknown one and those ``named``, with what makes them."""
    unknown = source.raw["model"].get("unk_token")
    fixed = {*(BYTES & source.vocab.keys()), *source.added, *named}
    return closed(fixed | ({unknown} if unknown else set()), source.derivations())


def select(source: BytePairs, uses: Mapping[str, float], size: int, fixed: set[str]) -> set[str]:
    """The tokens of ``source`` that stay, so many that with the bytes it lacks they are ``size``.

    ``uses`` are how often each token occurs, weighted as its text is; ``fixed`` are what
    ``must_stay`` says. Of tokens that are used alike the one with the highest id goes first,
    because it was the rarest where the tokenizer was trained. Raises TrainingError where ``size``
    is too small or no cut at all.
    """
    whole = len(source.ids) + len(source.missing_bytes)
    least = len(fixed) + len(source.missing_bytes)
    if not least <= size < len(source.ids):
        raise TrainingError(
            f"A vocabulary of {size} tokens is no cut of one of {len(source.ids)} in which "
            f"{least} must stay: bytes, special tokens and what they are merged from.",
            f"Choose a --vocabulary from {rounded(least)} to {rounded(len(source.ids)) - STEP}.",
        )
    kept = set(source.ids)
    derivations = source.derivations()
    count: Counter[str] = Counter()
    count.update(uses)
    needed: Counter[str] = Counter()
    needed.update(part for merge in source.merges for part in merge)
    ids = source.ids
    waiting = [(count[t], -ids[t], t) for t in kept if t not in fixed and not needed[t]]
    heapq.heapify(waiting)
    for _ in range(whole - size):
        *_, token = heapq.heappop(waiting)
        kept.remove(token)
        for number, merge in enumerate(derivations.get(token, ())):
            for part in merge:
                if number == 0:
                    count[part] += count[token]
                needed[part] -= 1
                if not needed[part] and part not in fixed:
                    heapq.heappush(waiting, (count[part], -ids[part], part))
    return kept
