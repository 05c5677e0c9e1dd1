"""What several commands share: checks of arguments, records of what was done; nothing heavy."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any, Protocol, TypeVar

from surefill_training.errors import TrainingError
from surefill_training.options import QuantizationFormat

T = TypeVar("T")


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
    return _checked(text, int, lambda value: value > 0, "a positive whole number")


def positive_float(text: str) -> float:
    return _checked(text, float, lambda value: 0 < value < inf, "a positive number")


def not_negative(text: str) -> float:
    return _checked(text, float, lambda value: 0 <= value < inf, "a number of at least 0")


def share(text: str) -> float:
    return _checked(text, float, lambda value: 0 <= value <= 1, "a share between 0 and 1")


def named_share(text: str) -> tuple[str, float]:
    what = "a name and a share between 0 and 1, like python=0.5"
    return _checked(text, _named_float, lambda value: bool(value[0]) and 0 <= value[1] <= 1, what)


def named_format(text: str) -> QuantizationFormat:
    what = "a layer and a format, like down_proj=8:32 or all=4:32:asymmetric"
    return _checked(text, _named_text, lambda value: bool(value.name and value.format), what)


def _named_text(text: str) -> QuantizationFormat:
    name, _, form = text.partition("=")
    return QuantizationFormat(name, form)


def _named_float(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def numbers(text: str) -> tuple[int, ...]:
    what = "a list of whole numbers of at least 0, separated by commas"
    return _checked(text, _integers, lambda values: min(values) >= 0, what)


def positive_numbers(text: str) -> tuple[int, ...]:
    what = "a list of positive whole numbers, separated by commas"
    return _checked(text, _integers, lambda values: min(values) > 0, what)


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _checked(text: str, read: Callable[[str], T], holds: Callable[[T], bool], what: str) -> T:
    """The value of an argument; argparse shows the message of the error."""
    try:
        value = read(text)
        if holds(value):
            return value
    except ValueError:
        pass  # as for a value that does not hold
    raise argparse.ArgumentTypeError(f"{text!r} is not {what}")


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
