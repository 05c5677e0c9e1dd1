"""The holes of the benchmark: what is missing at the cursor when an editor asks.

Drawn from held-out documents and nothing else, so that a change of the holes that are trained on
does not move what is measured. Knows texts; neither models nor scores.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast, get_args

from surefill.syntax.document import Document as Parsed
from surefill.syntax.languages import Language, language_for
from surefill.syntax.parsing import encode
from surefill_training.corpus.documents import Document
from surefill_training.errors import CorpusError

Task = Literal["line_end", "lines", "inside", "call_arguments", "member"]
TASKS: tuple[Task, ...] = get_args(Task)

FEWEST_CHARACTERS = 3
"""Single closing brackets would lift every figure."""
MOST_LINES = 12
_TRIES = 30
"""Places that are tried for each hole before fewer holes than wanted have to do."""

_BOUNDARY = re.compile(r"(?<=[\s.(\[{=,:])(?=\S)|\b")
_BRACKETS = re.compile(r"\(([^()\n]+)\)|\[([^\[\]\n]+)\]|\{([^{}\n]+)\}")
_LINE = re.compile(r"[^\n]*\S[^\n]*")
_NAME = re.compile(r"\w*")

Span = tuple[int, int]


@dataclass(frozen=True)
class Hole:
    """A document and what is cut out of it: the characters from ``start`` to ``end``."""

    document: Document
    task: Task
    start: int
    end: int

    @property
    def id(self) -> str:
        """What the hole is known by in reports; says where it is and not what is in it."""
        source = self.document.source
        return f"{self.task}:{source}/{self.document.path}:{self.start}-{self.end}"

    @property
    def language(self) -> Language | None:
        return language_of(self.document)

    @property
    def prefix(self) -> str:
        return self.document.text[: self.start]

    @property
    def middle(self) -> str:
        return self.document.text[self.start : self.end]

    @property
    def suffix(self) -> str:
        return self.document.text[self.end :]

    @property
    def explicit(self) -> bool:
        """Whether a user would have to ask: several lines come unasked only now and then."""
        return self.task == "lines"

    @property
    def truth(self) -> str:
        """What is compared of the text that is missing."""
        return self.compared(self.middle)

    def compared(self, text: str) -> str:
        """What is compared of a suggestion: behind a dot only the name, else all that is shown.

        Whitespace at the ends of lines is nobody's intention and does not count.
        """
        if self.task == "member":
            found = _NAME.match(text)
            return found.group() if found else ""
        return "\n".join(line.rstrip() for line in text.split("\n")).rstrip()


def draw_holes(documents: Sequence[Document], task: Task, count: int, seed: int) -> list[Hole]:
    """``count`` holes, each package's turn after the other's, and in each package each document's.

    The same documents and seed give the same holes, of which a smaller ``count`` gives the first.
    Raises CorpusError when there is not a single place for one.
    """
    rng = random.Random(f"{seed}:{task}")
    packages: dict[str, list[Document]] = {}
    for document in sorted(documents, key=lambda d: (d.source, d.path)):
        packages.setdefault(document.source, []).append(document)
    turns = list(packages.values())
    for turn in turns:
        rng.shuffle(turn)
    rng.shuffle(turns)
    places, narrow = _FINDERS[task]
    found: dict[str, Hole] = {}
    for attempt in range(_TRIES * count if turns else 0):
        if len(found) == count:
            break
        lap, number = divmod(attempt, len(turns))
        document = turns[number][lap % len(turns[number])]
        candidates = places(document)
        if not candidates:
            continue
        span = narrow(document.text, rng.choice(candidates), rng)
        if span is not None and _worth_asking(document.text, span):
            hole = Hole(document, task, *span)
            found.setdefault(hole.id, hole)
    if not found:
        raise CorpusError(
            f"The held-out set has no place for the task {task}.",
            "Leave the task out with --tasks, or hold out another package.",
        )
    return list(found.values())


def language_of(document: Document) -> Language | None:
    """The language that the document's name says it is in."""
    return language_for(None, document.path)


def _worth_asking(text: str, span: Span) -> bool:
    """Enough is missing, and the cursor is not inside a word, where nothing is suggested."""
    start, end = span
    if len(text[start:end].strip()) < FEWEST_CHARACTERS:
        return False
    return not (_is_word(text[start - 1 : start]) and _is_word(text[end : end + 1]))


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _lines(document: Document) -> list[Span]:
    """The lines that are not blank, without their ends."""
    return [found.span() for found in _LINE.finditer(document.text)]


def _column(line: str, rng: random.Random) -> int:
    """A column at which a user would wait: at the indentation, between words, or anywhere."""
    indentation = len(line) - len(line.lstrip())
    draw = rng.random()
    if draw < 0.3:
        return indentation
    if draw < 0.75:
        columns = [m.start() for m in _BOUNDARY.finditer(line) if m.start() > indentation]
        if columns:
            return rng.choice(columns)
    return rng.randint(indentation, len(line) - 1)


def _to_line_end(text: str, line: Span, rng: random.Random) -> Span:
    return line[0] + _column(text[slice(*line)], rng), line[1]


def _inside(text: str, line: Span, rng: random.Random) -> Span | None:
    """What a pair of brackets holds, or its end, as an editor closes them; or a piece of a line."""
    content = text[slice(*line)]
    pairs = list(_BRACKETS.finditer(content))
    if pairs and rng.random() < 0.6:
        pair = rng.choice(pairs)
        begin, end = pair.span(pair.lastindex or 1)
        if rng.random() < 0.3:
            begin = rng.randint(begin, end - 1)
    else:
        begin = _column(content, rng)
        last = len(content.rstrip())
        ends = [m.start() for m in _BOUNDARY.finditer(content) if begin < m.start() < last]
        if not ends:
            return None
        end = rng.choice(ends)
    return line[0] + begin, line[0] + end


def _whole(_text: str, span: Span, _rng: random.Random) -> Span:
    return span


@lru_cache(maxsize=2048)
def _arguments(document: Document) -> list[Span]:
    """What stands between the brackets of calls, over at most ``MOST_LINES`` lines."""
    found = _captures(document, "(call arguments: (argument_list) @it)")
    spans = [(start + 1, end - 1) for start, end in found]
    return [span for span in spans if document.text.count("\n", *span) < MOST_LINES]


@lru_cache(maxsize=2048)
def _members(document: Document) -> list[Span]:
    """From a name right behind a dot to the end of its line."""
    text = document.text
    spans = []
    for start, _ in _captures(document, "(attribute attribute: (identifier) @it)"):
        if text[start - 1 : start] == ".":
            end = text.find("\n", start)
            spans.append((start, end if end >= 0 else len(text)))
    return spans


@lru_cache(maxsize=2048)
def _blocks(document: Document) -> list[Span]:
    """From each place in a block to the block's end, where that is two to ``MOST_LINES`` lines.

    The places: behind the header, or behind the docstring where there is one; and in front of each
    statement but the first.
    """
    text, spans = document.text, []
    statements: dict[Span, list[Span]] = {}
    for block, inner in _pairs(document, "(block (_) @inner) @outer"):
        statements.setdefault(block, []).append(inner)
    descriptions = {
        start for start, _ in _captures(document, "(block . (expression_statement (string)) @it)")
    }
    for (_, end), inside in statements.items():
        first = inside[0]
        starts = [start for start, _ in inside[1:]]
        header_end = text.rfind("\n", 0, first[0])
        if header_end >= 0 and not text[header_end : first[0]].strip():
            starts.append(first[1] if first[0] in descriptions else header_end)
        spans += [
            (start, end)
            for start in starts
            if 2 <= sum(bool(line.strip()) for line in text[start:end].split("\n")) <= MOST_LINES
        ]
    return spans


def _captures(document: Document, query: str) -> list[Span]:
    """Spans in characters of the nodes that a query names ``it``; empty for other languages."""
    return [span for (span,) in _matches(document, query, "it")]


def _pairs(document: Document, query: str) -> list[tuple[Span, Span]]:
    return [(outer, inner) for outer, inner in _matches(document, query, "outer", "inner")]


def _matches(document: Document, query: str, *names: str) -> list[tuple[Span, ...]]:
    from tree_sitter import Query, QueryCursor

    language = language_of(document)
    if language is None or language.id != "python":
        return []
    tree = Parsed("", language, document.text).snapshot().tree
    if tree is None:
        return []
    at = _offsets(document.text)
    found = QueryCursor(Query(language.grammar(), query)).matches(tree.root_node)
    nodes = ([captures[name][0] for name in names] for _, captures in found)
    return [tuple((at(n.start_byte), at(n.end_byte)) for n in row) for row in nodes]


def _offsets(text: str) -> Callable[[int], int]:
    """From offsets in bytes, as the parser counts, to offsets in characters."""
    if text.isascii():
        return lambda byte: byte
    data = encode(text)
    return lambda byte: len(data[:byte].decode("utf-8", "ignore"))


_Places = Callable[[Document], list[Span]]
_Narrow = Callable[[str, Span, random.Random], "Span | None"]
_FINDERS: dict[Task, tuple[_Places, _Narrow]] = {
    "line_end": (_lines, _to_line_end),
    "lines": (_blocks, _whole),
    "inside": (_lines, _inside),
    "call_arguments": (_arguments, _whole),
    "member": (_members, _whole),
}


def find_tasks(names: str) -> tuple[Task, ...]:
    """Tasks by their names, separated by commas; raises CorpusError with the names there are."""
    wanted = dict.fromkeys(name.strip() for name in names.split(",") if name.strip())
    for name in wanted:
        if name not in TASKS:
            raise CorpusError(f"There is no task {name!r}.", f"Choose among {', '.join(TASKS)}.")
    if not wanted:
        raise CorpusError(
            "Nothing is to be measured.", f"Name at least one task: {', '.join(TASKS)}."
        )
    return tuple(cast(Task, name) for name in wanted)
