"""How long work says how far it has come; who shows it, and how, is not known here."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and how many there are."""


def no_progress(_what: str, _done: int, _total: int) -> None:
    """For work that nobody watches."""
