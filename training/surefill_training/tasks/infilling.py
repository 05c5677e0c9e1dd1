"""Turns a piece of a document into one training example: token ids, hole and all."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from surefill.context.prompt import PromptTemplate, layout
from surefill.syntax.languages import Language
from surefill_training.tasks.holes import Hole, HoleMix, cut

Encode = Callable[[str], list[int]]


@dataclass(frozen=True)
class InfillingOptions:
    """How often a piece gets a hole, and how prompts look."""

    fim_rate: float = 0.85
    """Share of pieces that get a hole; the others are learned left to right."""
    spm_share: float = 0.8
    """Share of suffix-first order among them: the order that serving uses."""
    no_suffix: float = 0.15
    """Share of holes at which nothing follows, as at the end of a file."""
    max_suffix: float = 0.35
    """Largest share of a piece's characters that is kept behind the hole."""
    related: float = 0.2
    """Share of pieces with excerpts of other files of their package in front."""
    related_share: float = 0.25
    """How much of a row those may take."""
    head: float = 0.5
    """Share of pieces from within a file that get the file's imports in front, as serving does."""
    mix: HoleMix = field(default_factory=HoleMix)


class Infilling:
    """Makes training examples with one tokenizer and one prompt template."""

    def __init__(
        self,
        encode: Encode,
        special: Callable[[str], int],
        template: PromptTemplate,
        options: InfillingOptions,
    ) -> None:
        self._encode = encode
        self._special = special
        self._template = template
        self.options = options
        self._middle = special(template.middle) if template.infills else None
        self.end = special(template.ends[0])

    def example(
        self,
        text: str,
        rng: random.Random,
        *,
        language: Language | None = None,
        related: Sequence[str] = (),
    ) -> list[int]:
        """Ids of ``text`` with or without a hole, the end token last.

        ``related`` are excerpts of other files, which a prompt shows in front. They are left out
        where there is no hole.
        """
        options = self.options
        wanted = self._template.infills and rng.random() < options.fim_rate
        hole = cut(text, rng, options.mix, language=language) if wanted else None
        if hole is None:
            return self.plain(text)
        suffix = self._encode(_whole_lines(hole.suffix, self._suffix_limit(len(text), rng)))
        excerpts = [self._encode(excerpt) for excerpt in related]
        if rng.random() < options.spm_share:
            return self._suffix_first(hole, suffix, excerpts)
        return [
            *layout(
                self._template,
                "psm",
                self._special,
                self._encode(hole.prefix),
                suffix,
                related=excerpts,
            ),
            *self._encode(hole.middle),
            self.end,
        ]

    def plain(self, text: str) -> list[int]:
        """Ids of ``text`` left to right, the end token last."""
        return [*self._encode(text), self.end]

    def has_hole(self, ids: list[int]) -> bool:
        """Whether an example is one with a hole."""
        return self._middle in ids

    def _suffix_first(
        self, hole: Hole, suffix: list[int], related: Sequence[Sequence[int]]
    ) -> list[int]:
        """Prefix and middle as one text, as serving continues it.

        The prompt leaves out the word at the cursor and the answer begins with it
        (surefill.context.healing), so the model never sees that tokens were cut there.
        """
        text = self._encode(hole.prefix + hole.middle)
        prompt = layout(self._template, "spm", self._special, text, suffix, related=related)
        return [*prompt, self.end]

    def _suffix_limit(self, length: int, rng: random.Random) -> int:
        if rng.random() < self.options.no_suffix:
            return 0
        return int(length * self.options.max_suffix * rng.random())


def _whole_lines(text: str, limit: int) -> str:
    """The beginning of ``text``: its first line, and as many further whole ones as fit."""
    if limit == 0:
        return ""
    first = text.find("\n") + 1 or len(text)
    end = text.rfind("\n", 0, max(first, limit)) + 1
    return text[: max(first, end)]
