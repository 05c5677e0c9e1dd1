"""Which languages a model knows, by what it was trained on: for its manifest and its card.

Reads the record that training leaves beside the weights; judges by amounts of text only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MEANINGFUL = 0.02
"""Least share of the characters of a training's text for which a language counts as learned."""

_ASSUMED: Mapping[str, int] = {"python": 1}
"""Of records that are older than the counting of languages: those models had Python alone."""

_NAMES = {
    "python": "Python",
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "typescriptreact": "TSX",
    "sql": "SQL",
}


def shares(made: Mapping[str, Any]) -> dict[str, float]:
    """The share of each language in the text of a model's training, the largest first.

    ``made`` is the record of its training. Of a model that was trained further, each language has
    its share in that training which had most of it: a short one with another language teaches that
    language, however much was read before.
    """
    found: dict[str, float] = {}
    for chars in _trainings(made):
        whole = sum(chars.values())
        for language, count in chars.items():
            found[language] = max(found.get(language, 0.0), count / whole)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def known(made: Mapping[str, Any]) -> tuple[str, ...]:
    """The languages that a bundle names as its own, by their ids in LSP, the largest share first.

    A language counts from 2 % of the characters on. Packages of Python bring along scripts of
    their documentation and a few queries, fractions of a percent, from which no model learns a
    language; of one that somebody added on purpose there is more. The server feeds the memory of
    a blended model with a project's files in these languages, so too many would fill it with what
    the model is never asked well for, and too few would leave out what it could use.
    """
    return tuple(language for language, share in shares(made).items() if share >= MEANINGFUL)


def names(made: Mapping[str, Any]) -> str:
    """The languages that a model knows, in words."""
    return _listed([_name(language) for language in known(made)])


def in_words(made: Mapping[str, Any]) -> str:
    """What a model knows, with shares, and what it has seen a little of."""
    if _ASSUMED in _trainings(made):
        return f"Languages other than {names(made)} are outside its training."
    found = shares(made).items()
    if start := _pretrained(made):
        parts = [_part(language, share) for language, share in found]
        return (
            f"Its start, {start}, had read text and code of the web in many languages. It was "
            f"trained further on {_listed(parts)}; shares of the characters of that text."
        )
    main = [_part(language, share) for language, share in found if share >= MEANINGFUL]
    little = [_part(language, share) for language, share in found if share < MEANINGFUL]
    text = f"It was trained on {_listed(main)}"
    if little:
        text += f", and has seen a little {_listed(little)}, too little to be of use there"
    measured = "shares of the characters of the training text"
    if len(list(_trainings(made))) > 1:
        measured += ", where it was trained several times of the time that had most"
    return f"{text}; {measured}. Other languages are outside its training."


def _pretrained(made: Mapping[str, Any]) -> str:
    """The name of imported weights that a model began as, or that the one it began as did."""
    record = made
    while record:
        imported = record.get("source", {}).get("imported", {})
        if imported:
            return str(imported["name"])
        record = record.get("source_history") or {}
    return ""


def _trainings(made: Mapping[str, Any]) -> Iterator[Mapping[str, int]]:
    """Characters by language of a model's training, and of those of the models it began as."""
    record = made
    while True:
        counted = record.get("languages") or {}
        yield counted if sum(counted.values()) else _ASSUMED
        record = record.get("source_history") or {}
        if not record:
            return


def _name(language: str) -> str:
    return _NAMES.get(language, language)


def _part(language: str, share: float) -> str:
    shown = f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
    return f"{_name(language)} ({shown})"


def _listed(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
