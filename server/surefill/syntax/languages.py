"""The languages Surefill knows: names, file extensions, grammars and lexical facts, as data.

Knows nothing of documents. Grammars are imported on first use, because all twelve together cost
more than the server may take to start.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from surefill.errors import LanguageError

if TYPE_CHECKING:
    import tree_sitter

Blocks = Literal["indent", "braces", "none"]
"""How a language marks a block: by indentation, by braces, or not at all."""

INDENTED_HEADER = re.compile(
    r"\s*(async\s|class\b|def\b|if\b|elif\b|else\b|for\b|while\b|with\b|try\b|except\b|finally\b"
    r"|match\b|case\b)"
)
"""A line that opens an indented block when it ends with a colon."""


@dataclass(frozen=True)
class Language:
    """One language.

    ``probe`` is the smallest body that completes an unfinished header line. ``header`` matches the
    first line of a class, function or module-like scope, ``imports`` a line that imports.
    ``quotes`` are the delimiters of strings, longest first; those in ``multiline`` may span lines.
    """

    id: str
    grammar_module: str
    grammar_factory: str = "language"
    aliases: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    line_comment: str = ""
    block_comment: tuple[str, str] | None = None
    blocks: Blocks = "braces"
    probe: str = ""
    quotes: tuple[str, ...] = ('"',)
    multiline: tuple[str, ...] = ()
    header: str = ""
    imports: str = ""
    terminator: str = ""
    """What ends a complete statement, where the language has such a character."""
    openers: str = ""
    """Pattern of a line's end that opens a block, where neither ``:`` nor ``{`` says it."""
    indent: str = "    "
    """The usual indentation, for files that do not show their own."""
    brackets: bool = True
    """Whether brackets come in pairs; in a markup language's text they need not."""

    def grammar(self) -> tree_sitter.Language:
        """The tree-sitter grammar; raises LanguageError when it cannot be loaded."""
        return _load_grammar(self.grammar_module, self.grammar_factory)

    def is_header(self, line: str) -> bool:
        """Whether ``line`` begins a class, a function or the like."""
        return bool(self.header) and _compiled(self.header).match(line) is not None

    def is_import(self, line: str) -> bool:
        """Whether ``line`` begins an import or include."""
        return bool(self.imports) and _compiled(self.imports).match(line) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@functools.cache
def _load_grammar(module: str, factory: str) -> tree_sitter.Language:
    try:
        import tree_sitter

        return tree_sitter.Language(getattr(importlib.import_module(module), factory)())
    except (ImportError, AttributeError, ValueError) as error:
        raise LanguageError(
            f"The grammar {module} cannot be loaded ({error}).",
            f"Install it with: pip install {module.replace('_', '-')}",
        ) from error


_C_COMMENT = ("/*", "*/")
_ECMASCRIPT_HEADER = (
    r"\s*(export\s+)?(default\s+)?(declare\s+)?(abstract\s+)?(async\s+)?"
    r"(class|function|interface|namespace|enum)\b"
    r"|\s*(export\s+)?(const|let|var)\s+\w+\s*=.*(=>\s*\{|function\b)"
    r"|\s*((public|private|protected|static|async|readonly|get|set)\s+)*"
    r"(?!(if|for|while|switch|catch|with|return)\b)[\w$#]+\s*\([^)]*\)[^;]*\{\s*$"
)
_ECMASCRIPT_IMPORT = r"\s*(import\b|export\s.*\bfrom\b|(const|let|var)\s.*\brequire\s*\()"
_C_HEADER = (
    r"\s*(typedef\s+)?(struct|class|union|enum|namespace|template)\b(?!.*;\s*$)"
    r"|(?!\s*(if|for|while|switch|else|do|return|case)\b)\s*[\w:<>,*&~\s\[\]]+\([^;]*$"
)
_JAVA_HEADER = (
    r"\s*((public|private|protected|static|final|abstract|sealed|default|synchronized)\s+)*"
    r"(class|interface|enum|record|@interface)\b"
    r"|(?!\s*(if|for|while|switch|else|do|return|try|catch|new)\b)"
    r"\s*[\w<>,.\[\]?\s]+\([^;]*\{?\s*$"
)

LANGUAGES: tuple[Language, ...] = (
    Language(
        id="python",
        grammar_module="tree_sitter_python",
        extensions=(".py", ".pyi", ".pyw"),
        line_comment="#",
        blocks="indent",
        probe="raise",  # as "pass" would not, it satisfies every return type
        quotes=('"""', "'''", '"', "'"),
        multiline=('"""', "'''"),
        header=r"\s*(class|def|async\s+def)\b",
        imports=r"(import|from)\s",
    ),
    Language(
        id="javascript",
        indent="  ",
        grammar_module="tree_sitter_javascript",
        aliases=("javascriptreact", "jsx"),
        extensions=(".js", ".jsx", ".mjs", ".cjs"),
        line_comment="//",
        block_comment=_C_COMMENT,
        quotes=("`", '"', "'"),
        multiline=("`",),
        header=_ECMASCRIPT_HEADER,
        imports=_ECMASCRIPT_IMPORT,
        terminator=";",
    ),
    Language(
        id="typescript",
        indent="  ",
        grammar_module="tree_sitter_typescript",
        grammar_factory="language_typescript",
        extensions=(".ts", ".mts", ".cts"),
        line_comment="//",
        block_comment=_C_COMMENT,
        quotes=("`", '"', "'"),
        multiline=("`",),
        header=_ECMASCRIPT_HEADER,
        imports=_ECMASCRIPT_IMPORT,
        terminator=";",
    ),
    Language(
        id="typescriptreact",
        indent="  ",
        grammar_module="tree_sitter_typescript",
        grammar_factory="language_tsx",
        aliases=("tsx",),
        extensions=(".tsx",),
        line_comment="//",
        block_comment=_C_COMMENT,
        quotes=("`", '"', "'"),
        multiline=("`",),
        header=_ECMASCRIPT_HEADER,
        imports=_ECMASCRIPT_IMPORT,
        terminator=";",
    ),
    Language(
        id="sql",
        grammar_module="tree_sitter_sql",
        extensions=(".sql",),
        line_comment="--",
        block_comment=_C_COMMENT,
        blocks="none",
        quotes=("'", '"', "`"),
        multiline=("'",),
        header=r"(?i)\s*create\b",
        terminator=";",
    ),
    Language(
        id="go",
        indent="\t",
        grammar_module="tree_sitter_go",
        extensions=(".go",),
        line_comment="//",
        block_comment=_C_COMMENT,
        quotes=("`", '"', "'"),
        multiline=("`",),
        header=r"\s*(func|type)\b",
        imports=r"(package|import)\b",
    ),
    Language(
        id="java",
        grammar_module="tree_sitter_java",
        extensions=(".java",),
        line_comment="//",
        block_comment=_C_COMMENT,
        quotes=('"""', '"', "'"),
        multiline=('"""',),
        header=_JAVA_HEADER,
        imports=r"(package|import)\s",
        terminator=";",
    ),
    Language(
        id="rust",
        grammar_module="tree_sitter_rust",
        extensions=(".rs",),
        line_comment="//",
        block_comment=_C_COMMENT,
        quotes=('"',),
        multiline=('"',),
        header=(
            r"\s*(pub(\([^)]*\))?\s+)?(default\s+)?(const\s+)?(async\s+)?(unsafe\s+)?"
            r"(fn|struct|enum|impl|trait|mod|union)\b"
        ),
        imports=r"(pub\s+)?(use|extern\s+crate|mod)\s.*[;{]\s*$",
        terminator=";",
    ),
    Language(
        id="c",
        grammar_module="tree_sitter_c",
        extensions=(".c", ".h"),
        line_comment="//",
        block_comment=_C_COMMENT,
        quotes=('"', "'"),
        header=_C_HEADER,
        imports=r"#\s*include\b",
        terminator=";",
    ),
    Language(
        id="cpp",
        grammar_module="tree_sitter_cpp",
        aliases=("c++", "cuda-cpp"),
        extensions=(".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx", ".cu"),
        line_comment="//",
        block_comment=_C_COMMENT,
        quotes=('"', "'"),
        header=_C_HEADER,
        imports=r"(#\s*include\b|using\s)",
        terminator=";",
    ),
    Language(
        id="json",
        indent="  ",
        grammar_module="tree_sitter_json",
        aliases=("jsonc",),
        extensions=(".json", ".jsonc"),
        line_comment="//",
        block_comment=_C_COMMENT,
        quotes=('"',),
    ),
    Language(
        id="html",
        indent="  ",
        grammar_module="tree_sitter_html",
        extensions=(".html", ".htm", ".xhtml"),
        block_comment=("<!--", "-->"),
        brackets=False,
        blocks="none",
        quotes=('"',),
    ),
    Language(
        id="bash",
        grammar_module="tree_sitter_bash",
        aliases=("shellscript", "sh", "zsh"),
        extensions=(".sh", ".bash", ".zsh", ".bashrc", ".profile"),
        line_comment="#",
        blocks="none",
        probe=":",
        openers=r"(\b(then|do|else|in)|\{)\s*$",
        quotes=('"', "'"),
        multiline=('"', "'"),
        header=r"\s*(function\s+\w+|[\w-]+\s*\(\s*\))",
        imports=r"(source|\.)\s",
    ),
)

_BY_ID = {name: language for language in LANGUAGES for name in (language.id, *language.aliases)}
_BY_EXTENSION = {suffix: language for language in LANGUAGES for suffix in language.extensions}


def language_for(language_id: str | None, path: str | None) -> Language | None:
    """The language an editor names, or else the one the file name suggests, or None."""
    if language_id and (named := _BY_ID.get(language_id.lower())):
        return named
    if not path:
        return None
    name = PurePath(path).name.lower()
    return _BY_EXTENSION.get(PurePath(name).suffix or name)


def ids_of(names: Iterable[str]) -> frozenset[str]:
    """The ids of languages that are named by id or alias; those not known keep their names."""
    return frozenset(
        known.id if (known := language_for(name, None)) else name.lower() for name in names
    )
