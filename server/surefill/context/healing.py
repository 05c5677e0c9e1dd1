"""Token healing: what stands before the cursor need not end where a token would.

Code such as ``return self.resp`` is cut in the middle of what the tokenizer makes one token, and
behind such a cut a model has hardly ever seen what comes next. So the prompt leaves out the last
word, and the answer has to begin with it (the idea of Lundberg, 2023,
https://github.com/guidance-ai/guidance).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from surefill.engine.interface import Tokenizer

_LAST_WORD = re.compile(r"(?:[^\S\n]+|[^\S\n]\w+|[^\w\s]?\w+|[^\w\s])$", re.ASCII)
_LONGEST = 40


def heal(
    text: str, ids: Sequence[int], tokenizer: Tokenizer, *, keep: int = 0
) -> tuple[Sequence[int], str]:
    """``ids`` of ``text`` without the tokens of its last word, and the text of those.

    Nothing is left out where the tokens do not meet the word's beginning, and at least ``keep``
    tokens stay.
    """
    found = _LAST_WORD.search(text[-_LONGEST:])
    word = found.group() if found else ""
    count, lead = 0, ""
    while count < len(ids) - keep:
        longer = tokenizer.decode(ids[len(ids) - count - 1 :])
        if not longer or len(longer) > len(word) or not word.endswith(longer):
            break
        count, lead = count + 1, longer
    return ids[: len(ids) - count], lead
