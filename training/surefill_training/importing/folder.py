"""A model folder in the layout of transformers as a source."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard
from safetensors import safe_open
from transformers import PreTrainedModel

from surefill_training.errors import ModelImportError
from surefill_training.files import hash_of
from surefill_training.importing.tokenizer_json import ROLES, SourceTokenizer, free_ids
from surefill_training.train import source as sources


def find(folder: Path) -> sources.Source:
    """Configuration and tokenizer of a folder."""
    return sources.find_source(str(folder))


def load_source(source: sources.Source) -> PreTrainedModel:
    """Its weights in single precision."""
    model = sources.load_weights(source)
    model.train(False)
    return model


def load_weights(folder: Path) -> PreTrainedModel:
    """The weights of a folder in single precision."""
    return load_source(find(folder))


def read_tokenizer(source: sources.Source) -> SourceTokenizer:
    """The tokenizer of a folder; tokens that were added to it are special."""
    raw = json.loads((source.folder / "tokenizer.json").read_text(encoding="utf-8"))
    config = _json(source.folder / "tokenizer_config.json")
    roles = {role: _content(config.get(role)) for role in ROLES}
    template = source.folder / "chat_template.jinja"
    chat = template.read_text(encoding="utf-8") if template.is_file() else None
    stated = config.get("chat_template")
    found = SourceTokenizer(
        raw=raw,
        special={
            token["content"]: int(token["id"])
            for token in raw.get("added_tokens") or ()
            if token.get("special") or token["content"].strip()
        },
        roles={role: token for role, token in roles.items() if token},
        chat_template=chat or (stated if isinstance(stated, str) else None),
    )
    found.unused = free_ids(found.ids.values(), int(source.config.vocab_size))
    return found


def tensors(folder: Path) -> tuple[int, dict[str, int]]:
    """How many numbers the weights of a folder hold, and how many tensors are of each type."""
    total, types = 0, Counter[str]()
    for file in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(file, framework="pt") as opened:
                for key in opened.keys():  # noqa: SIM118 - not a mapping
                    part = opened.get_slice(key)
                    total += prod(part.get_shape())
                    types[part.get_dtype()] += 1
        except Exception as error:  # its own kind, and those of the system
            raise ModelImportError(
                f"{file.name} cannot be read ({error}).", "Download it again."
            ) from error
    if not types:
        # Pickled weights tell no shapes without being read.
        total = sum(file.stat().st_size for file in folder.glob("*.bin")) // 2
    return total, dict(types.most_common())


def license_of(folder: Path) -> str | None:
    """What the model card in a folder says."""
    card = folder / "README.md"
    if not card.is_file():
        return None
    try:
        stated: Any = ModelCard.load(card).data.get("license")
    except Exception:  # noqa: BLE001 - a readme that is no card says nothing
        return None
    return str(stated) if stated else None


def hash_together(files: Sequence[Path]) -> str:
    """One hash for several files: that of what ``sha256sum`` prints for them, sorted by name."""
    lines = [f"{hash_of(file)}  {file.name}\n" for file in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ModelImportError(
            f"{path.name} cannot be read ({error}).", "Download the model again."
        ) from error
    return found if isinstance(found, dict) else {}


def _content(token: object) -> str | None:
    found = token.get("content") if isinstance(token, dict) else token
    return str(found) if found else None
