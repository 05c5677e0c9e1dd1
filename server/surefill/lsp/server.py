"""Wires the language server: makes the parts, joins them, registers the features."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError
from pygls.lsp.server import LanguageServer

from surefill import __version__
from surefill.completion.feed import ProjectFeed
from surefill.completion.loading import load_model
from surefill.engine.worker import EngineWorker
from surefill.lsp.background import Background
from surefill.lsp.checker import Checker
from surefill.lsp.client import Client
from surefill.lsp.code_actions import HOW_TO_INSTALL, CodeActions
from surefill.lsp.commands import EXPLAIN, STATUS, Commands
from surefill.lsp.completion import TRIGGERS, MenuCompletion
from surefill.lsp.configuration import Configuration
from surefill.lsp.counters import Counters
from surefill.lsp.diagnostics import Diagnostics
from surefill.lsp.documents import OpenDocuments
from surefill.lsp.inline_completion import ACCEPTED, InlineCompletion
from surefill.lsp.logs import EditorLog
from surefill.lsp.model import Loader, ModelService
from surefill.lsp.notify import Notifier, OncePerCause
from surefill.lsp.outcomes import Outcomes
from surefill.lsp.parser import BackgroundParser
from surefill.lsp.problems import Problems
from surefill.lsp.project import Project
from surefill.lsp.protocol import SurefillProtocol, lenient_converter
from surefill.lsp.read_ahead import ReadAhead
from surefill.lsp.watched import WatchedFiles

logger = logging.getLogger(__name__)


class SurefillServer(LanguageServer):
    """pygls' server with our protocol; one per editor. The parts are attributes."""

    protocol: SurefillProtocol

    def __init__(self, loader: Loader) -> None:
        super().__init__(
            "surefill",
            __version__,
            protocol_cls=SurefillProtocol,
            converter_factory=lenient_converter,
        )
        self.client = Client(self)
        self.log = EditorLog(self.client)
        self.notifier = Notifier(self.client)
        self._errors = OncePerCause()
        self.counters = Counters()
        self.configuration = Configuration(self.client, self.notifier)
        self.documents = OpenDocuments(lambda: self.client.encoding)
        self.parser = BackgroundParser()
        self.watched = WatchedFiles(self.client)
        self.checker = Checker(
            self.client,
            configuration=self.configuration,
            documents=self.documents,
            notifier=self.notifier,
            watched=self.watched,
        )
        self.model = ModelService(
            EngineWorker(),
            loader,
            self.client,
            notifier=self.notifier,
            counters=self.counters,
            oracle=self.checker.service,
        )
        self.project = Project(
            self.client,
            configuration=self.configuration,
            documents=self.documents,
            feed=ProjectFeed(),
            watched=self.watched,
        )
        self.outcomes = Outcomes(self.documents, self.counters)
        self.ahead = ReadAhead(
            self.client,
            configuration=self.configuration,
            documents=self.documents,
            model=self.model,
            project=self.project,
            checker=self.checker,
            counters=self.counters,
        )
        self.inline = InlineCompletion(
            self.client,
            configuration=self.configuration,
            documents=self.documents,
            model=self.model,
            project=self.project,
            checker=self.checker,
            notifier=self.notifier,
            counters=self.counters,
            outcomes=self.outcomes,
            ahead=self.ahead,
        )
        self.background = Background("diagnostics")
        self.problems = Problems(
            configuration=self.configuration,
            documents=self.documents,
            background=self.background,
            checker=self.checker,
        )
        self.diagnostics = Diagnostics(
            self.client,
            configuration=self.configuration,
            documents=self.documents,
            problems=self.problems,
        )
        self.actions = CodeActions(
            self.client,
            documents=self.documents,
            problems=self.problems,
            model=self.model,
            background=self.background,
        )
        self.menu = MenuCompletion(
            self.client,
            configuration=self.configuration,
            documents=self.documents,
            model=self.model,
            project=self.project,
            checker=self.checker,
        )
        self.commands = Commands(
            documents=self.documents,
            inline=self.inline,
            model=self.model,
            checker=self.checker,
            outcomes=self.outcomes,
            ahead=self.ahead,
            counters=self.counters,
        )

    def report_server_error(self, error: Exception, source: object) -> None:
        """To the log: pygls would show every error to the user.

        What a client did wrong it is told in the answer; what went wrong in here counts as ours.
        """
        if isinstance(error, JsonRpcInternalError) or not isinstance(error, JsonRpcException):
            self._errors.log("a message could not be handled", error)
            logger.debug("%s", getattr(error, "data", ""))  # pygls keeps the traceback there
        else:
            logger.debug("refused: %s", error)

    def stop(self) -> None:
        """Nothing that is on its way is wanted any more."""
        self.ahead.stop()
        self.inline.stop()
        self.menu.stop()
        self.actions.stop()
        self.diagnostics.stop()

    async def close(self, seconds: float) -> None:
        """End the session: whatever still runs is stopped, waiting at most ``seconds``."""
        self.log.detach()
        self.parser.close()
        self.watched.close()
        self.menu.close()
        self.project.close()
        self.stop()
        self.problems.close()
        self.background.close()
        closing = asyncio.get_running_loop().run_in_executor(None, self.checker.close, seconds)
        await self.model.close(seconds)
        await closing


def create_server(loader: Loader = load_model) -> SurefillServer:
    """A server ready for one editor. ``loader`` makes the model that its settings ask for."""
    server = SurefillServer(loader)
    server.log.attach()
    server.configuration.follow(lambda settings: server.log.set_level(settings.log.level))
    server.configuration.follow(server.model.apply)
    server.model.follow(server.project.serve)
    features = (
        _lifecycle,
        _configuration,
        _documents,
        _project,
        _inline_completion,
        _diagnostics,
        _code_actions,
        _menu_completion,
        _commands,
    )
    for register in features:
        _try(register, server)
    return server


def _try(register: Callable[[SurefillServer], None], server: SurefillServer) -> None:
    """A feature that cannot be set up is missing; the others go on."""
    try:
        register(server)
    except Exception:
        logger.exception("the feature%s is not available", register.__name__.replace("_", " "))


def _lifecycle(server: SurefillServer) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.configuration.start(params.initialization_options)

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        server.log.start()
        server.project.folders_changed()
        server.checker.start()
        server.model.start(settled=server.configuration.pull())
        await server.configuration.ask_for_changes()

    @server.feature(types.SHUTDOWN)
    def shutdown(*_: object) -> None:
        server.stop()


def _configuration(server: SurefillServer) -> None:
    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def changed(params: types.DidChangeConfigurationParams) -> None:
        await server.configuration.changed(params)


def _documents(server: SurefillServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.parser.add(server.documents.open(params.text_document).snapshot())
        server.project.opened(params.text_document.uri)
        server.checker.opened(params.text_document.uri)
        server.diagnostics.opened(params.text_document.uri)
        server.ahead.opened(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.documents.change(params)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.documents.close(params.text_document.uri)
        server.model.forget(params.text_document.uri)


def _project(server: SurefillServer) -> None:
    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders(_: types.DidChangeWorkspaceFoldersParams) -> None:
        server.project.folders_changed()
        server.checker.folders_changed()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files(params: types.DidChangeWatchedFilesParams) -> None:
        server.project.files_changed(params)
        server.checker.files_changed(params)


def _inline_completion(server: SurefillServer) -> None:
    # Without the options object pygls advertises nothing, and VS Code sends no request.
    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    async def inline_completion(
        params: types.InlineCompletionParams,
    ) -> types.InlineCompletionList:
        return await server.inline.answer(params)


def _diagnostics(server: SurefillServer) -> None:
    server.checker.follow(server.diagnostics.refresh)
    # An import of another open document may be what is wrong in this one.
    options = types.DiagnosticOptions(
        identifier="surefill", inter_file_dependencies=True, workspace_diagnostics=False
    )

    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)
    async def diagnostic(
        params: types.DocumentDiagnosticParams,
    ) -> types.DocumentDiagnosticReport:
        return await server.diagnostics.pull(params)


def _code_actions(server: SurefillServer) -> None:
    options = types.CodeActionOptions([types.CodeActionKind.QuickFix], resolve_provider=True)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        server.ahead.seen(params.text_document.uri, params.range)
        return await server.actions.answer(params)

    @server.feature(types.CODE_ACTION_RESOLVE)
    def resolve(action: types.CodeAction) -> types.CodeAction:
        return server.actions.resolve(action)


def _menu_completion(server: SurefillServer) -> None:
    options = types.CompletionOptions(trigger_characters=TRIGGERS, resolve_provider=True)

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, options)
    async def completion(params: types.CompletionParams) -> types.CompletionList:
        server.ahead.seen(params.text_document.uri, types.Range(params.position, params.position))
        return await server.menu.answer(params)

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    def resolve(item: types.CompletionItem) -> types.CompletionItem:
        return server.menu.resolve(item)


def _commands(server: SurefillServer) -> None:
    # Parameters annotated ``object`` would be given the server: it is one.
    @server.command(STATUS)
    def status(*_: Any) -> dict[str, object]:  # noqa: ANN401 - any JSON
        return server.commands.status()

    @server.command(EXPLAIN)
    def explain(*arguments: Any) -> str:  # noqa: ANN401 - any JSON
        return server.commands.explain(arguments)

    @server.command(ACCEPTED)
    def accepted(*arguments: Any) -> None:  # noqa: ANN401 - any JSON
        server.commands.accepted(arguments)

    @server.command(HOW_TO_INSTALL)
    def how_to_install(*arguments: Any) -> None:  # noqa: ANN401 - any JSON
        server.actions.show_how_to_install(arguments)
