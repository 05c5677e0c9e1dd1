"""The ``config.json`` of a model directory, read so that nothing in it is silently ignored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from surefill.errors import InputError

MOST_CONTEXT = 2048
"""Tokens that a bundle is given unless it is told otherwise. A cache of keys and values for all
that a pretrained model could see takes more memory than its weights, and nobody waits so long."""


def read_config(model_dir: Path) -> dict[str, Any]:
    """The checkpoint's ``config.json``; raises InputError."""
    file = model_dir / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{model_dir} is not a checkpoint: it has no config.json.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}.") from error
    if not isinstance(config, dict):
        raise InputError(f"{file} must hold a JSON object.")
    return config


def rope_base(config: dict[str, Any]) -> float | None:
    """The base of the rotary position embedding, in either spelling; None where there is none.

    transformers 4 writes and reads ``rope_theta``; transformers 5 writes ``rope_parameters``, which
    4 silently ignores and takes 10000. Raises InputError where both stand there and differ.
    """
    parameters = config.get("rope_parameters")
    nested = parameters.get("rope_theta") if isinstance(parameters, dict) else None
    flat = config.get("rope_theta")
    if nested is not None and flat is not None and float(nested) != float(flat):
        raise InputError(
            f"The checkpoint's config.json gives two RoPE bases: rope_theta {flat} and "
            f"rope_parameters {nested}.",
            "Delete the wrong one.",
        )
    found = nested if nested is not None else flat
    return None if found is None else float(found)


def config_for_transformers_4(config: dict[str, Any]) -> dict[str, Any]:
    """``config`` with the RoPE settings where transformers 4 looks for them."""
    config = dict(config)
    base = rope_base(config)
    parameters = config.pop("rope_parameters", None)
    if base is not None:
        config["rope_theta"] = base
    if isinstance(parameters, dict) and parameters.get("rope_type", "default") != "default":
        scaling = {key: value for key, value in parameters.items() if key != "rope_theta"}
        stated = config.get("rope_scaling")
        if stated is not None and stated != scaling:
            raise InputError(
                "The checkpoint's config.json scales RoPE in two ways: rope_scaling and "
                "rope_parameters differ.",
                "Delete the wrong one.",
            )
        config["rope_scaling"] = scaling
    return config
