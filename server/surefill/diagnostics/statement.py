"""One Python statement by itself: whether it parses, and if not, what is wrong in which words.

A statement is parsed with the least around it that lets it stand alone, so that an error elsewhere
cannot be blamed on it. It is wrong only where tree-sitter and Python's own parser agree.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from surefill.diagnostics.problem import Cause
from surefill.diagnostics.words import named, shown
from surefill.syntax.languages import Language
from surefill.syntax.parsing import encode, parse

if TYPE_CHECKING:
    import tree_sitter

_LONGEST = 20_000
"""Longer statements are data, and not looked into."""
_NAME = "<surefill>"
# Python's parser warns of odd escapes in what it parses; here nobody asked.
warnings.filterwarnings("ignore", category=SyntaxWarning, module=re.escape(_NAME))
warnings.filterwarnings("ignore", category=DeprecationWarning, module=re.escape(_NAME))

HEADER = re.compile(
    r"(?:async\s+)?(?P<word>class|def|if|elif|else|for|while|with|try|except|finally|match|case)\b"
)
_ALONE = re.compile(r"(?:else|try|finally)\b[ \t]*$")


class Fault(NamedTuple):
    """What is wrong, at ``start`` to ``end`` of the statement's text."""

    cause: Cause
    start: int
    end: int
    message: str
    wanted: str = ""


class StatementParser:
    """Parses statements by themselves. For one thread."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def parses(self, text: str) -> bool:
        """Whether the statement, or a whole block with its header, is right by itself."""
        return self._fitting(text) is not None

    def fault(self, text: str) -> Fault | None:
        """What is wrong with the statement ``text``; None when nothing is."""
        if len(text) > _LONGEST or self.parses(text):
            return None
        if colon := self._colon(text):
            return colon
        before, after = next(iter(_frames(text)))
        tree = parse(self._language, encode(before + text + after))
        if tree is None:
            return None
        fault = _first_fault(tree, before + text + after)
        if fault is None:
            return Fault("unexpected", 0, len(text), "This is not valid Python.")
        last = len(text)
        start = min(max(fault.start - len(before), 0), last - 1)
        return fault._replace(start=start, end=min(max(fault.end - len(before), start + 1), last))

    def _fitting(self, text: str) -> tuple[str, str] | None:
        for before, after in _frames(text):
            whole = before + text + after
            tree = parse(self._language, encode(whole))
            if tree is not None and not tree.root_node.has_error:
                return before, after
            if _refusal(whole) is None:
                return before, after
        return None

    def _colon(self, text: str) -> Fault | None:
        """A header that would be right with a colon behind it, or in front of its body."""
        if HEADER.match(text) is None or text.endswith(":"):
            return None
        for at in _colon_places(text):
            if self.parses(text[:at] + ":" + text[at:]):
                header = shown(text[:at])
                message = f"A colon is missing behind `{header}`."
                last = len(text[:at].rstrip())
                return Fault("colon", max(0, last - 1), last, message, ":")
        return None


def _colon_places(text: str) -> Iterator[int]:
    """Where the colon of a header may belong: at its end, else between two of its words."""
    yield len(text)
    if "\n" not in text:
        for match in re.finditer(r"(?<=[\w)\]}\"'])(?=[ \t]+\S)", text):
            yield match.start()


def _frames(text: str) -> Iterator[tuple[str, str]]:
    """What stands before and behind a statement so that it can stand alone, likeliest first."""
    header = HEADER.match(text)
    word = header["word"] if header else ""
    behind = " pass" if text.endswith(":") else ""
    if text.startswith("@"):
        yield "", "\ndef f(): pass"
        return
    if word in ("elif", "else"):
        yield "if 1: pass\n", behind
        if word == "else":
            yield "try: pass\nexcept E: pass\n", behind
    elif word in ("except", "finally"):
        yield "try: pass\n", behind
    elif word == "try":
        yield "", behind + "\nfinally: pass"
    elif word == "match":
        yield "", "\n case _: pass" if behind else ""
    elif word == "case":
        yield "match x:\n ", behind
    else:
        yield "", behind
    if word in ("match", "case"):
        yield "", ""  # these are names, too


def is_code(text: str) -> bool:
    """Whether Python takes ``text`` as a module's."""
    return _refusal(text) is None


def _refusal(text: str) -> int | None:
    """Where Python's own parser stops in ``text``; None where it does not, -1 if it cannot say.

    It may know syntax that the grammar does not, and it knows the first token that cannot be.
    """
    try:
        compile(text, _NAME, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        lines = text.split("\n")
        if not error.lineno or not error.offset or not 0 < error.lineno <= len(lines):
            return -1
        return sum(len(line) + 1 for line in lines[: error.lineno - 1]) + error.offset - 1
    except (ValueError, RecursionError, MemoryError):
        return -1
    return None


_SYMBOLS = re.compile(r"\w+|[^\w\s]")
_KEYWORD = re.compile(
    r"(?:False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except"
    r"|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while"
    r"|with|yield)$"
)
_OPERATOR_END = re.compile(r"(?:[-+*/%@&|^~<>=!.,]|\b(?:and|or|not|in|is))$")


def _first_fault(tree: tree_sitter.Tree, text: str) -> Fault | None:
    """The first ERROR or MISSING node in words; offsets are those of ``text``."""
    source = encode(text)
    node = _first_error(tree.root_node)
    if node is None:
        return None

    def offset(byte: int) -> int:
        return len(source[:byte].decode("utf-8", "replace"))

    if node.is_missing:
        return _missing(text, offset(node.start_byte), node.type)
    stopped = _refusal(text)
    # Either may point to the beginning of what it could not read instead of to where it stopped.
    return _unexpected(text, max(offset(node.start_byte), -1 if stopped is None else stopped))


def _first_error(root: tree_sitter.Node) -> tree_sitter.Node | None:
    """The innermost of the first erroneous nodes."""
    found = None
    node: tree_sitter.Node | None = root
    while node is not None:
        found = node if node.is_error or node.is_missing else found
        node = next((each for each in node.children if _is_faulty(each)), None)
    return found


def _is_faulty(node: tree_sitter.Node) -> bool:
    return node.has_error or node.is_error or node.is_missing


def _missing(text: str, at: int, kind: str) -> Fault:
    before = text[:at].rstrip()
    symbol = _last_symbol(before) if before else ""
    behind = f" behind `{shown(symbol)}`" if symbol else ""
    message = f"{named(kind)} is missing{behind}."
    start = len(before) - len(symbol)
    return Fault("missing", start, len(before), message, kind if len(kind) < 3 else "")


def _unexpected(text: str, at: int) -> Fault:
    """``text`` is right up to ``at``, and nothing that begins so goes on as it does."""
    before, code = text[:at].rstrip(), text.rstrip()
    found = _SYMBOLS.search(text, at)
    if found is None or (found.group() == "pass" and found.end() >= len(code) > len(before)):
        symbol = _last_symbol(before or code)
        end = len(before or code)
        message = f"Something is missing behind `{symbol}`."
        return Fault("missing", end - len(symbol), end, message)
    symbol, (start, end) = found.group(), found.span()
    last = _last_symbol(before) if before else ""
    if symbol == "=" and text[start : start + 2] != "==":
        if _KEYWORD.match(last):
            message = f"`{last}` is a keyword and cannot be a name."
            at = len(before) - len(last)
            return Fault("unexpected", at, len(before), message)
        message = "`=` cannot stand here: it assigns, and `==` compares."
        return Fault("unexpected", start, end, message, "==")
    if before and _OPERATOR_END.search(before) and not _is_operand(symbol):
        message = f"Something is missing between `{last}` and `{symbol}`."
    elif _KEYWORD.match(symbol):
        message = f"The keyword `{symbol}` cannot stand here."
    elif _is_operand(symbol) and before:
        message = f"`{shown(symbol)}` cannot follow `{last}`: something is missing in between."
    else:
        message = f"`{shown(symbol)}` is not expected here."
    return Fault("unexpected", start, end, message)


def _is_operand(symbol: str) -> bool:
    """Whether ``symbol`` begins a name, a number or a string."""
    return not _KEYWORD.match(symbol) and (symbol[0].isalnum() or symbol[0] in "_\"'")


def _last_symbol(text: str) -> str:
    symbols = _SYMBOLS.findall(text[-200:])
    return symbols[-1] if symbols else text[-1:]
