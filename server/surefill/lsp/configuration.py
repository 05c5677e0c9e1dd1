"""Settings: from ``initializationOptions`` and ``workspace/configuration``, changed at run time.

Knows where settings come from and who follows them; what they mean stands in
``surefill.settings``.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any

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
        self._asked = 0
        self._applied = 0
        """Number of the newest question or push that is in force."""
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
        """Apply what the editor's configuration says, where it can be asked.

        Returns without the answer when it takes long; it is applied whenever it comes, unless
        there is something newer by then.
        """
        if not self._client.answers_configuration:
            return
        self._asked += 1
        question = asyncio.ensure_future(self._client.ask_configuration(SECTION))
        question.add_done_callback(functools.partial(self._answered, self._asked))
        done, _ = await asyncio.wait({question}, timeout=_ANSWER_SECONDS)
        if not done:
            logger.warning("the editor has not answered workspace/configuration yet")

    def _answered(self, number: int, question: asyncio.Future[Any]) -> None:
        if question.cancelled():
            return
        if error := question.exception():
            logger.warning("the editor did not answer workspace/configuration: %s", error)
        elif number > self._applied:
            self._applied = number
            self._apply(section_of(question.result()))

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
            self._asked += 1
            self._applied = self._asked
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
