"""Starts ``surefill-train`` again in several processes, and says whether that has happened.

Imports of torch only what launches: the processes themselves take long enough to start.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from surefill_training.errors import TrainingError


def launched() -> bool:
    """Whether a launcher (``accelerate launch``, ``torchrun``, ``launch``) started this process."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def launch(count: int, arguments: Sequence[str], logs: Path, *, on_cpu: bool) -> int:
    """Run ``surefill-train`` with ``arguments`` in ``count`` processes; the exit status.

    The first prints as usual; what the others print goes to ``logs``.
    """
    import torch
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
        run_id="surefill",
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
        rank, failure = error.get_first_failure()
        if rank == 0:
            return int(failure.exitcode)
        raise TrainingError(
            f"Process {rank} failed (exit status {failure.exitcode}).",
            f"See what it printed in {logs}.",
        ) from error
    except SignalException as error:
        raise KeyboardInterrupt from error
    return 0
