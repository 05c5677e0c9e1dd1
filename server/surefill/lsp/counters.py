"""What the server has done so far, for ``surefill.status`` and for tests: numbers, never text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from surefill.engine.interface import Cancellation, Engine, Generation, Guide, Prompt, Stop

if TYPE_CHECKING:
    from surefill.engine.guide import Rules


@dataclass
class Counters:
    """Counts since the start of the session."""

    requests: int = 0
    cache_hits: int = 0
    model_calls: int = 0
    """Calls of an engine's ``generate``."""
    prompt_tokens: int = 0
    reused_tokens: int = 0
    """Prompt tokens found in the KV cache, so that they were not computed again."""
    ahead_tokens: int = 0
    """Of the reused ones, those that had been read before anybody asked."""
    generated_tokens: int = 0
    superseded: int = 0
    stale: int = 0
    """Requests that an edit elsewhere in the document made pointless."""
    failed: int = 0
    shown: int = 0
    """Answers with at least one suggestion."""
    accepted: int = 0
    """Whole suggestions, as the editor reports."""
    partially_accepted: int = 0
    """Of which a word or a line went into the document at once."""
    rejected: int = 0
    """Passed over: something else was written, or asked for elsewhere."""

    read_aheads: int = 0
    """Prompts that were read, at least in part, before anybody asked."""
    read_ahead_tokens: int = 0
    follow_ups: int = 0
    """Answers that were made before anybody asked."""

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class CountedEngine:
    """An engine that counts what passes through it."""

    def __init__(self, engine: Engine, counters: Counters) -> None:
        self._engine = engine
        self._counters = counters

    def generate(
        self,
        prompt: Prompt,
        *,
        max_new_tokens: int,
        stop: Stop | None = None,
        guide: Guide | None = None,
        cancel: Cancellation | None = None,
        n: int = 1,
    ) -> Generation:
        """As the engine inside; counts the call even when it fails."""
        self._counters.model_calls += 1
        generation = self._engine.generate(
            prompt, max_new_tokens=max_new_tokens, stop=stop, guide=guide, cancel=cancel, n=n
        )
        self._counters.prompt_tokens += generation.timings.prompt_tokens
        self._counters.reused_tokens += generation.timings.reused_tokens
        self._counters.ahead_tokens += generation.timings.ahead_tokens
        self._counters.generated_tokens += generation.timings.generated_tokens
        return generation

    def guided_by(self, rules: Rules, *, wanted: int) -> Guide | None:
        return self._engine.guided_by(rules, wanted=wanted)

    def close(self) -> None:
        self._engine.close()
