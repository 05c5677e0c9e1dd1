"""Makes the oracles of a session from its settings: one server for each command."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from surefill.oracle.answers import PYTHON, OnStatus
from surefill.oracle.engines import PYTHON_ENGINES, EngineSpec, foreign
from surefill.oracle.environment import resolve_environment
from surefill.oracle.oracle import NullOracle, Oracle, ServerOracle
from surefill.oracle.origin import Origins
from surefill.oracle.server import Patience, Server
from surefill.oracle.warming import Warmer
from surefill.settings import OracleSettings


class Oracles:
    """The oracles of one session, by language id. Lives on an event loop."""

    def __init__(self) -> None:
        self._oracles: dict[str, Oracle] = {}
        self._servers: list[Server] = []
        self._warmers: list[Warmer] = []

    def of(self, language_id: str) -> Oracle:
        """The oracle of a language; one that knows nothing where there is none."""
        found = self._oracles.get(language_id)
        return found or NullOracle(f"there is no checker for {language_id or 'this language'}")

    def files_changed(self, changes: Iterable[tuple[str, int]]) -> None:
        """Tell every server: see `Oracle.files_changed`."""
        told = tuple(changes)
        for server in self._servers:
            server.files_changed(told)

    async def warmed(self) -> None:
        """Return when all libraries are warm that opened documents import."""
        await asyncio.gather(*(warmer.settled() for warmer in self._warmers))

    async def close(self) -> None:
        """End all servers, within a second or two."""
        for warmer in self._warmers:
            warmer.close()
        await asyncio.gather(*(server.close() for server in self._servers))

    def kill(self) -> None:
        """End all servers at once, where there is no time to wait."""
        for warmer in self._warmers:
            warmer.close()
        for server in self._servers:
            server.kill()

    def add(self, languages: Iterable[str], server: Server, origins: Origins) -> None:
        """Have ``server`` answer for ``languages``."""
        warmer = Warmer(server)
        self._servers.append(server)
        self._warmers.append(warmer)
        for language in languages:
            self._oracles[language] = ServerOracle(server, warmer, language, origins)


def create_oracles(
    settings: OracleSettings,
    folders: Sequence[Path],
    *,
    on_status: OnStatus = lambda _: None,
    patience: Patience | None = None,
) -> Oracles:
    """Oracles for a workspace's folders. Starts nothing; looks for the Python environment.

    ``on_status`` hears on the event loop, once for each cause, of what the user should know.
    """
    roots = tuple(folder.absolute() for folder in folders)
    environment = resolve_environment(settings.python, roots, os.environ)
    origins = Origins(roots, environment.version)
    oracles = Oracles()
    commands: dict[tuple[str, ...], list[str]] = {}
    for language, command in settings.servers.items():
        commands.setdefault(command, []).append(language)

    def add(languages: Iterable[str], spec: EngineSpec) -> None:
        server = Server(spec, roots, on_status, patience or Patience())
        oracles.add(languages, server, origins)

    for command, languages in commands.items():
        add(languages, foreign(command))
    if settings.engine != "off" and PYTHON not in settings.servers:
        add([PYTHON], PYTHON_ENGINES[settings.engine](environment))
    return oracles
