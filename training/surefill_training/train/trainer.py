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
from surefill_training.corpus.development import leave_out
from surefill_training.errors import TrainingError
from surefill_training.fake_quantization import FakeQuantizer
from surefill_training.files import make_folder, write_atomically
from surefill_training.inputs import device, heldout_sample, make_task, precision
from surefill_training.interruption import Interruption
from surefill_training.loss import Rows
from surefill_training.metrics import Metrics, MetricsLog, Report, Scores, Window
from surefill_training.model import count_parameters
from surefill_training.optimizer import Optimizers
from surefill_training.options import RunOptions, TrainOptions
from surefill_training.templates import find_template
from surefill_training.train.attention import use_products
from surefill_training.train.course import Course
from surefill_training.train.gradients import Gradients
from surefill_training.train.lora import link_weights, load_adapter, save_adapter
from surefill_training.train.processes import join
from surefill_training.train.record import defaults, fingerprint_of, plan_of, summary_of
from surefill_training.train.rows import Phase, make_phases
from surefill_training.train.saving import save_model
from surefill_training.train.scoring import Scorer
from surefill_training.train.start import Start, new_model
from surefill_training.train.state import RunState
from surefill_training.train.stopping import EarlyStopping
from surefill_training.train.weights import OwnWeights, Weights

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
        documents, development = leave_out(build.load(corpus, "train"))
        task = make_task(self._start.tokenizer, self._options.template, self._options.infilling)
        gpu = self._device.type == "cuda"
        phases = make_phases(documents, task, self._plan, self._options, gpu=gpu)
        self._model.to(self._device)  # type: ignore[arg-type]
        self._model.train()
        self._weights = self._link()
        self._state = RunState(
            self._weights,
            Optimizers(self._weights.named_parameters(), self._options.optimizer, self._precision),
            phases,
            Course(self._options, self._plan.minutes),
            EarlyStopping(self._options.stopping),
            self._device,
            self._precision,
        )
        self._phases, self._course = phases, self._state.course
        self._stopping = self._state.stopping
        self._scorer = Scorer(
            self._model,
            self._start.tokenizer,
            task,
            heldout_sample(corpus, self._run.heldout_chars),
            self._plan.sequence,
            self._precision,
        )
        self._gradients = Gradients(self._model, self._weights, self._device, self._precision)
        self._prepared: Phase | None = None
        quantization = self._options.quantization
        formats = quantization.formats if quantization is not None else ()
        self._quantizer = FakeQuantizer(self._model, formats)
        self._checkpoints = CheckpointFolder(out / "checkpoints")
        self._manifest = build.manifest(corpus)
        self._fingerprint = fingerprint_of(
            self._start, self._plan, self._manifest["hash"], development
        )
        self._saved = self._scored = 0.0

    def _link(self) -> OwnWeights | Weights:
        """What is trained: a new model's own weights, or what is linked to those of a source."""
        if not self._start.source:
            return OwnWeights(self._model)
        names = find_template(self._options.template).special_tokens()
        use_products(self._model, self._device, self._precision)
        tokens = {self._start.tokenizer.token_to_id(name) for name in names} - {None}
        weights = link_weights(self._model, self._options, tokens, self._precision)
        if self._start.adapter is not None:
            load_adapter(self._start.adapter, weights)
        return weights

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
            MetricsLog(self._out, self.steps, self._run.wandb, record["options"]) as log,
            Interruption() as interruption,
        ):
            for metrics in self._loop(interruption):
                log.write(metrics)
                report(metrics)
        return self._save_model()

    @property
    def finished(self) -> bool:
        return self._course.progress >= 1.0 or self._stopping.exhausted

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
        return self._course.steps

    @property
    def new_steps(self) -> int:
        """Optimiser steps that this part has made."""
        return self._course.new_steps

    def _loop(self, interruption: Interruption) -> Iterator[Metrics]:
        course, before = self._course, self._course.seconds
        self._enter_phase()
        self._saved = self._scored = time.monotonic()
        window = Window()
        while not self.finished:
            loss, tokens = self._timed_step()
            window.add(loss, tokens)
            course.seconds, interrupted, scoring, saving = self._processes.agree(
                course.seconds, interruption.requested, *self._due()
            )
            limit = self._run.stop_after_minutes
            stopping = limit is not None and course.seconds - before >= 60 * limit
            scoring = scoring or self.finished
            # Scoring takes long enough to be interrupted; what was learned is safe by then.
            if scoring or saving or stopping or self.finished or interrupted:
                self._save()
            if interrupted:
                raise KeyboardInterrupt
            scores = self._evaluate(interruption) if scoring else (None, None)
            if scores[0] is not None or course.steps % 10 == 0 or stopping or self.finished:
                yield window.close(
                    course.steps, course.tokens, course.seconds / 60, course.progress, scores
                )
            if stopping:
                return
            self._enter_phase()

    def _timed_step(self) -> tuple[float, int]:
        """One step on the clock and the counters; its loss and its tokens."""
        began = time.monotonic()
        loss = self._optimize()
        tokens = self._phases.current.rows.count * self._phases.current.length
        self._course.add(tokens, time.monotonic() - began)
        return loss, tokens

    def _due(self) -> tuple[bool, bool]:
        """Whether it is time to score, and to save, by this process's clock."""
        now, run = time.monotonic(), self._run
        if run.evaluate_steps is not None:
            scoring = self.steps % run.evaluate_steps == 0
        else:
            scoring = now - self._scored >= 60 * run.evaluate_minutes
        return scoring, now - self._saved >= 60 * run.checkpoint_minutes

    def _enter_phase(self) -> None:
        """Get ready for rows of another length where the run has come that far."""
        self._phases.enter(self._course.progress)
        quantization = self._options.quantization
        if quantization is not None and isinstance(self._weights, Weights):
            rounded = self._course.progress >= 1.0 - quantization.share
            self._weights.compute_with(self._quantizer if rounded else None)
        phase = self._phases.current
        if self._prepared is not phase:
            self._gradients.prepare(
                phase.length,
                phase.micro_batch,
                compiled=self._run.compile,
                isolated=self._options.isolated,
            )
            self._prepared = phase

    def _optimize(self) -> float:
        """One optimiser step; the mean loss in nats per token."""
        rows = self._processes.spread(self._rows())
        loss = self._gradients.backward(self._processes.share(rows), rows.total)
        parameters = [*self._weights.named_parameters().values()]
        loss = self._processes.add_gradients(parameters, loss)
        norm = nn.utils.clip_grad_norm_(parameters, self._options.optimizer.clip)
        total = loss.item()
        # Before the step: it would make the weights, and the next checkpoint, unusable.
        if not math.isfinite(total) or not math.isfinite(norm):
            raise TrainingError(
                f"Loss or gradient at step {self.steps + 1} is not a number: training diverged.",
                "The last checkpoint is from before; another --seed or recipe needs another --out.",
            )
        self._state.optimizers.step(self._course.progress)
        self._weights.write()
        return total

    def _rows(self) -> Rows:
        """The rows of a step, which only the first process makes."""
        rows, length = self._phases.current.rows, self._phases.current.length
        isolated = self._options.isolated
        if not self._processes.writes:
            return Rows.empty(self._device, rows.count, length, isolated=isolated)
        return Rows.on(self._device, rows.next(), isolated=isolated)

    def _evaluate(self, interruption: Interruption) -> Scores:
        """The held-out scores; from that of text left to right early stopping learns."""
        scores: Scores = (None, None)
        if self.writes:
            with interruption.at_once():
                scores = self._scorer.score()
        bits = self._processes.from_first(scores[0])
        self._scored = time.monotonic()
        # Full windows are beyond what a model of short rows has seen: it is not judged by them.
        if bits is None or not self._stopping.active or not self._phases.in_last:
            return scores
        if self._stopping.add(bits) and self.writes:
            best = {"step": self.steps, "bits": bits, "model": self._weights.state_dict()}
            self._checkpoints.save_best(best)
        self._save()
        return scores

    def _save(self) -> None:
        self._saved = time.monotonic()
        if self.writes:
            self._checkpoints.save(self.steps, self._state.capture(self._fingerprint))

    def _resume(self) -> None:
        saved = self._checkpoints.load_latest()
        if saved is not None:
            require_same(saved["fingerprint"], self._fingerprint, defaults())
            self._state.restore(saved, self._out)
        self._course.begin_part()
        if not self.writes:
            # Each process drops other activations.
            torch.manual_seed(self._options.seed + 1_000_003 * self._processes.rank + self.steps)

    def _save_model(self) -> Path:
        """The model as it stands, or the best under early stopping, readable by transformers."""
        folder = self._out / "model"
        if self.writes:
            best = self._checkpoints.load_best() if self._stopping.active else None
            if best is not None:
                self._weights.load_state_dict(best["model"], self._out)
            self._merge()
            measured = {"parameters": count_parameters(self._model), **self._measured(best)}
            save_model(
                folder,
                self._model,
                self._start.tokenizer_files,
                end=find_template(self._options.template).ends[0],
                context=self._plan.shape.context,
                summary=summary_of(self._start, self._fingerprint, self._manifest, measured),
            )
        self._processes.leave()
        return folder

    def _merge(self) -> None:
        """Give the model its weights as they are to be saved, and save adapters apart."""
        if not isinstance(self._weights, Weights):
            return
        if self._options.lora is not None:
            name = str(self._start.source["name"])
            save_adapter(self._out / "adapter", self._weights, self._options.lora, name)
        merged = self._weights.merged()
        self._model.float()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for name, weight in self._model.named_parameters():
                weight.copy_(merged[name])

    def _measured(self, best: dict[str, Any] | None) -> dict[str, Any]:
        """What only the end of the run, or of its part, knows."""
        measured: dict[str, Any] = {
            "steps": self.steps,
            "tokens": self._course.tokens,
            "minutes": round(self._course.seconds / 60, 1),
            "precision": "+".join(self._state.precisions),
            "hole_share": round(self._phases.last.rows.survey(_ROWS_SURVEYED), 3),
            "finished": self.finished,
        }
        if best is not None:
            measured |= {"best_step": best["step"], "heldout_bits_per_byte": best["bits"]}
        return measured
