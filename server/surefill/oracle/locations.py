"""Where a symbol is defined: a file and a line in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from surefill.oracle.question import Question
from surefill.syntax.position import Position


@dataclass(frozen=True)
class Location:
    """A definition."""

    uri: str
    line: int

    @property
    def path(self) -> Path | None:
        """The file; None for what is none, such as a server's own scheme."""
        parts = urlsplit(self.uri)
        if parts.scheme != "file":
            return None
        host = f"//{parts.netloc}" if parts.netloc else ""
        return Path(url2pathname(host + parts.path))

    def text(self, question: Question) -> str:
        """The text that it stands in: the source's, as the user sees it, or on the disk. Blocks."""
        texts = {uri: text for uri, (_, text) in question.texts.items()}
        texts[question.source.uri] = question.source.text
        for uri, text in texts.items():
            if unquote(uri) == unquote(self.uri):
                return text
        path = self.path
        try:
            return path.read_text("utf-8", "replace") if path is not None else ""
        except OSError:
            return ""


async def locate(question: Question, text: str, position: Position) -> tuple[Location, ...]:
    """The definitions of the symbol at a position in ``text``; empty when none is known."""
    answer = await question.at("definition", text, position)
    found = answer if isinstance(answer, list) else [answer]
    return tuple(filter(None, map(_location, found)))


def _location(raw: Any) -> Location | None:  # noqa: ANN401 - any JSON
    if not isinstance(raw, Mapping):
        return None
    uri = raw.get("targetUri", raw.get("uri"))
    span = raw.get("targetSelectionRange", raw.get("range"))
    try:
        return Location(str(uri), int(span["start"]["line"])) if uri else None
    except (KeyError, TypeError, ValueError):
        return None
