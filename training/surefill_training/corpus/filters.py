"""Which documents are worth learning from: one function per reason to drop one.

Each reason is counted, so that the manifest can say what was dropped and why.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import tree_sitter

from surefill.syntax.languages import language_for

_GENERATED = re.compile(
    r"(?i)(auto-?generated|generated (by|from|with|code|file)|do not (edit|modify)|@generated)"
)
_PERMISSIVE = re.compile(
    r"(?i)\b(mit|bsd|apache|psf|python software foundation|isc|0bsd|zlib|unlicense|"
    r"public domain|cc0|hpnd|mit-cmu|zpl|zope|bsl-1\.0|boost software|postgresql|"
    r"curl|ncsa|blueoak)\b"
)
_RESTRICTIVE = re.compile(
    # Open at the end: licences are also written GPLv3, LGPL-2.1 or MPLv2.
    r"(?i)(\b[al]?gpl|general public|\bmpl|mozilla|\bepl|proprietary|\bsspl|\beupl|\bcddl|"
    r"commons clause|non[- ]?commercial|\bcc[- ]by[- ](nc|sa|nd)|\bbusl|business source|\belastic|"
    r"\bosl\b|cecill|\bnot\b)"
)
_PART = re.compile(r"\bAND\b|;")
"""Between the licences that hold together, in SPDX expressions and in joined classifiers."""
_RESTRICTIVE_HEADER = re.compile(
    r"(?i)(GNU (Lesser |Affero |Library )?General Public License|Mozilla Public License|"
    r"All rights reserved\.? Proprietary|"
    r"(licensed|released|distributed|available) under (the )?(terms of )?(the )?[AL]?GPL)"
)
_SPDX_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*(.+)")
_HEADER = re.compile(
    r"(?:#![^\n]*\n)?\s*(?P<block>(?:(?:#|--|//)[^\n]*\n|[^\S\n]*\n)+|/\*.*?\*/[^\S\n]*\n"
    r"|<!--.*?-->[^\S\n]*\n)",
    re.DOTALL,
)
_LEGAL = re.compile(r"(?i)copyright|licen[cs]e|all rights reserved|SPDX-")
_VENDORED = frozenset(
    {
        "_vendor",
        "vendor",
        "vendored",
        "_vendored",
        "site-packages",
        "third_party",
        "external",
        "externals",
        "_external",
        "_externals",
        "extern",
        "_extern",
        "_click",
        "node_modules",
    }
)
_COMPILED_FOLDERS = frozenset(
    {"dist", "build", "out", "umd", "esm", "cjs", "es", "bundle", "bundles", "__generated__"}
)
"""In which packages for JavaScript carry what was made from their sources."""
_COMPILED = re.compile(
    r"__esModule|__awaiter\b|__webpack|_interop|\b_jsx[s]?\(|__toESM|__commonJS|__decorate\b"
    r"|sourceMappingURL=|/\*[*]? ?@class|\bvar __\w+ ="
)
_DOCUMENTATION = frozenset({"doc", "docs", "apidoc", "apidocs", "javadoc"})
_SCRIPTS = frozenset({".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx", ".css"})
_MOST_ERRORS: Mapping[str, float] = {"sql": 0.1, "html": 0.02, "c": 0.03, "cpp": 0.03}
"""Share of a text that the grammar may not know, where macros, dialects and templates are usual."""
_FEW_ERRORS = 0.01
_COMMENTS = {
    ".py": ("#",),
    ".sh": ("#",),
    ".bash": ("#",),
    ".sql": ("--",),
    ".html": ("<!--",),
    ".css": ("/*", "* "),
}
"""How lines of comments begin, where it is not as in C."""
_MOST_COMMENTS = 0.7
_HEAD = 2000
"""Characters at a document's start in which generators and licences leave their mark."""


@dataclass(frozen=True)
class Limits:
    """Bounds on a document; sizes in characters."""

    min_chars: int = 200
    max_chars: int = 200_000
    max_line: int = 400
    max_mean_line: float = 90.0
    max_data_share: float = 0.45
    """Largest share of characters that are digits, quotes, commas and the like."""


def without_license_header(text: str) -> str:
    """``text`` less the comment block at its start, where that is about copyright or a licence.

    The same block stands in every file of many packages; a model that learns it suggests it.
    """
    found = _HEADER.match(text)
    if found is None or not _LEGAL.search(found["block"]):
        return text
    return text[: found.start("block")] + text[found.end() :].lstrip("\n")


def is_permissive(license_name: str) -> bool:
    """Whether a licence's name is a permissive one; an unknown licence is not."""
    if _RESTRICTIVE.search(license_name):
        return False
    return all(_PERMISSIVE.search(part) for part in _PART.split(license_name))


def reason_to_drop(path: PurePosixPath, text: str, limits: Limits) -> str | None:
    """Why this document does not belong into the corpus, or None when it does."""
    return next((reason for reason, applies in _REASONS if applies(path, text, limits)), None)


def _is_vendored(path: PurePosixPath, _text: str, _limits: Limits) -> bool:
    return not _VENDORED.isdisjoint(path.parts)


def _is_generated(path: PurePosixPath, text: str, _limits: Limits) -> bool:
    by_name = path.name.endswith(("_pb2.py", "_pb2_grpc.py"))
    return by_name or bool(_GENERATED.search(text[:_HEAD]))


def _is_restricted(_path: PurePosixPath, text: str, _limits: Limits) -> bool:
    head = text[:_HEAD]
    tags = (match.group(1).strip(" #*/->") for match in _SPDX_TAG.finditer(head))
    # A header is wrapped, and each line of it a comment.
    prose = re.sub(r"[\s#*]+", " ", head)
    return bool(_RESTRICTIVE_HEADER.search(prose)) or not all(map(is_permissive, tags))


def _has_long_lines(_path: PurePosixPath, text: str, limits: Limits) -> bool:
    lines = text.split("\n")
    return max(map(len, lines)) > limits.max_line or len(text) / len(lines) > limits.max_mean_line


def _comment_share(path: PurePosixPath, text: str) -> float:
    """Share of non-blank lines that are comments: licences, and code that was switched off."""
    signs = _COMMENTS.get(path.suffix, ("//", "*", "/*"))
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    return sum(line.startswith(signs) for line in lines) / max(1, len(lines))


def _is_compiled(path: PurePosixPath, text: str, _limits: Limits) -> bool:
    """Scripts that a compiler or bundler wrote, and declarations without code."""
    if path.suffix not in _SCRIPTS:
        return False
    by_name = path.name.endswith((".min.js", ".min.css", ".d.ts", ".d.mts"))
    return (
        by_name or not _COMPILED_FOLDERS.isdisjoint(path.parts[:-1]) or bool(_COMPILED.search(text))
    )


def _is_documentation(path: PurePosixPath, _text: str, _limits: Limits) -> bool:
    """Pages of prose, most of them made by a program."""
    return path.suffix == ".html" and not _DOCUMENTATION.isdisjoint(path.parts)


def _does_not_parse(path: PurePosixPath, text: str, _limits: Limits) -> bool:
    """Code of another age or language, templates, and broken files that test suites carry."""
    if path.suffix == ".py":
        return not _python_parses(text)
    language = language_for(None, path.name)
    if language is None:
        return False
    tree = tree_sitter.Parser(language.grammar()).parse(text.encode())
    most = _MOST_ERRORS.get(language.id, _FEW_ERRORS)
    return tree.root_node.has_error and _error_bytes(tree) > most * len(text)


def _python_parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _error_bytes(tree: tree_sitter.Tree) -> int:
    """Bytes of a text that its grammar could not read; a missing sign counts for ten."""
    count = 0
    waiting = [tree.root_node]
    while waiting:
        node = waiting.pop()
        if node.is_error:
            count += node.end_byte - node.start_byte
        elif node.is_missing:
            count += 10
        elif node.has_error:
            waiting += node.children
    return count


def _data_share(text: str) -> float:
    """Share of non-blank characters that data has and prose and code have less of."""
    dense = [c for c in text if not c.isspace()]
    data = sum(c.isdigit() or c in "\"',[]{}\\" or ord(c) > 0x7F for c in dense)
    return data / max(1, len(dense))


_REASONS: tuple[tuple[str, Callable[[PurePosixPath, str, Limits], bool]], ...] = (
    ("too short", lambda _path, text, limits: len(text) < limits.min_chars),
    ("too long", lambda _path, text, limits: len(text) > limits.max_chars),
    ("vendored copy", _is_vendored),
    ("compiled or declarations", _is_compiled),
    ("documentation", _is_documentation),
    ("generated", _is_generated),
    ("restrictive licence header", _is_restricted),
    ("minified or long lines", _has_long_lines),
    ("mostly comments", lambda path, text, _limits: _comment_share(path, text) > _MOST_COMMENTS),
    ("data-like", lambda _path, text, limits: _data_share(text) > limits.max_data_share),
    ("does not parse", _does_not_parse),
)
"""Cheap ones first; the first that applies is the one that is counted."""
