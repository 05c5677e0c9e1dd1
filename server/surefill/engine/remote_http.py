"""One request to an OpenAI-compatible server: address, API key, server-sent events, its errors.

With the standard library's HTTP client, whose socket another thread can shut down: that is what
cancellation needs, and it keeps the server free of a further dependency.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from surefill.errors import EngineError, SettingsError

_LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class Endpoint:
    """Where the model is: the server's address, the model's name there, and the way in."""

    url: str
    """Base address such as ``http://127.0.0.1:8080``, with or without ``/v1``."""
    model: str
    api_key_variable: str = ""
    """Environment variable that holds the API key; empty for none."""
    timeout: float = 10.0
    """Seconds without an answer after which the server counts as gone."""


@dataclass(frozen=True)
class Address:
    """An endpoint's URL in parts, with the path of its completions."""

    secure: bool
    host: str
    port: int | None
    path: str

    @classmethod
    def parse(cls, url: str) -> Address:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SettingsError(f'The setting "remote.url" is not a URL: {error}.') from error
        if parts.username is not None:  # messages show the address
            raise SettingsError(
                'The setting "remote.url" must not hold a user or password; '
                'keep the key in a variable named by "remote.apiKeyVariable".'
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f'The setting "remote.url" must be an http or https address, not {url!r}.'
            )
        path = parts.path.rstrip("/")
        if not path.endswith("/completions"):
            path += "/completions" if path.endswith("/v1") else "/v1/completions"
        return cls(parts.scheme == "https", parts.hostname, port, path)


class Line:
    """One HTTP request whose connection can be cut from another thread."""

    def __init__(self, address: Address, endpoint: Endpoint, connect_seconds: float) -> None:
        kind = http.client.HTTPSConnection if address.secure else http.client.HTTPConnection
        self._connection = kind(address.host, address.port, timeout=connect_seconds)
        self._address = address
        self._endpoint = endpoint
        self._socket: socket.socket | None = None
        self._cut = False

    @property
    def terminate(self) -> bool:
        return self._cut

    @terminate.setter
    def terminate(self, wanted: bool) -> None:
        self._cut = wanted
        connected = self._socket
        if wanted and connected is not None:
            # close() alone would not wake a thread that waits in recv().
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    def events(self, body: bytes) -> Iterator[dict[str, Any]]:
        """Send ``body``; yields each server-sent event, or the one answer of a plain server."""
        headers = self._headers()
        self._connection.connect()
        self._socket = self._connection.sock
        self._socket.settimeout(self._endpoint.timeout)
        if self._cut:
            raise ConnectionAbortedError("cut before the request was sent")
        self._connection.request("POST", self._address.path, body, headers)
        response = self._connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            raise self._refused(response)
        if "event-stream" not in (response.getheader("Content-Type") or ""):
            yield _event(response.read())
            return
        while line := response.readline(_LONGEST_LINE):
            field, _, data = line.strip().partition(b":")
            if field != b"data":
                continue
            if data.strip() == b"[DONE]":
                return
            yield _event(data)

    def close(self) -> None:
        self._connection.close()

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        variable = self._endpoint.api_key_variable
        if variable:
            if not re.fullmatch(r"\w+", variable):  # likely the key itself: say nothing of it
                raise EngineError(
                    'The setting "remote.apiKeyVariable" must be the name of an environment '
                    "variable that holds the API key."
                )
            key = os.environ.get(variable, "").strip()
            if not key:
                raise EngineError(
                    f"The environment variable {variable} with the API key is not set.",
                    'Set it, or correct the setting "remote.apiKeyVariable".',
                )
            if not (key.isascii() and key.isprintable()):  # http.client would quote it
                raise EngineError(
                    f"The environment variable {variable} does not hold an API key: it has "
                    "characters that no HTTP header can carry.",
                    "Set it to the key alone.",
                )
            headers["Authorization"] = f"Bearer {key}"
        return headers

    def _refused(self, response: http.client.HTTPResponse) -> EngineError:
        detail = _detail(response.read(4096))
        url = self._endpoint.url
        if response.status in (401, 403):
            return EngineError(
                f"{url} refuses the API key ({response.status}).",
                'Check the variable named by the setting "remote.apiKeyVariable".',
            )
        if response.status == http.HTTPStatus.NOT_FOUND:
            return EngineError(
                f"{url} has no completions for the model {self._endpoint.model!r}{detail}.",
                'Check the settings "remote.url" and "remote.model".',
            )
        return EngineError(f"{url} answered with status {response.status}{detail}.")


def _event(data: bytes) -> dict[str, Any]:
    event = json.loads(data)
    if not isinstance(event, dict):
        raise ValueError("an event is not a JSON object")
    if "error" in event:
        raise EngineError(f"The remote server failed{_detail(data)}.")
    return event


def _detail(body: bytes) -> str:
    """The server's own words, if it has any in the usual places, as ": words"."""
    try:
        error = json.loads(body)["error"]
        words = error if isinstance(error, str) else error["message"]
    except (ValueError, LookupError, TypeError):
        return ""
    return f": {str(words).strip().rstrip('.')[:200]}"
