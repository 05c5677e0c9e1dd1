"""What the model says of a repair: which candidate it would have written, and what instead.

For the engine's thread. Knows prompts and engines, nothing of how candidates are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from surefill.context.window import ContextBuilder
from surefill.engine.interface import Cancellation, Engine, Prompt
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document, Snapshot
from surefill.syntax.position import Range

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_MOST_TOKENS = 40
_MOST_NEW_TOKENS = 64


class _Dictation:
    """A guide that lets only one text through and notes how likely each of its tokens was."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids
        self.logprobs: list[float] = []

    def mask(
        self,
        generated: str,
        logprobs: npt.NDArray[np.float32],
        allowed: npt.NDArray[np.bool_] | None = None,
    ) -> npt.NDArray[np.bool_] | None:
        import numpy as np

        chosen = np.zeros(len(logprobs), np.bool_)
        if len(self.logprobs) < len(self._ids):
            token = self._ids[len(self.logprobs)]
            chosen[token] = True
            self.logprobs.append(float(logprobs[token]))
        return chosen


@dataclass(frozen=True)
class Author:
    """A loaded model and what makes its prompts, for one request."""

    engine: Engine
    context: ContextBuilder
    cancel: Cancellation

    def score(self, snapshot: Snapshot, span: Range, texts: Sequence[str]) -> list[float] | None:
        """The natural log-probability of each text where ``span`` is, given what is around it.

        At most 40 tokens of each count. None when the engine cannot tell, or not in time. Raises
        EngineError when the model fails.
        """
        context = self.context
        prompt = _unhealed(context, self._prompt(snapshot, span, _MOST_TOKENS))
        scores: list[float] = []
        for text in texts:
            ids = context.tokenizer.encode(text)[: min(_MOST_TOKENS, context.most_new_tokens)]
            dictation = _Dictation(ids)
            if ids:
                self.engine.generate(
                    prompt, max_new_tokens=len(ids), guide=dictation, cancel=self.cancel
                )
            if len(dictation.logprobs) < len(ids):
                return None
            scores.append(sum(dictation.logprobs))
        return scores

    def rewrite(self, snapshot: Snapshot, span: Range, n: int) -> list[str]:
        """What the model would write in place of ``span``, in as many lines, likeliest first.

        Raises EngineError when the model fails.
        """
        lines = span.end.line - span.start.line

        def stop(text: str) -> int | None:
            ends = [index for index, character in enumerate(text) if character == "\n"]
            return ends[lines] if len(ends) > lines else None

        tokens = min(_MOST_NEW_TOKENS, self.context.most_new_tokens)
        prompt = self._prompt(snapshot, span, tokens)
        generation = self.engine.generate(
            prompt, max_new_tokens=tokens, stop=stop, cancel=self.cancel, n=n
        )
        special = self.context.template.special_tokens()
        return [
            candidate.text.rstrip()
            for candidate in generation.candidates
            if candidate.text.strip() and not any(token in candidate.text for token in special)
        ]

    def _prompt(self, snapshot: Snapshot, span: Range, new_tokens: int) -> Prompt:
        """The prompt at the start of ``span``, with the document as it is without it."""
        document = Document.of(snapshot)
        document.edit(span, "")
        without = document.snapshot()
        at = without.clamp(span.start)
        return self.context.build(without, at, Cursor.at(without, at), new_tokens)


def _unhealed(context: ContextBuilder, prompt: Prompt) -> Prompt:
    """``prompt`` with all of its prefix in it: what follows begins where a token does."""
    if not prompt.lead:
        return prompt
    lead = tuple(context.tokenizer.encode(prompt.lead))
    before = prompt.before + lead if prompt.before else prompt.before
    return replace(prompt, ids=prompt.ids + lead, lead="", before=before)
