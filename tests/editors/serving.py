"""A code-server with our extension, its browser, and what its servers and their editor say."""

import json
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
from playwright.sync_api import Browser, BrowserType

from editors.bundles import SMALL, give_bundle
from editors.code_server import Release, installed
from editors.isolation import end, environment, isolated
from editors.tee import TEE, frames

PATIENCE = 180.0
"""Seconds until something that does not happen fails a test. Not a bound on anything tested."""

ADDRESS = "http://127.0.0.1:8080"
"""In a network of its own every port is free."""

SETTINGS = {
    "window.autoDetectColorScheme": True,
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
    "editor.minimap.enabled": False,
    "files.autoSave": "off",
    "files.exclude": {"**/.vscode": True},
    "surefill.bundle": SMALL,
    "surefill.completion.deadlineMs": 60_000,
    "surefill.completion.minConfidence": 0,
    "surefill.snippets.deadlineMs": 60_000,
}
"""Whatever a small model says is shown, however long it takes on this machine."""

KEYS = [
    {"key": "ctrl+alt+1", "command": "surefill.acceptWord"},
    {"key": "ctrl+alt+2", "command": "surefill.acceptLine"},
    {"key": "ctrl+alt+3", "command": "surefill.nextAlternative"},
    {"key": "ctrl+alt+4", "command": "surefill.previousAlternative"},
]
"""As users may bind them. A change to this file is not noticed, nor one to the user's settings."""

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class CodeServer:
    """One code-server with one extension, and a workspace folder, below ``home``.

    The user has the usual settings and those given, and what is given for ``pip``; one that is not
    ``trusting`` opens the folder without saying that its authors are to be trusted.
    """

    def __init__(
        self,
        release: Release,
        home: Path,
        extension: Path,
        pip: Mapping[str, object] | None = None,
        trusting: bool = True,
        **settings: object,
    ):
        installed(release)
        self.home = home
        self.project = home / "project"
        self.user = home / "user/User"
        self._variables = {
            **environment(home),
            "PYTHONPATH": "",
            "SHELL": "/bin/bash",
            "EXTENSIONS_GALLERY": json.dumps({"serviceUrl": "http://127.0.0.1:9/"}),
        }
        for folder in (self.project, self.user):
            folder.mkdir(parents=True, exist_ok=True)
        give_bundle(home, SMALL)
        (self.project / "README.md").write_text("# A project\n")
        # Extensions see the PATH of a login shell.
        (home / ".profile").write_text('PATH="$HOME/bin:/usr/bin:/bin"\n')
        self._provide("python3", f'exec "{sys.executable}" "$@"')
        self.serve_with()
        unasked = {} if trusting else {"security.workspace.trust.startupPrompt": "never"}
        (self.user / "settings.json").write_text(json.dumps({**SETTINGS, **unasked, **settings}))
        options = [f"{name} = {each}\n" for name, each in (pip or {}).items()]
        (home / "config/pip").mkdir(parents=True)
        (home / "config/pip/pip.conf").write_text("[global]\n" + "".join(options))
        (self.user / "keybindings.json").write_text(json.dumps(KEYS))
        configuration = home / "code-server.yaml"
        configuration.touch()
        program = [
            *release.program,
            f"--config={configuration}",
            f"--user-data-dir={home / 'user'}",
            f"--extensions-dir={home / 'extensions'}",
        ]
        subprocess.run(
            isolated([*program, "--install-extension", str(extension)], self._variables),
            check=True,
            capture_output=True,
        )
        command = [
            *program,
            f"--bind-addr={ADDRESS.removeprefix('http://')}",
            "--auth=none",
            "--disable-telemetry",
            "--disable-update-check",
            *(["--disable-workspace-trust"] if trusting else []),
            "--disable-getting-started-override",
            "--disable-proxy",
        ]
        self._log_file = home / "code-server.log"
        self._log = self._log_file.open("wb")
        self._process = subprocess.Popen(
            isolated(
                ["sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command], self._variables
            ),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.process = psutil.Process(self._process.pid)

    def serve_with(self, *options: str) -> None:
        """Have servers started from now on run behind a tee with ``options``."""
        python = f'PYTHONPATH="{os.environ.get("PYTHONPATH", "")}" exec "{sys.executable}"'
        command = [sys.executable, "-m", "surefill", "lsp"]
        tee = shlex.join([str(TEE), str(self.home), *options, "--", *command])
        self._provide("surefill", f'[ "$1" = lsp ] && {python} {tee}\n{python} -m surefill "$@"')

    def serve_nothing(self) -> None:
        """There is no server on the PATH any more."""
        (self.home / "bin/surefill").unlink()

    def _provide(self, name: str, lines: str) -> Path:
        program = self.home / "bin" / name
        program.write_text(f"#!/bin/sh\n{lines}\n")
        program.chmod(0o755)
        return program

    def browser(self, kind: BrowserType) -> Browser:
        """A browser in the same namespaces, for nothing else reaches this code-server."""
        give_up = time.monotonic() + PATIENCE
        while "HTTP server listening" not in (log := self._log_file.read_text()):
            assert time.monotonic() < give_up, log
            time.sleep(0.1)
        inside = self.process.children()
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        enter = ["nsenter", f"--target={inside[0].pid}", *user, "--net", "--pid", "--mount"]
        program = self._provide("browser", f'exec {shlex.join(enter)} -- chromium "$@"')
        variables: dict[str, str | float | bool] = {**self._variables}
        return kind.launch(executable_path=program, args=CHROMIUM, env=variables)

    def processes(self, *arguments: str) -> list[psutil.Process]:
        """Those that run here with these arguments and no others."""
        found = self.process.children(recursive=True)
        return [each for each in found if _arguments(each) == list(arguments)]

    def servers(self) -> list[psutil.Process]:
        """Our servers behind the tee that run here."""
        return self.processes("-m", "surefill", "lsp")

    def frames(self) -> list[dict]:
        """What editor and servers have said to each other so far."""
        return frames(self.home)

    def ask(self, command: str, *arguments: object) -> object:
        """The answer of the server that was started last to a command."""
        parameters = {"command": command, "arguments": list(arguments)}
        request = {"method": "workspace/executeCommand", "params": parameters}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self.home / "socket"))
            with connection.makefile("rw") as lines:
                lines.write(json.dumps(request) + "\n")
                lines.flush()
                return json.loads(next(lines))["result"]

    def status(self) -> dict:
        answer = self.ask("surefill.status")
        assert isinstance(answer, dict)
        return answer

    def close(self) -> list[psutil.Process]:
        """End it; returns processes that are still there, of which there are none."""
        left = end(self._process, PATIENCE)
        self._log.close()
        return left


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()[1:]
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return []
