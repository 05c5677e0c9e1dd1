"""The worked examples of `docs/extending`: their changes, and the new files that they show.

A page shows a change of a file as a block ``diff`` and a new file as a block in its language, both
with the file's path as ``title``. A change is found by its unchanged and removed lines, wherever
they stand in the file, as long as they stand there once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block of a page: for a path in the repository a whole file, or changes of it."""

    kind: str
    path: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall(page.read_text(encoding="utf-8"))]


def apply(block: Block, root: Path) -> None:
    """Carry a block out in a copy of the repository; AssertionError where it does not fit."""
    path = root / block.path
    if block.kind != "diff":
        assert not path.exists(), f"{block.path} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        return
    assert path.exists(), f"{block.path}, which the page changes, does not exist"
    for before, after in _changes(block.text):
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{block.path} does not have this once:\n{before}"
        path.write_text(text.replace(before, after), encoding="utf-8")


def _changes(diff: str) -> Iterator[tuple[str, str]]:
    """What stands there and what is to stand there, for each part between lines of ``@@``."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = [line if line else " " for line in hunk.splitlines()]
        if not lines:
            continue
        before = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
        after = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
        yield before, after
