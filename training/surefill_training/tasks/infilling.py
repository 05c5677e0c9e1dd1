"""Turns a piece of a document into one training example: token ids, hole and all."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from surefill.context.prompt import Order, PromptTemplate, layout
from surefill_training.tasks.holes import HoleMix, cut

Encode = Callable[[str], list[int]]


@dataclass(frozen=True)
class InfillingOptions:
    """How often a piece gets a hole, and how prompts look."""

    fim_rate: float = 0.7
    """Share of pieces that get a hole; the others are learned left to right."""
    spm_share: float = 0.7
    """Share of suffix-first order among them: the order that serving uses."""
    no_suffix: float = 0.1
    """Share of holes at which nothing follows, as at the end of a file."""
    max_suffix: float = 0.35
    """Largest share of a piece's characters that is kept behind the hole."""
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
        self._options = options
        self._middle = special(template.middle) if template.infills else None
        self.end = special(template.ends[0])

    def example(self, text: str, rng: random.Random) -> list[int]:
        """Ids of ``text`` with or without a hole, the end token last."""
        options = self._options
        hole = cut(text, rng, options.mix) if rng.random() < options.fim_rate else None
        if hole is None:
            return self.plain(text)
        suffix = _whole_lines(hole.suffix, self._suffix_limit(len(text), rng))
        order: Order = "spm" if rng.random() < options.spm_share else "psm"
        return [
            *layout(
                self._template,
                order,
                self._special,
                self._encode(hole.prefix),
                self._encode(suffix),
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

    def _suffix_limit(self, length: int, rng: random.Random) -> int:
        if rng.random() < self._options.no_suffix:
            return 0
        return int(length * self._options.max_suffix * rng.random())


def _whole_lines(text: str, limit: int) -> str:
    """The beginning of ``text``: its first line, and as many further whole ones as fit."""
    if limit == 0:
        return ""
    first = text.find("\n") + 1 or len(text)
    end = text.rfind("\n", 0, max(first, limit)) + 1
    return text[: max(first, end)]
