"""Several processes that train one model together, each with its own GPU or share of the cores.

Every process holds the whole model and takes the same steps; they differ in the rows whose
gradient they compute. The first makes all rows and writes all files, so the rows of a run, and its
checkpoints, are the same for any number of processes. One process alone never gets here: nothing
in it waits, and accelerate is not imported.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from surefill_training.launching import launched
from surefill_training.loss import Rows


class Processes:
    """The processes of a run; alone, every exchange gives back what was put in."""

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank = rank
        self.count = count

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes and reports."""
        return self.rank == 0

    def spread(self, rows: Rows) -> Rows:
        """The first process's rows, in all."""
        if self.count == 1:
            return rows
        from accelerate.utils import broadcast

        examples = None if rows.examples is None else broadcast(rows.examples)
        return Rows(broadcast(rows.ids), broadcast(rows.weights), examples)

    def share(self, rows: Rows) -> Rows:
        """Those of this process among the rows of all, evenly in turn."""
        return rows if self.count == 1 else rows[self.rank :: self.count]

    def add_gradients(self, parameters: Iterable[nn.Parameter], loss: torch.Tensor) -> torch.Tensor:
        """Sum the gradients over all processes, in place; the sum of their losses."""
        if self.count == 1:
            return loss
        from accelerate.utils import reduce

        gradients = [p.grad for p in parameters if p.grad is not None]
        # One exchange a step: it is as long as the weights, and a step is long.
        flat = torch.cat([part.flatten() for part in (*gradients, loss)])
        *summed, total = reduce(flat, "sum").split([part.numel() for part in (*gradients, loss)])
        for gradient, value in zip(gradients, summed, strict=True):
            gradient.copy_(value.view_as(gradient))
        found: torch.Tensor = total.squeeze()
        return found

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
