"""API problems: names that the code uses and that do not exist, by the word of a type checker.

Reports only what the checker is sure of: it says nothing of a receiver whose type it does not know.
What it flags is looked up once more in its list of names, because one that may be None has the
members that it has otherwise. An import under ``try`` may be missing on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from surefill.diagnostics.calls import Call, CallsOfVersion, unknown_keywords
from surefill.diagnostics.inquiry import Inquiry, declared_keywords
from surefill.diagnostics.problem import Category, Problem
from surefill.diagnostics.words import shown
from surefill.oracle.answers import Diagnostic
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range

if TYPE_CHECKING:
    import tree_sitter

_RULES: dict[str, Category] = {
    # ty
    "missing-attribute": "unknown-member",
    "unresolved-attribute": "unknown-member",
    "unknown-argument": "unknown-keyword",
    "import-not-found": "unresolved-import",
    "unresolved-import": "unresolved-import",
    "missing-module-member": "unresolved-import",
    # pyrefly
    "missing-module-attribute": "unresolved-import",
    "missing-import": "unresolved-import",
    "import-error": "unresolved-import",
    "unexpected-keyword": "unknown-keyword",
}
_NO_OVERLOAD = "no-matching-overload"
_MISSING_ARGUMENT = "missing-argument"
_QUOTED = re.compile(r"`(\w+)`")
_MOST_SLIPS = 2
_LAST_NAME = re.compile(r"[^\W\d]\w*(?=\W*$)")
_FIRST_NAME = re.compile(r"[^\W\d]\w*")
_MOST_ASKED = 50
"""So many findings are asked about once more."""
_FORGIVING = re.compile(r"except(?:\s*\*)?\s*:|\b(?:ImportError|ModuleNotFoundError|Exception)\b")


class _Finding(NamedTuple):
    """A name that the checker does not know, and where its own message stands."""

    category: Category
    span: Range
    name: str
    sure: bool = True
    """The checker minds this very name, and not just the call that it stands in."""


async def api_problems(
    snapshot: Snapshot,
    checker: Inquiry,
    syntax: Sequence[Problem],
    calls: Sequence[Call] = (),
    known: CallsOfVersion | None = None,
) -> list[Problem] | None:
    """API problems in the order of the text; None where the checker has no answer in time.

    ``syntax`` are the document's syntax problems: of what stands in their statements nothing is
    said. ``calls`` are looked at though the checker lets them pass, but for those ``known``.
    """
    errors = await checker.errors(snapshot)
    if errors is None:
        return None
    found: dict[Range, Problem] = {}
    asked = 0
    for item in errors:
        if asked == _MOST_ASKED or any(_touches(item.range, each.region) for each in syntax):
            continue
        for finding in _findings(snapshot, item):
            asked += 1
            if not await _exists(snapshot, checker, finding):
                found.setdefault(finding.span, _problem(snapshot, finding))
    for span in await unknown_keywords(snapshot, checker, calls, known):
        if not any(_touches(span, each.region) for each in syntax):
            finding = _Finding("unknown-keyword", span, snapshot.text_in(span))
            found.setdefault(span, _problem(snapshot, finding))
    return sorted(found.values(), key=lambda problem: problem.range)


def _findings(snapshot: Snapshot, item: Diagnostic) -> list[_Finding]:
    """The names in question in one of the checker's diagnostics."""
    text = snapshot.text_in(item.range)
    if item.code == _NO_OVERLOAD:
        spans = keyword_spans(snapshot, item.range)
        return [_Finding("unknown-keyword", span, snapshot.text_in(span), False) for span in spans]
    if item.code == _MISSING_ARGUMENT:
        return _misspelt_arguments(snapshot, item)
    category = _RULES.get(item.code)
    if category is None or (category == "unresolved-import" and _forgiven(snapshot, item.range)):
        return []
    if category == "unresolved-import":
        text = re.split(r"\s+as\b", text)[0]  # the name behind it is the document's own
    pattern = _FIRST_NAME if category == "unknown-keyword" else _LAST_NAME
    match = pattern.search(text)
    if match is None:
        return []
    if category == "unresolved-import" and not _in_import(snapshot, item.range.start):
        category = "unknown-member"
    if category == "unresolved-import" and "." in text:
        return [_Finding(category, item.range, text)]
    last = text.count("\n", 0, match.start())
    start = match.start() - (text.rfind("\n", 0, match.start()) + 1)
    if not last:
        start += item.range.start.character
    at = Position(item.range.start.line + last, start)
    span = Range(at, Position(at.line, at.character + len(match.group())))
    return [_Finding(category, span, match.group())]


def _misspelt_arguments(snapshot: Snapshot, item: Diagnostic) -> list[_Finding]:
    """Keyword arguments that are nearly what a call lacks, where it takes any keyword.

    Such a call is wrong anyway, and its ``**kwargs`` hide why.
    """
    from rapidfuzz.distance import OSA  # with the first call that lacks an argument

    first = item.message.partition("\n")[0]
    lacking = _QUOTED.findall(first)
    return [
        _Finding("unknown-keyword", span, name)
        for span in keyword_spans(snapshot, item.range)
        if any(
            0 < OSA.distance(name := snapshot.text_in(span), each) <= _MOST_SLIPS
            and len(each) > _MOST_SLIPS + 1
            for each in lacking
        )
    ]


async def _exists(snapshot: Snapshot, checker: Inquiry, finding: _Finding) -> bool:
    """Whether the name may exist all the same, by the checker's lists."""
    at = finding.span.start
    if finding.category == "unknown-keyword":
        signatures = await checker.signature(snapshot, at)
        if finding.sure:
            return signatures is not None and finding.name in declared_keywords(signatures)
        names = signatures.keywords if signatures else None
        return names is None or finding.name in names
    if "." in finding.name:
        return False
    members = await checker.members(snapshot, at)
    return members is not None and finding.name in members.names


def _problem(snapshot: Snapshot, finding: _Finding) -> Problem:
    name = shown(finding.name)
    line = finding.span.start.line
    if finding.category == "unknown-keyword":
        message = f"There is no parameter `{name}` in what is called here."
    elif finding.category == "unresolved-import":
        before = snapshot.line(line)[: finding.span.start.character]
        module = re.search(r"from\s+([\w.]+)\s+import\b", before)
        message = (
            f"`{name}` is not in the module `{module[1]}`."
            if module
            else f"There is no module `{name}` in this environment."
        )
    else:
        before = snapshot.line(line)[: finding.span.start.character].rstrip(". ")
        receiver = re.search(r"[\w.]+$", before)
        of = f"`{shown(receiver[0])}`" if receiver else "What stands before it"
        message = f"{of} has no member `{name}`."
    region = Range(Position(line, 0), Position(line, len(snapshot.line(line))))
    return Problem(finding.category, "name", finding.span, message, region, name=finding.name)


def _touches(span: Range, region: Range) -> bool:
    return span.start.line <= region.end.line and region.start.line <= span.end.line


def _node_at(snapshot: Snapshot, span: Range) -> tree_sitter.Node | None:
    tree = snapshot.tree
    if tree is None:
        return None
    start, end = snapshot.byte_at(span.start), snapshot.byte_at(span.end)
    return tree.root_node.descendant_for_byte_range(start, end)


def keyword_spans(snapshot: Snapshot, span: Range) -> list[Range]:
    """Names of the keyword arguments in the call at ``span``."""
    node = _node_at(snapshot, span)
    while node is not None and node.type != "call":
        node = node.parent
    arguments = node.child_by_field_name("arguments") if node else None
    names = []
    for child in arguments.named_children if arguments else ():
        name = child.child_by_field_name("name") if child.type == "keyword_argument" else None
        if name is not None:
            at = snapshot.position_at(name.start_byte)
            names.append(Range(at, snapshot.position_at(name.end_byte)))
    return names


def _in_import(snapshot: Snapshot, at: Position) -> bool:
    node = _node_at(snapshot, Range(at, at))
    while node is not None:
        if node.type.startswith("import"):
            return True
        node = node.parent
    return False


def _forgiven(snapshot: Snapshot, span: Range) -> bool:
    """Whether an import stands under a ``try`` that expects it to fail."""
    node = _node_at(snapshot, span)
    while node is not None:
        parent = node.parent
        if parent is not None and parent.type == "try_statement" and node.type == "block":
            clauses = [each for each in parent.children if each.type.startswith("except")]
            if any(_FORGIVING.search(_first_line(each)) for each in clauses):
                return True
        node = parent
    return False


def _first_line(node: tree_sitter.Node) -> str:
    return (node.text or b"").split(b"\n", 1)[0].decode("utf-8", "replace")
