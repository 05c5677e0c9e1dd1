"""The remote engine: an OpenAI-compatible server that completes ``prompt`` with ``suffix``.

Talks to ``/v1/completions`` of a team server, Ollama, vLLM or llama.cpp. The latter two refuse
``suffix``; for them the prompt is laid out here, in text. Knows no tokens: the other side has the
model.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from surefill.engine.interface import (
    Cancellation,
    Candidate,
    Generation,
    GenerationTimings,
    Guide,
    Prompt,
    Stop,
    StopReason,
    distinct,
)
from surefill.engine.interrupt import Interrupt, Interrupted
from surefill.engine.remote_http import Address, Endpoint, Line
from surefill.errors import EngineError

if TYPE_CHECKING:
    from surefill.engine.guide import Rules

logger = logging.getLogger(__name__)


class TextLayout(Protocol):
    """The texts of the special tokens around prefix and suffix; a prompt template has them."""

    @property
    def prefix(self) -> str: ...

    @property
    def suffix(self) -> str: ...

    @property
    def middle(self) -> str: ...

    def special_tokens(self) -> tuple[str, ...]:
        """All of the model's, as texts."""
        ...


class PlainTokenizer:
    """Stands in where a prompt is built for a model whose tokenizer is elsewhere: a character is
    a token, and special tokens do not exist.
    """

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def encode_line(self, line: str) -> tuple[int, ...]:
        return tuple(self.encode(line))

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))

    def special(self, token: str) -> int:
        return 0


class RemoteEngine:
    """``interface.Engine`` on an OpenAI-compatible server.

    The first candidate is asked for at temperature 0, alternatives in a second request at
    ``temperature``. A guide cannot be honoured, as the tokens are chosen elsewhere; ``token_ids``
    stay empty, and so do ``logprobs`` where the server does not give them. With a ``layout`` the
    prompt goes out in its special tokens' texts, without one as ``prompt`` and ``suffix``.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        layout: TextLayout | None = None,
        *,
        temperature: float = 0.8,
        top_p: float = 0.95,
    ) -> None:
        self._endpoint = endpoint
        self._layout = layout
        self._address = Address.parse(endpoint.url)
        self._temperature = temperature
        self._top_p = top_p
        self._closed = False

    def guided_by(self, rules: Rules, *, wanted: int) -> None:
        """None: the tokens are chosen elsewhere."""

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
        """See ``interface.Engine``."""
        if self._closed:
            raise EngineError("The engine is closed.")
        interrupt = Interrupt(cancel)
        body = {
            "model": self._endpoint.model,
            **_prompt_fields(prompt, self._layout),
            "max_tokens": max_new_tokens,
            "stream": True,
            "logprobs": 1,
        }
        started = time.perf_counter()
        best = [_Choice(stop)]
        others = [_Choice(stop) for _ in range(n - 1)]
        sampled = {"temperature": self._temperature, "top_p": self._top_p, "n": n - 1}
        with interrupt.watching(), contextlib.suppress(Interrupted):
            self._complete({**body, "temperature": 0, "n": 1}, best, interrupt)
            if others:
                try:
                    self._complete({**body, **sampled}, others, interrupt)
                except EngineError as error:  # the first answer is there, and worth showing
                    logger.warning("no alternatives from %s: %s", self._endpoint.url, error)
        reason: StopReason = interrupt.reason or "cancelled"
        candidates = [choice.candidate(reason) for choice in (*best, *others)]
        ended = time.perf_counter()
        first = best[0].first_at or ended
        timings = GenerationTimings(
            prefill_ms=(first - started) * 1e3,
            decode_ms=(ended - first) * 1e3,
            prompt_tokens=0,
            reused_tokens=0,
            generated_tokens=sum(choice.pieces for choice in (*best, *others)),
        )
        return Generation(distinct(candidates), timings)

    def close(self) -> None:
        """Refuse further requests; there is nothing to free."""
        self._closed = True

    def _complete(self, body: dict[str, Any], choices: list[_Choice], interrupt: Interrupt) -> None:
        """Send one request and fill ``choices`` until all of them are complete."""
        # A connection being made cannot be cut from outside, so it gets no longer than there is.
        line = Line(self._address, self._endpoint, min(self._endpoint.timeout, interrupt.left))
        try:
            with interrupt.running(line):
                for event in line.events(json.dumps(body).encode()):
                    for raw in event.get("choices") or ():
                        index = raw.get("index") or 0
                        if index < len(choices):
                            choices[index].feed(raw)
                    if all(choice.reason for choice in choices):
                        return
        except (OSError, http.client.HTTPException) as error:
            if interrupt.reason:
                raise Interrupted from error
            raise EngineError(*self._explain(error)) from error
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            if interrupt.tripped:
                raise Interrupted from error
            raise EngineError(
                f"{self._endpoint.url} does not answer like an OpenAI-compatible server: {error}.",
                'Check the setting "remote.url".',
            ) from error
        finally:
            line.close()
        if interrupt.tripped:
            raise Interrupted
        # The stream ended without saying why.
        for choice in choices:
            choice.finish("end")

    def _explain(self, error: Exception) -> tuple[str, str]:
        url = self._endpoint.url
        if isinstance(error, TimeoutError):
            return f"{url} did not answer within {self._endpoint.timeout:g} seconds.", ""
        if isinstance(error, ConnectionRefusedError | socket.gaierror):
            return f"No server answers at {url}.", 'Start it, or correct the setting "remote.url".'
        return f"The connection to {url} failed: {error}.", ""


def _prompt_fields(prompt: Prompt, layout: TextLayout | None) -> dict[str, str]:
    if layout is None:
        # Servers that do not infill refuse the field even when it is empty.
        return {"prompt": prompt.prefix, **({"suffix": prompt.suffix} if prompt.suffix else {})}
    special = layout.special_tokens()
    before, after = (_as_text(part, special) for part in (prompt.prefix, prompt.suffix))
    if not layout.middle:
        return {"prompt": before}
    return {"prompt": f"{layout.prefix}{before}{layout.suffix}{after}{layout.middle}"}


def _as_text(text: str, marks: Sequence[str]) -> str:
    """``text`` in which no special token is read as one: the server reads them in any text."""
    for mark in marks:
        text = text.replace(mark, f"{mark[0]} {mark[1:]}")
    return text


class _Choice:
    """One candidate as it streams in."""

    def __init__(self, stop: Stop | None) -> None:
        self._stop = stop
        self._text = ""
        self._logprobs: list[float] = []
        self._starts: list[int] = []
        self.reason: StopReason | None = None
        self.pieces = 0
        self.first_at: float | None = None

    def feed(self, raw: dict[str, Any]) -> None:
        """Take one piece of a streamed choice."""
        if self.reason is not None:
            return
        piece = raw.get("text") or ""
        if piece:
            self.first_at = self.first_at or time.perf_counter()
            self.pieces += 1
            self._take_logprobs(raw.get("logprobs") or {}, len(piece))
            self._text += piece
            length = self._stop(self._text) if self._stop else None
            if length is not None:
                self._text = self._text[:length]
                self.reason = "stop"
                return
        if raw.get("finish_reason"):
            self.finish("length" if raw["finish_reason"] == "length" else "end")

    def finish(self, reason: StopReason) -> None:
        self.reason = self.reason or reason

    def candidate(self, reason: StopReason) -> Candidate:
        """What came in; ``reason`` if it is not complete."""
        kept = [start for start in self._starts if start < len(self._text)]
        # A last piece that is half a character is not shown.
        text = self._text.rstrip("\ufffd")
        return Candidate(
            text,
            (),
            tuple(self._logprobs[: len(kept)]),
            self.reason or reason,
            reach=tuple(min(end, len(text)) for end in (*kept[1:], len(text))) if kept else (),
        )

    def _take_logprobs(self, raw: dict[str, Any], length: int) -> None:
        values = [value for value in raw.get("token_logprobs") or () if value is not None]
        tokens = raw.get("tokens") or ()
        at = len(self._text)
        for index, value in enumerate(values):
            self._logprobs.append(float(value))
            self._starts.append(at)
            known = index < len(tokens) and isinstance(tokens[index], str)
            at += len(tokens[index]) if known else length
