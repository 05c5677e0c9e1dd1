"""Writes a trained model as transformers reads it, with what it was made from beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import PreTrainedModel

from surefill_training.files import make_folder, not_written, write_atomically


def save_model(
    folder: Path,
    model: PreTrainedModel,
    tokenizer: Sequence[Path],
    *,
    end: str,
    context: int,
    summary: Mapping[str, Any],
) -> None:
    """Write weights, config, tokenizer and ``training.json`` into ``folder``.

    ``tokenizer`` are its files, copied as they are; where no ``tokenizer_config.json`` is among
    them, one is made of the end token and the context's length. On a full disk the weights of
    before are still there.
    """
    save_weights(folder, model)
    for file in tokenizer:
        write_atomically(folder / file.name, file.read_bytes())
    if "tokenizer_config.json" not in {file.name for file in tokenizer}:
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": context,
            "eos_token": end,
        }
        write_atomically(folder / "tokenizer_config.json", json.dumps(config).encode())
    write_atomically(folder / "training.json", json.dumps(summary, indent=1).encode())


def save_weights(folder: Path, model: PreTrainedModel) -> None:
    """What the model's own ``save_pretrained`` writes, whole or not at all."""
    partial = folder.with_name(f"{folder.name}.partial")
    make_folder(folder)
    make_folder(partial)
    try:
        model.save_pretrained(partial)
        for file in partial.iterdir():
            file.replace(folder / file.name)
    except (OSError, SafetensorError) as error:
        raise not_written(folder, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
