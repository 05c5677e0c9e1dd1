"""What a run reports while it trains, kept as JSON lines and for TensorBoard."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from surefill_training.errors import TrainingError
from surefill_training.files import make_folder, not_written, write_atomically

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Metrics:
    """One report of a run in progress."""

    step: int
    tokens: int
    minutes: float
    progress: float
    loss: float
    tokens_per_second: float
    heldout_bits_per_byte: float | None = None
    infilling_bits_per_byte: float | None = None
    """Of what fills holes in held-out code."""


Report = Callable[[Metrics], None]

_PLOTTED = ("loss", "tokens_per_second", "heldout_bits_per_byte", "infilling_bits_per_byte")


Scores = tuple[float | None, float | None]
"""Bits per byte of held-out code left to right, and of what fills its holes."""


class Window:
    """What was done since the last report."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._loss, self._tokens, self._steps, self._since = 0.0, 0, 0, time.monotonic()

    def add(self, loss: float, tokens: int) -> None:
        """One step."""
        self._loss += loss
        self._tokens += tokens
        self._steps += 1

    def close(
        self, step: int, tokens: int, minutes: float, progress: float, scores: Scores
    ) -> Metrics:
        """The report of this window; the next one begins."""
        elapsed = max(time.monotonic() - self._since, 1e-9)
        loss, speed = self._loss / self._steps, self._tokens / elapsed
        self._begin()
        return Metrics(step, tokens, minutes, progress, loss, speed, *scores)


class _WandbRun(Protocol):
    """What is used of a run of the package ``wandb``."""

    def log(self, data: dict[str, float], step: int) -> None: ...

    def finish(self) -> None: ...


class MetricsLog:
    """``metrics.jsonl`` and ``tensorboard/`` in the folder of a run, and Weights & Biases.

    The last only where ``wandb`` names a project; ``options`` are shown with the run there. Where
    TensorBoard is not installed, it is done without. Opened ``after`` a step: what a part of the
    run reported that ended without a checkpoint is removed, because those steps are made again.
    Raises TrainingError when it cannot write.
    """

    def __init__(
        self,
        folder: Path,
        after: int,
        wandb: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._wandb = _wandb_run(wandb, folder, options or {}) if wandb else None
        self._path = folder / "metrics.jsonl"
        make_folder(folder)
        if self._path.exists():
            write_atomically(self._path, "".join(_until(self._path, after)).encode())
        self._writer = _open_writer(folder / "tensorboard", after)

    def write(self, metrics: Metrics) -> None:
        """Append one report."""
        try:
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(metrics)) + "\n")
            values = {name: getattr(metrics, name) for name in _PLOTTED}
            values = {name: value for name, value in values.items() if value is not None}
            if self._writer is not None:
                for name, value in values.items():
                    self._writer.add_scalar(name, value, metrics.step)
        except OSError as error:
            raise not_written(self._path, error) from error
        if self._wandb is not None:
            self._wandb.log(values, step=metrics.step)

    def close(self) -> None:
        """Write what is still in memory."""
        if self._wandb is not None:
            self._wandb.finish()
        if self._writer is None:
            return
        try:
            self._writer.close()
        except OSError as error:
            raise not_written(self._path.with_name("tensorboard"), error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _open_writer(events: Path, after: int) -> SummaryWriter | None:
    """TensorBoard's writer; None where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        logger.warning("TensorBoard is not installed, so metrics go to metrics.jsonl only.")
        return None
    make_folder(events)
    try:
        return SummaryWriter(str(events), purge_step=after + 1 if after else None)
    except OSError as error:
        raise not_written(events, error) from error


def _wandb_run(project: str, folder: Path, options: Mapping[str, Any]) -> _WandbRun:
    """A run of Weights & Biases that a resumed training continues; raises TrainingError."""
    try:
        wandb = importlib.import_module("wandb")
    except ImportError as error:
        raise TrainingError(
            "Weights & Biases is not installed.", "Install the package wandb, or leave out --wandb."
        ) from error
    # The same folder is the same run; another folder of that name is not.
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    try:
        run: _WandbRun = wandb.init(
            project=project,
            id=name,
            name=folder.name,
            dir=str(folder),
            resume="allow",
            config=dict(options),
        )
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TrainingError(
            f"Weights & Biases does not start ({reason}).",
            "Log in with `wandb login`, or set WANDB_MODE=offline.",
        ) from error
    return run


def _until(path: Path, step: int) -> Iterator[str]:
    """The lines of ``metrics.jsonl`` up to a step; a line that was cut off is left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise not_written(path, error) from error
    for line in lines:
        try:
            if json.loads(line)["step"] <= step:
                yield line + "\n"
        except (ValueError, KeyError, TypeError):
            continue
