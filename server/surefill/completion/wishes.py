"""What a model would call at a position, and with what: by guided decoding, name after name.

Every question is a short job for the worker, so that inline suggestions need not wait for all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from surefill.budget import Cancellation
from surefill.completion.facts import Facts
from surefill.completion.rules import ExistingNames
from surefill.context.neighbours import Neighbours
from surefill.context.window import ContextBuilder
from surefill.engine.guide import Names
from surefill.engine.interface import Engine, Prompt
from surefill.syntax.brackets import scan
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Snapshot
from surefill.syntax.languages import Language
from surefill.syntax.position import Position

T = TypeVar("T")

_NAME_TOKENS = 24
_ARGUMENT_TOKENS = 40
_ALTERNATIVES = 5
_LETTERS = re.compile(r"\w*")


class AskModel(Protocol):
    """Runs a job with the model that is in service, in its thread, and waits for it.

    None where there is no model, where it fails, and where the time is over.
    """

    def __call__(self, job: Callable[[Engine, ContextBuilder], T]) -> T | None: ...


@dataclass(frozen=True)
class Written:
    """What a model wrote, and how sure it was: its tokens' geometric mean probability."""

    text: str
    confidence: float


class Wishes:
    """Asks about one position. ``cancel`` carries the deadline of each of the model's answers."""

    def __init__(
        self,
        ask: AskModel,
        snapshot: Snapshot,
        position: Position,
        neighbours: Neighbours | None,
        cancel: Cancellation,
    ) -> None:
        self._ask = ask
        self._snapshot = snapshot
        self._position = position
        self._neighbours = neighbours
        self._cancel = cancel
        self._prompts: tuple[ContextBuilder, Prompt] | None = None

    def names(self, start: int, names: frozenset[str]) -> Iterator[str]:
        """Those of ``names`` that the model would write from column ``start`` on, best first.

        A model that cannot be guided is asked once, for several answers.
        """
        left = names
        while left and not self._over:
            written = self._ask(partial(self._names, start=start, names=left))
            found = [name for name in dict.fromkeys(written or ()) if name in left]
            yield from found
            if not found or len(written or ()) > 1:
                return
            left = left.difference(found)

    def arguments(self, facts: Facts | None) -> Written | None:
        """What the model would write in the brackets that are open at the position.

        With ``facts`` it writes only what exists.
        """
        if self._over:
            return None
        return self._ask(partial(self._arguments, facts=facts))

    @property
    def _over(self) -> bool:
        return self._cancel.cancelled or self._cancel.expired

    def _prompt(self, context: ContextBuilder, tokens: int) -> Prompt:
        """The prompt for ``context``, made once: the model is another one only rarely."""
        if self._prompts is None or self._prompts[0] is not context:
            cursor = Cursor.at(self._snapshot, self._position)
            prompt = context.build(self._snapshot, self._position, cursor, tokens, self._neighbours)
            self._prompts = context, prompt
        return self._prompts[1]

    def _names(
        self, engine: Engine, context: ContextBuilder, *, start: int, names: frozenset[str]
    ) -> tuple[str, ...]:
        prompt = self._prompt(context, _NAME_TOKENS)
        line = self._snapshot.line(self._position.line)[: self._position.character]
        rules = OneOf(line.removesuffix(prompt.lead), start, names)
        typed = line[start:]
        guide = engine.guided_by(rules, wanted=1)
        generation = engine.generate(
            prompt,
            max_new_tokens=min(_NAME_TOKENS, context.most_new_tokens),
            stop=_name_stop(typed),
            guide=guide,
            cancel=self._cancel,
            n=1 if guide is not None else _ALTERNATIVES,
        )
        return tuple(_letters(typed + candidate.text) for candidate in generation.candidates)

    def _arguments(
        self, engine: Engine, context: ContextBuilder, *, facts: Facts | None
    ) -> Written | None:
        prompt = self._prompt(context, _ARGUMENT_TOKENS)
        language = self._snapshot.language
        rules = None
        if facts is not None:
            rules = ExistingNames(facts, self._snapshot, self._position, prompt.lead)
        generation = engine.generate(
            prompt,
            max_new_tokens=min(_ARGUMENT_TOKENS, context.most_new_tokens),
            stop=arguments_stop(language),
            guide=engine.guided_by(rules, wanted=1) if rules else None,
            cancel=self._cancel,
        )
        if not generation.candidates:
            return None
        best = generation.candidates[0]
        # Where it ended by itself, the bracket may be one that stands there already.
        closed = best.text + ")" if best.stop_reason in ("end", "stop") else best.text
        return Written(closed, math.exp(min(best.mean_logprob, 0.0)))


class OneOf:
    """``engine.guide.Rules``: one of ``names`` stands at column ``start`` of a line.

    ``base`` is the line up to where the model writes.
    """

    def __init__(self, base: str, start: int, names: frozenset[str]) -> None:
        self._base = base
        self._start = start
        self._names = names

    def names(self, generated: str, *, all_of_them: bool = True) -> Names | None:
        """See ``engine.guide.Rules``."""
        text = self._base + generated
        typed = text[self._start :]
        if len(text) < self._start or _letters(typed) != typed:
            return None
        return Names(typed, self._names)

    def allows(self, generated: str) -> bool:
        """See ``engine.guide.Rules``."""
        typed = (self._base + generated)[self._start :]
        name = _letters(typed)
        if name == typed:
            return any(each.startswith(name) for each in self._names)
        return name in self._names


def _letters(text: str) -> str:
    match = _LETTERS.match(text)
    return match.group() if match else ""


def _name_stop(typed: str) -> Callable[[str], int | None]:
    def stop(text: str) -> int | None:
        name = _letters(typed + text)
        return len(name) - len(typed) if len(name) < len(typed + text) else None

    return stop


def arguments_stop(language: Language | None) -> Callable[[str], int | None]:
    """Stop behind the bracket that closes the call, and at a line's end."""

    def stop(text: str) -> int | None:
        end = text.find("\n")
        line = text if end < 0 else text[:end]
        stray = scan(line, language).stray
        if stray:
            return stray[0][1] + 1
        return end if end >= 0 else None

    return stop
