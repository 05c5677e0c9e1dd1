"""A ``tokenizer.json`` with the special tokens that it must have, and its configuration beside it.

Works on the JSON, for the library that reads it numbers tokens itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from surefill_training.errors import ModelImportError
from surefill_training.importing.vocabulary import Plan

ROLES = ("bos_token", "eos_token", "unk_token", "pad_token")
_UNTOUCHED = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
"""Of an added token: it is found as it stands, with nothing stripped around it."""


@dataclass
class SourceTokenizer:
    """A tokenizer as its source has it."""

    raw: dict[str, Any]
    """What its ``tokenizer.json`` holds."""
    special: dict[str, int]
    """Tokens that the source says are no text."""
    roles: dict[str, str] = field(default_factory=dict)
    """Which token begins, ends and pads a text, by ``bos_token`` and so on."""
    unused: list[tuple[int, str]] = field(default_factory=list)
    """Ids that the model has a row for and no text is encoded with, with their names."""
    chat_template: str | None = None
    pre_tokenizer: str | None = None
    """How it splits text, in the words of its source."""

    @property
    def ids(self) -> dict[str, int]:
        """All tokens."""
        vocabulary = self.raw["model"]["vocab"]
        if isinstance(vocabulary, dict):
            found = {str(token): int(id_) for token, id_ in vocabulary.items()}
        else:  # a unigram model's list of tokens and scores
            found = {str(token): id_ for id_, (token, _score) in enumerate(vocabulary)}
        return found | {t["content"]: int(t["id"]) for t in self.raw.get("added_tokens") or ()}

    @property
    def forgotten(self) -> list[str]:
        """Special tokens that the JSON does not set apart from text."""
        added = {token["content"] for token in self.raw.get("added_tokens") or ()}
        return sorted(set(self.special) - added)


def with_plan(source: SourceTokenizer, plan: Plan) -> dict[str, Any]:
    """The JSON of ``source`` with the names, places and special tokens of ``plan``."""
    names = dict(plan.renamed) | {each.was: each.token for each in plan.added if each.was}
    raw = json.loads(_renamed_text(source.raw, names))
    ids = {names.get(token, token): id_ for token, id_ in source.ids.items()}
    ids |= {each.token: each.id for each in plan.added}
    wanted = {names.get(token, token) for token in source.special}
    wanted |= set(plan.template.special_tokens())
    added = {int(token["id"]): token for token in raw.get("added_tokens") or ()}
    for token in wanted:
        special = {"special": bool(token.strip())}
        added[ids[token]] = _UNTOUCHED | added.get(ids[token], {}) | {"id": ids[token]} | special
        added[ids[token]]["content"] = token
    raw["added_tokens"] = [added[id_] for id_ in sorted(added)]
    _require_same_ids(raw, {token: ids[token] for token in wanted})
    return dict(raw)


def write_tokenizer(
    folder: Path, raw: Mapping[str, Any], source: SourceTokenizer, plan: Plan, context: int
) -> None:
    """Write ``tokenizer.json`` and ``tokenizer_config.json`` into a model's folder."""
    names = dict(plan.renamed) | {each.was: each.token for each in plan.added}
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
        # Without it there are token_type_ids, which no causal model takes.
        "model_input_names": ["input_ids", "attention_mask"],
        **{role: names.get(token, token) for role, token in source.roles.items()},
        "additional_special_tokens": list(plan.template.special_tokens()),
    }
    if source.chat_template:
        config["chat_template"] = source.chat_template
    for name, values in (("tokenizer.json", raw), ("tokenizer_config.json", config)):
        text = json.dumps(
            values, ensure_ascii=False, indent=1 if name != "tokenizer.json" else None
        )
        (folder / name).write_text(text + "\n", encoding="utf-8", newline="\n")


def _renamed_text(raw: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """``raw`` as JSON, tokens renamed wherever they stand as whole strings or keys."""

    def walk(value: object) -> object:
        if isinstance(value, dict):
            return {names.get(key, key): walk(each) for key, each in value.items()}
        if isinstance(value, list):
            return [walk(each) for each in value]
        return names.get(value, value) if isinstance(value, str) else value

    return json.dumps(walk(dict(raw)) if names else raw)


def _require_same_ids(raw: Mapping[str, Any], wanted: Mapping[str, int]) -> None:
    """The library numbers added tokens itself; raise where it takes others than the model's."""
    tokenizer = load(raw)
    wrong = [token for token, id_ in wanted.items() if tokenizer.token_to_id(token) != id_]
    if wrong:
        raise ModelImportError(
            f"The special tokens {', '.join(wrong[:3])} cannot keep their ids.",
            "Import the Hugging Face folder of the model instead, or choose --template plain.",
        )


def load(raw: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer of a JSON; raises ModelImportError."""
    try:
        return Tokenizer.from_str(json.dumps(raw))
    except Exception as error:  # tokenizers raises plain Exception
        raise ModelImportError(
            f"The tokenizer cannot be read ({error}).",
            "Import the Hugging Face folder of the model instead.",
        ) from error


def free_ids(ids: Iterable[int], rows: int) -> list[tuple[int, str]]:
    """Ids that the model has rows for and the tokenizer no names."""
    taken = set(ids)
    return [(id_, "") for id_ in range(rows) if id_ not in taken]
