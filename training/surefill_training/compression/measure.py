"""What a variant is worth and what it costs: bits, exact match, and the engine's own times."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from surefill.engine.bundle import TOKENIZER, Bundle
from surefill.engine.interrupt import Interrupt
from surefill.engine.session import ModelSession
from surefill.engine.tokenizer import BundleTokenizer
from surefill_training.commands.shared import read_record
from surefill_training.compression.variants import Variant
from surefill_training.corpus import build
from surefill_training.errors import CorpusError
from surefill_training.evaluate.bundle import EvaluateOptions, measure, plan
from surefill_training.evaluate.contestants import NO_PREVIOUS
from surefill_training.evaluate.holes import Task
from surefill_training.evaluate.scores import packages
from surefill_training.files import write_atomically
from surefill_training.progress import Progress

_TASK: Task = "line_end"
_METHOD = 2
"""Raised with every change of what is measured, or how: older records are not taken for new."""
_PROMPT = 500
_DECODED = 24


@dataclass(frozen=True)
class Measures:
    """One row of the table."""

    name: str
    precision: str
    parameters: int
    megabytes: float
    bits_per_byte: float
    exact: Sequence[float]
    """Of each hole 1 or 0, in the same order for every variant."""
    packages: Sequence[str]
    """The package of each of these holes."""
    median_ms: float
    """Of a request, from the pipeline."""
    prefill_ms: float
    """Of a prompt of 500 tokens, or of all the context holds."""
    decode_ms: float
    """Of one token behind it."""


@dataclass(frozen=True)
class MeasureOptions:
    """On how much variants are measured."""

    holes: int = 500
    chars: int = 400_000
    seed: int = 0
    rounds: int = 20
    """Samples of the engine's times, of which the median is taken."""


def measured(
    variant: Variant, corpus: Path, out: Path, options: MeasureOptions, progress: Progress
) -> Measures:
    """Measure a variant, unless the same one was measured in the same way."""
    record = out / "measured" / f"{variant.name}.json"
    wanted = {
        "method": _METHOD,
        "files": variant.bundle.manifest.files,
        "corpus": build.manifest(corpus)["hash"],
        "options": asdict(options),
    }
    found = read_record(record)
    if found.get("of") == wanted:
        return Measures(**found["measures"])
    measures = _measure(variant, corpus, options, progress)
    write_atomically(
        record, json.dumps({"of": wanted, "measures": asdict(measures)}, indent=1).encode()
    )
    return measures


def _measure(
    variant: Variant, corpus: Path, options: MeasureOptions, progress: Progress
) -> Measures:
    asked = EvaluateOptions(
        tasks=(_TASK,),
        holes=options.holes,
        chars=options.chars,
        seed=options.seed,
        against=NO_PREVIOUS,
        ngrams=False,
    )
    planned = plan([variant.bundle.path], corpus, asked)
    (result,) = measure(planned, progress)
    prefill, decode = engine_times(variant.bundle, planned.texts, options.rounds)
    bits = result.bits_per_byte
    if bits is None:
        raise CorpusError("The corpus holds nothing out.", "Build it again with --heldout PACKAGE.")
    return Measures(
        name=variant.name,
        precision=variant.precision,
        parameters=variant.bundle.manifest.parameters,
        megabytes=result.contestant.megabytes,
        bits_per_byte=bits,
        exact=[float(answer.exact) for answer in result.answers],
        packages=packages(result.answers),
        median_ms=statistics.median(answer.milliseconds for answer in result.answers),
        prefill_ms=prefill,
        decode_ms=decode,
    )


def engine_times(bundle: Bundle, texts: Sequence[str], rounds: int) -> tuple[float, float]:
    """Median milliseconds of a prefill from scratch, and of one token behind it."""
    tokenizer = BundleTokenizer(bundle.path / TOKENIZER)
    ids = tokenizer.encode("".join(texts)[: 20 * _PROMPT])
    session = ModelSession(bundle)
    try:
        length = min(_PROMPT, bundle.manifest.context_length - _DECODED, len(ids))
        prompt, rest = ids[:length], ids[length : length + _DECODED]
        prefill, decode = [], []
        # The first round warms caches and is not counted.
        for number in range(rounds + 1):
            session.rewind(0)
            taken = [_timed(partial(session.prefill, prompt, Interrupt()))]
            taken += [_timed(partial(session.extend, [token], Interrupt())) for token in rest]
            if number:
                prefill.append(taken[0])
                decode += taken[1:]
    finally:
        session.close()
    return statistics.median(prefill), statistics.median(decode)


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)
