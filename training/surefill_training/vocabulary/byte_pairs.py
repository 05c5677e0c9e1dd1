"""A byte-level BPE tokenizer as data: read from ``tokenizer.json``, and written with fewer tokens.

Knows tokens and merges; neither how often a token is used nor the weights that belong to it.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, pre_tokenizers

from surefill_training.errors import TrainingError

BYTES = frozenset(pre_tokenizers.ByteLevel.alphabet())
"""The 256 characters that stand for single bytes."""

Merge = tuple[str, str]


@dataclass(frozen=True)
class BytePairs:
    """Tokens, merges and the file that they come from."""

    raw: Mapping[str, Any]
    """The contents of ``tokenizer.json``."""
    vocab: Mapping[str, int]
    """The tokens that text is encoded with, and their ids."""
    added: Mapping[str, int]
    """Added tokens, as special ones are, in the order of their ids; some are in ``vocab``, too."""
    merges: tuple[Merge, ...]
    """In the order in which they are tried."""

    @property
    def ids(self) -> dict[str, int]:
        """The ids of all tokens."""
        return {**self.vocab, **self.added}

    @property
    def missing_bytes(self) -> list[str]:
        """Characters of the bytes that no token stands for: text that has them is lost."""
        return sorted(BYTES - self.vocab.keys())

    def derivations(self) -> dict[str, list[Merge]]:
        """The merges that make each token, in the order in which they are tried."""
        found: dict[str, list[Merge]] = defaultdict(list)
        for left, right in self.merges:
            found[left + right].append((left, right))
        return found


def read(path: Path) -> BytePairs:
    """The tokenizer in ``path``; raises TrainingError where it is no byte-level BPE."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_str(json.dumps(raw))
    except Exception as error:  # tokenizers raises plain Exception
        raise TrainingError(
            f"{path} is not a tokenizer ({error}).",
            "Give a model folder that has the tokenizer.json of its model.",
        ) from error
    _require_byte_level(path, raw)
    model = raw["model"]
    # Older files have each merge as one string.
    merges = (m.split(" ") if isinstance(m, str) else m for m in model["merges"])
    contents = [token["content"] for token in raw.get("added_tokens") or ()]
    # Asked from the library, which may number added tokens anew.
    added = {token: tokenizer.token_to_id(token) for token in contents}
    return BytePairs(
        raw,
        model["vocab"],
        dict(sorted(added.items(), key=lambda item: item[1])),
        tuple((left, right) for left, right in merges),
    )


def _require_byte_level(path: Path, raw: Mapping[str, Any]) -> None:
    model = raw["model"]
    reason = None
    if model["type"] != "BPE":
        reason = f"its model is {model['type']}"
    elif model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        reason = "it marks the beginnings or ends of words"
    elif "ByteLevel" not in _types(raw.get("pre_tokenizer"), raw.get("normalizer")):
        reason = "it does not turn text into bytes first"
    elif "ByteLevel" not in _types(raw.get("decoder")):
        reason = "it does not turn bytes back into text"
    if reason:
        raise TrainingError(
            f"{path} is not a byte-level BPE tokenizer: {reason}.",
            "Choose a model with one, as those of SmolLM2, Llama 3 and Qwen have; others keep "
            "their vocabulary.",
        )


def _types(*parts: object) -> set[str]:
    """The types of parts of a tokenizer, and of those that they hold."""
    found: set[str] = set()
    for part in parts:
        if isinstance(part, dict):
            found |= {str(part.get("type")), *_types(*part.values())}
        elif isinstance(part, list):
            found |= _types(*part)
    return found


def closed(tokens: Iterable[str], derivations: Mapping[str, list[Merge]]) -> set[str]:
    """``tokens`` with all that they are merged from.

    Of a token with several derivations the parts of all are in it: whichever a text takes, it goes
    through tokens that are kept.
    """
    found: set[str] = set()
    waiting = list(tokens)
    while waiting:
        token = waiting.pop()
        if token in found:
            continue
        found.add(token)
        for merge in derivations.get(token, ()):
            waiting.extend(merge)
    return found


def trimmed(source: BytePairs, kept: Iterable[str]) -> BytePairs:
    """``source`` with no tokens but ``kept``, in the order of their ids, and all 256 bytes.

    Bytes that the source lacks come after its last token; added tokens that are not in its
    vocabulary come last, where the library puts them. ``kept`` must be closed and have all added
    tokens.
    """
    chosen = set(kept)
    tokens = sorted(chosen & source.vocab.keys(), key=source.vocab.__getitem__)
    tokens += source.missing_bytes
    vocab = {token: number for number, token in enumerate(tokens)}
    outside = [token for token in source.added if token not in vocab]
    ids = vocab | {token: len(vocab) + number for number, token in enumerate(outside)}
    merges = tuple((a, b) for a, b in source.merges if {a, b, a + b} <= vocab.keys())
    added = sorted(source.added, key=ids.__getitem__)
    raw: dict[str, Any] = copy.deepcopy(dict(source.raw))
    raw["model"] |= {"vocab": vocab, "merges": [list(merge) for merge in merges]}
    described = {token["content"]: token for token in raw.get("added_tokens") or ()}
    raw["added_tokens"] = [described[token] | {"id": ids[token]} for token in added]
    old = source.ids
    renumber = {old[token]: number for token, number in ids.items() if token in old}
    for part in ("post_processor", "padding"):
        raw[part] = _renumbered(raw.get(part), renumber)
    return BytePairs(raw, vocab, {token: ids[token] for token in added}, merges)


def _renumbered(part: Any, ids: Mapping[int, int]) -> Any:  # noqa: ANN401 - JSON
    """A part of a tokenizer with the new ids of the tokens that it names."""
    readers: dict[str, Callable[[Any], Any]] = {
        "ids": lambda values: [ids[value] for value in values],  # of a template
        "cls": lambda pair: [pair[0], ids[pair[1]]],  # of BERT's and RoBERTa's
        "sep": lambda pair: [pair[0], ids[pair[1]]],
        "pad_id": lambda value: ids.get(value, 0),
    }
    if isinstance(part, list):
        return [_renumbered(one, ids) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: readers[key](value) if key in readers else _renumbered(value, ids)
        for key, value in part.items()
    }
