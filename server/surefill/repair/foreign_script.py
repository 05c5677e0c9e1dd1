"""JavaScript and TypeScript in the spelling of Python: ``and``, ``not x``, ``None``, ``elif`` …"""

from __future__ import annotations

import re
from collections.abc import Iterator

from surefill.repair.edit import Candidate
from surefill.repair.foreign import replacement, title
from surefill.repair.lexer import Token, group_end, lex, without_text
from surefill.repair.region import Region

_WORDS = {"and": "&&", "or": "||"}
CONSTANTS = {"None": "null", "True": "true", "False": "false"}
_ENDS_NEGATION = frozenset(["and", "or", ",", ";", "{", "?", ":", "&&", "||", ")", "]", "}"])
_BEFORE_STATEMENT = frozenset(["", ")", "{", "}", ";", "else"])
_ELIF = re.compile(r"(?P<before>\s*(?:\}\s*)?)elif\b\s*(?P<test>.*?)\s*(?P<end>\{?\s*)$")
_CONDITION = re.compile(
    r"(?P<before>\s*(?:\}\s*(?:else\s+)?)?(?:if|while))\s+(?P<test>[^(\s].*?)\s*\{\s*$"
)
_EACH = re.compile(r"(?P<before>\s*)for\s+(?P<name>\w+)\s+in\s+(?P<all>[^{]+?)\s*\{\s*$")
_DEF = re.compile(r"(?P<before>\s*(?:export\s+)?(?:async\s+)?)def(?=\s+\w+\s*\()")
_EXCEPT = re.compile(
    r"(?P<before>\s*(?:\}\s*)?)except\b\s*(?:\(\s*(?P<name>\w+)\s*\)|(?P<all>\w+\s+as\s+)?(?P<plain>\w+))?"
)
_TYPED_EXCEPT = re.compile(r"\bexcept\s+\w")
_CHOICE = re.compile(
    r"(?P<head>.*?(?:=|\breturn)\s+)(?P<yes>[^=;]+?)\s+if\s+(?P<test>.+?)\s+else\s+(?P<no>[^;]+?)(?P<end>;?)$"
)
_LAMBDA = re.compile(r"\blambda\b\s*(?P<names>[\w, ]*):\s*")
_FORMAT = re.compile(r"(?<!\w)f(?P<quote>[\"'])(?P<text>[^\"'`\\\n]*)(?P=quote)")
_FOREIGN = re.compile(
    r"\b(?:and|or|not|elif|lambda)\b|^\s*(?:export\s+)?(?:async\s+)?def\s+\w|^\s*#|^\s*raise\s"
    r"|(?:^|\})\s*except\b|(?:=|return)\s.*\sif\s.*\selse\s|\bis\s+(?:not\s+)?\w|^\s*for\s+\w+\s+in\b"
)


def is_foreign(region: Region) -> bool:
    """Whether a statement has Python's spelling anywhere."""
    return _FOREIGN.search(_bare(region.code)) is not None


def foreign_candidates(region: Region) -> Iterator[Candidate]:
    """The lines of a syntax problem in the language's own spelling."""
    code = region.code
    done: list[tuple[str, str]] = []
    certain = _TYPED_EXCEPT.search(code) is None  # which catches less than what there is for it
    text = "\n".join(_line(line, done) for line in code.split("\n"))
    if done and text != code:
        yield replacement(region.span, code, text, title(done, text), certain=certain)


def _bare(code: str) -> str:
    """Code without its strings and comments; what ``#`` begins is a comment of Python's."""
    if code.lstrip().startswith("#"):
        return code
    return "\n".join(_divided(line)[0] for line in without_text(code).split("\n"))


def _divided(line: str) -> tuple[str, str]:
    """A line's code and the comment at its end."""
    for token in lex(line):
        if token.text == "//" or line.startswith("/*", token.start):
            return line[: token.start], line[token.start :]
    return line, ""


def _line(line: str, done: list[tuple[str, str]]) -> str:
    code, rest = _divided(line)
    comment = _comment(code)
    if comment >= 0:
        done.append(("#", "//"))
        code, rest = line[:comment], "//" + line[comment + 1 :]
    if not code.strip():
        return code + rest
    for rule in (_choice, _format, _lambda, _operators, _statement):
        code = rule(code, done)
    return code + rest


def _comment(line: str) -> int:
    """Where a comment of Python's begins; -1 without one. ``#name`` is a private member."""
    for token in lex(line):
        if token.kind == "comment":
            first = not line[: token.start].strip()
            spaced = token.text[1:2] in ("", " ", "!")
            if spaced or (first and "(" not in line and "=" not in line and ";" not in line):
                return token.start
    return -1


def _statement(code: str, done: list[tuple[str, str]]) -> str:
    """What a line begins with."""
    if match := _DEF.match(code):
        done.append(("def", "function"))
        return f"{match['before']}function{code[match.end() :]}"
    if match := _EXCEPT.match(code):
        name = match["name"] or match["plain"]
        new = f"catch ({name})" if name else "catch"
        done.append((code[match.end("before") : match.end()].strip(), new))
        return match["before"] + new + code[match.end() :]
    return _header(code, done)


def _header(code: str, done: list[tuple[str, str]]) -> str:
    """A header whose condition has no brackets."""
    if match := _ELIF.match(code):
        test = match["test"].removesuffix(":")
        test = test if test.startswith("(") and not match["end"] else _in_brackets(test)
        done.append(("elif", "else if"))
        return f"{match['before']}else if {test} {match['end']}".rstrip()
    if match := _CONDITION.match(code):
        done.append((match["test"], f"({match['test']})"))
        return f"{match['before']} ({match['test']}) {{"
    if match := _EACH.match(code):
        new = f"for (const {match['name']} of {match['all']})"
        done.append((code[match.end("before") :].rstrip("{ "), new))
        return f"{match['before']}{new} {{"
    return code


def _in_brackets(test: str) -> str:
    tokens = lex(test)
    whole = bool(tokens) and tokens[0].text == "(" and group_end(tokens, 0) == len(tokens)
    return test if whole else f"({test})"


def _choice(code: str, done: list[tuple[str, str]]) -> str:
    match = _CHOICE.match(code)
    if match is None:
        return code
    new = f"{match['test']} ? {match['yes']} : {match['no']}"
    done.append((code[match.end("head") : match.end("no")], new))
    return match["head"] + new + match["end"]


def _format(code: str, done: list[tuple[str, str]]) -> str:
    def template(match: re.Match[str]) -> str:
        text = re.sub(r"\{(?=[^{}]+\})", "${", match["text"])
        done.append((match[0], f"`{text}`"))
        return f"`{text}`"

    return _FORMAT.sub(template, code)


def _lambda(code: str, done: list[tuple[str, str]]) -> str:
    match = _LAMBDA.search(without_text(code))
    if match is None:
        return code
    new = f"({match['names'].strip()}) => "
    done.append((match[0], new))
    return code[: match.start()] + new + code[match.end() :]


def _operators(code: str, done: list[tuple[str, str]]) -> str:
    tokens = [each for each in lex(code) if each.kind != "comment"]
    edits: list[tuple[int, int, str]] = []
    for number, token in enumerate(tokens):
        before = tokens[number - 1].text if number else ""
        after = tokens[number + 1] if number + 1 < len(tokens) else None
        if before == "." or (after and after.text in (":", ".")):
            continue
        if token.text in _WORDS and before and after:
            edits.append((token.start, token.end, _WORDS[token.text]))
        elif token.text == "is" and before and after and not _is_predicate(tokens, number):
            new, end = ("!==", after.end) if after.text == "not" else ("===", token.end)
            edits.append((token.start, end, new))
        elif token.text == "not" and before != "is" and after:
            edits += _negation(tokens, number)
        elif token.text == "raise" and before in _BEFORE_STATEMENT and after and after.is_word:
            edits.append((token.start, token.end, "throw"))
        elif token.text in CONSTANTS:
            edits.append((token.start, token.end, CONSTANTS[token.text]))
    for start, end, new in sorted(edits, reverse=True):
        if new not in ("(", ")"):
            done.insert(0, (code[start:end].strip(), new.rstrip("(")))
        code = code[:start] + new + code[end:]
    done[:] = dict.fromkeys(done)
    return code


def _is_predicate(tokens: list[Token], number: int) -> bool:
    """Whether ``is`` says in a signature of TypeScript what type an argument is then known for."""
    return number > 2 and [each.text for each in tokens[number - 3 : number - 1]] == [")", ":"]


def _negation(tokens: list[Token], number: int) -> list[tuple[int, int, str]]:
    """``not`` holds for all up to ``and`` or ``or``, ``!`` only for what stands right after it."""
    first = tokens[number + 1]
    last = number + 1
    depth = 0
    while last < len(tokens):
        text = tokens[last].text
        if depth == 0 and text in _ENDS_NEGATION:
            break
        depth += (text in "([{") - (text in ")]}")
        last += 1
    inside = tokens[number + 1 : last]
    simple = all(each.is_word or each.text in ".()[]" for each in inside[:2]) and not any(
        each.text in ("==", "!=", "<", ">", "<=", ">=", "===", "!==", "in", "is", "+", "-")
        for each in _outer(inside)
    )
    if simple or not inside:
        return [(tokens[number].start, first.start, "!")]
    end = inside[-1].end
    return [(tokens[number].start, first.start, "!("), (end, end, ")")]


def _outer(tokens: list[Token]) -> list[Token]:
    """The tokens that stand in no brackets."""
    found, depth = [], 0
    for token in tokens:
        depth -= token.text in ")]}"
        if depth == 0:
            found.append(token)
        depth += token.text in "([{"
    return found
