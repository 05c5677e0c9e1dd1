"""What came out of ablations, which arm won if any did, as JSON and as Markdown.

Imports nothing heavy.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class ArmResult:
    """Means over the seeds of an arm."""

    name: str
    options: Mapping[str, Any]
    steps: float
    tokens: float
    minutes: float
    parameters: int
    heldout_bits_per_byte: float
    """In windows that every arm of the ablation was trained for."""
    full_context_bits_per_byte: float
    """In windows of the whole context."""
    by_seed: tuple[float, ...] = ()
    """``score`` of each run."""
    infilling_bits_per_byte: float | None = None
    """Of what fills holes, where a model that exists was trained further."""

    @property
    def score(self) -> float:
        """By what arms are compared; the less, the better."""
        if self.infilling_bits_per_byte is not None:
            return self.infilling_bits_per_byte
        return self.heldout_bits_per_byte


@dataclass(frozen=True)
class AblationResult:
    """The arms of one question."""

    name: str
    question: str
    budget: str
    window: int
    """Tokens of the windows that were scored."""
    context: int
    """Tokens of the windows of the whole context."""
    arms: Sequence[ArmResult]
    noise: float | None = field(init=False)
    """By how many bits per byte the best two must differ; None where each arm has one run."""
    winner: str | None = field(init=False)
    """None for a tie, and where nothing is known of the noise."""

    def __post_init__(self) -> None:
        best, second = sorted(self.arms, key=lambda arm: arm.score)[:2]
        noise = _noise(self.arms, best, second)
        gap = second.score - best.score
        object.__setattr__(self, "noise", noise)
        won = noise is not None and gap > noise
        object.__setattr__(self, "winner", best.name if won else None)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _noise(arms: Sequence[ArmResult], best: ArmResult, second: ArmResult) -> float | None:
    """Twice the standard error of the difference of two arms, from the spread over seeds.

    The variance is pooled over all arms with several runs.
    """
    repeated = [arm.by_seed for arm in arms if len(arm.by_seed) > 1]
    if not repeated:
        return None
    freedom = sum(len(scores) - 1 for scores in repeated)
    squares = sum(statistics.variance(scores) * (len(scores) - 1) for scores in repeated)
    runs = 1 / len(best.by_seed) + 1 / len(second.by_seed)
    return 2 * math.sqrt(squares / freedom * runs)


def markdown(results: Sequence[AblationResult]) -> str:
    """The results as a document with one table for each ablation."""
    return "# Ablations\n\n" + "\n\n".join(map(_section, results)) + "\n"


def _section(result: AblationResult) -> str:
    rows = [
        f"| arm | options | parameters | steps | tokens | minutes | bits per byte, "
        f"{result.window} tokens | {result.context} tokens | of holes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for arm in result.arms:
        name = f"**{arm.name}**" if arm.name == result.winner else arm.name
        options = " ".join(f"{key}={value}" for key, value in arm.options.items())
        rows.append(
            f"| {name} | {options} | {arm.parameters / 1e6:.2f}M | {arm.steps:.0f} | "
            f"{arm.tokens / 1e6:.2f}M | {arm.minutes:.1f} | {arm.heldout_bits_per_byte:.3f} | "
            f"{arm.full_context_bits_per_byte:.3f} | {_or_dash(arm.infilling_bits_per_byte)} |"
        )
    heading = f"## {result.name}\n\n{result.question}\n\nEach run: {result.budget}."
    return f"{heading} {_verdict(result)}\n\n" + "\n".join(rows)


def _or_dash(bits: float | None) -> str:
    return "-" if bits is None else f"{bits:.3f}"


def _verdict(result: AblationResult) -> str:
    if result.noise is None:
        return "Tie: one run for each arm says nothing of the noise."
    if result.winner is None:
        return f"Tie: the best two differ by less than {result.noise:.3f}, the noise of seeds."
    return (
        f"{result.winner} wins: the difference exceeds {result.noise:.3f}, the noise of seeds "
        "(twice its standard error)."
    )
