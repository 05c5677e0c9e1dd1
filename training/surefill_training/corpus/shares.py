"""How much of each language a corpus has: the wanted mixture, reached by leaving documents out.

Within a language, packages get equal parts as far as they have them, so that no large one stands
for the language.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping, Sequence

from surefill_training.corpus.documents import Document


def mix(
    documents: Sequence[Document], shares: Mapping[str, float], chars: int, seed: int
) -> tuple[list[Document], list[Document]]:
    """What of ``documents`` is taken for a corpus of ``chars`` characters, and what is left out.

    ``shares`` has each language's part of the whole, at most 1 together; a language without one is
    left out. Of a language that has less than its part, all is taken.
    """
    taken: set[int] = set()
    by_language: dict[str, list[int]] = {}
    for place, document in enumerate(documents):
        by_language.setdefault(document.language, []).append(place)
    for language, share in sorted(shares.items()):
        taken |= _take(documents, by_language.get(language, []), int(share * chars), seed)
    kept = [document for place, document in enumerate(documents) if place in taken]
    rest = [document for place, document in enumerate(documents) if place not in taken]
    return kept, rest


def _take(documents: Sequence[Document], places: Sequence[int], chars: int, seed: int) -> set[int]:
    """Places of documents of ``chars`` characters in all, always one of the least taken package."""
    packages: dict[str, list[int]] = {}
    for place in places:
        packages.setdefault(documents[place].source, []).append(place)
    for name, waiting in packages.items():
        # The same ones whatever else is in the corpus.
        waiting.sort(key=lambda place: documents[place].path)
        random.Random(f"{seed}:{name}").shuffle(waiting)
    turns = [(0, name) for name in sorted(packages)]
    heapq.heapify(turns)
    taken: set[int] = set()
    while turns and chars > 0:
        size, name = heapq.heappop(turns)
        place = packages[name].pop()
        length = len(documents[place].text)
        if length <= chars:
            taken.add(place)
            chars -= length
            size += length
        if packages[name]:
            heapq.heappush(turns, (size, name))
    return taken
