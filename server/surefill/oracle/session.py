"""One server from ``initialize`` to its end: what it can do, and which texts it holds.

Knows the protocol's requests, nothing of what their answers mean. Whoever asks holds the session
alone meanwhile (see ``server``): a text and the questions about it belong together.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from surefill.oracle.answers import Source
from surefill.oracle.connection import Connection, NoAnswer
from surefill.oracle.engines import EngineSpec
from surefill.oracle.positions import Lines, WirePosition
from surefill.syntax.position import Position

logger = logging.getLogger(__name__)

_LEAVE_SECONDS = 1.0

CAPABILITIES: Mapping[str, Any] = {
    "general": {"positionEncodings": ["utf-32", "utf-16"]},
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
    "textDocument": {
        "completion": {
            "completionItem": {
                "documentationFormat": ["markdown", "plaintext"],
                "labelDetailsSupport": True,
                "resolveSupport": {"properties": ["documentation", "detail"]},
            }
        },
        "signatureHelp": {
            "signatureInformation": {
                "documentationFormat": ["markdown", "plaintext"],
                "parameterInformation": {"labelOffsetSupport": True},
                "activeParameterSupport": True,
            }
        },
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "definition": {"linkSupport": True},
        "diagnostic": {},
        "publishDiagnostics": {"versionSupport": True},
    },
}


class Session:
    """A running server. Every method raises NoAnswer when it does not answer."""

    def __init__(self, spec: EngineSpec, on_end: Callable[[], None]) -> None:
        self.spec = spec
        self.version = ""
        self._capabilities: Mapping[str, Any] = {}
        self._connection = Connection(
            on_notification=self._told, on_request=self._asked, on_end=self._ended
        )
        self._on_end = on_end
        self._versions = itertools.count(1)
        self._held: dict[str, tuple[int, str]] = {}
        """Version and text of each document as the server has it."""
        self._published: dict[str, tuple[int | None, list[Any]]] = {}
        """Version and diagnostics, by URI, of what the server last told unasked."""
        self._publication: asyncio.Future[None] | None = None
        """Done at the next ``publishDiagnostics``."""

    async def start(self, folders: Sequence[Path]) -> None:
        """Start the server and shake hands; raises OracleError if it cannot be started."""
        await self._connection.start(
            self.spec.command,
            folders[0] if folders else None,
            {**os.environ, **self.spec.variables},
        )
        roots = [{"uri": folder.as_uri(), "name": folder.name} for folder in folders]
        answer = await self._connection.ask(
            "initialize",
            {
                "processId": os.getpid(),
                "clientInfo": {"name": "surefill"},
                "rootUri": roots[0]["uri"] if roots else None,
                "workspaceFolders": roots or None,
                "capabilities": CAPABILITIES,
                "initializationOptions": {},
            },
        )
        if not isinstance(answer, dict) or not isinstance(answer.get("capabilities"), dict):
            raise NoAnswer(f"{self.spec.name} does not speak LSP")
        self._capabilities = answer["capabilities"]
        info = answer.get("serverInfo") or {}
        self.version = str(info.get("version", "")) if isinstance(info, dict) else ""
        self._connection.tell("initialized", {})

    @property
    def pid(self) -> int | None:
        return self._connection.pid

    @property
    def ended(self) -> bool:
        return self._connection.ended

    @property
    def encoding(self) -> str:
        """The unit of the server's positions."""
        return str(self._capabilities.get("positionEncoding") or "utf-16")

    def offers(self, *path: str) -> bool:
        """Whether a capability is there and not false, such as "hoverProvider"."""
        value: Any = self._capabilities
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value is not None and value is not False

    def unanswered(self) -> tuple[int, float]:
        """Questions given up since the last answer, and the oldest one's age in seconds."""
        return self._connection.unanswered()

    def kill(self) -> None:
        """End the server now."""
        self._connection.kill()
        self._wake()

    async def leave(self) -> None:
        """End the server as the protocol wants, or by force when it does not go."""
        await self._connection.leave(_LEAVE_SECONDS)

    def hold(self, source: Source, language: str, texts: Mapping[str, tuple[str, str]]) -> None:
        """Have the server hold ``source``, and every other document as the user sees it.

        ``texts`` has the language id and the user's text of each open document, by URI. A source
        that is none of them, in the language given, is open until the next call.
        """
        for uri in self._held.keys() - texts.keys() - {source.uri}:
            del self._held[uri]
            self._published.pop(uri, None)
            self._connection.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
        for uri, (language_id, text) in texts.items():
            if uri != source.uri:
                self._put(uri, language_id, text)
        known = texts.get(source.uri)
        self._put(source.uri, known[0] if known else language, source.text)

    def files_changed(self, uris: Sequence[tuple[str, int]]) -> None:
        """Tell of files on the disk: their URIs, each with 1 created, 2 changed or 3 deleted."""
        changes = [{"uri": uri, "type": kind} for uri, kind in uris]
        self._connection.tell("workspace/didChangeWatchedFiles", {"changes": changes})

    async def at(self, method: str, source: Source, position: Position) -> Any:  # noqa: ANN401
        """The answer to ``textDocument/<method>`` at a position of the text that is held."""
        lines = Lines(source.text, self.encoding)
        return await self.at_wire(method, source.uri, lines.to_wire(position))

    async def at_wire(self, method: str, uri: str, position: WirePosition) -> Any:  # noqa: ANN401
        """As ``at``, with a position that the server gave."""
        if not self.offers(f"{method}Provider"):
            raise NoAnswer(f"{self.spec.name} does not know {method}")
        params = {"textDocument": {"uri": uri}, "position": position}
        return await self._connection.ask(f"textDocument/{method}", params)

    async def resolve(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """A completion item with what the server tells only when asked."""
        if not self.offers("completionProvider", "resolveProvider"):
            return item
        answer = await self._connection.ask("completionItem/resolve", item)
        return answer if isinstance(answer, dict) else item

    async def diagnostics(self, uri: str) -> list[Any]:
        """What the server says about the text that it holds, as JSON."""
        if self.offers("diagnosticProvider"):
            params = {"textDocument": {"uri": uri}}
            answer = await self._connection.ask("textDocument/diagnostic", params)
            items = answer.get("items") if isinstance(answer, dict) else None
            if not isinstance(items, list):
                raise NoAnswer(f"{self.spec.name} sent no diagnostics")
            return items
        version, _ = self._held[uri]
        while True:
            published, items = self._published.get(uri, (-1, []))
            if published is None or published >= version:
                return items
            if self._connection.ended:
                raise NoAnswer("the checker has ended")
            if self._publication is None or self._publication.done():
                self._publication = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._publication)

    def _put(self, uri: str, language: str, text: str) -> None:
        held = self._held.get(uri)
        if held is None:
            version = next(self._versions)
            self._held[uri] = version, text
            item = {"uri": uri, "languageId": language, "version": version, "text": text}
            self._connection.tell("textDocument/didOpen", {"textDocument": item})
            return
        before = held[1]
        if before is text or before == text:
            return
        version = next(self._versions)
        self._held[uri] = version, text
        if self._published.get(uri, (0, []))[0] is None:
            del self._published[uri]  # of an unnumbered publication only the next one counts
        self._connection.tell(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": version},
                "contentChanges": [{"text": text}],
            },
        )

    def _told(self, method: str, params: Any) -> None:  # noqa: ANN401 - any JSON
        if method == "textDocument/publishDiagnostics" and isinstance(params, dict):
            version, items = params.get("version"), params.get("diagnostics")
            uri = self._as_held(str(params.get("uri")))
            if uri is not None and isinstance(items, list):
                self._published[uri] = version if isinstance(version, int) else None, items
                self._wake()
        elif method in ("window/logMessage", "window/showMessage") and isinstance(params, dict):
            logger.debug("%s: %s", self.spec.name, params.get("message"))

    def _as_held(self, uri: str) -> str | None:
        """Our spelling of a URI: servers escape other characters than editors do."""
        if uri in self._held:
            return uri
        return next((held for held in self._held if unquote(held) == unquote(uri)), None)

    def _ended(self) -> None:
        self._wake()
        self._on_end()

    def _wake(self) -> None:
        if self._publication is not None and not self._publication.done():
            self._publication.set_result(None)

    def _asked(self, method: str, params: Any) -> Any:  # noqa: ANN401 - any JSON
        """What the server wants to know of us. Raises KeyError for what we do not know."""
        if method == "workspace/configuration":
            return [self._section(item.get("section")) for item in params["items"]]
        if method in _AGREED:
            return None
        raise KeyError(method)

    def _section(self, path: str | None) -> Any:  # noqa: ANN401 - any JSON
        value: Any = self.spec.configuration
        for key in path.split(".") if path else ():
            value = value.get(key) if isinstance(value, dict) else None
        return value


_AGREED = {
    "client/registerCapability",
    "client/unregisterCapability",
    "window/workDoneProgress/create",
    "window/showMessageRequest",
    "workspace/diagnostic/refresh",
    "workspace/semanticTokens/refresh",
    "workspace/inlayHint/refresh",
    "workspace/codeLens/refresh",
}
