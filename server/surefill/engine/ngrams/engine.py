"""An engine without a neural model: n-grams and cache alone, as a baseline that flatters nobody.

It is ``decode.LocalEngine`` on a session in which every token is as likely as it is by itself, so
healing, stop, guide and alternatives are the very same; only the weights were fitted for it alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefill.engine.bundle import Bundle
from surefill.engine.decode import DecodingOptions, LocalEngine, open_blend
from surefill.engine.interrupt import Interrupt, Interrupted
from surefill.engine.ngrams.blend import ALONE, Blend
from surefill.engine.session import Logits
from surefill.engine.tokenizer import BundleTokenizer

_CONTEXT = 1 << 20
"""Nothing is forwarded, so a prompt may be of any length."""


class NgramEngine(LocalEngine):
    """``interface.Engine`` on n-grams. ``blend`` has the weights ALONE."""

    def __init__(self, blend: Blend, tokenizer: BundleTokenizer, ends: Sequence[str]) -> None:
        session = _SingleTokens(blend.store.unigrams)
        super().__init__(session, tokenizer, ends, DecodingOptions(drafts=0), blend)

    @classmethod
    def open(cls, bundle: Bundle) -> NgramEngine:
        """The engine of a bundle's n-grams, with an empty cache; raises BundleError."""
        prompt = bundle.manifest.prompt
        tokenizer = BundleTokenizer(bundle.tokenizer_path, (*prompt.special_tokens, *prompt.ends))
        return cls(open_blend(bundle, tokenizer, ALONE), tokenizer, prompt.ends)


class _SingleTokens:
    """A session whose logits are the same behind every token."""

    provider = "cpu"
    provider_note = ""
    context_length = _CONTEXT

    def __init__(self, unigrams: Logits) -> None:
        self._row = unigrams
        self.vocab_size = len(unigrams)
        self.tokens: list[int] = []

    def prefill(self, ids: Sequence[int], interrupt: Interrupt) -> tuple[Logits, int]:
        self.tokens = list(ids)
        return self._row, 0

    def extend(self, ids: Sequence[int], interrupt: Interrupt) -> Logits:
        if interrupt.reason:
            raise Interrupted
        self.tokens.extend(ids)
        return np.broadcast_to(self._row, (len(ids), self.vocab_size))

    def rewind(self, length: int) -> None:
        del self.tokens[length:]

    def fork(self, batch: int, length: int, extra: int) -> _SingleTokens:
        return self

    def close(self) -> None:
        self.tokens.clear()
