"""The training loop: rows in, checkpoints, metrics and a Hugging Face model directory out.

A run is bounded by minutes, tokens or steps. It writes checkpoints, and the same command continues
from the newest: the rows that follow are the ones that would have followed without the stop.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from surefill_training.checkpoint import CheckpointFolder, require_same
from surefill_training.corpus import build
from surefill_training.errors import CheckpointError, TrainingError
from surefill_training.evaluate.bits import bits_per_byte
from surefill_training.files import make_folder, write_atomically
from surefill_training.inputs import device, heldout_sample, make_task, precision
from surefill_training.interruption import Interruption
from surefill_training.metrics import Metrics, MetricsLog, Report, Window
from surefill_training.model import count_parameters
from surefill_training.optimizer import Optimizers
from surefill_training.options import RunOptions, TrainOptions
from surefill_training.templates import find_template
from surefill_training.train.gradients import Gradients
from surefill_training.train.lora import merge, trained
from surefill_training.train.processes import join
from surefill_training.train.record import fingerprint_of, plan_of, summary_of
from surefill_training.train.rows import Phase, make_phases
from surefill_training.train.saving import save_model
from surefill_training.train.start import Start, new_model
from surefill_training.train.stopping import EarlyStopping

_ROWS_SURVEYED = 64


class Trainer:
    """One run in one folder: ``options.json``, ``checkpoints/``, ``metrics.jsonl``, ``model/``.

    It trains a new model for the tokenizer in a file, or the model of a ``Start``.
    """

    def __init__(
        self,
        corpus: Path,
        start: Path | Start,
        out: Path,
        options: TrainOptions,
        run: RunOptions | None = None,
    ) -> None:
        self._run = run or RunOptions()
        self._out = out
        self._processes, name = join(self._run.device)
        self._device = device(name)
        self._precision = precision(self._run.precision, self._device)
        self._start = new_model(start, options) if isinstance(start, Path) else start
        self._options = self._start.options
        self._plan = plan_of(self._start, self._run, self._processes.count)
        self._model = self._start.model
        documents = list(build.load(corpus, "train"))
        self._heldout = heldout_sample(corpus, self._run.heldout_chars)
        task = make_task(self._start.tokenizer, self._options.template, self._options.infilling)
        self._end = task.end
        gpu = self._device.type == "cuda"
        self._phases = make_phases(documents, task, self._plan, self._options, gpu=gpu)
        self._phase_number = 0
        self._prepared: int | None = None
        self._model.to(self._device)  # type: ignore[arg-type]
        self._model.train()
        self._optimizers = Optimizers(self._model, self._options.optimizer, self._precision)
        self._gradients = Gradients(self._model, self._device, self._precision)
        self._stopping = EarlyStopping(self._options.stopping)
        self._checkpoints = CheckpointFolder(out / "checkpoints")
        self._manifest = build.manifest(corpus)
        self._fingerprint = fingerprint_of(self._start, self._plan, self._manifest["hash"])
        self._precisions: list[str] = []
        self._step = 0
        self._steps_before = 0
        self._tokens = 0
        self._seconds = 0.0
        self._saved = self._scored = 0.0

    def train(self, report: Report | None = None) -> Path:
        """Train to the end of the budget and return the folder of the Hugging Face model.

        SIGINT and SIGTERM end it with a checkpoint and a KeyboardInterrupt. A run that is finished
        already is not trained any further.
        """
        report = report or (lambda _metrics: None)
        self._resume()
        if self.finished:
            return self._save_model()
        if not self._processes.writes:
            with Interruption() as interruption:
                for _ in self._loop(interruption):
                    continue
            return self._save_model()
        make_folder(self._out)
        record = {"options": json.loads(self._fingerprint), "run": asdict(self._run)}
        write_atomically(self._out / "options.json", json.dumps(record, indent=1).encode())
        with (
            MetricsLog(self._out, self._step, self._run.wandb, record["options"]) as log,
            Interruption() as interruption,
        ):
            for metrics in self._loop(interruption):
                log.write(metrics)
                report(metrics)
        return self._save_model()

    @property
    def finished(self) -> bool:
        return self._progress() >= 1.0 or self._stopping.exhausted

    @property
    def stopped_early(self) -> bool:
        """Whether the held-out loss ended the run."""
        return self._stopping.exhausted

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes and reports."""
        return self._processes.writes

    @property
    def steps(self) -> int:
        """Optimiser steps made so far, by all parts of the run."""
        return self._step

    @property
    def new_steps(self) -> int:
        """Optimiser steps that this part has made."""
        return self._step - self._steps_before

    def _loop(self, interruption: Interruption) -> Iterator[Metrics]:
        before = self._seconds
        self._enter_phase()
        self._saved = self._scored = time.monotonic()
        window = Window()
        while not self.finished:
            loss, tokens = self._timed_step()
            window.add(loss, tokens)
            self._seconds, interrupted, scoring, saving = self._processes.agree(
                self._seconds, interruption.requested, *self._due()
            )
            limit = self._run.stop_after_minutes
            stopping = limit is not None and self._seconds - before >= 60 * limit
            scoring = scoring or self.finished
            # Scoring takes long enough to be interrupted; what was learned is safe by then.
            if scoring or saving or stopping or self.finished or interrupted:
                self._save()
            if interrupted:
                raise KeyboardInterrupt
            bits = self._evaluate(interruption) if scoring else None
            if bits is not None or self._step % 10 == 0 or stopping or self.finished:
                yield window.close(
                    self._step, self._tokens, self._seconds / 60, self._progress(), bits
                )
            if stopping:
                return
            self._enter_phase()

    def _timed_step(self) -> tuple[float, int]:
        """One step on the clock and the counters; its loss and its tokens."""
        began = time.monotonic()
        loss = self._optimize()
        self._seconds += time.monotonic() - began
        tokens = self._phase.rows.count * self._phase.length
        self._step += 1
        self._tokens += tokens
        return loss, tokens

    def _due(self) -> tuple[bool, bool]:
        """Whether it is time to score, and to save, by this process's clock."""
        now, run = time.monotonic(), self._run
        if run.evaluate_steps is not None:
            scoring = self._step % run.evaluate_steps == 0
        else:
            scoring = now - self._scored >= 60 * run.evaluate_minutes
        return scoring, now - self._saved >= 60 * run.checkpoint_minutes

    @property
    def _phase(self) -> Phase:
        return self._phases[self._phase_number]

    @property
    def _in_last_phase(self) -> bool:
        return self._phase_number == len(self._phases) - 1

    def _enter_phase(self) -> None:
        """Get ready for rows of another length where the run has come that far."""
        progress = self._progress()
        while not self._in_last_phase and progress >= self._phases[self._phase_number + 1].begin:
            self._phase_number += 1
        if self._prepared != self._phase_number:
            phase = self._phase
            self._gradients.prepare(phase.length, phase.micro_batch, compiled=self._run.compile)
            self._prepared = self._phase_number

    def _optimize(self) -> float:
        """One optimiser step; the mean loss in nats per token."""
        rows = self._rows()
        loss = self._gradients.backward(self._processes.share(rows), of=len(rows))
        loss = self._processes.add_gradients(self._model.parameters(), loss)
        norm = nn.utils.clip_grad_norm_(self._model.parameters(), self._options.optimizer.clip)
        total = loss.item()
        # Before the step: it would make the weights, and the next checkpoint, unusable.
        if not math.isfinite(total) or not math.isfinite(norm):
            raise TrainingError(
                f"Loss or gradient at step {self._step + 1} is not a number: training diverged.",
                "The last checkpoint is from before; another --seed or recipe needs another --out.",
            )
        self._optimizers.step(self._progress())
        return total

    def _rows(self) -> torch.Tensor:
        """The rows of a step, shape (count, time + 1); what only the first process makes."""
        rows, length = self._phase.rows, self._phase.length
        if not self._processes.writes:
            return torch.empty((rows.count, length + 1), dtype=torch.long, device=self._device)
        return torch.from_numpy(rows.next()).to(self._device)

    def _progress(self) -> float:
        options = self._options
        if options.steps is not None:
            return self._step / options.steps
        if options.tokens is not None:
            return self._tokens / options.tokens
        return self._seconds / 60 / (options.minutes or self._plan.minutes)

    def _evaluate(self, interruption: Interruption) -> float | None:
        """The held-out score, from which early stopping learns; None where nothing is held out."""
        bits = None
        if self.writes and self._heldout:
            with interruption.at_once():
                bits = self._score()
        bits = self._processes.from_first(bits)
        self._scored = time.monotonic()
        # Full windows are beyond what a model of short rows has seen: it is not judged by them.
        if bits is None or not self._stopping.active or not self._in_last_phase:
            return bits
        if self._stopping.add(bits) and self.writes:
            best = {"step": self._step, "bits": bits, "model": trained(self._model)}
            self._checkpoints.save_best(best)
        self._save()
        return bits

    def _score(self) -> float | None:
        return bits_per_byte(
            self._model,
            self._start.tokenizer,
            self._heldout,
            end=self._end,
            length=self._plan.sequence,
            precision=self._precision,
        )

    def _save(self) -> None:
        self._saved = time.monotonic()
        if not self.writes:
            return
        on_gpu = self._device.type == "cuda"
        self._checkpoints.save(
            self._step,
            {
                "fingerprint": self._fingerprint,
                "model": trained(self._model),
                "optimizers": self._optimizers.state_dict(),
                "phase": self._phase_number,
                "stream": self._phase.rows.state,
                "counters": [self._step, self._tokens],
                "seconds": self._seconds,
                "stopping": self._stopping.state,
                "precisions": self._used_precisions(),
                "random": torch.get_rng_state(),
                "random_gpu": torch.cuda.get_rng_state(self._device) if on_gpu else None,
            },
        )

    def _used_precisions(self) -> list[str]:
        """Of all parts of the run, in order, each once."""
        own = [str(self._precision).removeprefix("torch.")] if self.new_steps else []
        return list(dict.fromkeys([*self._precisions, *own]))

    def _resume(self) -> None:
        state = self._checkpoints.load_latest()
        if state is not None:
            require_same(state["fingerprint"], self._fingerprint, TrainOptions().record())
            self._load_weights(state["model"])
            self._optimizers.load_state_dict(state["optimizers"])
            self._phase_number = state.get("phase", 0)
            self._phase.rows.state = state["stream"]
            self._step, self._tokens = state["counters"]
            self._seconds = state["seconds"]
            self._stopping.state = state.get("stopping", self._stopping.state)
            self._precisions = [*state.get("precisions", ())]
            torch.set_rng_state(state["random"])
            if self._device.type == "cuda" and state.get("random_gpu") is not None:
                torch.cuda.set_rng_state(state["random_gpu"], self._device)
        self._steps_before = self._step
        if not self.writes:
            # Each process drops other activations.
            torch.manual_seed(self._options.seed + 1_000_003 * self._processes.rank + self._step)

    def _load_weights(self, weights: dict[str, Any]) -> None:
        try:
            fit = self._model.load_state_dict(weights, strict=False)
            fits = not fit.unexpected_keys and not {*fit.missing_keys} & trained(self._model).keys()
        except RuntimeError:
            fits = False
        if not fits:
            raise CheckpointError(
                f"The checkpoint in {self._out} is of a model of another shape.",
                "Give the preset and the shape it was made with, or another --out folder.",
            )

    def _save_model(self) -> Path:
        """The model as it stands, or the best under early stopping, readable by transformers."""
        folder = self._out / "model"
        if self.writes:
            best = self._checkpoints.load_best() if self._stopping.active else None
            if best is not None:
                self._load_weights(best["model"])
            model = merge(self._model, self._out / "adapter")
            measured = {"parameters": count_parameters(model), **self._measured(best)}
            save_model(
                folder,
                model,
                self._start.tokenizer_files,
                end=find_template(self._options.template).ends[0],
                context=self._plan.shape.context,
                summary=summary_of(self._start, self._fingerprint, self._manifest, measured),
            )
        self._processes.leave()
        return folder

    def _measured(self, best: dict[str, Any] | None) -> dict[str, Any]:
        """What only the end of the run, or of its part, knows."""
        measured: dict[str, Any] = {
            "steps": self._step,
            "tokens": self._tokens,
            "minutes": round(self._seconds / 60, 1),
            "precision": "+".join(self._used_precisions()),
            "hole_share": round(self._phases[-1].rows.survey(_ROWS_SURVEYED), 3),
            "finished": self.finished,
        }
        if best is not None:
            measured |= {"best_step": best["step"], "heldout_bits_per_byte": best["bits"]}
        return measured
