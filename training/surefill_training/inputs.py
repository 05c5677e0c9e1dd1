"""What a run is made from: tokenizer and task, device and held-out sample."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from surefill.context.healing import heal
from surefill.engine import interface
from surefill.engine.healing import TokenTexts
from surefill_training.corpus import build
from surefill_training.corpus.sample import take
from surefill_training.errors import TrainingError
from surefill_training.options import Precision
from surefill_training.tasks.infilling import Infilling, InfillingOptions
from surefill_training.templates import find_template

_TRIAL_ROWS, _TRIAL_WIDTH = 2048, 576
"""Tokens of a micro batch and hidden states of a small model: below that, how a product begins and
ends tells more than how fast it is."""


def make_task(tokenizer: Tokenizer, template: str, options: InfillingOptions) -> Infilling:
    """The infilling task in the terms of one tokenizer."""
    layout = find_template(template)
    # Special tokens that occur in a document are ordinary text.
    tokenizer.encode_special_tokens = True

    def special(token: str) -> int:
        found = tokenizer.token_to_id(token)
        if found is None:
            raise TrainingError(
                f"The tokenizer has no token {token!r}.",
                "Give the --template that it was made for, or train one: surefill-train tokenizer.",
            )
        return int(found)

    def encode(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    texts = TokenTexts([tokenizer.decode([n]) for n in range(tokenizer.get_vocab_size())])

    def keep(text: str, ids: Sequence[int]) -> int:
        # Of the server's tokenizer, healing asks for what it has in common with this one.
        served = cast(interface.Tokenizer, tokenizer)
        return len(heal(text, ids, served, texts.extends)[0])

    return Infilling(encode, special, layout, options, keep)


def load_tokenizer(path: Path) -> Tokenizer:
    """A ``tokenizer.json``; raises TrainingError when it is none."""
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:
        raise TrainingError(
            f"{path} is not a tokenizer ({error}).",
            "Train one: surefill-train tokenizer --corpus DIR --out FILE.",
        ) from error


def device(name: str) -> torch.device:
    """The device of a name, ``auto`` for a CUDA GPU where there is one, shown to work."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = torch.device(name)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(
            f"The device {name!r} cannot be used here ({str(error).strip().splitlines()[0]}).",
            "Choose auto, cpu or cuda.",
        ) from error
    return found


def precision(name: Precision, device: torch.device) -> torch.dtype:
    """What matrices are multiplied in: bfloat16 where that is the faster, else single precision.

    A CPU without instructions for bfloat16 takes up to a hundred times longer for it, so ``auto``
    tries both there.
    """
    if name == "fp32":
        return torch.float32
    if name == "bf16" or device.type != "cpu":
        return torch.bfloat16
    faster = _trial(torch.bfloat16) < _trial(torch.float32)
    return torch.bfloat16 if faster else torch.float32


def _trial(dtype: torch.dtype) -> float:
    """Seconds of the products that a linear layer trains with, the best of a few."""
    inputs = torch.ones((_TRIAL_ROWS, _TRIAL_WIDTH), dtype=dtype)
    matrix = torch.ones((3 * _TRIAL_WIDTH, _TRIAL_WIDTH), dtype=dtype)
    times = []
    for _ in range(4):
        began = time.perf_counter()
        outputs = functional.linear(inputs, matrix)
        torch.mm(outputs, matrix)
        torch.mm(outputs.T, inputs)
        times.append(time.perf_counter() - began)
    return min(times)


def heldout_sample(corpus: Path, chars: int) -> list[str]:
    """A fixed sample of the held-out documents."""
    return take((document.text for document in build.load(corpus, "heldout")), chars)
