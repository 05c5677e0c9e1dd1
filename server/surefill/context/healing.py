"""Token healing: what stands before the cursor need not end where a token would.

Code such as ``return self.resp`` is cut in the middle of what the tokenizer makes one token, and
behind such a cut a model has hardly ever seen what comes next. So the prompt leaves out the end of
the prefix from which a longer token could begin, and the answer has to begin with it (the idea of
Lundberg, 2023, https://github.com/guidance-ai/guidance).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from surefill.engine.interface import Tokenizer

_MOST_CHARACTERS = 40
_MOST_TOKENS = 12


def heal(
    text: str,
    ids: Sequence[int],
    tokenizer: Tokenizer,
    extends: Callable[[str], bool],
) -> tuple[Sequence[int], str]:
    """``ids`` of ``text`` without the tokens that a longer one could take the place of.

    ``extends`` says whether there is a token that begins with a text and goes on. Returns the ids
    that are left and the text of the others: the longest end of ``text`` that begins with a token
    and that such a longer token begins with.
    """
    count, lead = 0, ""
    for number in range(1, min(len(ids), _MOST_TOKENS) + 1):
        end = tokenizer.decode(ids[len(ids) - number :])
        # Bytes of an unfinished character decode to something else.
        if len(end) > _MOST_CHARACTERS or not text.endswith(end):
            break
        if end and extends(end):
            count, lead = number, end
    return ids[: len(ids) - count], lead
