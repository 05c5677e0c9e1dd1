"""The training loop: rows in, checkpoints, metrics and a Hugging Face model directory out.

A run is bounded by minutes or by steps. It writes checkpoints, and the same command continues
from the newest: the rows that follow are the ones that would have followed without the stop.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from torch.nn import functional
from transformers import PreTrainedModel

from surefill.context.prompt import TEMPLATES
from surefill_training.checkpoint import CheckpointFolder, fingerprint, require_same
from surefill_training.corpus import build
from surefill_training.data import RowStream, StreamState
from surefill_training.errors import TrainingError
from surefill_training.evaluate.bits import bits_per_byte
from surefill_training.files import hash_of, make_folder, not_written, write_atomically
from surefill_training.inputs import (
    Precision,
    device,
    heldout_sample,
    load_tokenizer,
    make_task,
    precision,
)
from surefill_training.interruption import Interruption
from surefill_training.metrics import Metrics, MetricsLog, Report
from surefill_training.model import build_model, count_parameters, preset
from surefill_training.optimizer import OptimizerOptions, Optimizers
from surefill_training.tasks.infilling import InfillingOptions


@dataclass(frozen=True)
class TrainOptions:
    """Everything that decides a run's result, saved beside its checkpoints."""

    preset: str = "nano"
    seed: int = 0
    minutes: float | None = None
    """Training time in all, resumed runs included; None takes the preset's."""
    steps: int | None = None
    """Optimiser steps in all; takes precedence over ``minutes``."""
    template: str = "qwen2.5-coder"
    optimizer: OptimizerOptions = field(default_factory=OptimizerOptions)
    infilling: InfillingOptions = field(default_factory=InfillingOptions)


@dataclass(frozen=True)
class RunOptions:
    """What may differ between the parts of one run."""

    device: str = "auto"
    precision: Precision = "auto"
    """Of the matrix products; ``auto`` takes bfloat16 where that is the faster."""
    compile: bool = True
    checkpoint_minutes: float = 5.0
    evaluate_minutes: float = 10.0
    heldout_chars: int = 120_000
    """Size of the held-out sample that is scored while training."""
    stop_after_minutes: float | None = None
    """End this part early, with a checkpoint, to be continued by the same command."""


Forward = Callable[..., Any]

_VOCABULARY_STEP = 64
_ROWS_SURVEYED = 64

logger = logging.getLogger(__name__)


class Trainer:
    """One run in one folder: ``options.json``, ``checkpoints/``, ``metrics.jsonl``, ``model/``."""

    def __init__(
        self,
        corpus: Path,
        tokenizer_path: Path,
        out: Path,
        options: TrainOptions,
        run: RunOptions | None = None,
    ) -> None:
        self._options = options
        self._run = run or RunOptions()
        self._out = out
        self._preset = preset(options.preset)
        self._device = device(self._run.device)
        self._precision = precision(self._run.precision, self._device)
        self._tokenizer_path = tokenizer_path
        self._tokenizer = load_tokenizer(tokenizer_path)
        shape = self._preset.shape
        size = self._tokenizer.get_vocab_size()
        if size > shape.vocabulary:
            raise TrainingError(
                f"The tokenizer has {size} tokens, the preset {options.preset!r} room for "
                f"{shape.vocabulary}.",
                f"Train the tokenizer with --vocabulary {shape.vocabulary}.",
            )
        # A small corpus gives a small tokenizer; rows of the embedding for tokens that it does not
        # have would never be trained.
        shape = replace(shape, vocabulary=-(-size // _VOCABULARY_STEP) * _VOCABULARY_STEP)
        documents = list(build.load(corpus, "train"))
        self._heldout = heldout_sample(corpus, self._run.heldout_chars)
        task = make_task(self._tokenizer, options.template, options.infilling)
        self._end = task.end
        self._stream = RowStream(
            documents,
            task,
            self._preset.sequence,
            seed=options.seed,
            # Where the model trains on a GPU the cores are free to prepare its rows.
            threads=min(8, os.cpu_count() or 1) if self._device.type == "cuda" else 0,
        )
        torch.manual_seed(options.seed)
        self._model = build_model(shape, self._end)
        self._model.to(self._device)  # type: ignore[arg-type]
        self._optimizers = Optimizers(self._model, options.optimizer, self._precision)
        self._micro_batch = self._preset.micro_batch
        self._checkpoints = CheckpointFolder(out / "checkpoints")
        manifest = build.manifest(corpus)
        self._any_license = bool(manifest.get("options", {}).get("any_license"))
        self._sources = build.used_sources(manifest)
        self._fingerprint = fingerprint(
            {
                **asdict(options),
                "corpus": manifest["hash"],
                "tokenizer": hash_of(tokenizer_path),
            }
        )
        self._precisions: list[str] = []
        self._step = 0
        self._steps_before = 0
        self._tokens = 0
        self._seconds = 0.0

    def train(self, report: Report | None = None) -> Path:
        """Train to the end of the budget and return the folder of the Hugging Face model.

        SIGINT and SIGTERM end it with a checkpoint and a KeyboardInterrupt. A run that is finished
        already is not trained any further.
        """
        report = report or (lambda _metrics: None)
        self._resume()
        if self.finished:
            return self._save_model()
        make_folder(self._out)
        record = {"options": json.loads(self._fingerprint), "run": asdict(self._run)}
        write_atomically(self._out / "options.json", json.dumps(record, indent=1).encode())
        forward = self._compiled() if self._run.compile else cast(Forward, self._model)
        with MetricsLog(self._out, after=self._step) as log, Interruption() as interruption:
            for metrics in self._loop(forward, interruption):
                log.write(metrics)
                report(metrics)
        return self._save_model()

    @property
    def finished(self) -> bool:
        return self._progress() >= 1.0

    @property
    def steps(self) -> int:
        """Optimiser steps made so far, by all parts of the run."""
        return self._step

    @property
    def new_steps(self) -> int:
        """Optimiser steps that this part has made."""
        return self._step - self._steps_before

    def _loop(self, forward: Forward, interruption: Interruption) -> Iterator[Metrics]:
        began = saved = scored = time.monotonic()
        before = self._seconds
        loss_sum, tokens_sum, steps, since = 0.0, 0, 0, began
        while not self.finished:
            step_began = time.monotonic()
            loss_sum += self._optimize(forward)
            steps += 1
            now = time.monotonic()
            self._seconds += now - step_began
            tokens = self._preset.batch * self._preset.sequence
            self._step += 1
            self._tokens += tokens
            tokens_sum += tokens
            stopping = (
                self._run.stop_after_minutes is not None
                and self._seconds - before >= 60 * self._run.stop_after_minutes
            )
            ending = stopping or self.finished
            scoring = self.finished or now - scored >= 60 * self._run.evaluate_minutes
            # Scoring takes long enough to be interrupted; what was learned is safe by then.
            due = scoring or now - saved >= 60 * self._run.checkpoint_minutes
            if due or ending or interruption.requested:
                self._save()
                saved = time.monotonic()
            if interruption.requested:
                raise KeyboardInterrupt
            bits = None
            if scoring:
                with interruption.at_once():
                    bits = self._score()
                scored = time.monotonic()
            if bits is not None or self._step % 10 == 0 or ending:
                elapsed = max(time.monotonic() - since, 1e-9)
                yield Metrics(
                    self._step,
                    self._tokens,
                    self._seconds / 60,
                    self._progress(),
                    loss_sum / steps,
                    tokens_sum / elapsed,
                    bits,
                )
                loss_sum, tokens_sum, steps, since = 0.0, 0, 0, time.monotonic()
            if stopping:
                return

    def _optimize(self, forward: Forward) -> float:
        """One optimiser step; the mean loss in nats per token."""
        rows = torch.from_numpy(self._stream.rows(self._preset.batch)).to(self._device)
        total = self._backward(forward, rows)
        norm = torch.nn.utils.clip_grad_norm_(
            self._model.parameters(), self._options.optimizer.clip
        )
        # Before the step: it would make the weights, and the next checkpoint, unusable.
        if not math.isfinite(total) or not math.isfinite(norm):
            raise TrainingError(
                f"Loss or gradient at step {self._step + 1} is not a number: training diverged.",
                "The last checkpoint is from before; another --seed or recipe needs another --out.",
            )
        self._optimizers.step(self._progress())
        return total

    def _backward(self, forward: Forward, rows: torch.Tensor) -> float:
        """Accumulate the gradient of the mean loss of ``rows``; the loss in nats per token.

        In parts as large as the device's memory takes: the gradient is the same.
        """
        while True:
            # Outside the handler, which holds on to the memory of what failed.
            with contextlib.suppress(torch.OutOfMemoryError):
                return self._backward_in_parts(forward, rows)
            self._model.zero_grad(set_to_none=True)
            self._shrink()

    def _backward_in_parts(self, forward: Forward, rows: torch.Tensor) -> float:
        parts = rows.split(self._micro_batch)  # type: ignore[no-untyped-call]
        total = 0.0
        for part in parts:
            loss = self._loss(forward, part) / len(parts)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def _shrink(self) -> None:
        """Half as many rows at once; TrainingError when it is one already."""
        if self._micro_batch == 1:
            raise TrainingError(
                f"The {self._device.type} device has too little memory for one row.",
                "Choose a smaller --preset, or --device cpu.",
            )
        self._micro_batch //= 2
        logger.warning("Out of memory; going on with %d rows at once.", self._micro_batch)

    def _compiled(self) -> Forward:
        """The model compiled for the one shape of training rows, outside the measured time.

        Held-out windows of many shapes are scored by the plain model.
        """
        forward: Forward = torch.compile(self._model, dynamic=False)
        rows = torch.zeros(
            (self._micro_batch, self._preset.sequence + 1), dtype=torch.long, device=self._device
        )
        try:
            self._backward(forward, rows)
        except TrainingError:
            raise
        except Exception as error:  # noqa: BLE001 - no compiler, no writable cache, no support: all the same
            logger.warning(
                "torch.compile does not work here (%s); training without it, more slowly.",
                str(error).strip().split("\n")[0],
            )
            forward = cast(Forward, self._model)
        self._model.zero_grad(set_to_none=True)
        return forward

    def _loss(self, forward: Forward, rows: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy in nats of ``rows`` (micro batch, time + 1)."""
        # A view would have another stride than the compiled shape, and be compiled anew.
        inputs = rows[:, :-1].contiguous()
        with self._autocast():
            logits = forward(input_ids=inputs, use_cache=False).logits
        return functional.cross_entropy(logits.flatten(0, 1).float(), rows[:, 1:].flatten())

    def _autocast(self) -> torch.autocast:
        reduced = self._precision != torch.float32
        return torch.autocast(self._device.type, self._precision, enabled=reduced)

    def _progress(self) -> float:
        if self._options.steps is not None:
            return self._step / self._options.steps
        minutes = self._options.minutes or self._preset.minutes
        return self._seconds / 60 / minutes

    def _score(self) -> float | None:
        if not self._heldout:
            return None
        return bits_per_byte(
            self._model,
            self._tokenizer,
            self._heldout,
            end=self._end,
            length=self._preset.sequence,
            precision=self._precision,
        )

    def _save(self) -> None:
        self._checkpoints.save(
            self._step,
            {
                "fingerprint": self._fingerprint,
                "model": self._model.state_dict(),
                "optimizers": self._optimizers.state_dict(),
                "stream": list(astuple(self._stream.state)),
                "counters": [self._step, self._tokens],
                "seconds": self._seconds,
                "precisions": self._used_precisions(),
                "random": torch.get_rng_state(),
            },
        )

    def _used_precisions(self) -> list[str]:
        """Of all parts of the run, in order, each once."""
        own = [str(self._precision).removeprefix("torch.")] if self.new_steps else []
        return list(dict.fromkeys([*self._precisions, *own]))

    def _resume(self) -> None:
        state = self._checkpoints.load_latest()
        if state is None:
            return
        require_same(state["fingerprint"], self._fingerprint)
        self._model.load_state_dict(state["model"])
        self._optimizers.load_state_dict(state["optimizers"])
        self._stream.state = StreamState(*state["stream"])
        self._step, self._tokens = state["counters"]
        self._steps_before = self._step
        self._seconds = state["seconds"]
        self._precisions = [*state.get("precisions", ())]
        torch.set_rng_state(state["random"])

    def _save_model(self) -> Path:
        """The model as it stands, with its tokenizer, readable by transformers."""
        folder = self._out / "model"
        model: PreTrainedModel = self._model
        partial = folder.with_name("model.partial")
        make_folder(folder)
        make_folder(partial)
        try:
            model.save_pretrained(partial)
            for file in partial.iterdir():
                file.replace(folder / file.name)
        except (OSError, SafetensorError) as error:
            raise not_written(folder, error) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        write_atomically(folder / "tokenizer.json", self._tokenizer_path.read_bytes())
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": self._preset.shape.context,
            "eos_token": TEMPLATES[self._options.template].ends[0],
        }
        write_atomically(folder / "tokenizer_config.json", json.dumps(config).encode())
        # What was measured comes last: the options name bounds of steps and minutes, or none.
        summary = {
            **json.loads(self._fingerprint),
            "parameters": count_parameters(model),
            "steps": self._step,
            "tokens": self._tokens,
            "minutes": round(self._seconds / 60, 1),
            "precision": "+".join(self._used_precisions()),
            "hole_share": round(self._stream.survey(_ROWS_SURVEYED), 3),
            "finished": self.finished,
            "any_license": self._any_license,
            "sources": self._sources,
        }
        write_atomically(folder / "training.json", json.dumps(summary, indent=1).encode())
        return folder
