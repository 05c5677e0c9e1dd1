"""The tokenizer in a GGUF file, split as its ``tokenizer.ggml.pre`` says.

transformers' own conversion goes by the architecture, and so splits digits and white space of some
models otherwise than they were trained.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

from tokenizers import Regex, Tokenizer, pre_tokenizers
from transformers.convert_slow_tokenizer import (
    GPT2Converter,
    Qwen2Converter,
    TikTokenConverter,
    generate_merges,
)
from transformers.integrations.ggml import convert_gguf_tokenizer

from surefill_training.errors import ModelImportError
from surefill_training.importing.gguf_file import GgufFile
from surefill_training.importing.tokenizer_json import ROLES, SourceTokenizer

_IDS = {
    "bos_token": "bos_token_id",
    "eos_token": "eos_token_id",
    "unk_token": "unknown_token_id",
    "pad_token": "padding_token_id",
}
_PIECES = {"llama", "gemma"}
_UNSTATED = {"qwen2": "qwen2", "gpt2": "gpt-2", "starcoder2": "starcoder"}
"""How older files, which do not say it, split text, by architecture."""

Merges = list[tuple[str, str]]


class TokenType(IntEnum):
    """As in ``tokenizer.ggml.token_type``."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


def read_tokenizer(file: GgufFile) -> SourceTokenizer:
    """The tokenizer of a file; raises ModelImportError where it is of an unknown kind."""
    tokens = file.value("tokenizer.ggml.tokens")
    if not tokens:
        raise ModelImportError(
            f"{file.path.name} holds no tokenizer.", "Take a file that was converted with one."
        )
    types = _types(file, len(tokens))
    kind = file.value("tokenizer.ggml.model")
    pre: str | None = None
    if kind == "gpt2":
        tokenizer, pre = _byte_level(file, tokens)
    elif kind in _PIECES:
        tokenizer = _sentence_pieces(file, tokens)
    else:
        raise ModelImportError(
            f"The tokenizer of {file.path.name} is of the kind {kind!r}, which is not supported.",
            "Choose a model with byte-level BPE or SentencePiece, or import its Hugging Face "
            "folder.",
        )
    raw = json.loads(tokenizer.to_str())
    unused = [id_ for id_, each in enumerate(types) if each == TokenType.UNUSED]
    _drop(raw, {tokens[id_] for id_ in unused})
    return SourceTokenizer(
        raw=raw,
        special={
            token: id_
            for id_, (token, each) in enumerate(zip(tokens, types, strict=True))
            if each in (TokenType.CONTROL, TokenType.USER_DEFINED)
        },
        roles=_roles(file, tokens),
        unused=[(id_, "") for id_ in unused],
        chat_template=file.value("tokenizer.chat_template"),
        pre_tokenizer=pre,
    )


def merges_of(file: GgufFile) -> Merges:
    """The merges of a byte-level tokenizer in their order."""
    found = (merge.split(" ") for merge in file.value("tokenizer.ggml.merges", ()))
    return [(left, right) for left, right in found]


def _types(file: GgufFile, count: int) -> Sequence[int]:
    types = file.value("tokenizer.ggml.token_type")
    if types is None:
        return [TokenType.NORMAL] * count
    if len(types) != count:
        raise ModelImportError(
            f"{file.path.name} has {count} tokens and types of {len(types)}.",
            "Download it again, and pin it with --sha256.",
        )
    return [int(each) for each in types]


def _roles(file: GgufFile, tokens: Sequence[str]) -> dict[str, str]:
    found = {role: file.value(f"tokenizer.ggml.{_IDS[role]}") for role in ROLES}
    return {
        role: tokens[id_] for role, id_ in found.items() if id_ is not None and id_ < len(tokens)
    }


def _drop(raw: dict[str, Any], tokens: set[str]) -> None:
    """Take padding out of a vocabulary, which text could otherwise be encoded with."""
    vocabulary = raw["model"]["vocab"]
    if tokens and isinstance(vocabulary, dict):
        raw["model"]["vocab"] = {t: id_ for t, id_ in vocabulary.items() if t not in tokens}


def _byte_level(file: GgufFile, tokens: Sequence[str]) -> tuple[Tokenizer, str]:
    pre = str(file.value("tokenizer.ggml.pre") or _UNSTATED.get(file.architecture) or "unstated")
    make = _BYTE_LEVEL.get(pre)
    if make is None:
        raise ModelImportError(
            f"The tokenizer of {file.path.name} splits text as {pre!r}, which is not known.",
            f"Known are {', '.join(sorted(_BYTE_LEVEL))}; import the model's Hugging Face folder "
            "instead.",
        )
    vocabulary = {token: id_ for id_, token in enumerate(tokens)}
    merges = merges_of(file)
    if len(vocabulary) != len(tokens) or not merges:
        raise ModelImportError(
            f"The tokenizer of {file.path.name} has no merges, or a token twice.",
            "Download it again, and pin it with --sha256.",
        )
    bos = _roles(file, tokens).get("bos_token")
    original = SimpleNamespace(
        add_prefix_space=False,
        add_bos_token=bool(file.value("tokenizer.ggml.add_bos_token", False)) and bos is not None,
        bos_token=bos,
        bos_token_id=vocabulary.get(bos or ""),
    )
    return make(original, vocabulary, merges), pre


def _gpt2(original: object, vocabulary: dict[str, int], merges: Merges) -> Tokenizer:
    return GPT2Converter(original).converted(vocabulary, merges)  # type: ignore[no-untyped-call]


def _single_digits(original: object, vocabulary: dict[str, int], merges: Merges) -> Tokenizer:
    """GPT-2's, each digit for itself before all else."""
    tokenizer = _gpt2(original, vocabulary, merges)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return tokenizer


def _qwen2(original: object, vocabulary: dict[str, int], merges: Merges) -> Tokenizer:
    return Qwen2Converter(original).converted(vocabulary, merges)  # type: ignore[no-untyped-call]


def _llama3(original: object, vocabulary: dict[str, int], merges: Merges) -> Tokenizer:
    pattern = TikTokenConverter().pattern  # type: ignore[no-untyped-call]
    tokenizer = _gpt2(original, vocabulary, merges)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.model.ignore_merges = True
    return tokenizer


_BYTE_LEVEL: dict[str, Callable[[object, dict[str, int], Merges], Tokenizer]] = {
    "gpt-2": _gpt2,
    "phi-2": _gpt2,
    "olmo": _gpt2,
    "smollm": _single_digits,
    "starcoder": _single_digits,
    "refact": _single_digits,
    "codeshell": _single_digits,
    "qwen2": _qwen2,
    "deepseek-r1-qwen": _qwen2,
    "llama-bpe": _llama3,
    "llama3": _llama3,
}


def _sentence_pieces(file: GgufFile, tokens: Sequence[str]) -> Tokenizer:
    scores = file.value("tokenizer.ggml.scores")
    if not scores or len(scores) != len(tokens):
        raise ModelImportError(
            f"The tokenizer of {file.path.name} has no scores.", "Import its Hugging Face folder."
        )
    vocabulary = {token: id_ for id_, token in enumerate(tokens)}
    scored = dict(zip(tokens, scores, strict=True))
    merges = generate_merges(vocabulary, scored)  # type: ignore[no-untyped-call]
    values = {
        "tokenizer_type": "llama",
        "tokens": list(tokens),
        "scores": list(scores),
        "token_type": file.value("tokenizer.ggml.token_type"),
        "merges": [f"{left} {right}" for left, right in merges],
        "bos_token_id": file.value("tokenizer.ggml.bos_token_id"),
        "eos_token_id": file.value("tokenizer.ggml.eos_token_id"),
        "unk_token_id": file.value("tokenizer.ggml.unknown_token_id"),
        "add_prefix_space": file.value("tokenizer.ggml.add_space_prefix", True),
    }
    given = {key: value for key, value in values.items() if value is not None}
    kind = "gemma2" if file.architecture.startswith("gemma") else "llama"
    return convert_gguf_tokenizer(kind, given)[0]
