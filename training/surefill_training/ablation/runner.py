"""Trains the arms of ablations one after the other and scores all of a group alike.

Every run has its folder, in which it resumes; a run that is scored is not repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from surefill_training.ablation.plan import Ablation, Arm
from surefill_training.ablation.result import AblationResult, ArmResult, markdown
from surefill_training.checkpoint import fingerprint
from surefill_training.corpus import build
from surefill_training.corpus.development import development_packages
from surefill_training.errors import CorpusError
from surefill_training.files import hash_of, write_atomically
from surefill_training.inputs import device, heldout_sample, load_tokenizer, make_task
from surefill_training.metrics import Metrics
from surefill_training.model import Preset, adjusted, preset
from surefill_training.options import RunOptions, TrainOptions
from surefill_training.tasks.infilling import InfillingOptions
from surefill_training.train import Trainer
from surefill_training.train.scoring import Scorer
from surefill_training.train.source import existing_model, find_source, plan_for

Report = Callable[[str, Metrics], None]

_NEVER = 1e9
"""Minutes between evaluations: they would say little, and arms be scored after training."""
_MOST_CONTEXT = 2048
"""Tokens; no prompt of ours is longer, and scores in a model's whole context would take hours."""


class Runner:
    """Ablations on one corpus, in one folder, of new models or of one that exists.

    ``origin`` is the file of the tokenizer for new ones, or the source of the other.
    """

    def __init__(self, corpus: Path, origin: Path | str, out: Path, device_name: str) -> None:
        self._corpus = corpus
        self._origin = origin
        tokenizer = origin if isinstance(origin, Path) else find_source(origin).tokenizer_file
        self._tokenizer = load_tokenizer(tokenizer)
        self._tokenizer.encode_special_tokens = True
        self._out = out
        self._device = device_name
        self._inputs = {"corpus": build.manifest(corpus)["hash"], "tokenizer": hash_of(tokenizer)}
        if not isinstance(origin, Path):
            self._inputs["source"] = "+".join(map(hash_of, find_source(origin).weight_files))
        # A run from before packages were left out is another one only where some are.
        if development := development_packages(list(build.load(corpus, "train"))):
            self._inputs["development"] = ",".join(sorted(development))

    def run(self, ablations: list[Ablation], report: Report) -> list[AblationResult]:
        """All results, also written to ``ablations.json`` and ``ablations.md`` as they come."""
        results: list[AblationResult] = []
        for ablation in ablations:
            results.append(self._ablation(ablation, report))
            written = json.dumps([result.to_dict() for result in results], indent=1)
            write_atomically(self._out / "ablations.json", written.encode())
            write_atomically(self._out / "ablations.md", markdown(results).encode())
        return results

    def _ablation(self, ablation: Ablation, report: Report) -> AblationResult:
        plans = [self._plan(options) for arm in ablation.arms for options, _ in arm.runs]
        window = min(plan.sequence for plan in plans)
        context = min(_MOST_CONTEXT, *(plan.shape.context for plan in plans))
        arms = [self._arm(ablation, arm, (window, context), report) for arm in ablation.arms]
        budget = f"{ablation.amount:g} {ablation.unit}"
        return AblationResult(ablation.name, ablation.question, budget, window, context, arms)

    def _plan(self, options: TrainOptions) -> Preset:
        if isinstance(self._origin, Path):
            return adjusted(preset(options.preset), options.overrides)
        return adjusted(plan_for(find_source(self._origin), options), options.overrides)

    def _arm(
        self, ablation: Ablation, arm: Arm, windows: tuple[int, int], report: Report
    ) -> ArmResult:
        runs = []
        for options, run in arm.runs:
            name = f"{ablation.name}/{arm.name}/seed-{options.seed}"
            runs.append(self._run(name, options, run, windows, report))
        first, second = ([run["bits"][i] for run in runs] for i in (0, 1))
        holes = [run["infilling_bits"] for run in runs if run["infilling_bits"] is not None]
        return ArmResult(
            name=arm.name,
            options=arm.given,
            steps=fmean(run["steps"] for run in runs),
            tokens=fmean(run["tokens"] for run in runs),
            minutes=fmean(run["minutes"] for run in runs),
            parameters=runs[0]["parameters"],
            heldout_bits_per_byte=fmean(first),
            full_context_bits_per_byte=fmean(second),
            infilling_bits_per_byte=fmean(holes) if holes else None,
            by_seed=tuple(holes or first),
        )

    def _run(
        self,
        name: str,
        options: TrainOptions,
        run: RunOptions,
        windows: tuple[int, int],
        report: Report,
    ) -> dict[str, Any]:
        """One training with its scores in both windows; from its folder if it was made before."""
        out = self._out / name
        made_of = fingerprint({**self._inputs, **asdict(options), "windows": windows})
        record = out / "run.json"
        if record.is_file():
            known: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
            if known["made_of"] == made_of:
                return known
        quiet = replace(run, device=self._device, evaluate_minutes=_NEVER, heldout_chars=1)
        origin = self._origin
        start = origin if isinstance(origin, Path) else existing_model(origin, options)
        trainer = Trainer(self._corpus, start, out, options, quiet)
        model = trainer.train(lambda metrics: report(name, metrics))
        made = json.loads((model / "training.json").read_text(encoding="utf-8"))
        found = {key: made[key] for key in ("steps", "tokens", "minutes", "parameters")}
        scores = self._score(model, made["template"], run, windows)
        known = {"made_of": made_of, **found, **scores}
        write_atomically(record, json.dumps(known, indent=1).encode())
        return known

    def _score(
        self, folder: Path, template: str, run: RunOptions, windows: tuple[int, int]
    ) -> dict[str, Any]:
        """Bits per byte in both windows, and for a model that exists of what fills holes."""
        texts = heldout_sample(self._corpus, run.heldout_chars)
        if not texts:
            raise CorpusError(
                "The corpus holds nothing out to compare arms on.",
                "Build it with --heldout PACKAGE.",
            )
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        model.to(device(self._device))  # type: ignore[arg-type]
        task = make_task(self._tokenizer, template, InfillingOptions())
        scorers = [
            Scorer(model, self._tokenizer, task, texts, window, torch.float32) for window in windows
        ]
        holes = None if isinstance(self._origin, Path) else scorers[0].of_holes()
        return {"bits": [scorer.forward() for scorer in scorers], "infilling_bits": holes}
