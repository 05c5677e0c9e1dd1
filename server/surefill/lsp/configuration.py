"""Settings: from ``initializationOptions`` and ``workspace/configuration``, changed at run time.

Knows where settings come from and who follows them; what they mean stands in
``surefill.settings``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from surefill.lsp.client import Client, plain
from surefill.lsp.notify import Notifier
from surefill.settings import Settings

logger = logging.getLogger(__name__)

SECTION = "surefill"
_ANSWER_SECONDS = 5.0

Follower = Callable[[Settings], None]


class Configuration:
    """The settings in force. Those of the configuration win over initialization options."""

    def __init__(self, client: Client, notifier: Notifier) -> None:
        self._client = client
        self._notifier = notifier
        self._options: object = None
        self._followers: list[Follower] = []
        self._problems: set[str] = set()
        self.current = Settings()

    def follow(self, follower: Follower) -> None:
        """Call ``follower`` with the settings now and after every change."""
        self._followers.append(follower)
        follower(self.current)

    def start(self, options: object) -> None:
        """Apply ``initializationOptions``."""
        self._options = section_of(options)
        self._apply(None)

    async def pull(self) -> None:
        """Apply what the editor's configuration says, where it can be asked."""
        if not self._client.answers_configuration:
            return
        try:
            question = self._client.ask_configuration(SECTION)
            answer = await asyncio.wait_for(question, _ANSWER_SECONDS)
        except (JsonRpcException, TimeoutError) as error:
            logger.warning("the editor did not answer workspace/configuration: %s", error)
            return
        self._apply(section_of(answer))

    async def ask_for_changes(self) -> None:
        """Ask to be told of changes, where the editor wants to be asked."""
        if not self._client.registers_configuration:
            return
        try:
            await self._client.ask_for_configuration_changes()
        except JsonRpcException as error:
            logger.warning("the editor will not report changes of its configuration: %s", error)

    async def changed(self, params: types.DidChangeConfigurationParams) -> None:
        """Apply a change that comes with its settings; ask for them when it comes without."""
        pushed = plain(params.settings)
        ours = isinstance(pushed, dict) and SECTION in pushed
        if ours or not self._client.answers_configuration:
            self._apply(section_of(pushed))
        else:
            await self.pull()

    def _apply(self, overlay: object) -> None:
        settings, problems = Settings.parse(merge(self._options, overlay))
        for message in self._problems - set(problems):
            self._notifier.forget(message)
        for message in problems:
            self._notifier.show_once(message)
        self._problems = set(problems)
        if settings == self.current:
            return
        self.current = settings
        for follower in self._followers:
            follower(settings)


def section_of(raw: object) -> object:
    """Our part of what an editor sent: under "surefill", or all of it when it comes bare."""
    value = plain(raw)
    return value.get(SECTION) if isinstance(value, dict) and SECTION in value else value


def merge(base: object, overlay: object) -> object:
    """``base`` with ``overlay``'s values on top, section by section; null keeps the base."""
    if not isinstance(base, Mapping) or not isinstance(overlay, Mapping):
        return base if overlay is None else overlay
    merged = dict(base)
    for key, value in overlay.items():
        merged[key] = merge(merged.get(key), value)
    return merged
