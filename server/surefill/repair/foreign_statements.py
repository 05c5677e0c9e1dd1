"""One statement of another language in Python's spelling, rule by rule."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from surefill.diagnostics.statement import HEADER, is_code
from surefill.repair.foreign_operators import is_defined, operators_in_python
from surefill.repair.lexer import lex, without_text

_TYPES = {
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "number": "float",
    "bool": "bool",
    "boolean": "bool",
    "string": "str",
    "String": "str",
    "char": "str",
    "str": "str",
    "list": "list",
    "dict": "dict",
    "tuple": "tuple",
    "set": "set",
}
_MODIFIED = re.compile(
    r"(?:(?:public|private|protected|static|final|readonly|export|const)\s+)+"
    rf"(?=(?:{'|'.join(_TYPES)})\s+\w+\s*=|(?:async\s+)?(?:def|class)\s)"
)
_WALRUS = re.compile(r"(?P<name>[^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*)\s*:=\s*(?P<value>[\s\S]+)")
_UNLESS = re.compile(r"unless\s+(?P<test>[^:\n]+?)\s*:?$")
_IMPORT = re.compile(
    r"import\s+(?:\*\s+as\s+(?P<all>\w+)|\{(?P<names>[\w\s,]+)\}|(?P<name>\w+))\s+from\s+"
    r"[\"'](?P<module>\.{0,2}/?[\w./]+)[\"']"
)
_DECLARED = re.compile(
    r"(?P<word>(?:(?:export|static|final)\s+)?(?:const|let(?:\s+mut)?|var|val|auto))\s+"
    r"(?P<name>[^\W\d][\w, ]*?)\s*(?P<annotation>:\s*[\w.\[\]<>]+)?\s*"
    r"(?:=(?!=)\s*(?P<value>[\s\S]+)|$)"
)
_TYPED = re.compile(
    rf"(?P<type>{'|'.join(_TYPES)})\s+(?P<name>[^\W\d]\w*)\s*=(?!=)\s*(?P<value>[\s\S]+)"
)
_COUNTED = re.compile(
    r"(?:(?P<name>[^\W\d][\w.]*(?:\[[^\[\]\n]*\])?)\s*(?P<op>\+\+|--)"
    r"|(?P<op2>\+\+|--)\s*(?P<name2>[^\W\d][\w.]*(?:\[[^\[\]\n]*\])?))$"
)
_ELSE_IF = re.compile(r"(?P<word>else\s+if|elseif|elsif)\b")
_FUNCTION = re.compile(
    r"(?P<word>(?:async\s+)?(?:function|func|fn|fun|sub))\s+(?P<name>[^\W\d]\w*)\s*(?=\()"
)
_THEN = re.compile(r"\s+then\s*:?$")
_HEADER = re.compile(r"(?:if|elif|while)\b")
_CATCH_ALL = re.compile(r"catch\s*(?:\(\s*(?:\w+\s+)??(?P<name>\w+)\s*\))?\s*:?$")
_CATCH = re.compile(r"catch\s*\(\s*(?P<type>[\w.]+)(?:\s+|\s+as\s+)(?P<name>\w+)\s*\)\s*:?$")
_CATCH_PLAIN = re.compile(r"catch\b(?P<rest>\s+[\w., ()]+:)$")
_THROW = re.compile(r"throw\s+(?:new\s+)?(?=\w)")
_DELETE = re.compile(r"delete\s+(?=\w)")
_NEW = re.compile(r"(?<![\w.])new\s+(?=[^\W\d][\w.]*\()")
_TERNARY = re.compile(
    r"(?P<head>return\s+|[^\W\d][\w.\[\]]*\s*=\s*)(?P<test>[^?:]+?)\s*\?\s*(?P<yes>[^?:]+?)\s*:\s*"
    r"(?P<no>[^?:]+)$"
)
_ARROW = re.compile(
    r"(?:\((?P<many>[\w, ]*)\)|(?P<one>[^\W\d]\w*))\s*=>\s*(?P<body>(?![{\s])[^{}:=]+)$"
)
_PRINT = re.compile(r"(?P<word>print|exec)[ \t]+(?P<rest>(?![=(.,:\[])\S[\s\S]*)$")
_RAISE = re.compile(r"raise\s+(?P<type>[\w.]+)\s*,\s*(?P<value>[^,\n]+)$")
_EXCEPT = re.compile(r"except\s+(?P<type>[\w.]+|\([\w., ]+\))\s*,\s*(?P<name>[^\W\d]\w*)\s*:")
_TEMPLATE = re.compile(r"`(?P<text>[^`\\\n]*)`")
_END_COMMENT = re.compile(r"/\*+\s*(?P<text>[^\"'*]*?)\s*\*/\s*$")
_BLOCK_COMMENT = re.compile(r"/\*+(?P<text>[\s\S]*?)\*+/\s*$")


@dataclass
class _Work:
    """A statement on its way from one spelling to the other."""

    text: str
    document: str
    done: list[tuple[str, str]]
    lost: bool = False
    """Something that was written stands for nothing any more."""

    def note(self, old: str, new: str) -> None:
        pair = (" ".join(old.split()), new)
        if pair not in self.done:
            self.done.append(pair)


def in_python(code: str, document: str) -> tuple[str, list[tuple[str, str]], bool] | None:
    """A statement in Python's spelling, what was replaced by what, and whether text is lost.

    None where there is nothing of another language in it.
    """
    work = _Work(code, document, [])
    _comments(work)
    for rule in _RULES:
        rule(work)
    if not work.done or work.text == code:
        return None
    if HEADER.match(work.text) and ":" not in without_text(_body(work)):
        body = _body(work)
        work.text = f"{body}:{work.text[len(body) :]}"
    if work.text.rstrip().endswith(";"):
        work.text = work.text.rstrip().rstrip(";").rstrip()
    return work.text, work.done, work.lost


def comment_in_python(text: str) -> str | None:
    """A comment between ``/*`` and ``*/`` as lines that begin with ``#``."""
    match = _BLOCK_COMMENT.match(text)
    if match is None:
        return None
    lines = [each.strip().lstrip("*").strip() for each in match["text"].strip().split("\n")]
    return "\n".join(f"# {each}".rstrip() for each in lines)


def _comments(work: _Work) -> None:
    """``//`` and ``/* */`` where they can only be comments."""
    comment = comment_in_python(work.text)
    if comment is not None:
        work.text = comment
        work.note("/*", "#")
        return
    out: list[str] = []
    for line in work.text.split("\n"):
        if (match := _END_COMMENT.search(line)) and "*/" not in line[: match.start()]:
            out.append(f"{line[: match.start()]}# {match['text']}")
            work.note("/*", "#")
            continue
        at = _comment_start(line)
        out.append(line if at < 0 else line[:at] + "#" + line[at + 2 :])
        if at >= 0:
            work.note(line[at : at + 2], "#")
    work.text = "\n".join(out)


def _comment_start(line: str) -> int:
    for token in lex(line):
        if token.text not in ("//", "--"):
            continue
        before, rest = line[: token.start], line[token.end :]
        if not before.strip() and (token.text == "//" or not is_code(rest.strip())):
            return token.start
        if token.text == "--":
            continue
        if before.rstrip().endswith((";", "{", "}")) or not is_code(f"_ = {rest.strip()}"):
            return token.start
    return -1


def _statement(pattern: re.Pattern[str], work: _Work) -> re.Match[str] | None:
    """A match of the statement's own code, without its comment and semicolon."""
    return pattern.match(_body(work))


def _body(work: _Work) -> str:
    end = len(work.text)
    for token in lex(work.text):
        if token.kind == "comment" and not work.text[token.end :].strip():
            end = token.start
    return work.text[:end].rstrip().rstrip(";").rstrip()


def _put(work: _Work, body: str) -> None:
    """``body`` in place of the statement's own code."""
    work.text = body + work.text[len(_body(work)) :].lstrip(";")


def _modifiers(work: _Work) -> None:
    if match := _statement(_MODIFIED, work):
        _put(work, _body(work)[match.end() :])
        work.note(match[0], "")
        work.lost = True


def _imported(work: _Work) -> None:
    """``import x from "y"``: which module that is in Python can only be supposed."""
    if match := _statement(_IMPORT, work):
        module = match["module"].removeprefix("./").replace("../", ".").replace("/", ".")
        module = f".{module}" if match["module"].startswith(".") else module
        names = ", ".join((match["names"] or match["name"] or "").replace(",", " ").split())
        new = f"from {module} import {names}" if names else f"import {module} as {match['all']}"
        _put(work, new)
        work.note(match[0], new)
        work.lost = True


def _declaration(work: _Work) -> None:
    if match := _statement(_WALRUS, work):
        _put(work, f"{match['name']} = {match['value']}")
        work.note(":=", "=")
    elif match := _statement(_TYPED, work):
        kind = _TYPES[match["type"]]
        _put(work, f"{match['name']}: {kind} = {match['value']}")
        work.note(f"{match['type']} {match['name']}", f"{match['name']}: {kind}")
    elif match := _statement(_DECLARED, work):
        if match["annotation"] and match["annotation"].lstrip(": ") not in _TYPES:
            return
        note = f": {_TYPES[match['annotation'].lstrip(': ')]}" if match["annotation"] else ""
        _put(work, f"{match['name']}{note} = {match['value'] or 'None'}")
        work.note(match["word"], "")
        work.lost = True


def _counted(work: _Work) -> None:
    if match := _statement(_COUNTED, work):
        name, op = match["name"] or match["name2"], match["op"] or match["op2"]
        _put(work, f"{name} {op[0]}= 1")
        work.note(match[0], f"{name} {op[0]}= 1")


def _words(work: _Work) -> None:
    """What a statement begins with."""
    if match := _statement(_ELSE_IF, work):
        _put(work, "elif" + _body(work)[match.end() :])
        work.note(match["word"], "elif")
    if match := _statement(_FUNCTION, work):
        word = "async def" if match["word"].startswith("async") else "def"
        _put(work, _closed_header(f"{word} {match['name']}{_body(work)[match.end() :]}"))
        work.note(match["word"], word)
    if match := _statement(_UNLESS, work):
        _put(work, f"if !({match['test']}):")
        work.note("unless", "if not")
    if (match := _THEN.search(_body(work))) and _statement(_HEADER, work):
        _put(work, _body(work)[: match.start()] + ":")
        work.note("then", ":")
    for pattern, word in ((_THROW, "raise "), (_DELETE, "del ")):
        if match := _statement(pattern, work):
            _put(work, word + _body(work)[match.end() :])
            work.note(match[0], word.strip())
    _caught(work)


def _caught(work: _Work) -> None:
    if match := _statement(_CATCH, work):
        new = f"except {match['type']} as {match['name']}:"
    elif match := _statement(_CATCH_ALL, work):
        new = f"except Exception as {match['name']}:" if match["name"] else "except Exception:"
    elif match := _statement(_CATCH_PLAIN, work):
        new = "except" + match["rest"]
    else:
        return
    _put(work, new)
    work.note(match[0].rstrip(": "), new.rstrip(":"))


def _closed_header(code: str) -> str:
    """A header with its colon, behind the brackets of its parameters."""
    return code if code.rstrip().endswith((":", "{")) or not code.endswith(")") else code + ":"


def _older(work: _Work) -> None:
    """Statements of Python 2."""
    if match := _statement(_PRINT, work):
        rest = match["rest"]
        new = f"{match['word']}({rest})"
        _put(work, new)
        work.note(match[0], new)
        work.lost = rest.endswith(",")
    elif match := _statement(_RAISE, work):
        new = f"raise {match['type']}({match['value']})"
        _put(work, new)
        work.note(match[0], new)
    elif match := _statement(_EXCEPT, work):
        new = f"except {match['type']} as {match['name']}:"
        _put(work, new + _body(work)[match.end() :])
        work.note(match[0], new)
        work.lost = True  # newer versions take it for two types


def _values(work: _Work) -> None:
    """Expressions of another shape: templates, objects, choices, functions."""
    if match := _TEMPLATE.search(work.text):
        text = match["text"]
        quote = '"' if '"' not in text else "'"
        if quote not in text:
            is_format = "${" in text
            inner = text.replace("${", "{") if is_format else text
            new = ("f" if is_format else "") + quote + inner + quote
            work.text = work.text[: match.start()] + new + work.text[match.end() :]
            work.note(match[0], new)
            work.lost = work.lost or not is_format  # it was something else in Python 2
    if _NEW.search(work.text) and not is_defined("new", work.document):
        work.text = _NEW.sub("", work.text)
        work.note("new", "")
        work.lost = True
    if match := _statement(_TERNARY, work):
        new = f"{match['yes']} if {match['test']} else {match['no']}"
        old = _body(work)[match.end("head") :]
        _put(work, match["head"] + new)
        work.note(old, new)
    if HEADER.match(work.text):
        return
    if match := _ARROW.search(_body(work)):
        names = (match["many"] if match["many"] is not None else match["one"]).strip()
        body = _body(work)
        lambda_ = f"lambda {names}: " if names else "lambda: "
        _put(work, body[: match.start()] + lambda_ + body[match.start("body") :])
        work.note(match[0], lambda_ + match["body"])


def _operators(work: _Work) -> None:
    out, notes = operators_in_python(work.text, work.document)
    for old, new in notes:
        work.note(old, new)
    work.text = out


_RULES: tuple[Callable[[_Work], None], ...] = (
    _modifiers,
    _imported,
    _words,
    _declaration,
    _counted,
    _older,
    _values,
    _operators,
)
