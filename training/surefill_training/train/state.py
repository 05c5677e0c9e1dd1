"""What a checkpoint holds of a run, and how a run goes on from it.

Knows what is in a checkpoint; where checkpoints lie, and which one is good, is for
``CheckpointFolder``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from surefill_training.optimizer import Optimizers
from surefill_training.train.course import Course
from surefill_training.train.rows import Phases
from surefill_training.train.stopping import EarlyStopping
from surefill_training.train.weights import TrainedWeights


@dataclass
class RunState:
    """All of a run that changes while it trains."""

    weights: TrainedWeights
    optimizers: Optimizers
    phases: Phases
    course: Course
    stopping: EarlyStopping
    device: torch.device
    precision: torch.dtype
    earlier: list[str] = field(default_factory=list)
    """The precisions of the run's earlier parts."""

    @property
    def precisions(self) -> list[str]:
        """Of all parts of the run, in order, each once."""
        own = [str(self.precision).removeprefix("torch.")] if self.course.new_steps else []
        return list(dict.fromkeys([*self.earlier, *own]))

    def capture(self, fingerprint: str) -> dict[str, Any]:
        """The contents of a checkpoint that belongs to the options of ``fingerprint``."""
        on_gpu = self.device.type == "cuda"
        return {
            "fingerprint": fingerprint,
            "model": self.weights.state_dict(),
            "optimizers": self.optimizers.state_dict(),
            "phase": self.phases.number,
            "stream": self.phases.current.rows.state,
            "counters": [self.course.steps, self.course.tokens],
            "seconds": self.course.seconds,
            "stopping": self.stopping.state,
            "precisions": self.precisions,
            "random": torch.get_rng_state(),
            "random_gpu": torch.cuda.get_rng_state(self.device) if on_gpu else None,
        }

    def restore(self, saved: Mapping[str, Any], out: Path) -> None:
        """Go on from the contents of a checkpoint in ``out``, also of one that is older.

        Raises CheckpointError when it is of a model of another shape.
        """
        self.weights.load_state_dict(saved["model"], out)
        self.optimizers.load_state_dict(saved["optimizers"])
        self.phases.number = saved.get("phase", 0)
        self.phases.current.rows.state = saved["stream"]
        self.course.steps, self.course.tokens = saved["counters"]
        self.course.seconds = saved["seconds"]
        self.stopping.state = saved.get("stopping", self.stopping.state)
        self.earlier = [*saved.get("precisions", ())]
        torch.set_rng_state(saved["random"])
        if self.device.type == "cuda" and saved.get("random_gpu") is not None:
            torch.cuda.set_rng_state(saved["random_gpu"], self.device)
