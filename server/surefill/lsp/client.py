"""What the connected editor can do, and the few things that are sent to it unasked.

The one place that reads client capabilities. Knows nothing of documents or models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from surefill.lsp.convert import Encoding, encoding_of

_FILES = "surefill-files"
"""Names the registration of watched files, of which there is at most one."""


@dataclass(frozen=True)
class MenuAbilities:
    """What an editor's completion menu can do."""

    snippets: bool = False
    label_details: bool = False
    """It has room beside the label."""
    markdown: bool = False
    adjusts_indentation: bool = False
    """It can be told to indent further lines like the first."""
    resolves: bool = True
    """It asks for signature and documentation when an entry is looked at."""


class Client:
    """The editor at the other end; its properties are known once it has sent ``initialize``."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server

    @property
    def encoding(self) -> Encoding:
        """The unit in which positions are counted, as negotiated at ``initialize``."""
        return encoding_of(self._server.workspace.position_encoding)

    @property
    def shows_progress(self) -> bool:
        window = self._server.client_capabilities.window
        return bool(window and window.work_done_progress)

    @property
    def answers_configuration(self) -> bool:
        workspace = self._server.client_capabilities.workspace
        return bool(workspace and workspace.configuration)

    @property
    def registers_configuration(self) -> bool:
        """Whether it wants to be asked to report configuration changes."""
        workspace = self._server.client_capabilities.workspace
        changes = workspace and workspace.did_change_configuration
        return bool(changes and changes.dynamic_registration)

    @property
    def registers_watched_files(self) -> bool:
        """Whether it watches files for whoever asks."""
        workspace = self._server.client_capabilities.workspace
        watched = workspace and workspace.did_change_watched_files
        return bool(watched and watched.dynamic_registration)

    @property
    def pulls_diagnostics(self) -> bool:
        """Whether it asks for diagnostics itself."""
        document = self._server.client_capabilities.text_document
        return bool(document and document.diagnostic)

    @property
    def refreshes_diagnostics(self) -> bool:
        """Whether it can be asked to pull diagnostics anew."""
        workspace = self._server.client_capabilities.workspace
        diagnostics = workspace and workspace.diagnostics
        return bool(diagnostics and diagnostics.refresh_support)

    @property
    def resolves_edits(self) -> bool:
        """Whether it asks for a code action's edit once the user has chosen it."""
        document = self._server.client_capabilities.text_document
        action = document and document.code_action
        support = action and action.resolve_support
        return bool(action and action.data_support and support and "edit" in support.properties)

    @property
    def edits_versions(self) -> bool:
        """Whether an edit may say which version of a document it is for."""
        workspace = self._server.client_capabilities.workspace
        edit = workspace and workspace.workspace_edit
        return bool(edit and edit.document_changes)

    @property
    def folders(self) -> list[str]:
        """URIs of the workspace's folders, or of the one root that older editors name."""
        workspace = self._server.workspace
        folders = [folder.uri for folder in workspace.folders.values()]
        return folders or ([workspace.root_uri] if workspace.root_uri else [])

    @property
    def menu(self) -> MenuAbilities:
        """What its completion menu can do."""
        document = self._server.client_capabilities.text_document
        item = document.completion.completion_item if document and document.completion else None
        if item is None:
            return MenuAbilities()
        modes, later = item.insert_text_mode_support, item.resolve_support
        return MenuAbilities(
            snippets=bool(item.snippet_support),
            label_details=bool(item.label_details_support),
            markdown=types.MarkupKind.Markdown in (item.documentation_format or ()),
            adjusts_indentation=bool(
                modes and types.InsertTextMode.AdjustIndentation in modes.value_set
            ),
            # Without a list of what may be told later, these two may.
            resolves=later is None or {"detail", "documentation"} <= set(later.properties),
        )

    def show(self, message: str, kind: types.MessageType = types.MessageType.Warning) -> None:
        """A message that the user sees now."""
        self._server.window_show_message(types.ShowMessageParams(kind, message))

    def log(self, message: str, kind: types.MessageType) -> None:
        """A line in the editor's log of this server."""
        self._server.window_log_message(types.LogMessageParams(kind, message))

    def publish_diagnostics(self, params: types.PublishDiagnosticsParams) -> None:
        """All problems of one document, in the place of those it had before."""
        self._server.text_document_publish_diagnostics(params)

    async def refresh_diagnostics(self) -> None:
        """Ask the editor to pull all diagnostics anew."""
        await self._server.workspace_diagnostic_refresh_async(None)

    async def ask_configuration(self, section: str) -> object:
        """The user's settings of one section, as plain JSON values; None where there are none."""
        item = types.ConfigurationItem(section=section)
        params = types.ConfigurationParams([item])
        answer = await self._server.workspace_configuration_async(params)
        return answer[0] if answer else None

    async def ask_for_configuration_changes(self) -> None:
        """Ask the editor to report changes of its configuration."""
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        registration = types.Registration(id="surefill-configuration", method=method)
        params = types.RegistrationParams([registration])
        await self._server.client_register_capability_async(params)

    async def ask_for_file_changes(self, endings: Iterable[str]) -> None:
        """Ask the editor to report files that are made, written or deleted, by their endings."""
        names = ",".join(ending.removeprefix(".") for ending in endings)
        watcher = types.FileSystemWatcher(glob_pattern=f"**/*.{{{names}}}")
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers=[watcher])
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        registration = types.Registration(_FILES, method, options)
        params = types.RegistrationParams([registration])
        await self._server.client_register_capability_async(params)

    async def stop_file_changes(self) -> None:
        """Ask the editor to report no files any more."""
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        params = types.UnregistrationParams([types.Unregistration(_FILES, method)])
        await self._server.client_unregister_capability_async(params)

    async def begin_progress(self, token: str, title: str) -> None:
        """Open a progress report; raises JsonRpcException when the editor declines."""
        progress = self._server.work_done_progress
        await progress.create_async(token)
        progress.begin(token, types.WorkDoneProgressBegin(title=title, cancellable=False))

    def end_progress(self, token: str, message: str) -> None:
        progress = self._server.work_done_progress
        progress.end(token, types.WorkDoneProgressEnd(message=message))
        progress.tokens.pop(token, None)


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """JSON values out of the objects that pygls makes of untyped parameters."""
    if hasattr(value, "_asdict"):
        return {key: plain(each) for key, each in value._asdict().items()}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
