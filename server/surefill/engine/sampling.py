"""From logits to the next token: greedy or nucleus sampling, under what is allowed.

Pure functions on arrays of shape (vocabulary,).
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


def log_softmax(logits: Floats) -> Floats:
    """Natural log-probabilities."""
    shifted = logits - logits.max()
    normalised: Floats = shifted - np.log(np.exp(shifted).sum())
    return normalised


def greedy(logprobs: Floats, allowed: Bools) -> int:
    """The likeliest allowed token; the lowest id among equals, as torch and numpy do."""
    return int(np.where(allowed, logprobs, -np.inf).argmax())


def runner_up(logprobs: Floats, allowed: Bools, token: int) -> float:
    """Log-probability of the likeliest allowed token but ``token``; -inf where there is none."""
    others = np.where(allowed, logprobs, -np.inf)
    others[token] = -np.inf
    return float(others.max())


def sample(
    logprobs: Floats,
    allowed: Bools,
    generator: np.random.Generator,
    temperature: float,
    top_p: float,
) -> int:
    """Draw from the allowed tokens: the likeliest ones that together reach ``top_p``.

    Nucleus sampling of Holtzman et al., 2020 (https://arxiv.org/abs/1904.09751).
    """
    scaled = np.where(allowed, logprobs, -np.inf).astype(np.float64) / temperature
    order = np.argsort(-scaled, kind="stable")
    probabilities = np.exp(scaled[order] - scaled[order[0]])
    probabilities /= probabilities.sum()
    # The token that crosses the bound is still in, so that at least one remains.
    kept = 1 + int(np.searchsorted(np.cumsum(probabilities), top_p))
    nucleus = probabilities[:kept]
    return int(order[generator.choice(len(nucleus), p=nucleus / nucleus.sum())])


def without(taken: Collection[int], logprobs: Floats, allowed: Bools, least: float) -> Bools:
    """``allowed`` less ``taken``, unless what is left has less than the share ``least`` of it all.

    Both shares are of probability.
    """
    rest = allowed.copy()
    rest[list(taken)] = False
    left, whole = np.exp(logprobs[rest]).sum(), np.exp(logprobs[allowed]).sum()
    return rest if left > 0 and left >= least * whole else allowed


def seed_for(ids: Sequence[int], seed: int = 0) -> int:
    """A seed that depends on nothing but these, so that equal requests get equal answers."""
    return zlib.crc32(np.asarray(ids, np.int64).tobytes(), seed)
