"""Whether the parts of a file are all there and in order, as far as their names tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from surefill_training.errors import ModelImportError

_NUMBER = re.compile(r"\d+")
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.gguf$")


def require_order(names: Sequence[str]) -> None:
    """Raise ModelImportError for parts whose numbers are not 1, 2, 3 (or 0, 1, 2) in this order.

    Names without numbers prove nothing; a part that is missing then shows in the file's size.
    """
    for name in names:
        if _SHARD.search(name):
            raise ModelImportError(
                f"{name} is one of several GGUF files that llama.cpp split, which are no parts of "
                "one file.",
                "Merge them first: llama-gguf-split --merge FIRST.gguf OUT.gguf.",
            )
    if len(names) < 2:
        return
    found = [_NUMBER.findall(PurePosixPath(name).name) for name in names]
    if not all(found):
        return
    numbers = [int(each[-1]) for each in found]
    if len(set(numbers)) == 1:
        return
    for number in sorted(set(numbers)):
        if numbers.count(number) > 1:
            raise ModelImportError(f"Part {number} is given twice.", "Give each part once.")
    first = min(*numbers, 1)
    missing = sorted(set(range(first, max(numbers))) - set(numbers))
    if missing:
        raise ModelImportError(
            f"Part {missing[0]} of {max(numbers)} is missing.", "Give all parts, in their order."
        )
    if numbers != sorted(numbers):
        raise ModelImportError(
            f"The parts are out of order: {', '.join(map(str, numbers))}.",
            "Give them in the order of their numbers.",
        )
