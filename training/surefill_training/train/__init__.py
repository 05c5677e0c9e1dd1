"""Training: a resumable loop, for a new model or one that exists, on one process or several."""

from surefill_training.options import RunOptions, TrainOptions
from surefill_training.train.trainer import Trainer

__all__ = ["RunOptions", "TrainOptions", "Trainer"]
