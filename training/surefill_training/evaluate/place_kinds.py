"""The kinds of places that people wait at while they write, and the rules that find them.

Each rule yields spans from the cursor to the end of what is missing. The rules are the same in all
languages and speak of tokens; what a language lacks, as HTML assignments, it has no places of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from surefill_training.evaluate.program_source import ProgramSource, Token

Kind = Literal[
    "line_start",
    "after_dot",
    "after_assign",
    "call_arguments",
    "after_return",
    "block_header",
    "body",
    "import_line",
    "comment_to_code",
]
Span = tuple[int, int]

MOST_LINES = 12
"""Of a block that is missing: a longer one nobody hopes to get at once."""

_MEMBERS = {".", "->", "?.", "::"}
_ASSIGNMENTS = {"=", ":=", "+=", "-=", "<-", "keyword_set"}
_PARAMETERS = re.compile("parameter|keyword_argument|attribute|comparison|binary_expression")
_CALLS = re.compile("argument|invocation|call|token_tree")
_HEADERS = re.compile(
    r"if|elif|for|while|with|except|class|def|case|match|switch|catch|func|function|fn|struct|enum"
    r"|impl|interface|trait|type|keyword_(from|where|join|by|having|into|update|values|on|table)"
)
_NO_HEADERS = re.compile("conditional_expression|in_clause|if_clause|ternary")
_BEFORE_HEADER = re.compile(r"[\s}]*(\w+(\([^)]*\))?\s+)*")
_IMPORT_WORD = re.compile(
    r"(?<![\w.])(import(?:\s+static|\s+type)?|from|use|using|#\s*include|source|require\()\s*"
    r"(?=[^\s;])"
)
_STYLE_VALUE = re.compile(r"^[ \t]+[\w-]+: (?=\S)", re.MULTILINE)
_COLON_IS_NO_BLOCK = re.compile("dict|pair|slice|lambda|type|annotation")
_OPENERS = {"{", "then", "do", "else"}
_ENDS = {"}", "};", ");", "fi", "done"}
"""What a line under a block holds that belongs to it."""


def begins_word(text: str, offset: int) -> bool:
    """Whether ``offset`` is between two characters of one word."""
    around = text[offset - 1 : offset + 1] if offset else ""
    return len(around) == 2 and all(each.isalnum() or each == "_" for each in around)


def _line_starts(source: ProgramSource) -> Iterator[Span]:
    """Whole statements of one line that neither begin a block nor stand under a comment."""
    for number in range(1, len(source.lines)):
        above = _line_above(source, number)
        if above is None or _opens_block(source, above) or _is_comment(source, number - 1):
            continue
        if _opens_block(source, number):
            continue
        if _is_code(source, number) and _is_complete(source, number):
            yield _line(source, number)


def _after_dots(source: ProgramSource) -> Iterator[Span]:
    for token in source.code():
        before, after = _around(source, token)
        owned = before.isalnum() or before in "_)]}"
        if token.type in _MEMBERS and owned and (after.isalpha() or after == "_"):
            yield from _rest(source, token.end)


def _after_assignments(source: ProgramSource) -> Iterator[Span]:
    for token in source.code():
        if token.type not in _ASSIGNMENTS or _PARAMETERS.search(token.parent):
            continue
        spaced = source.text[token.end : token.end + 1] == " "
        if spaced or token.parent == "variable_assignment":  # of a shell, which has no spaces
            yield from _rest(source, token.end + spaced)
    if source.language is not None and source.language.id == "html":
        for found in _STYLE_VALUE.finditer(source.text):
            if _in_raw_text(source, found.end()):
                yield from _rest(source, found.end())


def _call_arguments(source: ProgramSource) -> Iterator[Span]:
    for token in source.code():
        before, after = _around(source, token)
        called = (before.isalnum() or before in "_>!") and after != ")"
        if token.type == "(" and called and _CALLS.search(token.parent):
            yield from _rest(source, token.end)


def _after_returns(source: ProgramSource) -> Iterator[Span]:
    for token in source.code():
        if token.type == "return" and source.text[token.end : token.end + 1] == " ":
            yield from _rest(source, token.end + 1)


def _block_headers(source: ProgramSource) -> Iterator[Span]:
    """After the word that begins a header, and after its bracket where a condition needs one."""
    for token in source.code():
        if token.type == "<" and token.parent == "start_tag":
            yield from _rest(source, token.end)
        if not _HEADERS.fullmatch(token.type) or _NO_HEADERS.search(token.parent):
            continue
        line = source.text[source.line_start(token.start) : token.start]
        keyword = token.type.startswith("keyword_")
        if source.text[token.end : token.end + 1] == " " and (
            keyword or _BEFORE_HEADER.fullmatch(line)
        ):
            bracket = source.text[token.end + 1] == "(" and not keyword
            yield from _rest(source, token.end + 1 + bracket)


def _bodies(source: ProgramSource) -> Iterator[Span]:
    """The block under a header, without its docstring and the line that closes it."""
    for number in range(len(source.lines) - 1):
        if not _opens_block(source, number):
            continue
        block = _block(source, number)
        if block is None:
            continue
        first, last = block
        token = source.first_token(first)
        if token is not None and token.string and token.parent == "expression_statement":
            first = source.line_of(token.end) + 1
        if first > last or not _is_code(source, first):
            continue
        yield _line(source, first)[0], _line(source, last)[1]


def _import_lines(source: ProgramSource) -> Iterator[Span]:
    for number, line in enumerate(source.lines):
        if _is_import(source, number):
            start = source.line_start(source.code_start(number))
            for found in _IMPORT_WORD.finditer(line):
                yield from _rest(source, start + found.end(), imports=True)


def _code_under_comments(source: ProgramSource) -> Iterator[Span]:
    """The line under a comment, with its block where it begins one."""
    for number in range(1, len(source.lines)):
        if not _is_comment(source, number - 1) or not _is_code(source, number):
            continue
        if not _opens_block(source, number):
            if _is_complete(source, number):
                yield _line(source, number)
        elif block := _block(source, number):
            last = block[1]
            under = source.lines[min(last + 1, len(source.lines) - 1)].strip()
            if under in _ENDS or under.startswith("</"):
                last += 1
            if source.indent(number) <= source.indent(last):
                yield _line(source, number)[0], _line(source, last)[1]


FINDERS: Mapping[Kind, Callable[[ProgramSource], Iterator[Span]]] = {
    "line_start": _line_starts,
    "after_dot": _after_dots,
    "after_assign": _after_assignments,
    "call_arguments": _call_arguments,
    "after_return": _after_returns,
    "block_header": _block_headers,
    "body": _bodies,
    "import_line": _import_lines,
    "comment_to_code": _code_under_comments,
}


def _rest(source: ProgramSource, start: int, *, imports: bool = False) -> Iterator[Span]:
    """The rest of a line, where its brackets are closed on it; imports have a kind of their own."""
    end = source.line_end(start)
    number = source.line_of(start)
    if not source.left_open(start, end) and _is_import(source, number) == imports:
        yield start, end


def _around(source: ProgramSource, token: Token) -> tuple[str, str]:
    """The characters before and after a token; a blank where there is none."""
    text = source.text
    before = text[token.start - 1] if token.start else " "
    return before, text[token.end] if token.end < len(text) else " "


def _line(source: ProgramSource, number: int) -> Span:
    start = source.code_start(number)
    return start, source.line_end(start)


def _line_above(source: ProgramSource, number: int) -> int | None:
    """The nearest line above that is not blank."""
    return next((n for n in range(number - 1, -1, -1) if source.lines[n].strip()), None)


def _is_import(source: ProgramSource, number: int) -> bool:
    language = source.language
    return language is not None and language.is_import(source.lines[number])


def _is_comment(source: ProgramSource, number: int) -> bool:
    """Whether a comment ends the line, and nothing else is on it."""
    end = source.line_end(source.code_start(number))
    if not source.lines[number].strip() or source.code_in(number):
        return False
    return any(
        token.comment and source.line_of(token.end) == number
        for token in source.tokens_in(0, end)[-1:]
    )


def _is_code(source: ProgramSource, number: int) -> bool:
    """Whether the line begins with code that is no import, bracket or end of something."""
    start = source.code_start(number)
    if not source.lines[number].strip() or _is_import(source, number):
        return False
    if source.text[start] in ")]}" or source.text.startswith("</", start):
        return False
    if _in_raw_text(source, start):
        return source.text[start] not in "/*<"
    token = source.first_token(number)
    return token is not None and not token.comment and not token.string


def _is_complete(source: ProgramSource, number: int) -> bool:
    """Whether something ends with the line that began with it."""
    start = source.code_start(number)
    if _in_raw_text(source, start):
        return source.lines[number].rstrip().endswith(";")
    code = source.code_in(number)
    if not code:
        return False
    ends = {code[-1].end} if code[-1].end <= source.line_end(start) else set()
    if code[-1].type in {";", ","} and len(code) > 1:
        ends.add(code[-2].end)
    return any(end in ends for end in source.nodes.get(start, ()))


def _opens_block(source: ProgramSource, number: int) -> bool:
    """Whether the line ends with what opens a block."""
    code = source.code_in(number)
    if not code:
        return False
    last: Token = code[-1]
    language = source.language.id if source.language else ""
    if language == "python":
        return last.type == ":" and not _COLON_IS_NO_BLOCK.search(last.parent)
    if language == "html":
        return last.type == ">" and last.parent == "start_tag"
    return last.type in _OPENERS or (language == "sql" and last.type == "(")


def _block(source: ProgramSource, number: int) -> tuple[int, int] | None:
    """First and last line of what stands deeper than line ``number``, if it is not too long."""
    first, last = None, number
    for below in range(number + 1, min(number + 2 + MOST_LINES, len(source.lines))):
        if not source.lines[below].strip():
            continue
        if source.indent(below) <= source.indent(number):
            break
        first, last = below if first is None else first, below
    else:
        if first is not None and last - first + 1 > MOST_LINES:
            return None
    return None if first is None else (first, last)


def _in_raw_text(source: ProgramSource, offset: int) -> bool:
    """Whether ``offset`` is in a style or script of a page, which its grammar does not read."""
    return any(
        token.type == "raw_text" and token.start <= offset < token.end for token in source.tokens
    )
