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
from surefill_training.evaluate.bits import bits_per_byte
from surefill_training.files import hash_of, write_atomically
from surefill_training.inputs import device, heldout_sample, load_tokenizer
from surefill_training.metrics import Metrics
from surefill_training.model import adjusted, preset
from surefill_training.options import RunOptions, TrainOptions
from surefill_training.templates import find_template
from surefill_training.train import Trainer

Report = Callable[[str, Metrics], None]

_NEVER = 1e9
"""Minutes between evaluations: they would say little, and arms be scored after training."""


class Runner:
    """Ablations on one corpus, with one tokenizer, in one folder."""

    def __init__(self, corpus: Path, tokenizer: Path, out: Path, device_name: str) -> None:
        self._corpus = corpus
        self._tokenizer_path = tokenizer
        self._tokenizer = load_tokenizer(tokenizer)
        self._tokenizer.encode_special_tokens = True
        self._out = out
        self._device = device_name
        self._inputs = {"corpus": build.manifest(corpus)["hash"], "tokenizer": hash_of(tokenizer)}
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
        plans = [
            adjusted(preset(options.preset), options.overrides)
            for arm in ablation.arms
            for options, _ in arm.runs
        ]
        window = min(plan.sequence for plan in plans)
        context = min(plan.shape.context for plan in plans)
        arms = [self._arm(ablation, arm, (window, context), report) for arm in ablation.arms]
        budget = f"{ablation.amount:g} {ablation.unit}"
        return AblationResult(ablation.name, ablation.question, budget, window, context, arms)

    def _arm(
        self, ablation: Ablation, arm: Arm, windows: tuple[int, int], report: Report
    ) -> ArmResult:
        runs = []
        for options, run in arm.runs:
            name = f"{ablation.name}/{arm.name}/seed-{options.seed}"
            runs.append(self._run(name, options, run, windows, report))
        first, second = ([run["bits"][i] for run in runs] for i in (0, 1))
        return ArmResult(
            name=arm.name,
            options=arm.given,
            steps=fmean(run["steps"] for run in runs),
            tokens=fmean(run["tokens"] for run in runs),
            minutes=fmean(run["minutes"] for run in runs),
            parameters=runs[0]["parameters"],
            heldout_bits_per_byte=fmean(first),
            full_context_bits_per_byte=fmean(second),
            by_seed=tuple(first),
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
        trainer = Trainer(self._corpus, self._tokenizer_path, out, options, quiet)
        model = trainer.train(lambda metrics: report(name, metrics))
        made = json.loads((model / "training.json").read_text(encoding="utf-8"))
        found = {key: made[key] for key in ("steps", "tokens", "minutes", "parameters")}
        bits = [self._score(model, options, run, window) for window in windows]
        known = {"made_of": made_of, **found, "bits": bits}
        write_atomically(record, json.dumps(known, indent=1).encode())
        return known

    def _score(self, folder: Path, options: TrainOptions, run: RunOptions, window: int) -> float:
        texts = heldout_sample(self._corpus, run.heldout_chars)
        if not texts:
            raise CorpusError(
                "The corpus holds nothing out to compare arms on.",
                "Build it with --heldout PACKAGE.",
            )
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        model.to(device(self._device))  # type: ignore[arg-type]
        end = self._tokenizer.token_to_id(find_template(options.template).ends[0])
        return bits_per_byte(
            model, self._tokenizer, texts, end=end, length=window, precision=torch.float32
        )
