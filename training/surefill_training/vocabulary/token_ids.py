"""The token ids that a model folder's small files name, and their new numbers after a cut."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from surefill_training.errors import TrainingError
from surefill_training.files import write_atomically

_LISTS = ("suppress_tokens", "begin_suppress_tokens")
_NAMED = ("bos_token", "eos_token", "pad_token", "unk_token")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; empty where there is no such file. Raises TrainingError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{path} cannot be read ({error}).", "Copy the model's folder again."
        ) from error
    return found if isinstance(found, dict) else {}


def named(folder: Path) -> set[int]:
    """The ids that ``config.json`` and ``generation_config.json`` name: of ends, of padding."""
    found: set[int] = set()
    for name in ("config.json", "generation_config.json"):
        for key, value in read_json(folder / name).items():
            found |= set(_numbers(value)) if _is_ids(key) else set()
    return found


def named_tokens(folder: Path) -> set[str]:
    """The texts of the tokens that ``tokenizer_config.json`` names."""
    config = read_json(folder / "tokenizer_config.json")
    values = (config.get(name) for name in _NAMED)
    texts = (value["content"] if isinstance(value, dict) else value for value in values)
    return {text for text in texts if text}


def renumber_config(config: object, ids: Mapping[int, int]) -> None:
    """Give the ids that a config or a generation config names their new numbers, in place.

    One that is not kept, which is negative and means none, becomes None.
    """
    for key, value in list(vars(config).items()):
        if _is_ids(key) and isinstance(value, list):
            setattr(config, key, [ids[number] for number in value if number in ids])
        elif _is_ids(key) and isinstance(value, int):
            setattr(config, key, ids.get(value))


def copy_files(source: Path, out: Path, tokens: Mapping[str, int], ids: Mapping[int, int]) -> None:
    """Copy what stands beside ``tokenizer.json``, with new ids.

    Lists of all tokens and merges, which older tokenizers have instead, stay behind.
    """
    config = read_json(source / "tokenizer_config.json")
    described = config.get("added_tokens_decoder")
    if isinstance(described, dict):
        renumbered = {ids[int(old)]: token for old, token in described.items() if int(old) in ids}
        config["added_tokens_decoder"] = {str(n): renumbered[n] for n in sorted(renumbered)}
    added = read_json(source / "added_tokens.json")
    files = {
        "tokenizer_config.json": config,
        "added_tokens.json": {token: tokens[token] for token in added if token in tokens},
        "special_tokens_map.json": read_json(source / "special_tokens_map.json"),
    }
    for name, contents in files.items():
        if contents:
            text = json.dumps(contents, indent=2, ensure_ascii=False)
            write_atomically(out / name, text.encode("utf-8"))


def _is_ids(key: str) -> bool:
    return key.endswith("_token_id") or key in _LISTS


def _numbers(value: object) -> Iterator[int]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, int):
            yield one
