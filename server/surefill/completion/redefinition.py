"""Definitions that the scope has already: a function, a class or a route suggested once more."""

from __future__ import annotations

import re
from collections.abc import Iterator

from surefill.completion.written import Written
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import Language

_ECMASCRIPT = re.compile(
    r"\s*(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?"
    r"(?:(?P<kind>class|function\*?|interface|enum|const|let|type)\s+(?P<name>[\w$]+))"
)
_ECMASCRIPT_METHOD = re.compile(
    r"\s*(?P<kind>(?:(?:public|private|protected|static|async|readonly|get|set|override)\s+)*)"
    r"(?!(?:if|for|while|switch|catch|with|return|function|do|else)\b)(?P<name>[\w$#]+)"
    r"\s*\([^()]*\)\s*(?::[^;{]*)?\{$"
)
_BY_NAME = {
    "python": (re.compile(r"\s*(?:async\s+)?(?P<kind>def|class)\s+(?P<name>\w+)"),),
    "javascript": (_ECMASCRIPT, _ECMASCRIPT_METHOD),
    "typescript": (_ECMASCRIPT, _ECMASCRIPT_METHOD),
    "typescriptreact": (_ECMASCRIPT, _ECMASCRIPT_METHOD),
    "go": (
        re.compile(
            r"(?P<kind>func|type)\s+(?:\(\s*(?:\w+\s+)?\*?(?P<of>\w+)[^)]*\)\s*)?(?P<name>\w+)"
        ),
        re.compile(r"\s*(?P<name>\w+)(?P<kind>)\s*:="),
    ),
    "rust": (
        re.compile(
            r"\s*(?:pub(?:\([^)]*\))?\s+)?(?:default\s+)?(?:const\s+)?(?:async\s+)?(?:unsafe\s+)?"
            r"(?P<kind>fn|struct|enum|trait|mod|union|type)\s+(?P<name>\w+)"
        ),
    ),
    "bash": (re.compile(r"\s*(?:(?P<kind>function)\s+)?(?P<name>[\w-]+)\s*(?:\(\s*\)|\{$)"),),
    "sql": (
        re.compile(
            r"(?i)\s*create\s+(?:or\s+replace\s+)?(?:unique\s+|temp\w*\s+)?"
            r"(?P<kind>table|view|index|function|procedure|trigger|type)\s+"
            r"(?:if\s+not\s+exists\s+)?(?P<name>[\w.\"`]+)"
        ),
    ),
}
"""Languages in which one name has one definition in a scope."""

_BY_SIGNATURE = frozenset({"java", "c", "cpp"})
"""Languages in which parameters tell definitions apart, too."""

_NAMED_FREELY = frozenset({"_", "init"})
"""Names that any number of definitions may have: Python's ``_`` and Go's ``init``."""

_SEVERAL_OF_A_NAME = re.compile(
    r"\s*@(.*\b(overload|setter|getter|deleter|register|dispatch|multimethod|when|singledispatch"
    r"|expression|comparator)\b)"
    r"|\s*#\[cfg"
)
"""Decorators and attributes with which one name is rightly defined several times."""

_SIGNATURE = re.compile(
    r"\s*(?!return\b|else\b|new\b|template\b|namespace\b|extern\b|typedef\b)"
    r"(?:(?:[\w:<>,*&~\[\]?]+\s+)+[*&]*[\w:~]+\s*\([^;=]*|"
    r"(?:[\w@]+\s+)*(?:class|struct|enum|union|interface|record)\s+\w[^;=]*)[{)]$"
)
"""Of a type and a name: what looks as a call of a macro is none."""

_VARIABLE = re.compile(
    r"\s*(?:(?:final|const|static)\s+)*(?!(?:return|throw|else|goto|using|typedef)\b)"
    r"[\w:.]+(?:<[^=;]*>)?(?:\[\])*(?:\s*[*&]+\s*|\s+)(?P<name>\w+)\s*=(?!=)"
)
"""A declaration with a type and a value."""

_CONDITION = re.compile(r"\s*#\s*(if|ifdef|ifndef|else|elif|endif)\b|(?i:\s*drop\b)")
"""Of a preprocessor, or of SQL, where a name is free again."""

_ROUTE_DECORATOR = re.compile(r"""\s*@\s*[\w.]+\(\s*(path\s*=\s*|value\s*=\s*)?["']/""")
_ROUTE_CALL = re.compile(
    r"""\s*(?P<call>[\w.]+\.(?:get|post|put|patch|delete|all|route|GET|POST|PUT|PATCH|DELETE"""
    r"""|HandleFunc|Handle))\(\s*(?P<path>["'`]/[^"'`]*["'`])\s*,\s*"""
    r"""(?:async\b|function\b|func\b|\(|[\w.]+\s*(?:\)|,|=>))"""
)


def first_redefinition(written: Written) -> int | None:
    """Index of the first suggested line that defines what its scope has; None where none does.

    It is that of the first decorator or attribute where the definition has some.
    """
    for at in written.suggested:
        key = _key(written.lines[at], written.language)
        if key is None or (at == written.first and _key(written.prefix, written.language) == key):
            continue  # the user has named it
        if _again(written, at, key):
            return _start(written, at)
    return None


def _key(line: str, language: Language | None) -> tuple[str, ...] | None:
    """What a line defines: equal for two that may not stand in one scope; None for other lines."""
    if _ROUTE_DECORATOR.match(line):
        return ("route", line.strip())
    if route := _ROUTE_CALL.match(line):
        return ("route", route["call"], route["path"])
    if language is None:
        found = re.match(r"\s*((local\s+)?function|def|func|fun|fn|sub)\s+\w", line)
        return ("whole", line.strip()) if found else None
    if language.id in _BY_SIGNATURE:
        return _signature(line, language)
    for pattern in _BY_NAME.get(language.id, ()):
        if found := pattern.match(line):
            return _named(found, line)
    return None


def _named(found: re.Match[str], line: str) -> tuple[str, ...] | None:
    parts = found.groupdict()
    if parts["name"] in _NAMED_FREELY:
        return None
    kind = parts["kind"] or ""
    if kind in ("const", "let") and not re.match(r"\s*[:=]", line[found.end() :]):
        return None
    if line.rstrip().endswith(";") and kind == "function":
        return ("signature", " ".join(line.split()))  # TypeScript's overloads have no body
    # TypeScript's types have names of their own; accessors come in pairs.
    accessor = " ".join(re.findall(r"\b(?:get|set|static|type|interface)\b", kind))
    return ("name", parts.get("of") or "", accessor, parts["name"])


def _signature(line: str, language: Language) -> tuple[str, ...] | None:
    if variable := _VARIABLE.match(line):
        return ("variable", variable["name"])
    if not language.is_header(line) or not _SIGNATURE.match(line.rstrip()):
        return None
    return ("signature", " ".join(line.rstrip(" {").split()))


def _again(written: Written, at: int, key: tuple[str, ...]) -> bool:
    if _may_be_several(written.lines, at):
        return False
    others = (
        *_defined(written.siblings_above(at), written),
        *_defined_below(written, at),
    )
    return any(other == key for other in others)


def _defined(indices: Iterator[int], written: Written) -> Iterator[tuple[str, ...]]:
    """What the lines at ``indices``, nearest first, define in the scope that they share."""
    for index in indices:
        line = written.lines[index]
        if _CONDITION.match(line) and not _is_python(written.language):
            return
        key = _key(line, written.language)
        if key is not None and not _may_be_several(written.lines, index):
            yield key


def _defined_below(written: Written, at: int) -> Iterator[tuple[str, ...]]:
    seen: list[str] = []
    for line in written.siblings_below(at):
        if _CONDITION.match(line) and not _is_python(written.language):
            return
        seen.append(line)
        key = _key(line, written.language)
        if key is not None and not _may_be_several(seen, len(seen) - 1):
            yield key


def _is_python(language: Language | None) -> bool:
    return language is not None and language.id == "python"


def _may_be_several(lines: tuple[str, ...] | list[str], at: int) -> bool:
    """Whether a decorator or attribute of the definition at ``at`` says so."""
    return any(_SEVERAL_OF_A_NAME.match(lines[index]) for index in _decorators(lines, at))


def _decorators(lines: tuple[str, ...] | list[str], at: int) -> Iterator[int]:
    """Indices of the lines of decorators or attributes right before ``at``, nearest first."""
    width = indent_width(lines[at])
    index = at - 1
    while index >= 0 and indent_width(lines[index]) >= width:
        line = lines[index].lstrip()
        if indent_width(lines[index]) == width:
            if line.startswith(("@", "#[")):
                yield index
            elif not line.startswith((")", "]", "}")):
                return
        index -= 1


def _start(written: Written, at: int) -> int:
    suggested = [index for index in _decorators(written.lines, at) if index >= written.first]
    return min(suggested, default=at)
