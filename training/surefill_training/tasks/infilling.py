"""Turns a piece of a document into one training example: token ids, hole and all."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from surefill.context.prompt import PromptTemplate, layout
from surefill.syntax.languages import Language
from surefill_training.tasks.holes import Hole, HoleMix, cut

Encode = Callable[[str], list[int]]
Heal = Callable[[str, Sequence[int]], int]
"""How many of the ids of a text a prompt keeps (see ``surefill.context.healing``)."""

_SAYS_SOMETHING = re.compile(r"\w")
"""Where nothing of this kind stands below, serving lays the prompt out as plain text."""


@dataclass(frozen=True)
class InfillingOptions:
    """How often a piece gets a hole, and how prompts look."""

    fim_rate: float = 0.85
    """Share of pieces that get a hole; the others are learned left to right."""
    spm_share: float = 0.8
    """Share of suffix-first order among them: the order that serving uses."""
    no_suffix: float = 0.15
    """Share of holes at which nothing follows, as at the end of a file: such a prompt is laid out
    as plain text, as serving does it."""
    max_suffix: float = 0.35
    """Largest share of a piece's characters that is kept after the hole."""
    related: float = 0.2
    """Share of pieces with excerpts of other files of their package in front."""
    related_share: float = 0.25
    """How much of a row those may take."""
    head: float = 0.5
    """Share of pieces from within a file that get the file's imports in front, as serving does."""
    from_start: float = 0.0
    """Share of pieces from within a file that are exchanged for its beginning: users begin with
    an empty file more often than corpora do."""
    context_weight: float = 1.0
    """How much the text around a hole counts in the loss; the middle and plain text count 1."""
    mix: HoleMix = field(default_factory=HoleMix)


@dataclass(frozen=True)
class Example:
    """Token ids, and how much each counts as something to predict."""

    ids: list[int]
    weights: list[float]
    has_hole: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    def cut(self, length: int) -> Example:
        """Its first tokens."""
        return Example(self.ids[:length], self.weights[:length], self.has_hole)


class Infilling:
    """Makes training examples with one tokenizer and one prompt template.

    ``heal`` is how serving shortens a prompt before the cursor; without it a prompt keeps all
    tokens that do not reach over the cursor.
    """

    def __init__(
        self,
        encode: Encode,
        special: Callable[[str], int],
        template: PromptTemplate,
        options: InfillingOptions,
        heal: Heal | None = None,
    ) -> None:
        self.encode = encode
        self._special = special
        self._template = template
        self._heal = heal or (lambda _text, ids: len(ids))
        self.options = options
        self.end = special(template.ends[0])

    def example(
        self,
        text: str,
        rng: random.Random,
        *,
        language: Language | None = None,
        related: Sequence[str] = (),
        at_end: bool = True,
    ) -> Example:
        """``text`` with or without a hole.

        ``related`` are excerpts of other files, which a prompt shows in front. ``at_end`` says
        that the text ends where its file does, which plain text then tells.
        """
        options = self.options
        excerpts = [self.encode(excerpt) for excerpt in related]
        wanted = self._template.infills and rng.random() < options.fim_rate
        if not wanted or rng.random() < options.no_suffix:
            return self.plain(text, excerpts, at_end=at_end)
        hole = cut(text, rng, options.mix, language=language)
        if hole is None or not _SAYS_SOMETHING.search(hole.suffix):
            return self.plain(text, excerpts, at_end=at_end)
        limit = int(len(text) * options.max_suffix * rng.random())
        order = "spm" if rng.random() < options.spm_share else "psm"
        kept = Hole(hole.prefix, hole.middle, _whole_lines(hole.suffix, limit), hole.kind)
        make = self.suffix_first if order == "spm" else self._prefix_first
        return make(kept, excerpts)

    def asking(self) -> Infilling:
        """The same task to score by: every example has a hole, whose answer alone counts."""
        options = replace(
            self.options,
            fim_rate=1.0,
            spm_share=1.0,
            no_suffix=0.0,
            related=0.0,
            context_weight=0.0,
        )
        return Infilling(self.encode, self._special, self._template, options, self._heal)

    def plain(
        self, text: str, related: Sequence[Sequence[int]] = (), *, at_end: bool = True
    ) -> Example:
        """``text`` as serving lays it out left to right, with an end token where its file ends."""
        ids = self.encode(text)
        front = layout(self._template, "spm", self._special, (), None, related=related)
        end = [self.end] if at_end else []
        context = self.options.context_weight
        weights = [context] * len(front) + [1.0] * (len(ids) + len(end))
        return _example([*front, *ids, *end], weights)

    def suffix_first(self, hole: Hole, related: Sequence[Sequence[int]] = ()) -> Example:
        """Prefix and middle as one text, as serving continues it.

        The prompt leaves out the word or the white space at the cursor and the answer begins with
        it (surefill.context.healing), so the model never sees that tokens were cut there: what
        counts fully begins with the first token that serving leaves to the model.
        """
        text = self.encode(hole.prefix + hole.middle)
        before = self.encode(hole.prefix)
        kept = min(self._heal(hole.prefix, before), _common(before, text))
        suffix = self.encode(hole.suffix)
        prompt = layout(self._template, "spm", self._special, text[:kept], suffix, related=related)
        return self._answered(prompt, text[kept:])

    def _prefix_first(self, hole: Hole, related: Sequence[Sequence[int]]) -> Example:
        """The middle stands apart from the prefix, where serving heals nothing."""
        prefix, suffix = self.encode(hole.prefix), self.encode(hole.suffix)
        prompt = layout(self._template, "psm", self._special, prefix, suffix, related=related)
        return self._answered(prompt, self.encode(hole.middle))

    def _answered(self, prompt: list[int], answer: list[int]) -> Example:
        weights = [self.options.context_weight] * len(prompt) + [1.0] * (len(answer) + 1)
        return _example([*prompt, *answer, self.end], weights, has_hole=True)


def _example(ids: list[int], weights: list[float], *, has_hole: bool = False) -> Example:
    # Nothing stands before the first token that it could be predicted from.
    return Example(ids, [0.0, *weights[1:]], has_hole)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids two sequences have in common from the beginning."""
    same = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        same += 1
    return same


def _whole_lines(text: str, limit: int) -> str:
    """The beginning of ``text``: its first line, and as many further whole ones as fit."""
    first = text.find("\n") + 1 or len(text)
    end = text.rfind("\n", 0, max(first, limit)) + 1
    return text[: max(first, end)]
