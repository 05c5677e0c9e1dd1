"""How often each token occurs in text, and what a cut does to the text of each language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from surefill_training.errors import TrainingError
from surefill_training.progress import Progress

Texts = Mapping[str, Sequence[str]]
_TOGETHER = 64
"""Texts that are encoded at once: their encodings take a hundred times the memory of their text."""


@dataclass(frozen=True)
class Cut:
    """What a cut does to the held-out text of one language."""

    language: str
    size: int
    """Bytes that were measured."""
    before: float
    """Bytes per token."""
    after: float
    split: float
    """Share of the tokens before that are not in the vocabulary any more."""


def weighted_uses(
    tokenizer: Tokenizer, texts: Texts, weights: Mapping[str, float], progress: Progress
) -> npt.NDArray[np.float64]:
    """Uses of each token in a byte of text, by id, in the mean over languages with ``weights``."""
    size = 1 + max(tokenizer.get_vocab(with_added_tokens=True).values())
    uses = np.zeros(size)
    for number, (language, documents) in enumerate(texts.items()):
        progress(f"counting {language}", number, len(texts))
        whole = sum(len(text.encode("utf-8", "replace")) for text in documents)
        counts = np.zeros(size)
        for ids in _encoded(tokenizer, documents):
            counts += np.bincount(ids, minlength=size)
        uses += weights[language] / whole * counts
    return uses


def measure(
    before: Tokenizer, after: Tokenizer, dropped: npt.NDArray[np.bool_], texts: Texts
) -> list[Cut]:
    """One row for each language; ``dropped`` says of each id before whether it has gone."""
    rows = []
    for language, documents in texts.items():
        size = sum(len(text.encode("utf-8", "replace")) for text in documents)
        tokens = gone = 0
        for ids in _encoded(before, documents):
            tokens += len(ids)
            gone += int(dropped[ids].sum())
        left = sum(len(ids) for ids in _encoded(after, documents))
        if tokens:
            rows.append(Cut(language, size, size / tokens, size / left, gone / tokens))
    return rows


def require_exact(
    before: Tokenizer, after: Tokenizer, kept: AbstractSet[str], texts: Sequence[str]
) -> None:
    """Check the cut on ``texts``: words without a dropped token are the same tokens as before.

    And each text is what it was when it is decoded again. Raises TrainingError.
    """
    for text in texts:
        old, new = (t.encode(text, add_special_tokens=False) for t in (before, after))
        words, cut = (_by_word(one.word_ids, one.tokens) for one in (old, new))
        changed = ["".join(t) for w, t in words.items() if kept >= set(t) and t != cut[w]]
        same = after.decode(new.ids) in (before.decode(old.ids), _normalized(before, text))
        if changed or not same:
            raise TrainingError(
                "The cut would change text that needs no dropped token: "
                f"{(changed or [text[:40]])[0]!r}.",
                "Keep this model's vocabulary; its tokenizer is of a kind that cannot be cut.",
            )


def _by_word(words: Sequence[int | None], tokens: Sequence[str]) -> dict[int | None, list[str]]:
    pairs = zip(words, tokens, strict=True)
    return {word: [t for _, t in group] for word, group in groupby(pairs, key=lambda pair: pair[0])}


def _normalized(tokenizer: Tokenizer, text: str) -> str:
    return tokenizer.normalizer.normalize_str(text) if tokenizer.normalizer else text


def _encoded(tokenizer: Tokenizer, texts: Sequence[str]) -> Iterator[npt.NDArray[np.int64]]:
    for first in range(0, len(texts), _TOGETHER):
        part = list(texts[first : first + _TOGETHER])
        for one in tokenizer.encode_batch_fast(part, add_special_tokens=False):
            yield np.array(one.ids, np.int64)
