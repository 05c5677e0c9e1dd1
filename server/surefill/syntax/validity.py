"""Whether a text can be put into a document without a new syntax error.

The document around is the user's, often unfinished and so erroneous already. What counts is what
the text adds: errors of the document without the line being typed are the baseline, and a text that
leaves something open on purpose is judged with a continuation from ``probes``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from surefill.syntax.brackets import Lexical, scan
from surefill.syntax.cursor import scan_before
from surefill.syntax.document import Snapshot
from surefill.syntax.excerpt import excerpt
from surefill.syntax.indentation import indentation_problem
from surefill.syntax.languages import INDENTED_HEADER, Language
from surefill.syntax.parameters import lacks_default
from surefill.syntax.parsing import encode, parse
from surefill.syntax.position import Position, Range
from surefill.syntax.probes import continuations
from surefill.syntax.scopes import indent_of

if TYPE_CHECKING:
    import tree_sitter

_MAX_ERRORS = 500
_LINES_BELOW = 100
"""Within so many lines the next statement is looked for."""


class _Error(NamedTuple):
    """An ERROR or MISSING node: its bytes, and the kind of a missing node."""

    start: int
    end: int
    missing: str


class _Place(NamedTuple):
    """Where an error is, in offsets that do not depend on the text in question."""

    start: int
    end: int
    missing: str
    around: bool
    """The typed lines are inside the error."""


def parses_with(snapshot: Snapshot, span: Range, text: str) -> tuple[bool, str]:
    """Whether ``text`` in place of ``span`` brings no new syntax error, and why (not).

    False for a document that has no tree; ask ``snapshot.tree`` first to tell that apart. A big
    document is judged by the part around ``span``.
    """
    span = Range(*sorted(map(snapshot.clamp, span)))
    shown_line = span.start.line + 1
    snapshot, span = excerpt(snapshot, span)
    tree, language = snapshot.tree, snapshot.language
    if tree is None or language is None:
        return False, "the document cannot be parsed"
    return _Judge(snapshot, tree, language, span, text, shown_line=shown_line).verdict()


def completed_by(snapshot: Snapshot, span: Range, text: str) -> str:
    """What may stand behind ``text`` in place of the rest of its line, so that nothing is open.

    The rest itself where that will do, and where nothing will.
    """
    span = Range(*sorted(map(snapshot.clamp, span)))
    part, inside = excerpt(snapshot, span)
    rest = snapshot.line(span.end.line)[span.end.character :]
    tree, language = part.tree, part.language
    if tree is None or language is None:
        return rest
    judge = _Judge(part, tree, language, inside, text, shown_line=0)
    return next(judge.completions(), rest)


class _Judge:
    """One text in one place. Offsets are bytes of the snapshot's source."""

    def __init__(
        self,
        snapshot: Snapshot,
        tree: tree_sitter.Tree,
        language: Language,
        span: Range,
        text: str,
        *,
        shown_line: int,
    ) -> None:
        self._snapshot = snapshot
        self._tree = tree
        self._language = language
        self._text = text
        self._shown_line = shown_line
        self._first, self._last = span
        self._start = snapshot.byte_at(self._first)
        self._end = snapshot.byte_at(self._last)
        self._line_start = snapshot.byte_at(Position(self._first.line, 0))
        self._line_end = snapshot.byte_at(
            Position(self._last.line, len(snapshot.line(self._last.line)))
        )

    def verdict(self) -> tuple[bool, str]:
        if self._within_comment():
            return True, "it is part of a comment"
        problem = self._indentation_problem()
        return (False, problem) if problem else self._parsed()

    def completions(self) -> Iterator[str]:
        """What may stand behind the text for the document to have no error at all.

        A grammar may take a header without its body; whoever reads on does not.
        """
        behind = [self._rest, *self._probes]
        if self._ends_in_header:
            behind = [*self._probes, self._rest]
            if self._body_below:
                behind.sort(key=lambda each: each.endswith(self._language.probe))
        for probe in behind:
            tree = self._parse(self._start, self._line_end, self._text + probe)
            if tree is not None and not tree.root_node.has_error:
                yield probe

    def _parsed(self) -> tuple[bool, str]:
        whole = self._parse(self._start, self._end, self._text)
        if whole is None:
            return False, "the document cannot be parsed with it"
        if self._language.id == "python" and lacks_default(whole, self._start):
            return False, "a parameter behind it lacks a default"
        if not whole.root_node.has_error:
            return True, "no syntax error"
        for probe in self._probes:
            probed = self._parse(self._start, self._line_end, self._text + probe)
            if probed is not None and not probed.root_node.has_error:
                return True, "no syntax error once what it leaves open is completed"
        baseline = self._parse(self._line_start, self._line_end, "")
        if baseline is None or not baseline.root_node.has_error:
            return False, self._reason(whole)
        return self._against_broken(whole, baseline)

    @cached_property
    def _ends_in_header(self) -> bool:
        """The text's last line begins a block."""
        return self._language.blocks == "indent" and bool(INDENTED_HEADER.match(self._last_line))

    @cached_property
    def _body_below(self) -> bool:
        """What stands below the text is indented as what belongs to its last line."""
        end = self._last.line + 1
        below = next((x for x in self._snapshot.lines[end : end + _LINES_BELOW] if x.strip()), "")
        return len(indent_of(below)) > len(indent_of(self._last_line))

    @cached_property
    def _last_line(self) -> str:
        return (self._line_prefix + self._text).rsplit("\n", 1)[-1]

    @cached_property
    def _line_prefix(self) -> str:
        return self._snapshot.line(self._first.line)[: self._first.character]

    @cached_property
    def _rest(self) -> str:
        return self._snapshot.line(self._last.line)[self._last.character :]

    @cached_property
    def _probes(self) -> tuple[str, ...]:
        before, _, _ = scan_before(self._snapshot, self._first)
        return tuple(
            dict.fromkeys(
                continuations(before, self._line_prefix, self._text, self._rest, self._language)
            )
        )

    def _within_comment(self) -> bool:
        """Whether the text only continues a comment that ends behind it."""
        if "\n" in self._text and not self._language.block_comment:
            return False
        before, _, _ = scan_before(self._snapshot, self._first)
        if not before.in_comment:
            return False
        end = self._language.block_comment
        if end and scan(self._comment_so_far() + "\n", self._language).in_comment:
            below = self._snapshot.suffix(self._last)
            return end[1] not in self._text and end[1] in below
        return "\n" not in self._text

    def _indentation_problem(self) -> str:
        if self._language.blocks != "indent":
            return ""
        _, _, above = scan_before(self._snapshot, Position(self._first.line, 0))
        end = self._last.line + 1
        text = self._line_prefix + self._text + self._rest
        if self._body_below and not text.rstrip().endswith(":"):
            if self._ends_in_header:
                text += ":"  # it is on its way: what is below belongs to it
            elif self._is_whole(text):
                return "what is indented below it belongs to a header"
        return indentation_problem(
            above,
            text,
            self._snapshot.lines[end : end + _LINES_BELOW],
            self._language,
            given=bool(self._line_prefix.strip()),
        )

    def _is_whole(self, lines: str) -> bool:
        """Whether ``lines`` are a statement, or several, that ends with them."""
        state = scan(lines, self._language)
        goes_on = self._above.open or self._above.string or state.open or state.string
        return bool(lines.strip()) and not goes_on and not lines.rstrip().endswith("\\")

    def _comment_so_far(self) -> str:
        return scan_before(self._snapshot, self._first)[2]

    def _against_broken(
        self, whole: tree_sitter.Tree, baseline: tree_sitter.Tree
    ) -> tuple[bool, str]:
        """Judge where the document has errors without the line being typed, too."""
        stood = {self._place(error, baseline, self._line_start) for error in _errors(baseline)}
        for tree, end, probe in self._variants(whole):
            found = {self._place(error, tree, end) for error in _errors(tree)}
            # An error around the text may be another one now: then brackets have to be right.
            if found <= stood - {None} and (
                not any(place and place.around for place in found) or self._balanced(probe)
            ):
                return True, "no new syntax error; those elsewhere were there before"
        if self._balanced(self._rest) and self._mends(whole):
            return True, "fewer syntax errors than before"
        for probe in (self._rest, *self._probes):
            if self._balanced(probe) and self._sound_without_what_follows(probe):
                return True, "no new syntax error; the document has others"
        return False, self._reason(whole)

    def _mends(self, whole: tree_sitter.Tree) -> bool:
        """Whether the document has fewer errors with the text, and none of them in the text.

        Macros make whole files erroneous that a C compiler accepts.
        """
        if self._language.blocks != "braces":
            return False
        after, text_end = _errors(whole), self._start + len(encode(self._text))
        if len(after) >= len(_errors(self._tree)):
            return False
        return not any(self._start <= error.start and error.end <= text_end for error in after)

    def _balanced(self, probe: str) -> bool:
        """Whether the text closes what it opens, and nothing that is closed further down."""
        language, prefix = self._language, self._line_prefix
        with_text = scan(prefix + self._text + probe, language)
        without = scan(prefix + self._rest, language)
        if with_text.string or any(offset >= len(prefix) for _, offset in with_text.open):
            return False
        closing = len(with_text.stray) - len(without.stray)
        if closing <= 0:
            return True
        below = self._snapshot.lines[self._last.line + 1 : self._last.line + 200]
        closed_below = scan("".join(below), language).stray
        return len(self._above.open) >= closing + len(closed_below)

    def _sound_without_what_follows(self, probe: str) -> bool:
        """Whether the text parses below the lines above it, or if those are broken by itself.

        An open bracket above can turn everything into one error; here it is closed.
        """
        line = self._line_prefix + self._text + probe
        opened = "".join(bracket for bracket, _ in self._above.open)
        closers = scan(opened + line, self._language).closers
        end = len(self._snapshot.source)
        found = self._errors_above(self._parse(self._line_start, end, line + "\n" + closers))
        stood = self._errors_above(self._parse(self._line_start, end, self._above.closers))
        if found is not None and stood is not None:
            return found <= stood
        if found is not None:
            return True
        if stood is not None:
            return False
        alone = parse(self._language, encode(line + "\n" + scan(line, self._language).closers))
        return alone is not None and not alone.root_node.has_error

    def _errors_above(self, tree: tree_sitter.Tree | None) -> set[_Error] | None:
        """The errors before the typed lines; None when there are others."""
        if tree is None:
            return None
        errors = set(_errors(tree))
        return errors if all(error.end <= self._line_start for error in errors) else None

    @cached_property
    def _above(self) -> Lexical:
        """What is open at the start of the line."""
        return scan_before(self._snapshot, Position(self._first.line, 0))[0]

    def _variants(self, whole: tree_sitter.Tree) -> Iterator[tuple[tree_sitter.Tree, int, str]]:
        """The document with what may stand behind the text: its tree, and where that line ends."""
        text_end = self._start + len(encode(self._text))
        yield whole, text_end + self._line_end - self._end, self._rest
        for probe in self._probes:
            tree = self._parse(self._start, self._line_end, self._text + probe)
            if tree is not None:
                yield tree, text_end + len(encode(probe)), probe

    def _place(self, error: _Error, tree: tree_sitter.Tree, line_end: int) -> _Place | None:
        """Where an error is relative to the typed lines; None when it begins or ends in them.

        Before the lines it is counted from the document's start, behind them from its end.
        """
        length = tree.root_node.end_byte
        if error.end <= self._line_start:
            return _Place(error.start, error.end, error.missing, False)
        if error.start >= line_end:
            return _Place(error.start - length, error.end - length, error.missing, False)
        if error.start < self._line_start and error.end > line_end:
            return _Place(error.start, error.end - length, error.missing, True)
        return None

    def _parse(self, start: int, end: int, text: str) -> tree_sitter.Tree | None:
        """The document with ``text`` in place of bytes ``start`` to ``end``."""
        new = encode(text)
        source = self._snapshot.source
        tree = self._tree.copy()
        first, last = self._point(start), self._point(end)
        column = len(new) - (new.rfind(b"\n") + 1)
        rows = new.count(b"\n")
        behind = (first[0] + rows, column if rows else first[1] + column)
        tree.edit(start, end, start + len(new), first, last, behind)
        return parse(self._language, source[:start] + new + source[end:], tree)

    def _point(self, byte: int) -> tuple[int, int]:
        position = self._snapshot.position_at(byte)
        start = self._snapshot.byte_at(Position(position.line, 0))
        return position.line, byte - start

    def _reason(self, tree: tree_sitter.Tree) -> str:
        """One error in words, the first one at or behind the text."""
        errors = _errors(tree, self._line_start) or _errors(tree)
        if not errors:
            return "it brings a syntax error"
        error = errors[0]
        if error.missing:
            return f"{error.missing} is missing"
        return f"syntax error near line {self._shown_line}"


def _errors(tree: tree_sitter.Tree, start: int = 0) -> list[_Error]:
    """ERROR and MISSING nodes that end at ``start`` or later, in the order of the text."""
    found: list[_Error] = []
    stack = [tree.root_node]
    while stack and len(found) < _MAX_ERRORS:
        node = stack.pop()
        if node.end_byte < start:
            continue
        if node.is_missing:
            found.append(_Error(node.start_byte, node.end_byte, node.type))
        elif node.is_error:
            found.append(_Error(node.start_byte, node.end_byte, ""))
        if node.has_error:
            stack.extend(reversed(node.children))
    return found
