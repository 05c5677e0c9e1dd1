"""How much of a model its quantised graph has kept: the same code read by both.

Bits per byte hide what fewer bits cost a pretrained model; what it would write next does not.
Knows checkpoints and bundles, not how either was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from surefill.engine.bundle import Bundle
from surefill.engine.interrupt import Interrupt
from surefill.engine.session import ModelSession
from surefill.engine.tokenizer import BundleTokenizer
from surefill_training.errors import ExportError
from surefill_training.evaluate.programs import load_programs
from surefill_training.progress import Progress, no_progress

MOST_DIVERGENCE = 0.03
"""Nats per token. Of SmolLM2-135M in 8 bits 0.006, with only the gate's matrices in 4 bits 0.023,
with those of gate and up 0.061, all in 4 bits with blocks of 32 weights 0.23 and of 128 0.36; the
last two have a fifth to a half fewer right answers than 8 bits, which lose none that can be told
from chance."""
_PROGRAMS = 8
_TOKENS = 320
_FIRST = 32
"""Tokens at the start of a text that are not compared: with so little before all is a guess."""


@dataclass(frozen=True)
class Fidelity:
    """What a graph says of the next token, beside what its source weights say in fp32."""

    divergence: float
    """Mean Kullback-Leibler divergence from the source, nats per token."""
    agreement: float
    """Share of tokens of which both find the same one likeliest."""
    tokens: int

    def record(self) -> dict[str, Any]:
        """As plain values, for the manifest."""
        return {name: round(value, 5) for name, value in asdict(self).items()}

    @property
    def kept(self) -> bool:
        """Whether little enough was lost for the graph to be served."""
        return self.divergence <= MOST_DIVERGENCE


def require_fidelity(found: Fidelity, name: str) -> None:
    """Raise ExportError for a graph that has lost too much."""
    if not found.kept:
        raise ExportError(
            f"{name} has lost too much by quantisation: it finds another token likeliest than its "
            f"source weights at {1 - found.agreement:.0%} of {found.tokens} places (divergence "
            f"{found.divergence:.3f} nats, at most {MOST_DIVERGENCE:g}).",
            "Export it with more bits: surefill-train export --precision int8.",
        )


def compare(model: Path, bundle: Bundle, progress: Progress = no_progress) -> Fidelity:
    """Compare a bundle's graph with the checkpoint in ``model`` on ordinary programs.

    Loads the weights in fp32, one after the other text in both; some seconds for 100M parameters.
    """
    import torch
    from transformers import AutoModelForCausalLM

    prompt = bundle.manifest.prompt
    tokenizer = BundleTokenizer(bundle.tokenizer_path, (*prompt.special_tokens, *prompt.ends))
    length = min(_TOKENS, bundle.manifest.context_length)
    texts = _texts(tokenizer, length)
    source = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    source.requires_grad_(False)
    session = ModelSession(bundle, "cpu")
    divergence = agreement = 0.0
    tokens = 0
    try:
        for number, ids in enumerate(texts):
            session.rewind(0)
            served = _log_softmax(session.extend(ids, Interrupt())[_FIRST:])
            with torch.inference_mode():
                raw = source(torch.tensor([ids])).logits[0, _FIRST:].numpy()
            wanted = _log_softmax(raw)[:, : served.shape[1]]
            served = served[:, : wanted.shape[1]]
            divergence += float((np.exp(wanted) * (wanted - served)).sum())
            agreement += float((wanted.argmax(1) == served.argmax(1)).sum())
            tokens += len(wanted)
            progress("compared with the source weights", number + 1, len(texts))
    finally:
        session.close()
    return Fidelity(divergence / tokens, agreement / tokens, tokens)


def _texts(tokenizer: BundleTokenizer, length: int) -> list[Sequence[int]]:
    programs = load_programs(languages=["python"])
    step = max(1, len(programs) // _PROGRAMS)
    ids = (tokenizer.encode(program.text)[:length] for program in programs[::step])
    return [text for text in ids if len(text) > _FIRST]


def _log_softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    shifted = logits - logits.max(1, keepdims=True)
    normalised: npt.NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return normalised
