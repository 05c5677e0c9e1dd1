"""One source in one session: texts that a question needs, and what the server says about them.

What comes back is foreign JSON, read here into plain values; what cannot be read is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surefill.oracle.answers import Diagnostic, Severity, Source
from surefill.oracle.engines import Dialect
from surefill.oracle.positions import Lines
from surefill.oracle.session import Session
from surefill.syntax.position import Position

_SEVERITIES: Mapping[object, Severity] = {2: "warning", 3: "information", 4: "hint"}


@dataclass(frozen=True)
class Question:
    """Asks about variants of one source. To be used while its asker has the session."""

    session: Session
    source: Source
    language: str
    texts: Mapping[str, tuple[str, str]]
    """As `Session.hold` wants them."""

    @property
    def dialect(self) -> Dialect:
        return self.session.spec.dialect

    def lines(self, text: str) -> Lines:
        return Lines(text, self.session.encoding)

    async def at(self, method: str, text: str, position: Position) -> Any:  # noqa: ANN401 - JSON
        """The answer to ``textDocument/<method>`` at a position, with ``text`` as the source's."""
        return await self.session.at(method, self._hold(text), position)

    async def completion(self, text: str, position: Position) -> list[dict[str, Any]]:
        """The items of a completion list."""
        answer = await self.at("completion", text, position)
        items = answer.get("items") if isinstance(answer, dict) else answer
        return [item for item in items or [] if isinstance(item, dict) and item.get("label")]

    async def diagnostics(self, text: str) -> tuple[Diagnostic, ...]:
        """Everything that the server says about ``text``."""
        source = self._hold(text)
        lines = self.lines(text)
        found = []
        for item in await self.session.diagnostics(source.uri):
            try:
                span = lines.range_from_wire(item["range"])
                severity = _SEVERITIES.get(item.get("severity"), "error")
                code = item.get("code")
                message = str(item["message"])
            except (KeyError, TypeError, ValueError, AttributeError):
                continue
            found.append(Diagnostic(span, severity, "" if code is None else str(code), message))
        return tuple(found)

    def _hold(self, text: str) -> Source:
        source = Source(self.source.uri, text)
        self.session.hold(source, self.language, self.texts)
        return source


def markup(value: Any) -> str:  # noqa: ANN401 - any JSON
    """LSP's several forms of documentation as one Markdown text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n\n".join(filter(None, map(markup, value)))
    if isinstance(value, dict):
        text = str(value.get("value") or "")
        language = value.get("language")
        return f"```{language}\n{text}\n```" if language else text
    return ""
