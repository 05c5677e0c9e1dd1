"""What a run notes of itself: the options that its checkpoints belong to, and how it went."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from surefill_training.checkpoint import fingerprint
from surefill_training.corpus import build
from surefill_training.errors import TrainingError
from surefill_training.files import hash_of
from surefill_training.model import Preset
from surefill_training.options import RunOptions, TrainOptions
from surefill_training.train.start import Start


def plan_of(start: Start, run: RunOptions, processes: int) -> Preset:
    """The plan with the rows at once that were asked for, as far as a process has so many."""
    plan = start.plan
    if plan.batch < processes:
        raise TrainingError(
            f"A batch of {plan.batch} rows is too small for {processes} processes.",
            f"Choose a --batch of at least {processes}.",
        )
    most = -(-plan.batch // processes)
    return replace(plan, micro_batch=min(run.micro_batch or plan.micro_batch, most))


def fingerprint_of(start: Start, plan: Preset, corpus: str, development: Sequence[str]) -> str:
    """All that decides the run's result.

    ``corpus`` is the hash of its manifest, ``development`` the packages of it that are left out.
    """
    values = {
        **start.options.record(),
        "corpus": corpus,
        "development": [*development],
        "tokenizer": hash_of(start.tokenizer_files[0]),
        "size": {**asdict(plan.shape), "sequence": plan.sequence, "batch": plan.batch},
    }
    return fingerprint(values | ({"source": dict(start.source)} if start.source else {}))


def defaults() -> dict[str, Any]:
    """What runs had of a fingerprint's values before there was a choice."""
    return {**TrainOptions().record(), "development": []}


def summary_of(
    start: Start, options: str, manifest: Mapping[str, Any], measured: Mapping[str, Any]
) -> dict[str, Any]:
    """The contents of ``training.json``: ``options`` as fingerprinted, then what was measured.

    In this order, because options name bounds of steps and tokens, or none, under the same names.
    A model that was trained further keeps the record and the sources of the one before, and is
    decontaminated only against what both were.
    """
    sources = [*start.history.get("sources", ()), *build.used_sources(dict(manifest))]
    any_license = bool(manifest.get("options", {}).get("any_license"))
    clean = build.decontaminated(manifest)
    if start.source:
        clean = [digest for digest in clean if digest in start.history.get("decontaminated", ())]
    summary = {
        **json.loads(options),
        **measured,
        "languages": manifest.get("languages", {}).get("train", {}),
        "any_license": any_license or bool(start.history.get("any_license")),
        "decontaminated": clean,
        "sources": [source for i, source in enumerate(sources) if source not in sources[:i]],
    }
    if start.source:
        summary["source_history"] = dict(start.history)
    return summary
