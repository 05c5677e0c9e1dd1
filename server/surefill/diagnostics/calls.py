"""Keyword arguments that a checker lets pass and that what is called does not take all the same.

Where a function hands its ``**kwargs`` on, the checker of types has nothing to say, but the list of
parameters, which follows them, may be complete. Asking costs some milliseconds for each call, so
what was found to be right is remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from surefill.budget import KEYWORDS_SECONDS, Deadline
from surefill.diagnostics.inquiry import Inquiry
from surefill.revision import ProjectRevision
from surefill.syntax.document import Snapshot
from surefill.syntax.languages import Language
from surefill.syntax.position import Range
from surefill.syntax.skeleton import skeleton

if TYPE_CHECKING:
    import tree_sitter

_MOST_BYTES = 400_000
_REMEMBERED = 4_000
_QUERY = "(call arguments: (argument_list (keyword_argument name: (identifier) @name))) @call"


class Call(NamedTuple):
    """A call with keyword arguments: its text, and where their names stand."""

    text: str
    names: tuple[Range, ...]
    function: int = 0
    """A hash of the outermost function around it; 0 where it stands in none."""


class KnownCalls:
    """Calls that were found to be right, each known by everything that says so."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, None] = OrderedDict()

    def at(self, snapshot: Snapshot, revision: ProjectRevision) -> CallsOfVersion:
        """Those of one version of a document, in a project as it was at ``revision``."""
        return CallsOfVersion(self._known, snapshot, revision)


class CallsOfVersion:
    """The calls of one version of a document that were found to be right in it, or before.

    A call stays right as long as the project, what its document declares and the function around
    it are what they were.
    """

    def __init__(
        self,
        known: OrderedDict[Hashable, None],
        snapshot: Snapshot,
        revision: ProjectRevision,
    ) -> None:
        self._known = known
        self._revision = revision
        self._text = snapshot.text

    @cached_property
    def _declared(self) -> int:
        return hash(skeleton(self._text, without=-1))

    def holds(self, snapshot: Snapshot, call: Call) -> bool:
        return self._key(snapshot, call) in self._known

    def add(self, snapshot: Snapshot, call: Call) -> None:
        self._known[self._key(snapshot, call)] = None
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _key(self, snapshot: Snapshot, call: Call) -> Hashable:
        return snapshot.uri, self._revision, self._declared, call.function, call.text


def keyword_calls(snapshot: Snapshot) -> list[Call]:
    """Python calls with keyword arguments, in the order of the text. Not for the event loop."""
    language, tree = snapshot.language, snapshot.tree
    if language is None or language.id != "python" or tree is None:
        return []
    if len(snapshot.source) > _MOST_BYTES:
        return []
    import tree_sitter

    found: list[Call] = []
    matches = tree_sitter.QueryCursor(_query(language)).matches(tree.root_node)
    names: dict[int, tuple[tree_sitter.Node, list[tree_sitter.Node]]] = {}
    for _, captures in matches:
        call = captures["call"][0]
        names.setdefault(call.id, (call, []))[1].extend(captures["name"])
    for call, nodes in names.values():
        spans = (Range(*map(snapshot.position_at, (n.start_byte, n.end_byte))) for n in nodes)
        text = (call.text or b"").decode("utf-8", "replace")
        found.append(Call(text, tuple(spans), _function_around(call)))
    return found


async def unknown_keywords(
    snapshot: Snapshot, inquiry: Inquiry, calls: Sequence[Call], known: CallsOfVersion | None
) -> list[Range]:
    """The names in ``calls`` that what is called does not take, as far as there was time."""
    give_up = Deadline.after(KEYWORDS_SECONDS)
    found: list[Range] = []
    for call in calls:
        if known is not None and known.holds(snapshot, call):
            continue
        if give_up.passed:
            inquiry.late = True
            break
        signatures = await inquiry.signature(snapshot, call.names[0].start)
        if signatures is None:
            continue
        allowed = signatures.keywords
        wrong = [span for span in call.names if allowed and _lacks(snapshot, span, allowed)]
        if not wrong and known is not None:
            known.add(snapshot, call)
        found += wrong
    return found


def _lacks(snapshot: Snapshot, span: Range, allowed: frozenset[str]) -> bool:
    return snapshot.text_in(span) not in allowed


def _function_around(node: tree_sitter.Node) -> int:
    """A hash of the text of the outermost function that ``node`` stands in; 0 outside of all."""
    found, parent = None, node.parent
    while parent is not None:
        if parent.type == "function_definition":
            found = parent
        parent = parent.parent
    return hash(found.text) if found is not None else 0


@cache
def _query(language: Language) -> tree_sitter.Query:
    import tree_sitter

    return tree_sitter.Query(language.grammar(), _QUERY)
