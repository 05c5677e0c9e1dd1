"""A block in braces as one of Python: ``if (!x) {``, ``} else if (y) {`` and ``}``."""

from __future__ import annotations

import re

from surefill.repair.edit import KNOWN, Candidate, smallest
from surefill.repair.foreign_operators import operators_in_python
from surefill.repair.foreign_statements import in_python
from surefill.repair.lexer import group_end, lex
from surefill.repair.region import Region
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range
from surefill.syntax.scopes import indent_of, indent_unit

_MOST_LINES = 300
_GOES_ON = re.compile(r"\s*(?:else|catch|finally)\b")
_CONDITION = re.compile(r"(?P<word>if|while|else\s+if|elif)\s*(?=\()")
_EACH = re.compile(
    r"for\s*\(\s*(?:(?:const|let|var|auto)\s+)?(?P<name>[^\W\d]\w*)\s+(?:of|in)\s+(?P<all>.+)\)$"
)
_COUNT = re.compile(
    r"for\s*\(\s*(?:(?:let|var|int|auto)\s+)?(?P<name>[^\W\d]\w*)\s*=\s*(?P<first>[\w.]+)\s*;"
    r"\s*(?P=name)\s*<\s*(?P<last>[^;<>=]+?)\s*;\s*(?:(?P=name)\s*\+\+|\+\+\s*(?P=name))\s*\)$"
)
_CLASS = re.compile(r"class\s+(?P<name>\w+)(?:\s+extends\s+(?P<base>[\w.]+))?$")
_PLAIN = re.compile(r"(?:else|try|finally)$")
_CATCH = re.compile(r"catch\b")
_FUNCTION = re.compile(r"(?:async\s+)?(?:function|func|fn|fun|def)\s+\w+\s*\(")
_PYTHON = re.compile(r"(?:if|elif|while|for|with|except|def|class|async)\b")


def block_in_python(region: Region) -> Candidate | None:
    """The block in braces in which a problem lies; None where that is none, or not understood."""
    snapshot = region.snapshot
    first = _first_line(snapshot, region.span.start.line)
    if first is None:
        return None
    lines = _Block(snapshot, first, region.document).lines()
    if lines is None:
        return None
    written, last = lines
    span = Range(Position(first, 0), Position(last, len(snapshot.line(last))))
    title = f"Write `{written[0].strip()} …`"
    text = region.newline.join(written)
    changed, text = smallest(span, snapshot.text_in(span), text)
    return Candidate(changed, text, title, KNOWN)


def _first_line(snapshot: Snapshot, line: int) -> int | None:
    """The line of the header of the outermost block in braces around a line."""
    if _code(snapshot.line(line)) == "{":
        line -= 1
    if _opens_below(snapshot, line):
        return line
    if _opens(snapshot.line(line)) and not _closes(snapshot.line(line)):
        return line
    if not _closes(snapshot.line(line)):
        return None
    depth = 1
    for number in range(line - 1, max(-1, line - _MOST_LINES), -1):
        text = snapshot.line(number)
        depth += _closes(text) - _opens(text)
        if depth == 0:
            return number if not _closes(text) else None
    return line if _opens(snapshot.line(line)) else None


def _opens_below(snapshot: Snapshot, line: int) -> bool:
    """Whether the brace of a header stands alone in the line below it."""
    code = _code(snapshot.line(line)) if line >= 0 else ""
    return bool(code) and code[-1] not in "{;,=([" and _code(snapshot.line(line + 1)) == "{"


def _opens(line: str) -> bool:
    return _code(line).endswith("{")


def _closes(line: str) -> bool:
    return _code(line).startswith("}")


def _code(line: str) -> str:
    """A line's code, without blanks around it, a comment and the semicolon of a block."""
    tokens = [each for each in lex(line) if each.kind != "comment"]
    for number, token in enumerate(tokens):
        if token.text == "//" and (number == 0 or tokens[number - 1].text in "{};"):
            tokens = tokens[:number]
            break
    return line[tokens[0].start : tokens[-1].end] if tokens else ""


class _Block:
    """Lines of one block, from its header on."""

    def __init__(self, snapshot: Snapshot, first: int, document: str) -> None:
        self._snapshot = snapshot
        self._first = first
        self._document = document
        self._written: list[str] = []

    def lines(self) -> tuple[list[str], int] | None:
        """The block in Python and the number of its last line; None where it has no end."""
        depth = int(_closes(self._snapshot.line(self._first)))
        end = min(self._first + _MOST_LINES, len(self._snapshot.lines))
        below = False
        for number in range(self._first, end):
            line = self._snapshot.line(number)
            depth -= _closes(line)
            if not below and not self._take(line, number):
                return None
            depth += _opens(line)
            below = not _opens(line) and _opens_below(self._snapshot, number)
            if below:
                continue
            if depth == 0 and not _GOES_ON.match(self._snapshot.line(number + 1)):
                return (self._written, number) if number > self._first else None
        return None

    def _take(self, line: str, number: int) -> bool:
        """Write a line down; False where it is not understood."""
        indent, code = indent_of(line), _code(line)
        if _opens_below(self._snapshot, number):
            code += " {"
        if code.startswith("}"):
            self._fill(indent)
            code = code[1:].lstrip().lstrip(";")
            if not code:
                return True
        if _GOES_ON.match(code) and self._written:
            self._fill(indent)
        if not code.endswith("{"):
            self._written.append(indent + self._statement(line.strip()).rstrip())
            return True
        header = header_in_python(code[:-1].rstrip(), self._document)
        if header is None:
            return False
        self._written.append(f"{indent}{header}:")
        return True

    def _statement(self, text: str) -> str:
        translated = in_python(text, self._document)
        return translated[0] if translated else text.rstrip().removesuffix(";")

    def _fill(self, indent: str) -> None:
        """``pass`` in a block that is empty."""
        if self._written and self._written[-1].endswith(":"):
            unit = indent_unit(self._snapshot, self._first)
            self._written.append(f"{indent}{unit}pass")


def header_in_python(header: str, document: str) -> str | None:
    """A block's header without its brace, in Python without its colon; None for others."""
    if _PLAIN.match(header):
        return header
    if match := _CLASS.match(header):
        return f"class {match['name']}" + (f"({match['base']})" if match["base"] else "")
    if _CATCH.match(header) or _FUNCTION.match(header):
        translated = in_python(header, document)
        return translated[0].removesuffix(":") if translated else header
    return _loop_in_python(header, document)


def _loop_in_python(header: str, document: str) -> str | None:
    """A header with a condition, or of a loop."""
    if match := _COUNT.match(header):
        first = "" if match["first"] == "0" else f"{match['first']}, "
        return f"for {match['name']} in range({first}{match['last']})"
    if match := _EACH.match(header):
        return f"for {match['name']} in {operators_in_python(match['all'], document)[0]}"
    if match := _CONDITION.match(header):
        word = "elif" if match["word"] not in ("if", "while") else match["word"]
        test = _without_brackets(header[match.end() :])
        return f"{word} {operators_in_python(test, document)[0]}"
    if _PYTHON.match(header):
        return operators_in_python(header.removesuffix(":"), document)[0]
    return None


def _without_brackets(test: str) -> str:
    tokens = lex(test)
    whole = group_end(tokens, 0) == len(tokens) and tokens[-1].text == ")"
    return test[1:-1].strip() if whole else test
