"""What several commands share: checks of arguments, records of what was done; nothing heavy."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Protocol

from surefill.context.prompt import TEMPLATES, PromptTemplate
from surefill_training.errors import TrainingError


class Command(Protocol):
    """A module of this folder."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int: ...


def call(command: Command, *arguments: object) -> int:
    """Run a command as the command line would, with its own defaults; its exit status."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(argument) for argument in arguments]))


def positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return value


def positive_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of whole numbers, separated by commas"
        ) from error


def share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return value


def not_negative(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return value


def find_template(name: str) -> PromptTemplate:
    try:
        return TEMPLATES[name]
    except KeyError as error:
        raise TrainingError(
            f"There is no prompt template {name!r}.", f"Choose one of {', '.join(TEMPLATES)}."
        ) from error


def read_record(path: Path) -> dict[str, Any]:
    """What an earlier run of a step noted; empty when there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def model_stamp(model: Path) -> str:
    """What tells one trained model from another: the hashes of its weights and its config."""
    from surefill_training.files import hash_of

    weights = sorted(model.glob("*.safetensors"))
    config = model / "config.json"
    if not weights:
        raise TrainingError(
            f"{model} holds no model.",
            "Give the folder `model` that surefill-train pretrain wrote.",
        )
    return "+".join(hash_of(file) for file in (*weights, config) if file.exists())
