"""What a run reports while it trains, kept as JSON lines and for TensorBoard."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

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


Report = Callable[[Metrics], None]


class MetricsLog:
    """``metrics.jsonl`` and ``tensorboard/`` in the folder of a run.

    Where TensorBoard is not installed, only the lines are written. Opened ``after`` a step: what a
    part of the run reported that ended without a checkpoint is removed, because those steps are
    made again. Raises TrainingError when it cannot write.
    """

    def __init__(self, folder: Path, after: int) -> None:
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
            for name in ("loss", "tokens_per_second", "heldout_bits_per_byte"):
                value = getattr(metrics, name)
                if value is not None and self._writer is not None:
                    self._writer.add_scalar(name, value, metrics.step)
        except OSError as error:
            raise not_written(self._path, error) from error

    def close(self) -> None:
        """Write what is still in memory."""
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
