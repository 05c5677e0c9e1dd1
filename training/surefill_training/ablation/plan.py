"""Reads a file of ablations: which arms there are, and what each is trained with.

Options are those of ``surefill-train pretrain``, or of ``finetune`` where the file says
``command = "finetune"``, by the same names and with the same checks.
Imports nothing heavy.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NoReturn

from surefill_training.commands import finetune, pretrain
from surefill_training.errors import TrainingError
from surefill_training.options import RunOptions, TrainOptions

Unit = Literal["minutes", "steps", "tokens"]
Command = Literal["pretrain", "finetune"]

_UNITS: tuple[Unit, ...] = ("minutes", "steps", "tokens")
_COMMANDS: dict[str, ModuleType] = {"pretrain": pretrain, "finetune": finetune}
_NOT_FOR_ARMS = {*_UNITS, "seed", "stop-after", "patience", "processes", "wandb"}
"""What the group decides for all its arms, or what makes their compute unequal."""


@dataclass(frozen=True)
class Arm:
    """One way to train, once for each seed."""

    name: str
    given: Mapping[str, Any]
    """The options in which it differs from the base."""
    runs: tuple[tuple[TrainOptions, RunOptions], ...]
    """One for each seed."""


@dataclass(frozen=True)
class Ablation:
    """Arms at equal compute that answer one question."""

    name: str
    question: str
    command: Command
    unit: Unit
    amount: float
    """Of compute, in ``unit``, for every run of every arm."""
    arms: tuple[Arm, ...]


def read_plan(path: Path, only: str | None = None) -> list[Ablation]:
    """The ablations of a TOML file, or ``only`` that of a name.

    Raises TrainingError when the file cannot be followed or has none of that name.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TrainingError(
            f"{path} cannot be read ({reason}).", "Give a TOML file like training/ablations.toml."
        ) from error
    groups = table.get("ablation", [])
    if not groups:
        raise TrainingError(f"{path} describes no ablation.", "Begin each with [[ablation]].")
    command = table.get("command", "pretrain")
    if command not in _COMMANDS:
        raise TrainingError(
            f"{path} compares runs of {command!r}.", f"Choose one of {', '.join(_COMMANDS)}."
        )
    ablations = [_ablation(command, table.get("base", {}), group) for group in groups]
    _require_distinct([ablation.name for ablation in ablations], str(path))
    if only is None:
        return ablations
    chosen = [ablation for ablation in ablations if ablation.name == only]
    if not chosen:
        names = ", ".join(ablation.name for ablation in ablations)
        raise TrainingError(f"{path} has no ablation {only!r}.", f"Choose one of {names}.")
    return chosen


def _ablation(command: Command, base: Mapping[str, Any], group: Mapping[str, Any]) -> Ablation:
    name = _name(group, "An ablation")
    units = [unit for unit in _UNITS if unit in group]
    arms = group.get("arm", [])
    if len(units) != 1 or len(arms) < 2:
        raise TrainingError(
            f"The ablation {name!r} needs one of {', '.join(_UNITS)} and at least two arms.",
            "Say minutes = 10, for example, and begin each arm with [[ablation.arm]].",
        )
    unit, amount = units[0], group[units[0]]
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or amount <= 0:
        raise TrainingError(
            f"The ablation {name!r} gives {amount!r} {unit}.", "Give a number above zero."
        )
    seeds = [int(seed) for seed in group.get("seeds", [0])] or [0]
    made = tuple(_arm(command, base, arm, {unit: amount}, seeds) for arm in arms)
    _require_distinct([arm.name for arm in made], name)
    return Ablation(name, str(group.get("question", "")), command, unit, float(amount), made)


def _arm(
    command: Command,
    base: Mapping[str, Any],
    arm: Mapping[str, Any],
    budget: Mapping[str, Any],
    seeds: list[int],
) -> Arm:
    name = _name(arm, "An arm")
    given = {_flag(key): value for key, value in arm.get("options", {}).items()}
    merged = {_flag(key): value for key, value in base.items()} | given
    misplaced = sorted(merged.keys() & _NOT_FOR_ARMS)
    if misplaced:
        raise TrainingError(
            f"The arm {name!r} has the option {misplaced[0]}, which is the same for all arms.",
            "Give the budget and the seeds to the ablation.",
        )
    options, run = _parse(command, name, merged)
    runs = tuple((replace(options, seed=seed, **budget), run) for seed in seeds)
    return Arm(name, given, runs)


def _parse(
    command: Command, arm: str, options: Mapping[str, Any]
) -> tuple[TrainOptions, RunOptions]:
    words: list[str] = []
    for flag, value in options.items():
        if isinstance(value, list):
            words += [f"--{flag}", *map(str, value)]
        elif value is not False:
            words += [f"--{flag}"] if value is True else [f"--{flag}={value}"]
    parser = _Parser(command, arm)
    module = _COMMANDS[command]
    module.add_recipe(parser)
    found: tuple[TrainOptions, RunOptions] = module.options_of(parser.parse_args(words))
    return found


class _Parser(argparse.ArgumentParser):
    """Raises where a command line would end the program."""

    def __init__(self, command: Command, arm: str) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        self._command, self._arm = command, arm

    def error(self, message: str) -> NoReturn:
        raise TrainingError(
            f"The options of the arm {self._arm!r} are wrong: {message}.",
            f"See surefill-train {self._command} --help.",
        )


def _flag(key: str) -> str:
    return key.replace("_", "-")


def _name(table: Mapping[str, Any], what: str) -> str:
    name = table.get("name")
    if not isinstance(name, str) or not name.replace("-", "").isalnum():
        raise TrainingError(
            f"{what} has no usable name ({name!r}).",
            "Give it a name of letters, digits and hyphens, which is a folder too.",
        )
    return name


def _require_distinct(names: list[str], where: str) -> None:
    if len(set(names)) < len(names):
        raise TrainingError(f"Names occur twice in {where}.", "Give each a name of its own.")
