"""The completions of a problem: the first suggestion, and independent samples beside it.

Everything goes through the server's pipeline: its prompt, its ends, its post-processing. In two
things this differs from a request of an editor. Suggestions are neither remembered nor freed of
duplicates, because an estimate from samples needs each one that was drawn. And at the end of a
prompt a whole function body is asked for, where the server ends with the first paragraph.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from surefill.completion.cache import TypeThroughCache
from surefill.completion.loading import LoadedModel
from surefill.completion.pipeline import CompletionPipeline, CompletionRequest
from surefill.completion.policy import block_stop
from surefill.engine.guide import Rules
from surefill.engine.interface import (
    Cancellation,
    Candidate,
    Engine,
    Generation,
    GenerationTimings,
    Guide,
    Prompt,
    Stop,
)
from surefill.settings import Settings
from surefill.syntax.document import Document
from surefill.syntax.indentation import indent_width
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position
from surefill_training.evaluate.problems import Problem

_NEW_TOKENS = 512
"""Room for a function body; half of the model's context at most."""
_AT_ONCE = 10
"""Samples of one request: each has a key-value cache of its own."""
_DEADLINE_MS = 600_000.0
"""Never in practice: what a busy machine does not finish would count as wrong."""
_HEADER = re.compile(r"^([ \t]*)(?:async )?def ", re.MULTILINE)
_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True)
class Answers:
    """Completions of one problem; empty where nothing is to be shown."""

    first: str
    """Of the greedy candidate, as a request for one suggestion gets it."""
    sampled: tuple[str, ...]
    """Drawn independently of each other, so with duplicates."""


def answer(problem: Problem, model: LoadedModel, settings: Settings, samples: int) -> Answers:
    """The first suggestion for the hole of ``problem``, and ``samples`` that were drawn.

    Equal models and problems get equal answers. Raises EngineError when the model fails.
    """
    request = _Request(problem, model, settings)
    first, sampled = "", list[str]()
    for number in range(max(1, -(-samples // _AT_ONCE))):
        drawn = min(_AT_ONCE, samples - len(sampled))
        greedy, *others = request.draw(number, drawn)
        first = request.judge(greedy)
        texts = [first] * (greedy.count - 1)
        for other in others:
            texts += [request.judge(other)] * other.count
        # An engine leaves out alternatives that say nothing.
        sampled += texts + [""] * (drawn - len(texts))
    return Answers(first, tuple(sampled))


class _Request:
    """One hole, for which the pipeline is asked several times."""

    def __init__(self, problem: Problem, model: LoadedModel, settings: Settings) -> None:
        completion = replace(settings.completion, max_new_tokens=_NEW_TOKENS)
        self._settings = replace(
            settings, enabled=True, disabled_languages=(), completion=completion
        )
        self._model = model
        self._language = language_for("python", None)
        uri = f"file:///{problem.task_id}.py"
        self._snapshot = Document(uri, self._language, problem.prompt + problem.behind).snapshot()
        lines = _LINE_END.split(problem.prompt)
        self._position = Position(len(lines) - 1, len(lines[-1]))
        self._stop = None if problem.suffix else self._body_stop(problem.prompt)
        self._texts: dict[Candidate, str] = {}

    def draw(self, seed: int, samples: int) -> tuple[Candidate, ...]:
        """The greedy candidate and ``samples`` others, duplicates counted."""
        tap = _Tap(self._model.engine, seed, self._stop)
        self._complete(tap, 1 + samples)
        if not tap.candidates:  # the policy asks no model here
            return (Candidate("", (), (), "end"),)
        return tap.candidates

    def judge(self, candidate: Candidate) -> str:
        """What the server would show of ``candidate``."""
        if candidate not in self._texts:
            self._texts[candidate] = self._complete(_Known(candidate), 1)
        return self._texts[candidate]

    def _complete(self, engine: Engine, n: int) -> str:
        request = CompletionRequest(
            self._snapshot, self._position, explicit=True, n=n, deadline_ms=_DEADLINE_MS
        )
        pipeline = CompletionPipeline(self._model.context, self._settings, TypeThroughCache(0))
        suggestions = pipeline.complete(request, engine, Cancellation()).suggestions
        return suggestions[0].text if suggestions else ""

    def _body_stop(self, prompt: str) -> Stop | None:
        """Where the body of the last function in ``prompt`` ends."""
        headers = _HEADER.findall(prompt)
        return block_stop(self._language, indent_width(headers[-1]) + 1) if headers else None


class _Tap:
    """Passes a request on to an engine with another seed and end, and keeps what it answers."""

    def __init__(self, engine: Engine, seed: int, stop: Stop | None) -> None:
        self._engine = engine
        self._seed = seed
        self._stop = stop
        self.candidates: tuple[Candidate, ...] = ()

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
        generation = self._engine.generate(
            replace(prompt, seed=self._seed, apart=False),
            max_new_tokens=max_new_tokens,
            stop=self._stop or stop,
            guide=guide,
            cancel=cancel,
            n=n,
        )
        self.candidates = generation.candidates
        return generation

    def guided_by(self, rules: Rules, *, wanted: int) -> Guide | None:
        return self._engine.guided_by(rules, wanted=wanted)

    def close(self) -> None:
        """Nothing: the engine belongs to another."""


class _Known:
    """An engine that answers with a candidate that is there already."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate

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
        return Generation((self._candidate,), GenerationTimings(0.0, 0.0, 0, 0, 0))

    def guided_by(self, rules: Rules, *, wanted: int) -> None:
        """None: the candidate is there already."""

    def close(self) -> None:
        """Nothing: there is no model."""
