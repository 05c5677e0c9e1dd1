"""Calls with their arguments: which parameters a call spells out, and as what text.

Joins a signature, as a type checker knows it, with arguments that a model wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

from surefill.apis.snippets import Snippet, Stop
from surefill.oracle.answers import Parameter, Signature, Signatures
from surefill.syntax.brackets import scan
from surefill.syntax.languages import Language

MOST_OPTIONAL = 4
"""A call spells out so many optional arguments at most."""

_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")
_BY_KEYWORD = re.compile(r"([^\W\d]\w*)\s*=(?!=)\s*(.+)", re.DOTALL)


@dataclass(frozen=True)
class Argument:
    """One argument of a call."""

    name: str
    """The parameter's."""
    text: str
    """What is passed; the parameter's name where nothing is known that fits."""
    keyword: bool
    required: bool
    filled: bool = False
    """``text`` is a value, not just the name of what belongs there."""

    @property
    def bare(self) -> Argument:
        """With nothing but the name of what belongs there."""
        return replace(self, text=self.name, filled=False)

    @property
    def parts(self) -> tuple[str | Stop, ...]:
        """As a part of a snippet."""
        stop = Stop(self.text, bare=not self.filled)
        return (f"{self.name}=", stop) if self.keyword else (stop,)


@dataclass(frozen=True)
class Call:
    """What is called, by which of its signatures, and with what."""

    name: str
    signature: Signature
    arguments: tuple[Argument, ...]

    @property
    def inside(self) -> Snippet:
        """What stands between the brackets, as text with stops."""
        if not self.arguments and self.takes_arguments:
            return Snippet((Stop(),))
        return Snippet(tuple(_separated(argument.parts for argument in self.arguments)))

    @property
    def snippet(self) -> Snippet:
        """The whole call as text with stops."""
        return Snippet((f"{self.name}(",)) + self.inside + Snippet((")",))

    @property
    def takes_arguments(self) -> bool:
        return bool(self.signature.parameters) or not self.signature.known

    @property
    def filled(self) -> int:
        """How many of the arguments have a value."""
        return sum(argument.filled for argument in self.arguments)

    @property
    def label(self) -> str:
        """The call by its parameters' names, those by keyword behind a star."""
        names, starred = [], False
        for argument in self.arguments:
            if argument.keyword and not starred:
                names.append("*")
                starred = True
            names.append(argument.name)
        return f"{self.name}({', '.join(names)})"


def plain_call(name: str, signatures: Signatures) -> Call:
    """The call with what it cannot do without."""
    signature = best_overload(signatures)
    return Call(name, signature, tuple(map(_bare, _required(signature))))


def best_overload(signatures: Signatures) -> Signature:
    """The overload that asks for least; of several the first."""
    return min(signatures.items, key=lambda each: len(_required(each)))


def written_call(name: str, signatures: Signatures, text: str, language: Language) -> Call:
    """The call with the arguments that a model wrote as ``text``, as far as they fit.

    Of the overloads that take most of them, the one that asks for least; what its parameters do not
    take is left out, and what they require is there as its name.
    """
    written = [_keyword(piece) for piece in split_arguments(text, language)]
    best = min(signatures.items, key=lambda each: (-_taken(each, written), len(_required(each))))
    return Call(name, best, tuple(_matched(best, written)))


def with_namesakes(call: Call, text: str) -> Call:
    """The call with the names of its parameters for values wherever ``text`` speaks of them."""
    spoken = set(_WORD.findall(text))

    def fill(argument: Argument) -> Argument:
        if not argument.required or argument.name not in spoken:
            return argument
        return replace(argument, text=argument.name, filled=True)

    return replace(call, arguments=tuple(map(fill, call.arguments)))


def split_arguments(text: str, language: Language) -> list[str]:
    """The arguments in ``text``, which begins behind a bracket and ends with the one that closes
    it, or earlier; an argument that is not whole is left out.
    """
    pieces: list[str] = []
    start = 0
    for at in (*(match.start() for match in re.finditer("[,)]", text)), len(text)):
        state = scan(text[start:at], language)
        if state.open or state.string or state.in_comment:
            continue
        if at == len(text):
            break  # nothing says that it ends here
        if piece := text[start:at].strip():
            pieces.append(piece)
        start = at + 1
        if text[at] == ")":
            break
    return pieces


def without(arguments: Sequence[Argument], wrong: Set[int]) -> tuple[Argument, ...]:
    """``arguments`` with the names for values that are ``wrong``, by number; optional ones go.

    What stands by position behind one that goes would mean another parameter, and goes as well.
    """
    kept: list[Argument] = []
    gone = False
    for number, argument in enumerate(arguments):
        if argument.required:
            kept.append(argument.bare if number in wrong else argument)
        elif number in wrong or (gone and not argument.keyword):
            gone = gone or not argument.keyword
        else:
            kept.append(argument)
    return tuple(kept)


def _separated(arguments: Iterable[Sequence[str | Stop]]) -> Iterable[str | Stop]:
    for number, parts in enumerate(arguments):
        if number:
            yield ", "
        yield from parts


def _required(signature: Signature) -> list[Parameter]:
    return [parameter for parameter in signature.parameters if parameter.required]


def _bare(parameter: Parameter) -> Argument:
    name = parameter.name or "value"
    return Argument(name, name, parameter.kind == "keyword-only", required=True)


def _keyword(piece: str) -> tuple[str, str]:
    """The name an argument is passed by, or none, and its value."""
    match = _BY_KEYWORD.fullmatch(piece)
    return (match[1], match[2]) if match else ("", piece)


def _taken(signature: Signature, written: Sequence[tuple[str, str]]) -> int:
    return sum(argument.filled for argument in _matched(signature, written))


def _matched(signature: Signature, written: Sequence[tuple[str, str]]) -> list[Argument]:
    """Arguments in the order in which they may be written, each for another parameter."""
    positional = [value for name, value in written if not name and not value.startswith("*")]
    by_name = {name: value for name, value in written if name}
    found: list[Argument] = []
    keywords: list[Argument] = []
    named = False
    """A parameter was passed by name, and so those behind it have to be."""
    for parameter in signature.parameters:
        by_position = parameter.kind in ("positional-only", "positional-or-keyword")
        if parameter.kind == "var-positional":
            name = parameter.name.strip("_") or "value"
            found += [Argument(name, each, False, False, True) for each in positional]
            positional = []
        elif by_position and positional:
            bare = replace(_bare(parameter), required=parameter.required)
            found.append(replace(bare, text=positional.pop(0), filled=True))
        elif parameter.takes_keyword and parameter.name in by_name:
            value = by_name[parameter.name]
            keywords.append(Argument(parameter.name, value, True, parameter.required, True))
            named = named or by_position
        elif parameter.required:
            keyword = parameter.kind == "keyword-only" or (named and parameter.takes_keyword)
            bare = replace(_bare(parameter), keyword=keyword)
            (keywords if keyword else found).append(bare)
    return _limited([*found, *keywords])


def _limited(arguments: Iterable[Argument]) -> list[Argument]:
    """Without optional ones beyond the most."""
    kept: list[Argument] = []
    optional = 0
    for argument in arguments:
        optional += not argument.required
        if argument.required or optional <= MOST_OPTIONAL:
            kept.append(argument)
    return kept
