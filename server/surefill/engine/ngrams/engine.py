"""An engine without a neural model: n-grams and cache alone, as a baseline that flatters nobody.

It is ``decode.LocalEngine`` on a session in which every token is as likely as it is by itself, so
healing, stop, guide and alternatives are the very same; only the weights were fitted for it alone.
And only a model has a token by which to end: here what stands behind the cursor ends the middle.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefill.engine.bundle import Bundle
from surefill.engine.decode import DecodingOptions, LocalEngine, open_blend
from surefill.engine.interface import Prompt, Stop
from surefill.engine.interrupt import Interrupt, Interrupted
from surefill.engine.ngrams.blend import ALONE, Blend, Mixer
from surefill.engine.ngrams.opinions import IMPOSSIBLE, Bools, Floats
from surefill.engine.session import Logits
from surefill.engine.tokenizer import BundleTokenizer

_CONTEXT = 1 << 20
"""Nothing is forwarded, so a prompt may be of any length."""
_STRING = re.compile(r"""(["'])(?:\\.|(?!\1).)*\1""")


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

    def _mixer(self, prompt: Prompt, stop: Stop | None) -> Mixer | None:
        mixer = super()._mixer(prompt, stop)
        return mixer and _EndingMixer(mixer.blend, mixer.sources, mixer.ends, self.tokenizer)


@dataclass(frozen=True)
class _EndingMixer(Mixer):
    """Ends where a model would: no text that was counted has the token by which a model ends.

    The two that say the same are one for the weights, under the name of the token behind the
    cursor, because the other by itself never comes; the name is changed when all is weighed.
    """

    tokenizer: BundleTokenizer

    def mix(self, base: Floats, generated: Sequence[int], among: Bools | None = None) -> Floats:
        mixed = super().mix(base, generated, among)
        if self.ends is None or among is not None:
            return mixed
        end, gap = self.ends
        # Within a bracket of its own the token belongs to what is missing: f(a) in front of ")".
        if mixed[gap] > mixed[end] and not _opens(self.tokenizer.decode(generated)):
            mixed = mixed.copy()
            mixed[end], mixed[gap] = mixed[gap], IMPOSSIBLE
        return mixed


def _opens(text: str) -> bool:
    """Whether ``text`` leaves a bracket open."""
    depth = 0
    for sign in _STRING.sub("", text):
        depth += (sign in "([{") - (sign in ")]}" and depth > 0)
    return depth > 0


class _SingleTokens:
    """A session whose logits are the same behind every token."""

    provider = "cpu"
    provider_note = ""
    context_length = _CONTEXT

    def __init__(self, unigrams: Logits) -> None:
        self._row = unigrams
        self.vocab_size = len(unigrams)
        self.tokens: list[int] = []

    def select(self, ids: Sequence[int]) -> int:
        return 0

    def prefill(
        self, ids: Sequence[int], interrupt: Interrupt, *, chunk: int | None = None
    ) -> tuple[Logits, int]:
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
