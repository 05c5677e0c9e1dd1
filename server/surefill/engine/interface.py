"""What every engine offers: ``generate`` turns a prompt into candidates.

Knows neither where a prompt comes from nor what becomes of a candidate. The engines behind this
interface are ``local`` (ONNX Runtime in this process) and ``remote`` (an OpenAI-compatible
server).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from surefill.budget import Cancellation as Cancellation  # noqa: PLC0414 - engines take it

if TYPE_CHECKING:  # numpy costs a server's start 60 ms, and only annotations need it here
    import numpy as np
    import numpy.typing as npt

    from surefill.engine.guide import Rules

StopReason = Literal["end", "stop", "length", "unlikely", "cancelled", "deadline"]

Stop = Callable[[str], "int | None"]
"""Given the text generated so far, the length in characters at which it is complete, or None to
go on. Called after every token; must be cheap and pure. The candidate is cut at that length."""


@dataclass(frozen=True)
class Prompt:
    """One request to a model.

    ``ids`` is what a local model sees, special tokens included. ``prefix`` and ``suffix`` are the
    same request as plain text, for engines that build the prompt themselves and for drafts.
    ``lead`` is the end of the prefix that ``ids`` leaves out: what a local model generates has to
    begin with it, and a candidate's text is what follows. ``before`` and ``after`` are the tokens
    around the cursor for those who count them, without ``lead`` and reaching further than ``ids``;
    ``document`` tells this document from others.
    """

    ids: tuple[int, ...]
    prefix: str
    suffix: str
    lead: str = ""
    seed: int = 0
    """Which alternatives are drawn; equal prompts get equal ones, as far as the engine can."""
    apart: bool = True
    """Whether alternatives part as soon as something else is likely, too; else they are independent
    draws, many of which come out the same."""
    refused: tuple[str, ...] = ()
    """Beginnings that the answer must not have: what was tried before and may not be shown."""
    least_probability: float = 0.0
    """A candidate ends ``unlikely`` with the token that makes all of its tokens together less
    probable than this: more of it would not be shown."""
    infills: bool = True
    """Whether ``ids`` show what stands after the cursor; else they are continued left to right."""
    document: str = ""
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One answer of a model: text, its tokens, and the natural log-probability of each token."""

    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    stop_reason: StopReason
    count: int = 1
    """How many of the continuations that were made came out as this text."""
    end_probability: float = 0.0
    """That nothing is missing, by the model: of an end token in the place of the first one."""
    runners_up: tuple[float, ...] = ()
    """The natural log-probability of the likeliest other token in each one's place; empty where
    that is not known."""
    reach: tuple[int, ...] = ()
    """How many characters of the text there are after each token; empty where that is not known."""

    @property
    def mean_logprob(self) -> float:
        """Mean natural log-probability per token; 0.0 for an empty candidate."""
        return sum(self.logprobs) / len(self.logprobs) if self.logprobs else 0.0


def distinct(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The first one, which is the greedy one, then those that say something else, counted."""
    counts = Counter(candidate.text for candidate in candidates)
    first = {candidate.text: candidate for candidate in reversed(candidates)}
    texts = dict.fromkeys((candidates[0].text, *filter(None, counts)))
    return tuple(replace(first[text], count=counts[text]) for text in texts)


@dataclass(frozen=True)
class GenerationTimings:
    """Where the time of one ``generate`` went: milliseconds, and tokens that were forwarded."""

    prefill_ms: float
    decode_ms: float
    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    ahead_tokens: int = 0
    """Of the reused ones, those that were there because the prompt had been read ahead."""


@dataclass(frozen=True)
class Generation:
    """All candidates of one request, the greedy one first, duplicates and empty ones left out."""

    candidates: tuple[Candidate, ...]
    timings: GenerationTimings


@dataclass(frozen=True)
class Reading:
    """What reading a prompt ahead came to: its tokens, and how many of them were forwarded."""

    prompt_tokens: int
    read_tokens: int
    complete: bool
    """Whether all of the prompt is there now; else as much as there was time for."""


class Guide(Protocol):
    """Decides, token by token, which continuations are allowed."""

    def mask(
        self,
        generated: str,
        logprobs: npt.NDArray[np.float32],
        allowed: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.bool_] | None:
        """Which tokens may follow ``generated``: shape (vocabulary,), or None for all of them.

        ``generated`` begins with what there is of the prompt's lead. Of tokens that are not
        ``allowed`` anyway, nothing need be said.
        """
        ...


class Tokenizer(Protocol):
    """Text to token ids and back, for one bundle."""

    def encode(self, text: str) -> list[int]:
        """Ids of ``text`` as ordinary text: special tokens in it are not read as special."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ``ids`` without special tokens; incomplete UTF-8 becomes U+FFFD."""
        ...

    def special(self, token: str) -> int:
        """Id of a special token; raises BundleError when the bundle does not have it."""
        ...


class Engine(Protocol):
    """A loaded model. ``generate`` blocks and must be called from one thread at a time."""

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
        """Complete ``prompt``: the greedy candidate and up to ``n - 1`` sampled alternatives.

        Cancellation takes effect within one token and returns what was generated so far, its
        candidates marked ``cancelled``. Raises EngineError when the model fails.
        """
        ...

    def guided_by(self, rules: Rules, *, wanted: int) -> Guide | None:
        """A guide that keeps to ``rules``, for as many candidates as are ``wanted``.

        None where tokens cannot be chosen here.
        """
        ...

    def close(self) -> None:
        """Free the model. Further calls raise EngineError."""
        ...


@runtime_checkable
class ReadsAhead(Engine, Protocol):
    """An engine that can read a prompt before anybody asks for its continuation."""

    def read(self, prompt: Prompt, cancel: Cancellation) -> Reading:
        """Prepare for a ``generate`` with ``prompt``, or with one that begins as it does.

        Changes no answer, only how soon it comes. Cancellation takes effect within one token and
        leaves what was read until then. Raises EngineError when the model fails.
        """
        ...
