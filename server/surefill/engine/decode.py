"""The local engine: a greedy candidate and sampled alternatives from one model session.

Joins session, tokenizer and sampling. Knows token ids and candidates; nothing of documents.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surefill.engine.bundle import TOKENIZER, Bundle
from surefill.engine.continuation import Continuation
from surefill.engine.drafts import PromptLookup
from surefill.engine.guide import RuledTokens, Rules
from surefill.engine.healing import TokenTexts
from surefill.engine.interface import (
    Cancellation,
    Generation,
    GenerationTimings,
    Guide,
    Prompt,
    Reading,
    Stop,
    distinct,
)
from surefill.engine.interrupt import Interrupt, Interrupted
from surefill.engine.ngrams.blend import BESIDE_MODEL, Blend, Mixer
from surefill.engine.ngrams.cache import TokenCache
from surefill.engine.ngrams.store import NgramStore
from surefill.engine.sampling import (
    Bools,
    Floats,
    greedy,
    log_softmax,
    runner_up,
    sample,
    seed_for,
    without,
)
from surefill.engine.session import ModelSession, Provider, Session
from surefill.engine.tokenizer import BundleTokenizer
from surefill.errors import BundleError, EngineError

_MOST_WANTED = 4
"""Of the likeliest tokens, alternatives are drawn from this many that a guide has looked at."""
_FEW = 4
"""So few tokens that are missing from the end of a prompt are not worth reading ahead."""
_READ_CHUNK = 64
"""Tokens read ahead at a time, fewer than in a prompt that is waited for: what is cut off is less.
They take as long as in chunks of 128 (135M parameters in int8, two cores)."""
_LEAST_OTHER = 0.1
"""Alternatives part where everything but what is taken has this probability together."""


@dataclass(frozen=True)
class DecodingOptions:
    """How candidates are found; the alternatives are always the same for the same prompt."""

    drafts: int = 3
    """Tokens guessed from the prompt and verified in one forward; 0 for none. Three save 7 % on
    real code and a third where the model repeats itself (6 layers, 256 wide, int4, two cores)."""
    temperature: float = 0.8
    """Of the alternatives; the first candidate is greedy."""
    top_p: float = 0.95
    """Probability mass that the alternatives are drawn from."""


class LocalEngine:
    """``interface.Engine`` on an onnxruntime session.

    ``ends`` are the texts of the tokens that end a completion. With ``blend`` the model's
    probabilities are mixed with those of n-grams.
    """

    def __init__(
        self,
        session: Session,
        tokenizer: BundleTokenizer,
        ends: Sequence[str],
        options: DecodingOptions = DecodingOptions(),
        blend: Blend | None = None,
    ) -> None:
        self.session = session
        self.tokenizer = tokenizer
        self.options = options
        self.blend = blend
        self.ends = frozenset(tokenizer.special(token) for token in ends)
        self.end_ids = sorted(self.ends)
        self.allowed = _allowed_tokens(session.vocab_size, tokenizer, self.ends)
        # With the model rather than with the first request: it takes as long as many of them.
        self.texts = _token_texts(session.vocab_size, tokenizer)
        self._ahead = range(0)
        """Which of the session's tokens were read ahead, and not asked for yet."""
        self._closed = False

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
        """See ``interface.Engine``.

        A prompt that leaves no room in the context is refused here with EngineError: only its
        builder knows what may be left out. ``max_new_tokens`` beyond the context is cut down.
        """
        if self._closed:
            raise EngineError("The engine is closed.")
        if max_new_tokens < 1 or n < 1:
            raise EngineError("At least one token and one candidate must be asked for.")
        room = self.session.context_length - len(prompt.ids)
        if room < 1:
            raise EngineError(
                f"The prompt's {len(prompt.ids)} tokens leave no room in the model's context of "
                f"{self.session.context_length}.",
                "Shorten the prompt.",
            )
        self._select(prompt)
        request = _Request(
            engine=self,
            prompt=prompt,
            budget=min(max_new_tokens, room),
            stop=stop,
            guide=guide,
            interrupt=Interrupt(cancel),
            mixer=self._mixer(prompt, stop),
        )
        return request.run(n)

    def read(self, prompt: Prompt, cancel: Cancellation) -> Reading:
        """See ``interface.ReadsAhead``. A prompt that is all there leaves the session as it is."""
        if self._closed:
            raise EngineError("The engine is closed.")
        session, total = self.session, len(prompt.ids)
        there = self._select(prompt)
        if there >= total - _FEW:
            return Reading(total, 0, complete=True)
        interrupt, complete = Interrupt(cancel), False
        with interrupt.watching(), contextlib.suppress(Interrupted):
            session.prefill(prompt.ids, interrupt, chunk=_READ_CHUNK)
            complete = True
        start = min(there, self._ahead.start) if self._ahead else there
        self._ahead = range(start, len(session.tokens))
        return Reading(total, max(0, len(session.tokens) - there), complete)

    def _select(self, prompt: Prompt) -> int:
        """Turn to the session's cache for ``prompt``; returns how many of its tokens are there."""
        before = self.session.tokens
        there = self.session.select(prompt.ids)
        if self.session.tokens is not before:
            self._ahead = range(0)
        return there

    def take_ahead(self, reused: int) -> int:
        """How many of the ``reused`` tokens of a request had been read ahead; counts them once."""
        found = self._ahead[: max(0, reused - self._ahead.start)]
        self._ahead = range(0)
        return len(found)

    def guided_by(self, rules: Rules, *, wanted: int) -> Guide:
        """See ``interface.Engine``."""
        return RuledTokens(self.texts, rules, wanted=min(wanted, _MOST_WANTED))

    def _mixer(self, prompt: Prompt, stop: Stop | None) -> Mixer | None:
        if self.blend is None:
            return None
        return self.blend.begin(prompt, gap_ends=gap_ends(self.tokenizer, prompt, stop))

    def close(self) -> None:
        """Free the model. Further calls raise EngineError."""
        if not self._closed:
            self._closed = True
            self.session.close()


def open_engine(
    bundle: Bundle | Path | str,
    provider: Provider = "auto",
    threads: int | None = None,
    options: DecodingOptions = DecodingOptions(),
    *,
    ngrams: bool = True,
) -> LocalEngine:
    """Load and check a bundle and make an engine of it; raises BundleError or EngineError.

    The bundle's n-grams, where it has any, are blended in unless ``ngrams`` says not to.
    """
    loaded = bundle if isinstance(bundle, Bundle) else Bundle.load(bundle)
    prompt = loaded.manifest.prompt
    tokenizer = BundleTokenizer(loaded.tokenizer_path, (*prompt.special_tokens, *prompt.ends))
    blend = open_blend(loaded, tokenizer) if ngrams and loaded.ngrams_path else None
    session = ModelSession(loaded, provider, threads)
    return LocalEngine(session, tokenizer, prompt.ends, options, blend)


def open_blend(bundle: Bundle, tokenizer: BundleTokenizer, weights: str = BESIDE_MODEL) -> Blend:
    """The n-grams of a bundle that has them, with an empty cache; raises BundleError."""
    if bundle.ngrams_path is None:
        raise BundleError(
            f"The bundle at {bundle.path} has no n-grams.",
            "Make it again with `surefill-train bundle --ngrams FILE`.",
        )
    store = NgramStore.load(bundle.ngrams_path, bundle.manifest.files[TOKENIZER].lower())
    if store.vocabulary != tokenizer.vocab_size:
        raise BundleError(
            f"The n-grams of the bundle at {bundle.path} have {store.vocabulary} tokens and its "
            f"tokenizer {tokenizer.vocab_size}.",
            "Make them again with `surefill-train ngrams`.",
        )
    ends = bundle.manifest.prompt.ends
    end = tokenizer.special(ends[0]) if ends else None
    return Blend(store, TokenCache(store.vocabulary), weights=weights, end=end)


def gap_ends(tokenizer: BundleTokenizer, prompt: Prompt, stop: Stop | None) -> bool:
    """Whether the token behind the cursor can only mean that nothing is missing any more.

    A line end in a request for several lines means as well that the next one follows.
    """
    line_end = tokenizer.decode(prompt.after[:1]).startswith("\n")
    return not line_end or (stop is not None and stop("\n") == 0)


@dataclass
class _Request:
    """One ``generate``: prefill, then the greedy candidate, then the alternatives."""

    engine: LocalEngine
    prompt: Prompt
    budget: int
    stop: Stop | None
    guide: Guide | None
    interrupt: Interrupt
    mixer: Mixer | None
    _reused: int = 0
    _prefilled: float | None = None

    def run(self, n: int) -> Generation:
        started = time.perf_counter()
        best, others = self._continuation(), [self._continuation() for _ in range(n - 1)]
        with self.interrupt.watching(), contextlib.suppress(Interrupted):
            logits, self._reused = self.engine.session.prefill(self.prompt.ids, self.interrupt)
            self._prefilled = time.perf_counter()
            self._decode_greedily(best, logits)
            self._decode_by_sampling(others, best, logits)
        for continuation in (best, *others):
            continuation.close(self.interrupt.reason or "cancelled")
        ended = time.perf_counter()
        prefilled = self._prefilled or ended
        timings = GenerationTimings(
            prefill_ms=(prefilled - started) * 1e3,
            decode_ms=(ended - prefilled) * 1e3,
            prompt_tokens=len(self.prompt.ids),
            reused_tokens=self._reused,
            generated_tokens=sum(len(c.ids) for c in (best, *others)),
            ahead_tokens=self.engine.take_ahead(self._reused),
        )
        return Generation(distinct([c.candidate() for c in (best, *others)]), timings)

    def _decode_greedily(self, out: Continuation, logits: Floats) -> None:
        """Fill ``out``, starting from the logits behind the prompt."""
        lookup = PromptLookup(self.prompt.ids, length=self.engine.options.drafts)
        drafting = self.engine.options.drafts > 0
        token = self._push_greedy(out, logits)
        while token is not None:
            draft: list[int] = []
            if drafting:
                lookup.append(token)
                draft = lookup.propose(self.budget - len(out.ids) - 1)
            cached = len(self.engine.session.tokens)
            rows = self.engine.session.extend([token, *draft], self.interrupt)
            accepted = 0
            while True:
                token = self._push_greedy(out, rows[accepted])
                if token is None or accepted == len(draft) or token != draft[accepted]:
                    break
                lookup.append(token)
                accepted += 1
            # Forget the drafts that the model did not choose.
            self.engine.session.rewind(cached + 1 + accepted)

    def _push_greedy(self, out: Continuation, logits: Floats) -> int | None:
        """Choose and append the next token; None when ``out`` is complete."""
        if self.interrupt.reason:
            raise Interrupted
        following = self._following(out, logits)
        if following is None:
            return None
        logprobs, allowed = following
        token = greedy(logprobs, allowed)
        return None if _push(out, token, logprobs, allowed) else token

    def _decode_by_sampling(
        self, outs: list[Continuation], best: Continuation, logits: Floats
    ) -> None:
        """Fill ``outs`` together, one forward for a token of each. ``best`` is complete."""
        if not outs:
            return
        options = self.engine.options
        generator = np.random.default_rng(seed_for(self.prompt.ids, self.prompt.seed))
        branches = self.engine.session.fork(len(outs), len(self.prompt.ids), self.budget)
        rows = np.repeat(logits[None], len(outs), axis=0)
        tokens = [0] * len(outs)
        while True:
            for index, out in enumerate(outs):
                if out.reason is not None:
                    continue
                if self.interrupt.reason:
                    raise Interrupted
                following = self._following(out, rows[index])
                if following is not None:
                    logprobs, allowed = following
                    if self.prompt.apart:
                        taken = self._taken(out, (best, *outs[:index]))
                        allowed = without(taken, logprobs, allowed, _LEAST_OTHER)
                    token = sample(logprobs, allowed, generator, options.temperature, options.top_p)
                    tokens[index] = token
                    _push(out, token, logprobs, allowed)
            if all(out.reason is not None for out in outs):
                return
            # Complete ones run along with their last token: cheaper than moving the cache.
            rows = branches.extend(tokens, self.interrupt)

    def _taken(self, out: Continuation, earlier: Iterable[Continuation]) -> set[int]:
        """How those of ``earlier`` go on that have begun as ``out`` has."""
        length = len(out.ids)
        taken = set[int]()
        for each in earlier:
            if each.ids[:length] == out.ids:
                taken.update(each.ids[length : length + 1] or self.engine.ends)
        return taken

    def _following(self, out: Continuation, logits: Floats) -> tuple[Floats, Bools] | None:
        """Log-probabilities of the token behind ``out``, and which may follow it.

        None, and ``out`` is complete, when none may.
        """
        allowed, lead = self.engine.allowed, out.pending
        if lead:
            allowed = allowed & self.engine.texts.beginning(lead)
            if not allowed.any():
                out.close("stop")
                return None
        logprobs = log_softmax(logits)
        if self.mixer is not None:
            logprobs = self.mixer.mix(logprobs, out.ids, allowed if lead else None)
        elif lead:
            logprobs = _given(logprobs, allowed)
        if out.empty:
            # An answer says something: that it need not is for those to weigh who show it.
            ends = self.engine.end_ids
            out.end_probability = float(np.exp(logprobs[ends]).sum())
            allowed = allowed.copy()
            allowed[ends] = False
        for beginning in self.prompt.refused:
            allowed = self._without(beginning, out, allowed)
        if not allowed.any():
            out.close("stop")
            return None
        if self.guide is not None:
            mask = self.guide.mask(out.written, logprobs, allowed)
            if mask is not None:
                allowed = allowed & mask
                if not allowed.any():
                    out.close("stop")
                    return None
        return logprobs, allowed

    def _without(self, beginning: str, out: Continuation, allowed: Bools) -> Bools:
        """``allowed`` less the tokens that would complete a ``beginning`` that is refused."""
        text = self.prompt.lead + beginning
        written = out.written
        if len(written) >= len(text) or not text.startswith(written):
            return allowed
        rest: Bools = allowed & ~self.engine.texts.completing(text[len(written) :])
        return rest

    def _continuation(self) -> Continuation:
        engine, least = self.engine, self.prompt.least_probability
        return Continuation(
            engine.tokenizer,
            engine.ends,
            self.stop,
            self.budget,
            self.prompt.lead,
            least_logprob=math.log(least) if least > 0 else -math.inf,
        )


def _push(out: Continuation, token: int, logprobs: Floats, allowed: Bools) -> bool:
    return out.push(token, float(logprobs[token]), runner_up(logprobs, allowed, token))


def _token_texts(vocab_size: int, tokenizer: BundleTokenizer) -> TokenTexts:
    """What each token is as text; padding of the vocabulary is none."""
    known = range(min(vocab_size, tokenizer.vocab_size))
    texts = [tokenizer.decode([token]) for token in known]
    return TokenTexts(texts + [""] * (vocab_size - len(texts)))


def _given(logprobs: Floats, allowed: Bools) -> Floats:
    """Log-probabilities among the tokens ``allowed``: what is known already says nothing more."""
    given: Floats = logprobs - np.logaddexp.reduce(logprobs[allowed])
    return given


def _allowed_tokens(vocab_size: int, tokenizer: BundleTokenizer, ends: frozenset[int]) -> Bools:
    """Shape (vocab_size,): ordinary tokens and ``ends``; neither other special ones nor padding."""
    if not 0.9 * vocab_size <= tokenizer.vocab_size <= vocab_size:
        raise BundleError(
            f"The bundle's tokenizer has {tokenizer.vocab_size} tokens and its model {vocab_size}: "
            "they do not belong together.",
            "Make the bundle again with `surefill-train bundle`.",
        )
    allowed = np.zeros(vocab_size, np.bool_)
    allowed[: tokenizer.vocab_size] = True
    allowed[list(tokenizer.special_ids)] = False
    allowed[list(ends)] = True
    return allowed
