"""Several processes that train one model together, each with its own GPU or share of the cores.

Every process holds the whole model and takes the same steps; they differ in the rows whose
gradient they compute. The first makes all rows and writes all files, so the rows of a run, and its
checkpoints, are the same for any number of processes. One process alone never gets here: nothing
in it waits, and accelerate is not imported.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import nn
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

from surefill_training.errors import TrainingError


class Processes:
    """The processes of a run; alone, every exchange gives back what was put in."""

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank = rank
        self.count = count

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes and reports."""
        return self.rank == 0

    def share(self, rows: torch.Tensor) -> torch.Tensor:
        """The rows (count, time + 1) of this process, of the first one's, evenly in turn."""
        if self.count == 1:
            return rows
        from accelerate.utils import broadcast

        whole: torch.Tensor = broadcast(rows)
        return whole[self.rank :: self.count]

    def add_gradients(self, parameters: Iterable[nn.Parameter], loss: torch.Tensor) -> torch.Tensor:
        """Sum the gradients over all processes, in place; the sum of their losses."""
        if self.count == 1:
            return loss
        from accelerate.utils import reduce

        gradients = [p.grad for p in parameters if p.grad is not None]
        # One exchange a step: it is as long as the weights, and a step is long.
        flat = reduce(_flatten_dense_tensors([*gradients, loss]), "sum")
        *summed, total = _unflatten_dense_tensors(flat, [*gradients, loss])  # type: ignore[no-untyped-call]
        for gradient, value in zip(gradients, summed, strict=True):
            gradient.copy_(value)
        return torch.as_tensor(total)

    def agree(
        self, seconds: float, interrupted: bool, scoring: bool, saving: bool
    ) -> tuple[float, bool, bool, bool]:
        """What the first process says, and whether any was interrupted.

        All decide by these what comes next, or one would wait for the others forever.
        """
        if self.count == 1:
            return seconds, interrupted, scoring, saving
        from accelerate.utils import gather_object

        told = gather_object([(seconds, interrupted, scoring, saving)])
        seconds, _, scoring, saving = told[0]
        return seconds, any(flags[1] for flags in told), scoring, saving

    def from_first(self, value: float | None) -> float | None:
        """The first process's value, in all."""
        if self.count == 1:
            return value
        from accelerate.utils import broadcast_object_list

        values = [value]
        broadcast_object_list(values)
        return values[0]

    def leave(self) -> None:
        """Wait until all are here, and end what joins them."""
        if self.count > 1:
            from accelerate import PartialState

            PartialState().wait_for_everyone()
            PartialState().destroy_process_group()


def join(device: str) -> tuple[Processes, str]:
    """The processes that a launcher started this one among, and the device of this one.

    Without a launcher it is alone, and the device the one that was asked for.
    """
    if not launched():
        return Processes(), device
    from accelerate import PartialState

    state = PartialState(cpu=device == "cpu")
    return Processes(state.process_index, state.num_processes), str(state.device)


def launched() -> bool:
    """Whether a launcher (``accelerate launch``, ``torchrun``, ``launch``) started this process."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def launch(count: int, arguments: Sequence[str], logs: Path, *, on_cpu: bool) -> int:
    """Run ``surefill-train`` with ``arguments`` in ``count`` processes; the exit status.

    The first prints as usual; what the others print goes to ``logs``.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    if not on_cpu and torch.cuda.is_available() and count > torch.cuda.device_count():
        raise TrainingError(
            f"There are {torch.cuda.device_count()} CUDA GPUs for {count} processes.",
            "Give as many --processes as there are GPUs, or --device cpu.",
        )
    # What failed says so itself, in one sentence.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        logs_specs=DefaultLogsSpecs(
            log_dir=str(logs), redirects=dict.fromkeys(range(1, count), Std.ALL)
        ),
    )
    try:
        elastic_launch(config, sys.executable)("-m", "surefill_training.cli", *arguments)
    except ChildFailedError as error:
        return int(error.get_first_failure()[1].exitcode)
    except SignalException as error:
        raise KeyboardInterrupt from error
    return 0
