"""How documents are cut into pieces that fit a row."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from surefill_training.corpus.documents import Document

_SHORTEST_PIECE = 0.4
"""Of the longest one: pieces of many lengths fill rows better, and files end everywhere."""
_SAMPLED = 40_000
"""Characters of a language that are encoded to learn how many a token has."""
_LONGEST_SAMPLE = 4_000


def pieces(
    texts: Sequence[str], max_chars: int | Sequence[int], seed: int = 0
) -> list[tuple[int, int, int]]:
    """Cut texts at line ends into (text index, start, end) of at most ``max_chars`` characters,
    which may be given for each text.

    Their lengths are drawn between two fifths of that and all of it. A single line that is longer
    is a piece of its own.
    """
    rng = random.Random(f"{seed}:pieces")
    spans = []
    for index, text in enumerate(texts):
        most = max_chars if isinstance(max_chars, int) else max_chars[index]
        start = 0
        while start < len(text):
            limit = int(most * rng.uniform(_SHORTEST_PIECE, 1.0))
            end = len(text)
            if end - start > limit:
                end = text.rfind("\n", start, start + limit) + 1
                if end <= start:
                    end = text.find("\n", start) + 1 or len(text)
            spans.append((index, start, end))
            start = end
    return spans


def chars_per_token(
    documents: Sequence[Document], encode: Callable[[str], list[int]]
) -> dict[str, float]:
    """How many characters a token has in each language, from the first texts of each."""
    chars: dict[str, int] = {}
    tokens: dict[str, int] = {}
    for document in documents:
        language = document.language
        if chars.get(language, 0) < _SAMPLED:
            text = document.text[:_LONGEST_SAMPLE]
            chars[language] = chars.get(language, 0) + len(text)
            tokens[language] = tokens.get(language, 0) + len(encode(text))
    return {name: size / max(1, tokens[name]) for name, size in chars.items()}
