"""A deterministic engine fed from a queue, for tests of everything above the engine."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from surefill.engine.guide import Rules
from surefill.engine.interface import (
    Cancellation,
    Candidate,
    Generation,
    GenerationTimings,
    Guide,
    Prompt,
    Stop,
    StopReason,
)
from surefill.errors import EngineError

Answer = str | tuple[str, ...] | Exception


@dataclass(frozen=True)
class Call:
    """What one ``generate`` was asked."""

    prompt: Prompt
    max_new_tokens: int
    n: int


class FakeEngine:
    """Answers with the queued texts, one entry a call; a tuple gives several candidates.

    Tokens are characters with log-probability ``logprob`` each, so ``max_new_tokens`` counts
    characters. ``stop`` and cancellation work as in a real engine. With ``gate`` set, every call
    waits for it, or for its cancellation; ``started`` is set when a call begins.
    """

    def __init__(
        self,
        answers: Iterable[Answer] = (),
        *,
        default: Answer = "",
        logprob: float = -0.1,
        gate: threading.Event | None = None,
    ) -> None:
        self.answers: deque[Answer] = deque(answers)
        self.default = default
        self.logprob = logprob
        self.gate = gate
        self.started = threading.Event()
        self.calls: list[Call] = []
        self.closed = False

    def guided_by(self, rules: Rules, *, wanted: int) -> None:
        """None: the answers are fixed."""

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
        if self.closed:
            raise EngineError("The engine is closed.")
        self.calls.append(Call(prompt, max_new_tokens, n))
        self.started.set()
        self._wait(cancel)
        answer = self.answers.popleft() if self.answers else self.default
        if isinstance(answer, Exception):
            raise answer
        texts = (answer,) if isinstance(answer, str) else answer
        candidates = tuple(
            self._candidate(text, max_new_tokens, stop, cancel) for text in texts[:n]
        )
        timings = GenerationTimings(
            prefill_ms=1.0,
            decode_ms=2.0,
            prompt_tokens=len(prompt.ids),
            reused_tokens=0,
            generated_tokens=sum(len(c.token_ids) for c in candidates),
        )
        return Generation(candidates, timings)

    def close(self) -> None:
        self.closed = True

    def _wait(self, cancel: Cancellation | None) -> None:
        if self.gate is None:
            return
        while not self.gate.wait(0.002):
            if cancel is not None and (cancel.cancelled or cancel.expired):
                return

    def _candidate(
        self, text: str, limit: int, stop: Stop | None, cancel: Cancellation | None
    ) -> Candidate:
        out, reason = "", _ended(cancel)
        for character in text:
            reason = reason or _ended(cancel)
            if reason is not None:
                break
            out += character
            length = stop(out) if stop else None
            if length is not None:
                out, reason = out[:length], "stop"
            elif len(out) >= limit:
                reason = "length"
        ids = tuple(ord(character) for character in out)
        return Candidate(out, ids, (self.logprob,) * len(ids), reason or "end")


def _ended(cancel: Cancellation | None) -> StopReason | None:
    if cancel is None:
        return None
    if cancel.cancelled:
        return "cancelled"
    return "deadline" if cancel.expired else None


def fake_factory(answers: Iterable[Answer] = ()) -> Callable[[], FakeEngine]:
    """A factory for ``EngineWorker.swap``."""
    return lambda: FakeEngine(answers)
