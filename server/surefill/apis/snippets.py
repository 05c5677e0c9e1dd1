"""Text with tab stops, and its two forms: plain, and in the syntax that editors read.

Knows nothing of what the text says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_SPECIAL = re.compile(r"[\\$}]")


@dataclass(frozen=True)
class Stop:
    """A place where the user goes on typing, with the text that stands there until then.

    Stops are visited in their order; the one that is ``last`` at the end.
    """

    text: str = ""
    last: bool = False
    bare: bool = False
    """The text is no code yet, only a name for what belongs there."""


@dataclass(frozen=True)
class Snippet:
    """Pieces of text and the stops between them."""

    parts: tuple[str | Stop, ...]

    @property
    def plain(self) -> str:
        """The text with what stands at the stops."""
        return "".join(part.text if isinstance(part, Stop) else part for part in self.parts)

    @property
    def marked(self) -> str:
        """The text in the syntax of TextMate and LSP, which all editors with snippets read."""
        written, number = [], 0
        for part in self.parts:
            if isinstance(part, str):
                written.append(escape(part))
                continue
            number += not part.last
            here = 0 if part.last else number
            # The braces stand around a bare number, too: a digit may follow.
            written.append(f"${{{here}:{escape(part.text)}}}" if part.text else f"${{{here}}}")
        return "".join(written)

    @property
    def has_stops(self) -> bool:
        return any(isinstance(part, Stop) for part in self.parts)

    def stops(self) -> Iterator[tuple[int, int, Stop]]:
        """Where each stop begins and ends in the plain text, and the stop."""
        at = 0
        for part in self.parts:
            text = part.text if isinstance(part, Stop) else part
            if isinstance(part, Stop):
                yield at, at + len(text), part
            at += len(text)

    def indented(self, indent: str) -> Snippet:
        """With ``indent`` in front of every line but the first."""
        deeper = f"\n{indent}"

        def move(part: str | Stop) -> str | Stop:
            if isinstance(part, Stop):
                return replace(part, text=part.text.replace("\n", deeper))
            return part.replace("\n", deeper)

        return Snippet(tuple(move(part) for part in self.parts))

    def __add__(self, other: Snippet) -> Snippet:
        return Snippet((*self.parts, *other.parts))


def escape(text: str) -> str:
    """``text`` so that an editor reads it literally, inside a placeholder as well."""
    return _SPECIAL.sub(r"\\\g<0>", text)
