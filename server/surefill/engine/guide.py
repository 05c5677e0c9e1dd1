"""From what may be written to which tokens may follow: rules on text become masks of tokens.

Knows tokens' texts and likelihoods; what a name is and who has it is for the rules to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from surefill.engine.healing import TokenTexts
from surefill.engine.sampling import Bools, Floats

_MOST_EXAMINED = 24
"""How many tokens may be refused one after another until nothing is allowed any more."""


@dataclass(frozen=True)
class Names:
    """The names of which one has to stand at the end of a text, and what is there of it so far."""

    typed: str
    names: frozenset[str]


class Rules(Protocol):
    """What may be written, as text that begins where a prompt's ids end, with its lead."""

    def names(self, generated: str, *, all_of_them: bool) -> Names | None:
        """The names that may stand at the end of ``generated``; None where anything may follow.

        Names that are not ``all_of_them`` may be found sooner.
        """
        ...

    def allows(self, generated: str) -> bool:
        """Whether all that ``generated`` says is right, as far as it can be told."""
        ...


class RuledTokens:
    """``interface.Guide`` by rules: names exactly, all else for the likeliest tokens.

    Of the tokens that the model finds likeliest, it asks for as many as are ``wanted``: one to
    choose the best, several to draw from. A token that nobody asked about is allowed.
    """

    def __init__(self, texts: TokenTexts, rules: Rules, *, wanted: int = 1) -> None:
        self._texts = texts
        self._rules = rules
        self._wanted = wanted

    def mask(self, generated: str, logprobs: Floats, allowed: Bools) -> Bools | None:
        """See ``interface.Guide``."""
        mask = allowed & self._naming(generated, logprobs, allowed)
        waiting = np.where(mask, logprobs, -np.inf)
        found = 0
        for _ in range(_MOST_EXAMINED):
            token = int(waiting.argmax())
            if waiting[token] == -np.inf:
                break
            waiting[token] = -np.inf
            if self._rules.allows(generated + self._texts.text(token)):
                found += 1
                if found == self._wanted:
                    break
            else:
                mask[token] = False
        return mask if found else np.zeros_like(mask)

    def _naming(self, generated: str, logprobs: Floats, allowed: Bools) -> Bools | Literal[True]:
        """The tokens that lead to a name, or finish one; True where it need not be a name.

        That a name exists is sooner known than that none other does; the latter matters only where
        the likeliest token does not lead to one.
        """
        if self._wanted == 1:
            some = self._rules.names(generated, all_of_them=False)
            if some is None:
                return True
            naming = self._texts.naming(some.typed, some.names)
            best = np.where(allowed, logprobs, -np.inf).argmax()
            if naming[best]:
                return naming
        names = self._rules.names(generated, all_of_them=True)
        return True if names is None else self._texts.naming(names.typed, names.names)
