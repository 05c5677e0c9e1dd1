"""Checkpoints of a training run: written whole or not at all, the last good one kept."""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from surefill_training.errors import CheckpointError, TrainingError
from surefill_training.files import write_atomically

_NAME = re.compile(r"step-(\d{7,})\.pt")
_BEST = "best.pt"
_WEIGHTS = "source.weights"
"""Where a fingerprint has the hashes of the weights that a run starts from."""

logger = logging.getLogger(__name__)


class CheckpointFolder:
    """The checkpoints of one run, newest last."""

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self._folder = folder
        self._keep = keep

    def save(self, step: int, state: dict[str, Any]) -> Path:
        """Write the state after ``step``; older checkpoints beyond ``keep`` are removed after.

        Raises CheckpointError when it cannot be written; every earlier checkpoint is then intact.
        """
        path = self._folder / f"step-{step:07d}.pt"
        self._write(path, state)
        self._remove_all_but(step)
        return path

    def save_best(self, state: dict[str, Any]) -> None:
        """Keep ``state`` as the best so far, whatever becomes of the checkpoints of steps."""
        self._write(self._folder / _BEST, state)

    def load_best(self) -> dict[str, Any] | None:
        """What ``save_best`` kept; None where there is nothing, or nothing that can be read."""
        path = self._folder / _BEST
        try:
            return _read(path)
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - as below
            logger.warning("%s cannot be read (%s).", path, str(error).split("\n")[0])
            return None

    def paths(self) -> list[Path]:
        """All checkpoints, oldest first."""
        if not self._folder.is_dir():
            return []
        return sorted((p for p in self._folder.iterdir() if _NAME.fullmatch(p.name)), key=_step_of)

    def load_latest(self) -> dict[str, Any] | None:
        """The newest state that can be read, or None when there is no checkpoint at all."""
        paths = self.paths()
        for path in reversed(paths):
            try:
                return _read(path)
            except Exception as error:  # noqa: BLE001 - damage shows in any way that unpickling has
                logger.warning(
                    "The checkpoint %s cannot be read (%s); trying the one before.",
                    path,
                    str(error).split("\n")[0],
                )
        if paths:
            raise CheckpointError(
                f"No checkpoint in {self._folder} can be read.",
                "Delete the folder to start again from the beginning.",
            )
        return None

    def _write(self, path: Path, state: dict[str, Any]) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        try:
            write_atomically(path, buffer.getvalue())
        except TrainingError as error:
            raise CheckpointError(error.message, self._survivor()) from error

    def _remove_all_but(self, step: int) -> None:
        """Keep what was just written at ``step`` and those just before it.

        A later one is damaged, or the run would have continued from it; it would come first again
        at the next start, and count as the last good one.
        """
        paths = self.paths()
        earlier = [p for p in paths if _step_of(p) <= step]
        later = [p for p in paths if _step_of(p) > step]
        # A process that was killed while writing leaves its unfinished file.
        unfinished = self._folder.glob("step-*.pt.partial")
        for path in (*earlier[: -self._keep], *later, *unfinished):
            path.unlink(missing_ok=True)

    def _survivor(self) -> str:
        paths = self.paths()
        kept = f"The last good checkpoint is {paths[-1]}." if paths else "No checkpoint exists yet."
        return f"Free some space and run the same command again. {kept}"


def _step_of(path: Path) -> int:
    return int(path.stem.removeprefix("step-"))


def _read(path: Path) -> dict[str, Any]:
    """One checkpoint; raises whatever its damage causes."""
    # torch.load does not compare the checksums that torch.save writes.
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(f"{damaged} in it is damaged")
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise TypeError("it holds something else")
    return state


def fingerprint(options: dict[str, Any]) -> str:
    """The options that a checkpoint belongs to, as comparable text."""
    return json.dumps(options, sort_keys=True, default=str)


def require_same(
    saved: str, current: str, defaults: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Refuse to resume a run under other options than it was started with.

    An option that is younger than the checkpoint is taken to have had its default; what has none
    is not compared.
    """
    known = json.loads(fingerprint(dict(defaults)))
    differing = list(_differing(json.loads(saved), json.loads(current), known))
    if _WEIGHTS in differing:
        raise CheckpointError(
            "The checkpoint was made from other weights than the ones to start from.",
            "Give the source that the run was begun with, or another --out folder for a new run.",
        )
    if differing:
        raise CheckpointError(
            f"The checkpoint was made with other options ({', '.join(differing)}).",
            "Use the same options, or another --out folder for a new run.",
        )


def _differing(
    before: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any], path: str = ""
) -> Iterator[str]:
    """The dotted names of what differs between two nested mappings."""
    for name in sorted(before.keys() | now.keys()):
        default = defaults.get(name)
        new = now.get(name, default)
        old = before.get(name, default if name in defaults else new)
        if isinstance(old, dict) and isinstance(new, dict):
            known = default if isinstance(default, dict) else {}
            yield from _differing(old, new, known, f"{path}{name}.")
        elif old != new:
            yield path + name
