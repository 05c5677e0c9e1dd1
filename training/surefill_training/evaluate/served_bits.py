"""Held-out bits per byte of a bundle, by the graph that is served: the model alone.

``bits`` does the same for a torch model in training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from surefill.engine.bundle import TOKENIZER, Bundle
from surefill.engine.interrupt import Interrupt
from surefill.engine.session import ModelSession
from surefill.engine.tokenizer import BundleTokenizer

_CHUNK = 128
"""Tokens whose logits are computed at once: those of a whole context can be gigabytes."""


def bits_per_byte(
    bundle: Bundle, texts: Sequence[str], on_done: Callable[[int, int], None]
) -> float:
    """Mean cross-entropy of ``texts`` in bits per UTF-8 byte.

    Texts are cut into windows of the context length that do not overlap, each led by the end
    token: the first tokens of each window have little context, so the figure is pessimistic.
    """
    manifest = bundle.manifest
    tokenizer = BundleTokenizer(bundle.path / TOKENIZER)
    session = ModelSession(bundle)
    end = tokenizer.special(manifest.prompt.ends[0])
    length = manifest.context_length - 1
    nats, size = 0.0, 0
    try:
        for number, text in enumerate(texts):
            ids = tokenizer.encode(text)
            size += len(text.encode("utf-8", "replace"))
            for start in range(0, len(ids), length):
                nats += _nats(session, [end, *ids[start : start + length]])
            on_done(number + 1, len(texts))
    finally:
        session.close()
    return nats / math.log(2) / size


def _nats(session: ModelSession, window: Sequence[int]) -> float:
    """Cross-entropy of all tokens of ``window`` but the first."""
    session.rewind(0)
    nats = 0.0
    for first in range(0, len(window) - 1, _CHUNK):
        targets = window[first + 1 : first + 1 + _CHUNK]
        part = window[first : first + len(targets)]
        logits = session.extend(part, Interrupt()).astype(np.float64)  # [tokens, vocabulary]
        peak = logits.max(axis=1)
        norm = peak + np.log(np.exp(logits - peak[:, None]).sum(axis=1))
        nats += float((norm - logits[np.arange(len(targets)), targets]).sum())
    return nats
