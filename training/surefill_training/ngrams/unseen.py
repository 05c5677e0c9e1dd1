"""What a model's record says of the packages it has not seen; knows neither corpus nor weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def says_unseen(made: Mapping[str, Any], packages: Iterable[str]) -> bool:
    """Whether ``made``, a bundle's record, says that its model was trained without ``packages``.

    So must be the models that it was trained further from, as far as they have a record.
    """
    wanted = {*packages}
    return wanted <= {*made.get("development", ())} and wanted.isdisjoint(_trained_on(made))


def _trained_on(record: Mapping[str, Any]) -> set[str]:
    """The packages that a model was trained on, by its record and those it was made from."""
    sources = record.get("sources", ())
    listed = {item.get("name") for item in sources if item.get("split") == "train"}
    earlier = record.get("source_history")
    # Sources are handed on, so what was left out last may have been seen before.
    return listed - {*record.get("development", ())} | (_trained_on(earlier) if earlier else set())
