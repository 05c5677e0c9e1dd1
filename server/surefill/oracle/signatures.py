"""What a call takes: signatures read from the labels that servers write for people."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from surefill.oracle.answers import Parameter, ParameterKind, Signature, Signatures
from surefill.oracle.connection import NoAnswer
from surefill.oracle.locations import Location, locate
from surefill.oracle.question import Question, markup
from surefill.syntax.position import Position

_NAME = re.compile(r"[^\W\d]\w*")
_OPENING, _CLOSING = "([{<", ")]}>"
_TOKEN = re.compile(
    r"'''(?:[^\\]|\\.)*?'''"
    r'|"""(?:[^\\]|\\.)*?"""'
    r"|'(?:[^\\\n]|\\.)*?'"
    r'|"(?:[^\\\n]|\\.)*?"'
    r"|\#[^\n]*"
    r"|[()\[\]{}]",
    re.DOTALL,
)
_UNPACK = re.compile(r"\*\*\s*\w+\s*:\s*[\"']?(?:\w+\.)*Unpack\s*\[")
_CONSTRUCTOR = re.compile(r"def\s+__(?:init|new)__\s*\(")
_HEADER_END = re.compile(r"\)\s*(?:->[^:]*)?:")
_MOST_LINES = 2000


async def find_signatures(question: Question, position: Position) -> Signatures:
    """The signatures of the call around ``position``."""
    answer = await question.at("signatureHelp", question.source.text, position)
    raw = answer.get("signatures") if isinstance(answer, dict) else None
    if not raw:
        raise NoAnswer("there is no call that the checker knows")
    active = answer.get("activeParameter")
    signatures = tuple(read_signature(question, item, active) for item in raw)
    doubtful = question.dialect.adds_open_keywords and any(map(_seems_unpacked, signatures))
    if doubtful and await _unpacks(question, position):
        signatures = tuple(map(_closed, signatures))
    number = answer.get("activeSignature")
    usable = isinstance(number, int) and 0 <= number < len(signatures)
    return Signatures(signatures, number if usable else 0)


def read_signature(question: Question, raw: Any, active: object) -> Signature:  # noqa: ANN401
    """One signature from LSP's SignatureInformation."""
    label = str(raw["label"])
    spans = list(_spans(label, raw.get("parameters") or [], question.session.encoding))
    parameters = _parameters(question, label, spans)
    own = raw.get("activeParameter", active)
    inside = isinstance(own, int) and 0 <= own < len(parameters)
    unpacked = any("Unpack[" in p.annotation for p in parameters if p.kind == "var-keyword")
    return Signature(
        label,
        parameters,
        markup(raw.get("documentation")),
        own if inside else None,
        known=not unpacked and (bool(parameters) or _takes_nothing(label)),
    )


def _takes_nothing(label: str) -> bool:
    return re.search(r"\(\s*(?:(?:self|cls)\b[^,()]*)?\)", label) is not None


def _spans(label: str, parameters: Sequence[Any], encoding: str) -> Iterator[tuple[int, int]]:
    """Where each parameter stands in the label, in code points."""
    at = 0
    for parameter in parameters:
        named = parameter["label"]
        if isinstance(named, str):
            start = label.find(named, at)
            if start < 0:
                continue
            end = start + len(named)
        else:
            start, end = named  # in UTF-16 by the protocol, unless another unit was agreed
            if encoding != "utf-32" and not label.isascii():
                data = label.encode("utf-16-le", "surrogatepass")
                start, end = (
                    len(data[: 2 * unit].decode("utf-16-le", "ignore")) for unit in (start, end)
                )
        yield start, end
        at = end


def _parameters(
    question: Question, label: str, spans: Sequence[tuple[int, int]]
) -> tuple[Parameter, ...]:
    """Parameters with their kinds, told from the marks between them."""
    python = question.dialect.python
    found: list[Parameter] = []
    only_keywords = False
    for number, (start, end) in enumerate(spans):
        between = label[spans[number - 1][1] : start] if number else label[:start]
        marks = {mark.strip() for mark in re.split(r"[,(]", between)}
        if python and number and "/" in marks:
            found = [replace(p, kind="positional-only") for p in found]
        only_keywords = only_keywords or (python and "*" in marks)
        parameter = _parameter(label[start:end], python=python, keyword=only_keywords)
        only_keywords = only_keywords or (python and parameter.kind == "var-positional")
        found.append(parameter)
    if python and spans and re.match(r"\s*,\s*/", label[spans[-1][1] :]):
        found = [replace(p, kind="positional-only") for p in found]
    unnamed = python and all(p.kind == "positional-only" for p in found)
    if question.dialect.names_every_parameter:
        return tuple(p if p.annotation or _starred(p) else _nameless(p) for p in found)
    if unnamed and all(not p.annotation and p.default is None for p in found):
        return tuple(map(_nameless, found)) if _shows_types(label) else tuple(found)
    return tuple(found)


def _starred(parameter: Parameter) -> bool:
    return parameter.kind.startswith("var-")


def _shows_types(label: str) -> bool:
    """``(int, /) -> str`` is a Callable's label; a function's without annotations looks alike, and
    a positional-only name is never needed.
    """
    return label.startswith("(")


def _nameless(parameter: Parameter) -> Parameter:
    return replace(
        parameter,
        name="",
        kind="positional-only",
        annotation=parameter.annotation or parameter.name,
    )


def _parameter(text: str, *, python: bool, keyword: bool) -> Parameter:
    declared, default = _split(text, "=")
    name, annotation = _split(declared, ":")
    kind: ParameterKind = "keyword-only" if keyword else "positional-or-keyword"
    if name.startswith("**"):
        kind = "var-keyword"
    elif name.startswith(("*", "...")):
        kind = "var-positional"
    elif not python:
        kind = "positional-only"
    bare = name.lstrip("*.").strip()
    if bare.endswith("?"):
        bare, default = bare[:-1], default or "..."
    if not _NAME.fullmatch(bare):
        bare, annotation = "", annotation or bare
    starred = kind.startswith("var-")
    return Parameter(bare, kind, annotation or "", None if starred else default)


def _split(text: str, separator: str) -> tuple[str, str | None]:
    """``text`` in front of and behind the first separator outside brackets and quotes."""
    depth, quote = 0, ""
    for at, character in enumerate(text):
        if quote:
            if character == quote and text[at - 1] != "\\":
                quote = ""
        elif character in "\"'":
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= text[at - 1 : at + 1] not in ("->", "=>")
        elif character == separator and not depth and text[at : at + 2] != "=>":
            return text[:at].strip(), text[at + 1 :].strip()
    return text.strip(), None


def _seems_unpacked(signature: Signature) -> bool:
    """Whether the open keywords may be the checker's, not the function's."""
    last = signature.parameters[-1] if signature.parameters else None
    return (
        last is not None
        and last.kind == "var-keyword"
        and last.annotation == "object"
        and any(p.kind == "keyword-only" for p in signature.parameters)
    )


def _closed(signature: Signature) -> Signature:
    if not _seems_unpacked(signature):
        return signature
    return replace(signature, parameters=signature.parameters[:-1])


async def _unpacks(question: Question, position: Position) -> bool:
    """Whether what is called is written with ``**kwargs: Unpack[...]``."""
    callee = callee_end(question.source.text, question.lines(question.source.text).offset(position))
    if callee is None:
        return False
    lines = question.lines(question.source.text[:callee])
    line = len(lines.starts) - 1
    at = Position(line, callee - lines.starts[line] - 1)
    places = await locate(question, question.source.text, at)
    headers = await asyncio.to_thread(lambda: [_header(question, place) for place in places])
    collecting = [header for header in headers if "**" in header]
    return bool(collecting) and all(map(_UNPACK.search, collecting))


def callee_end(text: str, offset: int) -> int | None:
    """Offset right behind what is called by the innermost open parenthesis before ``offset``."""
    opened: list[int] = []
    for token in _TOKEN.finditer(text, 0, offset):
        if token[0] in "([{":
            opened.append(token.start())
        elif token[0] in ")]}" and opened:
            opened.pop()
    while opened and text[opened[-1]] != "(":
        opened.pop()
    if not opened:
        return None
    end = len(text[: opened[-1]].rstrip())
    return end if text[end - 1 : end] == "_" or text[end - 1 : end].isalnum() else None


def _header(question: Question, place: Location) -> str:
    """The text of a function's parameters, of a class those of its constructor."""
    text = place.text(question)
    begun = "".join(text.splitlines(keepends=True)[place.line : place.line + _MOST_LINES])
    if begun.lstrip().startswith("class"):
        constructor = _CONSTRUCTOR.search(begun)
        begun = begun[constructor.start() :] if constructor else ""
    end = _HEADER_END.search(begun)
    return begun[: end.end()] if end else begun[:2000]
