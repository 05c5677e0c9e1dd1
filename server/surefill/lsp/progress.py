"""Progress of a long task in the editor, or lines in the log where the editor shows none."""

from __future__ import annotations

import asyncio
import logging
import uuid

from pygls.exceptions import JsonRpcException

from surefill.lsp.client import Client

logger = logging.getLogger(__name__)

_ANSWER_SECONDS = 5.0


class Progress:
    """One task's progress, from ``begin`` to ``end``; neither ever raises."""

    def __init__(self, client: Client, title: str) -> None:
        self._client = client
        self._title = title
        self._token: str | None = None

    async def begin(self) -> None:
        if self._client.shows_progress:
            token = f"surefill-{uuid.uuid4()}"
            try:
                opening = self._client.begin_progress(token, self._title)
                await asyncio.wait_for(opening, _ANSWER_SECONDS)
                self._token = token
            except (JsonRpcException, TimeoutError) as error:
                logger.debug("the editor shows no progress: %s", error)
        logger.info("%s", self._title)

    def end(self, message: str) -> None:
        if self._token is not None:
            self._client.end_progress(self._token, message)
            self._token = None
        logger.info("%s: %s", self._title, message)
