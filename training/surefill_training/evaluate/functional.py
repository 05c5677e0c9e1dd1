"""Functional correctness: how many problems the completions solve, by executing their tests.

Completions come through the server's own pipeline and are executed in its sandbox only. A problem
counts only if its own solution passes there, so that a broken environment cannot look like a bad
model. The test runs in the same process as the completion: what fails by accident, or ends the
program early, is found out; a model that sets out to deceive the test is not.
"""

from __future__ import annotations

import math
import os
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from surefill.checks.execution import Limits, available, execute
from surefill.completion.loading import LoadedModel
from surefill.errors import SandboxError
from surefill.settings import Settings
from surefill_training.errors import ProblemsError
from surefill_training.evaluate.contestants import Contestant, from_bundle
from surefill_training.evaluate.problems import Problem, ProblemSet
from surefill_training.evaluate.report import share, table
from surefill_training.evaluate.sampling import Answers, answer
from surefill_training.evaluate.statistics import Estimate, bootstrap
from surefill_training.progress import Progress

_LIMITS = Limits(wall_seconds=20.0, cpu_seconds=10)
"""For one test; the wall time is longer because as many run at a time as there are cores."""
_PASSED = "passed"
CLEAN = "decontaminated against this file"
NOT_CLEAN = "not decontaminated against this file"
"""Of a model that may have been trained on the solutions, as far as its record says."""


@dataclass(frozen=True)
class FunctionalScores:
    """What was measured of one model on one file of problems; shares are over the usable ones."""

    file: str
    sha256: str
    problems: int
    """How many are usable: their own solution passes."""
    unusable: Mapping[str, str]
    """The others by their ids, with the reason."""
    samples: int
    """Continuations that were drawn for each problem, beside the first suggestion."""
    pass_at: Mapping[int, Estimate]
    """pass@1 is the share of first suggestions that pass, without any sampling, as the server shows
    them. pass@k is estimated from the sampled ones."""
    outcomes: Mapping[str, int]
    """How the first suggestions ended: passed, failed, timeout, limit, crashed, or nothing."""
    decontaminated: bool = False
    """Whether the model's record says that text of this file was kept out of all its training."""


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Probability that one of ``k`` is correct, drawn without replacement from ``n``.

    The unbiased estimator of Chen et al., 2021 (https://arxiv.org/abs/2107.03374), as a product:
    the binomial coefficients themselves would overflow.
    """
    if not 0 < k <= n:
        raise ValueError(f"{k} cannot be drawn from {n}")
    if n - correct < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - correct + 1, n + 1))


def check_samples(samples: int, ks: Sequence[int]) -> None:
    """Refuse with ProblemsError a ``k`` that so many samples cannot tell anything of."""
    most = max(ks, default=1)
    if most > max(1, samples):
        raise ProblemsError(
            f"pass@{most} cannot be estimated from {samples} samples.",
            f"Give --samples {most} or more.",
        )


def measure(
    model: LoadedModel,
    settings: Settings,
    problems: ProblemSet,
    samples: int,
    progress: Progress,
    *,
    ks: Sequence[int] = (1,),
) -> FunctionalScores:
    """Complete each problem and execute its test.

    ``samples`` continuations are drawn for each problem where a ``k`` above 1 asks for them.
    Raises SandboxError where nothing can be executed, ProblemsError when no problem is usable.
    """
    check_samples(samples, ks)
    if reason := available():
        raise SandboxError("Functional correctness cannot be measured.", reason)
    drawn = samples if max(ks, default=1) > 1 else 0
    with _executor() as executor:
        usable, unusable = _verify(problems, executor, progress)
        running: list[tuple[Answers, dict[str, Future[str]]]] = []
        for number, problem in enumerate(usable):
            answers = answer(problem, model, settings, drawn)
            futures = {
                text: executor.submit(_outcome, problem, text)
                for text in dict.fromkeys((answers.first, *answers.sampled))
                if text
            }
            running.append((answers, futures))
            progress(f"{model.name}: {problems.name}", number + 1, len(usable))
        results = [
            _Result.of(answers, {text: future.result() for text, future in futures.items()})
            for answers, futures in running
        ]
    return FunctionalScores(
        file=problems.name,
        sha256=problems.sha256,
        problems=len(usable),
        unusable=unusable,
        samples=drawn,
        pass_at={k: bootstrap([result.pass_at(k) for result in results]) for k in sorted(set(ks))},
        outcomes=dict(Counter(result.first for result in results).most_common()),
    )


def measure_bundles(
    bundles: Sequence[Path],
    problems: ProblemSet,
    samples: int,
    progress: Progress,
    ks: Sequence[int],
) -> list[tuple[Contestant, FunctionalScores]]:
    """``measure`` of one bundle after the other, each as it is served by default.

    Raises as ``measure``, and for a bundle that cannot be loaded.
    """
    # All are looked at before the first is measured.
    contestants = [from_bundle(path, set(), Settings()) for path in bundles]
    found = []
    for contestant in contestants:
        model = contestant.open(contestant.settings)
        try:
            scores = measure(model, contestant.settings, problems, samples, progress, ks=ks)
        finally:
            model.engine.close()
        clean = _decontaminated(contestant, problems)
        found.append((contestant, replace(scores, decontaminated=clean)))
    return found


def _decontaminated(contestant: Contestant, problems: ProblemSet) -> bool:
    made = contestant.bundle.manifest.made if contestant.bundle else {}
    return problems.sha256 in made.get("decontaminated", ())


@dataclass(frozen=True)
class _Result:
    """Of one problem: how its first suggestion ended, and how many of the sampled ones passed."""

    first: str
    drawn: int
    correct: int

    @classmethod
    def of(cls, answers: Answers, outcomes: Mapping[str, str]) -> _Result:
        passed = (outcomes.get(text) == _PASSED for text in answers.sampled)
        return cls(outcomes.get(answers.first, "nothing"), len(answers.sampled), sum(passed))

    def pass_at(self, k: int) -> float:
        if k == 1:
            return float(self.first == _PASSED)
        return pass_at_k(self.drawn, self.correct, k)


@contextmanager
def _executor() -> Iterator[ThreadPoolExecutor]:
    """As many tests at a time as there are cores; those that wait are dropped on an error."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    executor = ThreadPoolExecutor(max_workers=cores)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _verify(
    problems: ProblemSet, executor: ThreadPoolExecutor, progress: Progress
) -> tuple[list[Problem], dict[str, str]]:
    """The problems whose own solution passes, and why the others are not usable."""
    everything = problems.problems
    checks = executor.map(lambda problem: _run(problem, _own(problem)), everything)
    usable, unusable = [], {}
    for number, (problem, (outcome, reason)) in enumerate(zip(everything, checks, strict=True)):
        if outcome == _PASSED:
            usable.append(problem)
        else:
            unusable[problem.task_id] = f"its own solution {outcome}: {reason}"
        progress(f"{problems.name}: solutions", number + 1, len(everything))
    if not usable:
        first = next(iter(unusable.items()))
        raise ProblemsError(
            f"No problem of {problems.name} can be used; of {first[0]}, {first[1]}.",
            "Install what they import for this Python, or give another file.",
        )
    return usable, unusable


def _own(problem: Problem) -> str:
    """The solution as far as the cursor's line: its end stands behind the hole."""
    return problem.canonical_solution.removesuffix("\n")


def _outcome(problem: Problem, completion: str) -> str:
    return _run(problem, completion)[0]


def _run(problem: Problem, completion: str) -> tuple[str, str]:
    """How the test of ``completion`` ended, and why."""
    sign = secrets.token_hex(16)
    result = execute(problem.program(completion, sign), limits=_LIMITS)
    if result.outcome == _PASSED and sign not in result.stdout:
        return "failed", "it ended before its test did"
    return result.outcome, result.reason


def as_json(scores: FunctionalScores) -> dict[str, Any]:
    """All fields, in values that JSON knows."""
    return {**asdict(scores), "pass_at": {str(k): asdict(v) for k, v in scores.pass_at.items()}}


def markdown(names: Sequence[str], results: Sequence[FunctionalScores]) -> str:
    """A table with one column for each model, all measured on the same file of problems."""
    rows = [
        [f"{results[0].file}, pass@{k}", *(share(result.pass_at[k]) for result in results)]
        for k in results[0].pass_at
    ]
    rows.append(["problems, unusable", *(f"{r.problems}, {len(r.unusable)}" for r in results)])
    rows.append(["training", *(CLEAN if r.decontaminated else NOT_CLEAN for r in results)])
    return table(["measure", *names], rows)
