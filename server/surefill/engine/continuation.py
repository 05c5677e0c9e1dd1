"""One candidate in the making: its tokens, its text so far, and whether it is complete.

Knows how tokens become text; not where they come from.
"""

from __future__ import annotations

import math

from surefill.engine.interface import Candidate, Stop, StopReason, Tokenizer

_REPLACEMENT = "\ufffd"


class Continuation:
    """Collects tokens until an end token, ``stop``, the length, or bytes that are not UTF-8.

    It also ends when its log-probability falls below ``least_logprob``.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        ends: frozenset[int],
        stop: Stop | None,
        max_new_tokens: int,
        lead: str = "",
        *,
        least_logprob: float = -math.inf,
    ) -> None:
        self._lead = lead
        self.pending = lead
        """What the next tokens have to begin with: it stands before the cursor already."""
        self._tokenizer = tokenizer
        self._ends = ends
        self._stop = stop
        self._max_new_tokens = max_new_tokens
        self._least_logprob = least_logprob
        self._total = 0.0
        self._logprobs: list[float] = []
        self._runners_up: list[float] = []
        self._reach: list[int] = []
        """Length of the text after each token."""
        self.ids: list[int] = []
        self.text = ""
        self.end_probability = 0.0
        """Of an end token where the text begins."""
        self.reason: StopReason | None = None

    @property
    def written(self) -> str:
        """The text with what there is of the lead before it."""
        return self._lead[: len(self._lead) - len(self.pending)] + self.text

    @property
    def empty(self) -> bool:
        """Whether the next token is the first that says something after the cursor."""
        return not self.text and not self.pending

    def push(self, token: int, logprob: float, runner_up: float = -math.inf) -> bool:
        """Append ``token``; returns whether the candidate is complete now.

        ``runner_up`` is the log-probability of the likeliest other token.
        """
        if token in self._ends:
            self.reason = "end"
            return True
        self.ids.append(token)
        self._logprobs.append(logprob)
        self._total += logprob
        self._runners_up.append(runner_up)
        # Decoded as a whole: a character's bytes may be spread over several tokens.
        whole, broken, rest = self._tokenizer.decode(self.ids).partition(_REPLACEMENT)
        self.text, self.pending = whole[len(self._lead) :], self._lead[len(whole) :]
        self._reach.append(len(self.text))
        length = self._stop(self.text) if self._stop and not self.pending else None
        if length is not None:
            self.text = self.text[:length]
            self.reason = "stop"
        elif broken and rest:
            # Something follows the unreadable bytes, so they will not become a character.
            self.reason = "stop"
        elif len(self.ids) >= self._max_new_tokens:
            self.reason = "length"
        elif self._total < self._least_logprob:
            self.reason = "unlikely"
        return self.reason is not None

    def close(self, reason: StopReason) -> None:
        """End it for a reason from outside, unless it is complete already."""
        self.reason = self.reason or reason

    def candidate(self) -> Candidate:
        """The text, and the tokens that reach into it."""
        wanted = len(self.text)
        count = 0
        while count < len(self.ids) and (self._reach[count - 1] if count else 0) < wanted:
            count += 1
        return Candidate(
            text=self.text,
            token_ids=tuple(self.ids[:count]),
            logprobs=tuple(self._logprobs[:count]),
            stop_reason=self.reason or "length",
            end_probability=self.end_probability,
            runners_up=tuple(self._runners_up[:count]),
            reach=tuple(min(reach, wanted) for reach in self._reach[:count]),
        )
