"""What is usually done with a call's result, told from what the result has.

Context managers are opened by ``with``, responses checked and read, coroutines awaited, iterators
looped over. Only Python's ways are known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Literal

from surefill.apis.snippets import Snippet, Stop

Way = Literal["response", "with", "async with", "await", "for", "async for"]

_TOLD_BY: Sequence[tuple[Way, Set[str]]] = (
    ("async with", {"__aenter__", "__aexit__"}),
    ("async for", {"__anext__"}),
    ("await", {"__await__"}),
    ("response", {"raise_for_status", "json"}),
    ("with", {"__enter__", "__exit__"}),
    ("for", {"__next__"}),
)
"""By which members each is told; the first that fits counts."""
_NOT_OPENED = {"Path", "PosixPath", "WindowsPath", "memoryview"}
"""Types that can be opened by ``with`` for reasons of their own; nobody does."""
_FILES = re.compile(r"IO|Buffered|Reader|Writer|File")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PLAIN_TYPES = {"any", "none", "str", "bytes", "int", "float", "bool", "tuple", "list", "dict"}


@dataclass(frozen=True)
class Result:
    """What is known of what a call gives."""

    type: str
    """In the checker's words."""
    members: Set[str]

    @property
    def name(self) -> str:
        """A name for it."""
        head = re.match(r"\w*", self.type.strip())
        name = head.group() if head else ""
        return "file" if _FILES.search(name) else _named_after(name, "result")

    @property
    def item(self) -> str:
        """A name for one of several that it gives."""
        inside = re.search(r"\[(\w+)", self.type)
        return _named_after(inside[1] if inside else "", "item")


def way_of(
    result: Result, *, in_async: bool, awaited: bool = False, made: bool = False
) -> Way | None:
    """How the result is usually handled; None where there is no one way.

    ``awaited`` says that it is the result of waiting already, ``made`` that the call is of a class:
    a response that one makes oneself needs no check.
    """
    barred: set[Way] = set()
    if awaited or not in_async:
        barred |= {"async with", "async for", "await"}
    if result.type.split("[")[0] in _NOT_OPENED:
        barred.add("with")
    ways = (way for way, has in _TOLD_BY if has <= result.members and way not in barred)
    way = next(ways, None)
    return None if made and way == "response" else way


def handled(
    way: Way, call: Snippet, result: Result, *, target: str, indent: str, awaited: bool = False
) -> Snippet:
    """The statements that make the call and handle its result.

    ``target`` is the name that the user gave the result, or empty; ``indent`` one level of it;
    ``awaited`` that the call is to be awaited first.
    """
    call = Snippet(("await ",)) + call if awaited else call
    if way == "response":
        return _response(call, target)
    if way == "await":
        return _awaited(call, result, target)
    body: tuple[str | Stop, ...] = (f":\n{indent}", Stop("pass", last=True))
    if way in ("with", "async with"):
        name: str | Stop = target or Stop(result.name)
        return Snippet((f"{way} ",)) + call + Snippet((" as ", name, *body))
    head = Snippet((f"{target} = ",)) + call + Snippet(("\n",)) if target else Snippet(())
    over = Snippet((target,)) if target else call
    return head + Snippet((f"{way} ", Stop(result.item), " in ")) + over + Snippet(body)


def _response(call: Snippet, target: str) -> Snippet:
    name = target or "response"
    return (
        Snippet((f"{name} = ",))
        + call
        + Snippet((f"\n{name}.raise_for_status()\n", Stop("data"), f" = {name}.json()"))
    )


def _awaited(call: Snippet, result: Result, target: str) -> Snippet:
    gives_nothing = re.search(r"\bNone\]?$", result.type) is not None
    if gives_nothing and not target:
        return Snippet(("await ",)) + call
    return Snippet((target or Stop("result"), " = await ")) + call


def _named_after(type_: str, otherwise: str) -> str:
    """The last word of a class's name in lower case."""
    words = _WORDS.findall(type_)
    if not words or type_.lower() in _PLAIN_TYPES or not type_[:1].isupper():
        return otherwise
    name: str = words[-1].lower()
    return otherwise if len(name) < 3 else name
