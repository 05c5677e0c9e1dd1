"""The protocol layer: what may be asked when, and what a malformed message is answered with.

Changes pygls in three ways. Its workspace is left out (it rebuilds a document's whole text for
every change and breaks lines where the protocol does not). Messages that break the protocol get
the error that the protocol names, with their id wherever one can be read. An ``exit`` leaves its
status in ``exit_status`` instead of raising SystemExit in the middle of a handler.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Literal

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method
from pygls.uris import to_fs_path

from surefill.completion.feed import MANY_FILES

if TYPE_CHECKING:
    from cattrs import Converter
    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

Handler = Generator[Any, Any, Any]


def lenient_converter() -> Converter:
    """The converter of pygls, for one session, less strict in two places and quicker in one.

    Positions outside the protocol's numbers are clamped into them: editors send 2**32-1 for "end
    of line", and refusing the message would lose an edit. An inline completion's trigger may be
    VS Code's own number, which starts at 0: vscode-languageclient 9 sends it. Of a long list of
    changed files, as another branch brings it, only so much is read as tells that there are many.
    """
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]

    def structure(data: dict[str, Any], _: object) -> types.Position:
        line, character = (max(0, min(int(data[key]), 2**31 - 1)) for key in ("line", "character"))
        return types.Position(line, character)

    from_zero = False

    def trigger(kind: object, _: object) -> types.InlineCompletionTriggerKind:
        nonlocal from_zero
        from_zero = from_zero or kind == 0
        invoked = kind == (0 if from_zero else types.InlineCompletionTriggerKind.Invoked)
        kinds = types.InlineCompletionTriggerKind
        return kinds.Invoked if invoked else kinds.Automatic

    all_changes = converter.get_structure_hook(types.DidChangeWatchedFilesParams)

    def few_changes(data: Any, kind: Any) -> types.DidChangeWatchedFilesParams:  # noqa: ANN401 - JSON
        if isinstance(data, dict) and isinstance(data.get("changes"), list):
            data = {**data, "changes": data["changes"][: MANY_FILES + 1]}
        changes: types.DidChangeWatchedFilesParams = all_changes(data, kind)
        return changes

    converter.register_structure_hook(types.DidChangeWatchedFilesParams, few_changes)
    converter.register_structure_hook(types.Position, structure)
    converter.register_structure_hook(types.InlineCompletionTriggerKind, trigger)
    return converter


class SurefillProtocol(LanguageServerProtocol):
    """One editor's session; ``receive`` takes the bodies of its messages, in order."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        self.on_initialized: Callable[[int | None], None] = lambda _: None
        self.exit_status: int | None = None
        self._phase: Literal["new", "up", "down"] = "new"

    def receive(self, body: bytes) -> None:
        """Handle one message. Never raises: what is wrong with it is answered or logged."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            self.refuse(None, JsonRpcParseError.of(error))
            return
        request_id = _request_id(message)
        try:
            _check_envelope(message)
            if message.get("method") is not None and message.get("params") is None:
                message["params"] = {}
            structured = self.structure_message(message)
            if request_id is not None and not hasattr(structured, "id"):
                raise JsonRpcInvalidRequest(f"{message['method']} is no request")
            self.handle_message(structured)
        except JsonRpcException as error:
            logger.warning("refused a message: %s", error)
            if not _expects_no_answer(message):
                self.refuse(request_id, error)
            elif _is_answer(message):
                self._fail_our_request(message["id"])
        except Exception:  # one bad message must not end the session
            logger.exception("a message could not be handled")
            if request_id is not None:
                self.refuse(request_id, JsonRpcException("the message could not be handled"))

    def refuse_frame(self, reason: str) -> None:
        """Answer a frame whose body could not be read."""
        self.refuse(None, JsonRpcParseError(reason))

    def refuse(self, request_id: int | str | None, error: JsonRpcException) -> None:
        """Answer with an error. Without an id the protocol wants ``"id": null`` spelled out."""
        answer = error.to_response_error()
        self._send_data(
            {
                "jsonrpc": "2.0",
                "id": request_id,
                "error": {"code": answer.code, "message": answer.message},
            }
        )

    def _fail_our_request(self, request_id: object) -> None:
        """An answer that cannot be read is an error to whoever waits for it."""
        if isinstance(request_id, int | str):
            error = types.ResponseError(-32603, "the answer cannot be read")
            self.handle_message(types.ResponseErrorMessage(error=error, id=request_id))

    def handle_message(self, message: Any) -> None:  # noqa: ANN401 - any of 100 types
        """Keep the order of a session: initialize first and once, nothing behind shutdown."""
        method = getattr(message, "method", None)
        error: JsonRpcException | None = None
        if self._phase == "new" and method not in (None, types.INITIALIZE, types.EXIT):
            error = JsonRpcServerNotInitialized("initialize comes first")
        elif self._phase == "up" and method == types.INITIALIZE:
            error = JsonRpcInvalidRequest("initialize comes once")
        elif self._phase == "down" and method not in (None, types.EXIT):
            error = JsonRpcInvalidRequest("the server is shutting down")
        if error is None:
            super().handle_message(message)
        elif hasattr(message, "id"):
            self.refuse(message.id, error)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Handler:
        """As pygls does, with folders whose URI cannot be read left out."""
        if not _readable_uri(params.root_uri):
            params.root_uri = None
        folders = params.workspace_folders or []
        params.workspace_folders = [each for each in folders if _readable_uri(each.uri)]
        result = yield from super().lsp_initialize(params)
        self._phase = "up"
        self.on_initialized(params.process_id)
        return result

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: object) -> Handler:
        """As pygls does; from here on only ``exit`` is in order."""
        self._phase = "down"
        return (yield from super().lsp_shutdown(*args))

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: object) -> None:  # type: ignore[override]
        """End the session; whoever reads the messages looks at ``exit_status``."""
        self.leave()

    def leave(self) -> int:
        """The session is over: status 0 after a shutdown, 1 without one."""
        if self.exit_status is None:
            self.exit_status = 0 if self._phase == "down" else 1
        return self.exit_status

    # The three below are plain functions on purpose: pygls keeps a future for every notification
    # that a generator or a coroutine handles, one per keystroke.

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """To our own document store only."""
        self._forward(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """To our own document store only."""
        self._forward(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """To our own document store only."""
        self._forward(types.TEXT_DOCUMENT_DID_CLOSE, params)

    def _forward(self, method: str, params: object) -> None:
        if (handler := self.fm.features.get(method)) is not None:
            handler(params)


def _request_id(message: object) -> int | str | None:
    if not isinstance(message, dict) or "method" not in message:
        return None
    found = message.get("id")
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def _is_answer(message: object) -> bool:
    return isinstance(message, dict) and "method" not in message and "id" in message


def _expects_no_answer(message: object) -> bool:
    """Notifications, and answers to our own requests: an error in return could echo for ever."""
    if not isinstance(message, dict):
        return False
    return "id" not in message if "method" in message else bool({"result", "error"} & set(message))


def _check_envelope(message: object) -> None:
    """Raise JsonRpcInvalidRequest for what is no JSON-RPC 2.0 message; batches are none in LSP."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise JsonRpcInvalidRequest("not a JSON-RPC 2.0 message")
    if "method" in message:
        if not isinstance(message["method"], str):
            raise JsonRpcInvalidRequest("the method is not a string")
        if "id" in message and _request_id(message) is None:
            raise JsonRpcInvalidRequest("the id is neither a number nor a string")
    elif not isinstance(message.get("id"), int | str):
        raise JsonRpcInvalidRequest("neither a request nor an answer")


def _readable_uri(uri: object) -> bool:
    try:
        return uri is None or isinstance(to_fs_path(str(uri)), str | None)
    except ValueError:
        return False
