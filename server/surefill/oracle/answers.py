"""What an oracle is asked about and what it answers: plain values, all of them immutable.

An answer is truthy, even an empty one; `Unknown` is falsy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from surefill.syntax.position import Range

PYTHON = "python"
"""The language id of the one language that we bring a checker for."""

Severity = Literal["error", "warning", "information", "hint"]
ParameterKind = Literal[
    "positional-only", "positional-or-keyword", "var-positional", "keyword-only", "var-keyword"
]
StatusState = Literal["ready", "environment", "missing", "failed", "restarting", "hanging"]


class Cancel(Protocol):
    """A question's stop signal, set from any thread."""

    @property
    def cancelled(self) -> bool: ...

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Run ``callback`` at cancellation, at once if it already happened; returns an undo."""
        ...


class Source(NamedTuple):
    """A text to be asked about: what the document ``uri`` would be with a suggestion in it."""

    uri: str
    text: str


@dataclass(frozen=True)
class Unknown:
    """No answer, and why: the deadline passed, the checker is not there, it does not know."""

    reason: str
    late: bool = False
    """There was not time enough: asked once more, the same checker may have an answer."""

    def __bool__(self) -> Literal[False]:
        return False


@dataclass(frozen=True)
class Member:
    """A name that may stand at a position."""

    name: str
    kind: str
    """LSP's word for it: "method", "class", "module", ...; "" when the server says none."""
    detail: str = ""
    """Its type or signature, as far as the server tells without being asked."""


@dataclass(frozen=True)
class Members:
    """The names that may stand at a position: behind ``receiver.``, or in an import."""

    items: tuple[Member, ...]
    closed: bool
    """The list is complete and the receiver's type known: a name not in it does not exist."""
    dynamic: bool
    """The receiver has ``__getattr__`` or no known type: absence proves nothing. The items of a
    class with ``__getattr__`` are those that it declares."""
    optional: bool = False
    """The receiver may be None; the items are those of what it is otherwise."""
    receiver: str = ""
    """The receiver's type in the checker's words, where it says one."""

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(member.name for member in self.items)

    def lacks(self, name: str) -> bool:
        """Whether ``name`` certainly does not exist here."""
        return self.closed and name not in self.names


@dataclass(frozen=True)
class Parameter:
    """One parameter of a signature, without its stars."""

    name: str
    """Empty for a parameter that has none, as those of a ``Callable[[int], str]``."""
    kind: ParameterKind
    annotation: str = ""
    default: str | None = None
    """None when the parameter is required or collects arguments; "..." for one not spelled out."""

    @property
    def required(self) -> bool:
        return self.default is None and not self.kind.startswith("var-")

    @property
    def takes_keyword(self) -> bool:
        return self.kind in ("positional-or-keyword", "keyword-only") and bool(self.name)


@dataclass(frozen=True)
class Signature:
    """One overload of what is called."""

    label: str
    parameters: tuple[Parameter, ...]
    documentation: str = ""
    """Markdown."""
    active: int | None = None
    """Index of the parameter that the argument at the position is for."""
    known: bool = True
    """False when anything may be passed, as far as the checker knows."""

    @property
    def keywords(self) -> frozenset[str] | None:
        """Names that may be passed by keyword; None when any may."""
        if not self.known or any(p.kind == "var-keyword" for p in self.parameters):
            return None
        return frozenset(p.name for p in self.parameters if p.takes_keyword)


@dataclass(frozen=True)
class Signatures:
    """All overloads of the call around a position."""

    items: tuple[Signature, ...]
    active: int = 0
    """Index of the overload that fits the arguments so far best."""

    @property
    def keywords(self) -> frozenset[str] | None:
        """Names that may be passed by keyword in any overload; None when any may."""
        found: set[str] = set()
        for signature in self.items:
            names = signature.keywords
            if names is None:
                return None
            found |= names
        return frozenset(found)


@dataclass(frozen=True)
class Diagnostic:
    """One thing that the checker says about a text."""

    range: Range
    severity: Severity
    code: str
    message: str


@dataclass(frozen=True)
class Diagnostics:
    """Everything that the checker says about a text."""

    items: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(item for item in self.items if item.severity == "error")


@dataclass(frozen=True)
class Description:
    """What is known of a name: its signature or type, and its documentation in Markdown."""

    name: str
    signature: str
    documentation: str


@dataclass(frozen=True)
class Hover:
    """What an editor would show for the symbol at a position, in Markdown."""

    markdown: str


@dataclass(frozen=True)
class Origin:
    """Where a symbol is defined."""

    kind: Literal["distribution", "stdlib", "workspace", "other"]
    name: str
    """The distribution's name, "python" for the standard library, else empty."""
    version: str
    """Empty when it is not known."""
    path: Path
    line: int
    """0-based line of the definition in ``path``."""


@dataclass(frozen=True)
class Status:
    """How a checker is, for the user."""

    state: StatusState
    checker: str
    version: str = ""
    note: str = ""
    """What is the case, in one sentence; empty when all is well."""
    advice: str = ""
    """What the user can do about it."""


OnStatus = Callable[[Status], None]
