"""Whether an imported model says what its source says, token for token."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedModel

from surefill_training.errors import ModelImportError
from surefill_training.importing.gguf_tokenizer import Merges

PROMPTS = (
    "def fibonacci(n):\n    ",
    "import json\n\nwith open(path) as file:\n    data = ",
    "function add(a, b) {\n  return ",
    "SELECT name, count(*) FROM users\nWHERE ",
)
"""Beginnings of code that the source and the imported model continue."""
TOKENS = 24
"""How many tokens each is continued by."""
TEXTS = (
    "def f(a, b=1_000):\n\treturn {'x': a[10:], \"y\": b ** 2}  # 3.14\n",
    "if (a != b) {\r\n\t\tcall(a,  b);\r\n}\r\n",
    "    x  =   1\n\n\n        y = [ 2,   34,567 ]   \n",
    "print('déjà vu 🙂👩‍💻', '中文注释', 'ελληνικά')\n",
    "<|im_start|> is text, and so is <unk>.\n",
)
"""What has to come back from its tokens as it was: tabs, CRLF, runs of spaces, emoji, Chinese."""


def continuations(
    model: PreTrainedModel, tokenizer: Tokenizer, suppressed: Sequence[int]
) -> list[list[int]]:
    """The most likely tokens after each prompt; those ``suppressed`` are never taken."""
    ids = set(suppressed)
    return [_continue(model, _encode(tokenizer, prompt), ids) for prompt in PROMPTS]


def _continue(model: PreTrainedModel, ids: list[int], suppressed: set[int]) -> list[int]:
    written: list[int] = []
    given, cache = torch.tensor([ids]), None
    with torch.inference_mode():
        for _ in range(TOKENS):
            out: Any = model(input_ids=given, past_key_values=cache, use_cache=True)
            logits = out.logits[0, -1].float()
            logits[list(suppressed)] = -torch.inf
            written.append(int(logits.argmax()))
            given, cache = torch.tensor([written[-1:]]), getattr(out, "past_key_values", None)
    return written


def require_same(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    suppressed: Sequence[int],
    wanted: Sequence[Sequence[int]],
) -> None:
    """Raise ModelImportError where ``model`` continues a prompt otherwise than ``wanted``."""
    for prompt, one in zip(PROMPTS, wanted, strict=True):
        ids = _encode(tokenizer, prompt)
        if _agrees(model, ids, one, suppressed):
            continue
        # All at once sums in another order than token by token, and two may be as likely.
        other = _continue(model, ids, set(suppressed))
        if list(one) != other:
            at = next(i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
            raise ModelImportError(
                f"The imported model continues {prompt!r} otherwise than its source from token "
                f"{at} on.",
                "Nothing was written; please report this with the model's name.",
            )


def _agrees(
    model: PreTrainedModel, ids: list[int], wanted: Sequence[int], suppressed: Sequence[int]
) -> bool:
    """Whether each of the tokens ``wanted`` is the most likely one where it stands."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[*ids, *wanted[:-1]]])).logits[0, len(ids) - 1 :]
        logits = logits.float()
        logits[:, list(suppressed)] = -torch.inf
        best: list[int] = logits.argmax(dim=1).tolist()
        return best == list(wanted)


def require_round_trip(tokenizer: Tokenizer) -> None:
    """Raise ModelImportError where a text does not come back from its tokens."""
    for text in TEXTS:
        back = tokenizer.decode(_encode(tokenizer, text), skip_special_tokens=False)
        if back != text:
            raise ModelImportError(
                f"The tokenizer does not give {text!r} back, but {back!r}.",
                "Such a model cannot complete code; choose another.",
            )


def require_same_in_transformers(folder: Path, tokenizer: Tokenizer) -> None:
    """Raise ModelImportError where transformers encodes otherwise than the server will."""
    theirs = AutoTokenizer.from_pretrained(str(folder))  # type: ignore[no-untyped-call]
    for text in TEXTS[:-1]:
        if theirs.encode(text, add_special_tokens=False) != _encode(tokenizer, text):
            raise ModelImportError(
                f"transformers encodes {text!r} otherwise than the imported tokenizer.json.",
                "Please report this with the model's name.",
            )


def require_merges(tokenizer: Tokenizer, merges: Merges, ids: Mapping[str, int]) -> None:
    """Raise ModelImportError where a text is not encoded by the source's own merges.

    Merges the pieces of each text one pair at a time, the earliest merge first, which is what
    byte-level BPE is.
    """
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    ignores = bool(getattr(tokenizer.model, "ignore_merges", False))
    for text in TEXTS[:-1]:
        normal = tokenizer.normalizer.normalize_str(text) if tokenizer.normalizer else text
        pieces = [piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal)]
        wanted = [
            ids[token]
            for piece in pieces
            for token in ([piece] if ignores and piece in ids else _merge(piece, ranks))
        ]
        if wanted != _encode(tokenizer, text):
            raise ModelImportError(
                f"The tokenizer encodes {text!r} otherwise than the merges of its source.",
                "Import the Hugging Face folder of the model instead.",
            )


def _merge(piece: str, ranks: Mapping[tuple[str, str], int]) -> list[str]:
    parts = list(piece)
    while len(parts) > 1:
        pairs = [ranks.get(pair, len(ranks)) for pair in itertools.pairwise(parts)]
        best = min(range(len(pairs)), key=pairs.__getitem__)
        if pairs[best] == len(ranks):
            break
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts


def _encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """Ids of ordinary text, as the server encodes it."""
    tokenizer.encode_special_tokens = True
    return list(tokenizer.encode(text, add_special_tokens=False).ids)
