"""Which names at a place can be called and are worth offering."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from surefill.oracle.answers import Members

FEW = 5
"""So many names are offered whatever is known of them."""

_CALLABLE = {"method", "function", "class", "constructor"}
_EXCEPTIONS = ("Error", "Exception", "Warning")


def callable_names(members: Members, typed: str, *, raises: bool = False) -> tuple[str, ...]:
    """The names that begin with ``typed`` and can be called, in the checker's order.

    Names that are private, or internal to the language, only where they were begun; exceptions,
    which are mostly caught, only where they were begun or the statement ``raises`` one.
    """
    found = [
        member.name
        for member in members.items
        if member.kind in _CALLABLE and member.name.startswith(typed)
    ]
    if not typed and not raises:
        found = [name for name in found if not name.endswith(_EXCEPTIONS)]
    depth = len(typed) - len(typed.lstrip("_"))
    return tuple(name for name in found if len(name) - len(name.lstrip("_")) <= depth)


def ranked(names: Sequence[str], preferred: Iterable[str], typed: str, text: str) -> list[str]:
    """The names worth offering: one that is typed in full first, then the ``preferred`` ones.

    Behind them come those that are called in ``text``, most often first; the others, of which
    nothing is known, only where they are few.
    """
    whole = [typed] if typed in names else []
    wanted = [name for name in preferred if name in names]
    calls = {name: text.count(f".{name}(") for name in names}
    others = [name for name in names if calls[name] or len(names) <= FEW]
    others.sort(key=lambda name: -calls[name])
    return list(dict.fromkeys((*whole, *wanted, *others)))
