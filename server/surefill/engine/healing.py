"""Which tokens can stand where a given text has to come. Knows tokens' texts and no model."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from surefill.engine.sampling import Bools

_BROKEN = "\ufffd"
"""What a token decodes to that has only some of a character's bytes."""
_REMEMBERED = 64
"""Masks of names are kept for the lists asked for last: each receiver's comes again and again."""


def is_part_of_name(character: str) -> bool:
    """Whether an identifier can go on with ``character``."""
    return character.isalnum() or character == "_"


def _ends_name(character: str) -> bool:
    """Whether no identifier goes on with ``character``; a part of one that is not whole yet may."""
    return not is_part_of_name(character) and character != _BROKEN


class TokenTexts:
    """The vocabulary by text: which tokens may stand where a given text has to come."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = tuple(texts)
        self._size = len(texts)
        self._sorted = sorted((text, number) for number, text in enumerate(texts) if text)
        self._keys = [text for text, _ in self._sorted]
        self._ids: dict[str, list[int]] = {}
        for text, number in self._sorted:
            self._ids.setdefault(text, []).append(number)
        self._ends_name = np.array([not text or _ends_name(text[0]) for text in texts])
        self._naming: OrderedDict[tuple[str, frozenset[str]], Bools] = OrderedDict()

    def extends(self, text: str) -> bool:
        """Whether a token begins with ``text`` and is longer."""
        at = bisect_left(self._keys, text)
        while at < len(self._keys) and self._keys[at] == text:
            at += 1
        return at < len(self._keys) and self._keys[at].startswith(text)

    def text(self, token: int) -> str:
        """What a token says; empty for special ones and padding."""
        return self._texts[token]

    def naming(self, typed: str, names: frozenset[str]) -> Bools:
        """Shape (vocabulary,): tokens behind ``typed`` that lead to, or finish, one of ``names``.

        A name is finished by whatever cannot belong to it, the end included.
        """
        known = self._naming.get((typed, names))
        if known is None:
            known = self._naming[typed, names] = self._name(typed, names)
            if len(self._naming) > _REMEMBERED:
                self._naming.popitem(last=False)
        return known

    def _name(self, typed: str, names: frozenset[str]) -> Bools:
        rests = {name[len(typed) :] for name in names if name.startswith(typed)}
        mask = np.zeros(self._size, np.bool_)
        if "" in rests:
            mask |= self._ends_name
        starts = {rest[:length] for rest in rests for length in range(1, len(rest) + 1)}
        for start in starts & self._ids.keys():
            mask[self._ids[start]] = True
        for rest in rests - {""}:
            at = bisect_left(self._keys, rest)
            while at < len(self._keys) and self._keys[at].startswith(rest):
                text, token = self._sorted[at]
                if len(text) > len(rest) and _ends_name(text[len(rest)]):
                    mask[token] = True
                at += 1
        return mask

    def completing(self, text: str) -> Bools:
        """Shape (vocabulary,): tokens that are ``text`` or begin with it."""
        mask = np.zeros(self._size, np.bool_)
        at = bisect_left(self._keys, text)
        while at < len(self._keys) and self._keys[at].startswith(text):
            mask[self._sorted[at][1]] = True
            at += 1
        return mask

    def beginning(self, text: str) -> Bools:
        """Shape (vocabulary,): tokens that begin with ``text`` or are the beginning of it."""
        mask = self.completing(text)
        for length in range(1, len(text)):
            at = bisect_left(self._keys, text[:length])
            while at < len(self._keys) and self._keys[at] == text[:length]:
                mask[self._sorted[at][1]] = True
                at += 1
        return mask
