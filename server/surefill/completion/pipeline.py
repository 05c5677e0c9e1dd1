"""One request from start to end: policy, context, model, post-processing, checks.

Joins the rooms that do not know each other. Knows nothing of LSP and of how models are loaded.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from surefill.budget import Cancellation, Deadline, InlineBudget
from surefill.completion.asking import Asked, Asking
from surefill.completion.cache import TypeThroughCache
from surefill.completion.display_filter import MakeFilter, filter_for_any_model
from surefill.completion.following import after_acceptance, after_enter
from surefill.completion.judging import Judge, Limits, Outcome
from surefill.completion.policy import Decision, decide
from surefill.completion.postprocess import Surroundings
from surefill.completion.suggestion import (
    CompletionRequest,
    CompletionResult,
    ContextSummary,
    Suggestion,
    Timings,
    Withheld,
)
from surefill.context.window import ContextBuilder
from surefill.engine.interface import (
    Engine,
    Generation,
    Prompt,
    Reading,
    ReadsAhead,
)
from surefill.oracle.service import OracleService
from surefill.settings import Settings
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document, Snapshot, end_of
from surefill.syntax.languages import ids_of
from surefill.syntax.position import Position, Range

__all__ = ["CompletionPipeline", "CompletionRequest"]

_MOST_TRIES, _MOST_UNASKED = 4, 2
"""Of one request: the first, and others where what came may not be shown. Who types on waits for
two at most: a third is hardly ever likely enough to be shown. A guess."""
_LIKELY_END = 0.5
"""Where an infilling model finds it likelier that nothing is missing, it is asked to go on from
what stands before instead. A guess."""
_HOPELESS = 0.5
"""Where the model itself gives what it has written less than this share of the chance that is
needed, nothing more of it will be shown, and it stops. By the default model's filter such a text
has a chance of 0.15 to 0.25, and 0.4 is needed; for other filters it is a guess."""


@dataclass(frozen=True)
class _Place:
    """Where the model continues, and how its answer becomes one at the request's position."""

    snapshot: Snapshot
    position: Position
    before: str = ""
    """What the menu's text adds at the cursor and each suggestion has to begin with."""
    cacheable: bool = True


@dataclass(frozen=True)
class _Question:
    """What a request asks of the model: where, and how much."""

    request: CompletionRequest
    place: _Place
    cursor: Cursor
    decision: Decision
    new_tokens: int

    @property
    def snapshot(self) -> Snapshot:
        return self.place.snapshot

    @property
    def position(self) -> Position:
        return self.place.position

    def generate(
        self, prompt: Prompt, asked: Asked, engine: Engine, cancel: Cancellation
    ) -> Generation:
        rules = asked.rules(prompt.lead)
        wanted = self.request.n
        return engine.generate(
            prompt,
            max_new_tokens=self.new_tokens,
            stop=self.decision.stop,
            guide=engine.guided_by(rules, wanted=wanted) if rules else None,
            cancel=cancel,
            n=wanted,
        )

    def judge(self, asked: Asked, special_tokens: tuple[str, ...], display: MakeFilter) -> Judge:
        around = Surroundings.of(self.snapshot, self.cursor)
        return Judge(
            self.snapshot,
            self.position,
            around,
            self.decision,
            special_tokens=special_tokens,
            display=display(around),
            checks=asked.checks(),
        )

    def rather_ends(self, prompt: Prompt, generation: Generation) -> bool:
        """Whether an infilling model would rather fill in nothing, where something may be missing.

        Who asked gets what there is.
        """
        if self.request.explicit or not prompt.infills or self.cursor.statement_complete:
            return False
        return any(each.end_probability > _LIKELY_END for each in generation.candidates[:1])


@dataclass
class _Spent:
    """Milliseconds of all tries together."""

    context: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0
    checks: float = 0.0

    def timings(self, total: float, oracle: float) -> Timings:
        return Timings(total, self.context, self.prefill, self.decode, self.checks, oracle)


class CompletionPipeline:
    """Answers requests with one bundle and one set of settings.

    ``languages`` are the ids of those that the bundle was trained for, none for all of them: in
    others only explicit requests are answered. ``display`` makes the filter that decides what of
    the answers is shown. The cache holds answers of exactly this bundle and these settings: when
    either changes, make another pipeline.
    """

    def __init__(
        self,
        context: ContextBuilder,
        settings: Settings,
        cache: TypeThroughCache | None = None,
        oracle: OracleService | None = None,
        languages: Iterable[str] = (),
        *,
        display: MakeFilter = filter_for_any_model,
    ) -> None:
        self._context = context
        self._languages = ids_of(languages)
        self._display = display
        self._settings = settings
        self._asking = Asking(oracle, settings.checks)
        self._cache = cache if cache is not None else TypeThroughCache()

    def lookup(self, request: CompletionRequest) -> CompletionResult | None:
        """An answer that needs no model, or None. Cheap: for the event loop."""
        started = time.perf_counter()
        if refusal := self._refusal(request):
            return CompletionResult(reason=refusal)
        known = self._type_through(request, started)
        # What was asked for by a key is typed through in any language.
        if known is None and not request.explicit and not self._trained_for(request):
            return CompletionResult(reason="the model was not trained for this language")
        return known

    def _type_through(self, request: CompletionRequest, started: float) -> CompletionResult | None:
        position = request.snapshot.clamp(request.position)
        before = _menu_adds(request, position)
        if before is None:
            return None
        hit = self._cache.get(
            request.snapshot,
            position,
            explicit=request.explicit,
            n=request.n,
            revision=request.revision,
        )
        if hit is None:
            return None
        continuations = tuple(
            replace(suggestion, text=suggestion.text.removeprefix(before))
            for suggestion in hit.suggestions
            if suggestion.text.startswith(before) and suggestion.text != before
        )
        if (hit.suggestions or before) and not continuations:
            return None  # what was remembered says nothing of the menu's text
        return CompletionResult(
            suggestions=_for_menu(continuations, request),
            timings=Timings(total=_since(started)),
            cached=True,
            reason=hit.reason,
        )

    def complete(
        self, request: CompletionRequest, engine: Engine, cancel: Cancellation
    ) -> CompletionResult:
        """Answer with the model. For the worker thread: blocks until the deadline at most.

        Raises EngineError when the model fails, and nothing else. A cancelled request ends empty.
        """
        started = time.perf_counter()
        end = min(cancel.deadline, Deadline.after(request.deadline_ms / 1000))
        budget = InlineBudget.until(end)
        cancel = cancel.child(budget.model)
        known = self.lookup(request)
        if known is not None:
            return known
        if cancel.cancelled or cancel.expired:
            return CompletionResult(reason="cancelled" if cancel.cancelled else "too late")
        question = self._question(request)
        if question.decision.kind == "none":
            return CompletionResult(
                reason=question.decision.reason, timings=Timings(_since(started))
            )
        asked = self._asking.about(
            question.snapshot,
            question.position,
            question.cursor,
            request.revision,
            seconds=budget.checker_seconds,
            cancel=cancel,
        )
        spent = _Spent()
        result = self._try(question, asked, engine, Limits(budget.end, cancel), spent)
        if cancel.cancelled:
            return CompletionResult(reason="cancelled", timings=Timings(_since(started)))
        return replace(result, timings=spent.timings(_since(started), asked.spent * 1000))

    def _try(
        self, question: _Question, asked: Asked, engine: Engine, limits: Limits, spent: _Spent
    ) -> CompletionResult:
        """The answer of the first try that gives something to show, or of none.

        What failed a check is not written again; where the model would rather end than fill in, it
        is asked to go on from what stands before. Without timings.
        """
        judge = question.judge(asked, self._context.template.special_tokens(), self._display)
        cancel, first = limits.cancel, None
        withheld: list[Withheld] = []
        refused: tuple[str, ...] = ()
        infill, reason = True, ""
        for _ in range(_MOST_TRIES if question.request.explicit else _MOST_UNASKED):
            began = time.perf_counter()
            prompt = replace(self._prompt(question, infill=infill), refused=refused)
            spent.context += _since(began)
            generation = question.generate(prompt, asked, engine, cancel)
            spent.prefill += generation.timings.prefill_ms
            spent.decode += generation.timings.decode_ms
            first = first or _seen(prompt, generation)
            if question.rather_ends(prompt, generation) and not cancel.cancelled:
                infill, refused = False, ()
                outcome = Outcome((), reason="the model suggests nothing")
                continue
            began = time.perf_counter()
            outcome = judge.all(generation.candidates, limits)
            spent.checks += _since(began)
            reason = reason or outcome.reason
            withheld += outcome.withheld
            if outcome.suggestions or cancel.cancelled or cancel.expired or limits.late:
                break
            again = tuple(each for each in outcome.refused if each not in refused)
            if not again:
                break
            refused += again
        reason = "" if outcome.suggestions else reason
        # What time did not suffice for may come out better again.
        if not (cancel.cancelled or cancel.expired or limits.late):
            answer = replace(outcome, reason=reason)
            self._remember(question, answer, generation, provisional=asked.late)
        return CompletionResult(
            suggestions=_for_menu(outcome.suggestions, question.request),
            reason=reason,
            withheld=(*withheld, *asked.withheld),
            context=first,
        )

    def read_ahead(
        self, request: CompletionRequest, engine: ReadsAhead, cancel: Cancellation
    ) -> Reading | None:
        """Have the prompt read that ``complete`` would ask with; None where it would not ask.

        For the worker thread. Raises EngineError when the model fails.
        """
        if self.lookup(request) is not None:
            return None
        question = self._question(request)
        if question.decision.kind == "none" or cancel.cancelled:
            return None
        return engine.read(self._prompt(question), cancel)

    def follow_up(
        self,
        request: CompletionRequest,
        suggestion: Suggestion,
        engine: Engine,
        cancel: Cancellation,
    ) -> CompletionResult:
        """``complete`` what will be asked once ``suggestion`` is accepted; it is known then.

        Where nothing follows in its line, that is what will be asked in the next one.
        """
        accepted = after_acceptance(request, suggestion)
        result = self.complete(accepted, engine, cancel)
        below = after_enter(accepted)
        if result.suggestions or cancel.cancelled or below is None:
            return result
        return self.complete(below, engine, cancel)

    def forget(self, uri: str) -> None:
        """Drop what is remembered about a document, when it is closed."""
        self._cache.forget(uri)

    def _question(self, request: CompletionRequest) -> _Question:
        place = _place(request)
        cursor = Cursor.at(place.snapshot, place.position)
        settings, explicit = self._settings.completion, request.explicit
        decision = decide(
            place.snapshot, place.position, cursor, explicit=explicit, settings=settings
        )
        new_tokens = min(decision.max_new_tokens, self._context.most_new_tokens)
        return _Question(request, place, cursor, decision, new_tokens)

    def _prompt(self, question: _Question, *, infill: bool = True) -> Prompt:
        prompt = self._context.build(
            question.snapshot,
            question.position,
            question.cursor,
            question.new_tokens,
            question.request.neighbours if self._settings.context.related else None,
            infill=infill,
        )
        return replace(prompt, least_probability=_HOPELESS * question.decision.min_confidence)

    def _refusal(self, request: CompletionRequest) -> str:
        if not self._settings.enabled:
            return "suggestions are turned off"
        if _names(request) & set(self._settings.disabled_languages):
            return "suggestions are turned off for this language"
        return ""

    def _trained_for(self, request: CompletionRequest) -> bool:
        return not self._languages or not self._languages.isdisjoint(ids_of(_names(request)))

    def _remember(
        self, question: _Question, outcome: Outcome, generation: Generation, *, provisional: bool
    ) -> None:
        request, place = question.request, question.place
        late = any(candidate.stop_reason == "deadline" for candidate in generation.candidates)
        if late or not place.cacheable or (place.before and not outcome.suggestions):
            return  # the next request may get a better answer
        at = request.snapshot.clamp(request.position)
        self._cache.put(
            request.snapshot,
            at,
            tuple(
                replace(suggestion, text=place.before + suggestion.text, range=Range(at, at))
                for suggestion in outcome.suggestions
            ),
            explicit=request.explicit,
            n=request.n,
            reason=outcome.reason,
            revision=request.revision,
            provisional=provisional,
        )


def _names(request: CompletionRequest) -> set[str]:
    """What the language of a request's document is called, by the editor and by us."""
    language = request.snapshot.language
    return {request.language_id, language.id if language else ""}


def _seen(prompt: Prompt, generation: Generation) -> ContextSummary:
    return ContextSummary(
        tokens=generation.timings.prompt_tokens,
        reused=generation.timings.reused_tokens,
        prefix_characters=len(prompt.prefix),
        suffix_characters=len(prompt.suffix),
        counted=bool(prompt.before),
    )


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _menu_adds(request: CompletionRequest, position: Position) -> str | None:
    """What the menu's text adds at the cursor; None where it replaces what stands there."""
    if request.selected_text is None:
        return ""
    if request.selected_range is None:
        return request.selected_text
    if request.snapshot.clamp(request.selected_range.end) != position:
        return None
    there = request.snapshot.text_in(request.selected_range)
    if not request.selected_text.startswith(there):
        return None
    return request.selected_text.removeprefix(there)


def _place(request: CompletionRequest) -> _Place:
    position = request.snapshot.clamp(request.position)
    before = _menu_adds(request, position)
    if before == "":
        return _Place(request.snapshot, position)
    span = request.selected_range or Range(position, position)
    text = request.selected_text or ""
    start = request.snapshot.clamp(span.start)
    edited = Document.of(request.snapshot)
    edited.edit(span, text)
    snapshot = edited.snapshot()
    moved = snapshot.clamp(end_of(start, text))
    return _Place(snapshot, moved, before or "", cacheable=before is not None)


def _for_menu(
    continuations: tuple[Suggestion, ...], request: CompletionRequest
) -> tuple[Suggestion, ...]:
    """Suggestions as the editor wants them: behind the menu's text, in the menu's range."""
    if request.selected_text is None:
        return continuations
    at = request.snapshot.clamp(request.position)
    span = request.selected_range or Range(at, at)
    return tuple(
        replace(suggestion, text=request.selected_text + suggestion.text, range=span)
        for suggestion in continuations
    )
