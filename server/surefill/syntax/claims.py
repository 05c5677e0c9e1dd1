"""The names that an unfinished text claims to exist, read token by token as it is written.

A tree says nothing of half a statement; this scan does, by the lexical facts of ``languages``. It
can be resumed: what a model writes is read once, whatever is tried at its end. It errs on the side
of silence: where it is not sure that a name belongs to something, it claims nothing.
"""

from __future__ import annotations

import functools
import keyword
import re
from dataclasses import dataclass, replace
from typing import Literal

from surefill.syntax.brackets import OPENERS, PAIRS, Lexical
from surefill.syntax.languages import Language
from surefill.syntax.literals import inside

_TAIL = 200
"""As many characters before a bracket or a line tell what it stands behind."""

ClaimKind = Literal["member", "module", "imported", "keyword"]

_PYTHON_WORDS = frozenset(keyword.kwlist) - {"None", "True", "False"}
_OTHER_WORDS = frozenset(
    {
        "await",
        "case",
        "catch",
        "delete",
        "do",
        "else",
        "extends",
        "for",
        "function",
        "if",
        "in",
        "instanceof",
        "new",
        "of",
        "return",
        "switch",
        "throw",
        "typeof",
        "void",
        "while",
        "yield",
    }
)
"""Words behind which no operand ends: a bracket behind them calls nothing, a dot has no owner."""


@dataclass(frozen=True)
class Claim:
    """A name that something else has to have; kinds as in ``uses``.

    ``start`` is its offset in the text. ``open`` says that the text ends with it, so that it may go
    on; its name may then be empty, as behind a dot.
    """

    kind: ClaimKind
    name: str
    start: int
    open: bool

    @property
    def end(self) -> int:
        return self.start + len(self.name)


@dataclass(frozen=True)
class _Bracket:
    sign: str
    calls: bool
    """It opens the arguments of a call."""


_Behind = Literal["start", "operand", "word", "dot", "loose dot", "comma", "opener", "operator"]


@dataclass(frozen=True)
class ClaimState:
    """What has to be known of a text to read on behind it."""

    length: int = 0
    brackets: tuple[_Bracket, ...] = ()
    string: str = ""
    comment: str = ""
    """What ends the comment that is open: a newline, or the end of a block comment."""
    behind: _Behind = "start"
    word: str = ""
    """The last name, where it is the last token."""
    argument: int = -1
    """Offset of the name that may turn out to be a keyword argument's."""
    statement: str = ""
    """"import" or "from" before the module's name, "names" behind it; else empty."""
    defines: bool = False
    """The line defines a function or a class: its brackets call nothing."""


class ClaimReader:
    """Reads texts of one language. Only Python's keyword arguments and imports are known."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._python = language.id == "python"
        self._words = _PYTHON_WORDS if self._python else _OTHER_WORDS
        self._token = _tokens(language)

    def begin(self, above: Lexical, scanned: str) -> ClaimState:
        """The state at the start of a line; ``above`` is what ``scan`` says of what is before."""
        brackets = tuple(
            _Bracket(sign, sign == "(" and self._calls(scanned[max(0, offset - 200) : offset]))
            for sign, offset in above.open
        )
        end = "\n"
        if above.in_comment and self._language.block_comment:
            block = self._language.block_comment
            end = block[1] if scanned.startswith(block[0], above.comment) else "\n"
        return ClaimState(
            brackets=brackets,
            string=above.string,
            comment=end if above.in_comment else "",
            behind="operand" if above.string else self._behind(scanned) if brackets else "start",
        )

    def read(self, text: str, state: ClaimState) -> tuple[tuple[Claim, ...], ClaimState]:
        """The claims of ``text`` behind ``state.length``, and the state to read on from.

        That state stands before the last token where it may go on; to read from there with more
        text gives what reading all of it at once does.
        """
        claims: list[Claim] = []
        safe = state
        while state.length < len(text):
            position = state.length
            if state.string or state.comment:
                state = self._skip(text, state)
                if state.length == len(text):
                    break  # the end of the string may be half there
                safe = state
                continue
            match = self._token.match(text, position)
            if match is None:
                state = replace(state, length=position + 1, behind="operator", word="", argument=-1)
                continue
            state, claim = self._advance(text, state, match)
            if claim is not None:
                claims.append(claim)
            if match.end() < len(text) or match.lastgroup in ("space", "end"):
                safe = state
        pending = self._pending(text, state)
        if pending is not None:
            claims.append(pending)
        return tuple(claims), safe

    def _calls(self, before: str) -> bool:
        """Whether a bracket behind ``before`` opens the arguments of a call."""
        line = before[before.rfind("\n") + 1 :]
        defined = re.match(r"\s*(async\s+)?(def|class|function)\b[^(]*$", line)
        return defined is None and self._behind(before) == "operand"

    def _behind(self, text: str) -> _Behind:
        """What a text ends with, as far as its last characters tell."""
        code = text[-_TAIL:].rstrip()
        word = re.search(r"\w*$", code)
        if word is not None and word.group() in self._words:
            return "word"
        if re.search(r"[\w)\]}\"'`]$", code):
            return "operand"
        return (
            "comma"
            if code.endswith(",")
            else "opener"
            if code.endswith(("(", "[", "{"))
            else ("operator")
        )

    def _advance(
        self, text: str, state: ClaimState, match: re.Match[str]
    ) -> tuple[ClaimState, Claim | None]:
        kind, end = match.lastgroup, match.end()
        on = replace(state, length=end)
        after = replace(on, word="", argument=-1)
        if kind == "name":
            return self._name(text, state, match.group(), match.start())
        if kind == "sign":
            return self._sign(text, state, match.group(), after)
        if kind == "space" or (kind == "end" and state.brackets):
            after = on
        elif kind == "end":
            after = replace(after, behind="start", statement="", defines=False)
        elif kind == "comment":
            block = self._language.block_comment
            closing = block[1] if block and match.group() == block[0] else "\n"
            after = replace(on, comment=closing)
        elif kind == "quote":
            after = replace(after, string=match.group("delimiter"), behind="operand")
        elif kind == "number":
            after = replace(after, behind="operand")
        else:
            after = replace(after, behind="dot" if state.behind == "operand" else "loose dot")
        return after, None

    def _sign(
        self, text: str, state: ClaimState, sign: str, after: ClaimState
    ) -> tuple[ClaimState, Claim | None]:
        claim = None
        if sign in PAIRS:
            calls = sign == "(" and state.behind == "operand" and not state.defines
            brackets = (*state.brackets, _Bracket(sign, calls))
            after = replace(after, behind="opener", brackets=brackets)
        elif sign in OPENERS:
            after = replace(after, behind="operand", brackets=state.brackets[:-1])
        elif sign == ",":
            after = replace(after, behind="comma")
        elif sign == ":" and not state.brackets:
            after = replace(after, behind="start")
        else:
            if sign == "=" and state.argument >= 0:
                name = text[state.argument : state.argument + len(state.word)]
                claim = Claim("keyword", name, state.argument, open=False)
            after = replace(after, behind="operator")
        return after, claim

    def _name(
        self, text: str, state: ClaimState, token: str, start: int
    ) -> tuple[ClaimState, Claim | None]:
        end = start + len(token)
        last = end == len(text)
        after = replace(state, length=end, word=token, argument=-1)
        kind = self._claimed(state)
        if kind is not None and (kind == "member" or token not in self._words):
            return replace(after, behind="operand"), Claim(kind, token, start, open=last)
        if self._python and not state.brackets:
            if state.behind == "start" and token in ("import", "from"):
                return replace(after, behind="word", statement=token), None
            if token == "import" and state.statement == "from":
                return replace(after, behind="word", statement="names"), None
            if token in ("def", "class"):
                return replace(after, behind="word", defines=True), None
        if token in self._words:
            return replace(after, behind="word"), None
        argument = -1
        calls = bool(state.brackets) and state.brackets[-1].calls
        if self._python and calls and state.behind in ("opener", "comma"):
            argument = start
        return replace(after, behind="operand", argument=argument), None

    def _claimed(self, state: ClaimState) -> ClaimKind | None:
        """What a name would be that stood behind ``state``."""
        if state.statement in ("import", "from"):
            named = state.behind in ("dot", "loose dot") or (
                state.behind in ("word", "comma") and state.word in ("import", "from", "")
            )
            return "module" if named else None
        if state.statement == "names":
            named = state.behind in ("comma", "opener") or state.word == "import"
            return "imported" if named else None
        return "member" if state.behind == "dot" else None

    def _pending(self, text: str, state: ClaimState) -> Claim | None:
        """The claim that the text's end is open for, without a letter of its name."""
        if state.string or state.comment or (state.word and text.endswith(state.word)):
            return None
        kind = self._claimed(state)
        if kind is None or (kind == "member" and text[-1:].isspace()):
            return None
        return Claim(kind, "", len(text), open=True)

    def _skip(self, text: str, state: ClaimState) -> ClaimState:
        """Behind the string or comment that is open at ``state``; at the end where it stays so."""
        if state.comment:
            end = text.find(state.comment, state.length)
            if end < 0:
                return replace(state, length=len(text))
            # A newline ends the statement as well, so it is read once more.
            behind = end if state.comment == "\n" else end + len(state.comment)
            return replace(state, length=behind, comment="")
        multiline = state.string in self._language.multiline
        match = _string_rest(state.string, multiline).match(text, state.length)
        if match is None:
            return replace(state, length=len(text))
        return replace(state, length=match.end(), string="")


@functools.cache
def _string_rest(delimiter: str, multiline: bool) -> re.Pattern[str]:
    """What belongs to an open string, up to its end or, for one of one line, that of the line."""
    body, end = inside(delimiter, multiline=multiline), re.escape(delimiter)
    return re.compile(body + (end if multiline else rf"(?:{end}|(?=[\r\n]))"))


@functools.cache
def _tokens(language: Language) -> re.Pattern[str]:
    comments = [re.escape(mark) for mark in (language.line_comment,) if mark]
    if language.block_comment:
        comments.append(re.escape(language.block_comment[0]))
    quotes = "|".join(re.escape(quote) for quote in language.quotes)
    prefix = r"(?:[rRbBuUfF]{1,2})?" if language.id == "python" else ""
    parts = {
        "comment": "|".join(comments) or r"(?!)",
        "quote": rf"{prefix}(?P<delimiter>{quotes})",
        "name": r"[^\W\d]\w*",
        "number": r"\d[\w.]*|\.\d[\w]*",
        "end": r"\r?\n|\r|;",
        "space": r"(?:[ \t\f]|\\\r?\n)+",
        "dot": r"\?\.|\.(?!\.)",
        "sign": r"\.\.\.?|[=!<>:]=|\*\*|//|->|=>|[-+*/%@&|^<>~=!,:()\[\]{}?]",
    }
    named = "|".join(f"(?P<{name}>{pattern})" for name, pattern in parts.items())
    return re.compile(named)
