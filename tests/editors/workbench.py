"""VS Code's real workbench: code-server, and a browser in which keys are pressed and things read."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
from playwright.sync_api import Browser, BrowserType, Error, Page

from editors.code_server import Release, installed
from editors.isolation import environment, isolated

PATIENCE = 90.0
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
    "surefill.completion.deadlineMs": 60_000,
    "surefill.completion.minConfidence": 0,
    "surefill.snippets.deadlineMs": 60_000,
}
"""Whatever the model says is shown, however long it takes on this machine."""

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
    """One code-server with one extension, and a workspace folder, below ``home``."""

    def __init__(self, release: Release, home: Path, extension: Path):
        installed(release)
        self.home = home
        self.project = home / "project"
        self.settings_file = home / "user/User/settings.json"
        self._variables = {
            **environment(home),
            "SHELL": "/bin/bash",
            "EXTENSIONS_GALLERY": json.dumps({"serviceUrl": "http://127.0.0.1:9/"}),
        }
        for folder in (self.project, self.settings_file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        # Extensions see the PATH of a login shell.
        (home / ".profile").write_text('PATH="$HOME/bin:$PATH"\n')
        self.serve_with()
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
            "--disable-workspace-trust",
            "--disable-getting-started-override",
            "--disable-proxy",
        ]
        self._log = (home / "code-server.log").open("wb")
        self._process = subprocess.Popen(
            isolated(
                ["sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command], self._variables
            ),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.process = psutil.Process(self._process.pid)

    def serve_with(self, *options: str, program: str = "") -> None:
        """Have servers started from now on run behind a tee with ``options``."""
        command = self.home / "bin/surefill"
        python = f'"{sys.executable}"'
        tee = f'{python} "{Path(__file__).parent / "tee.py"}" "{self.home}" {" ".join(options)}'
        command.write_text(
            "#!/bin/sh\n"
            f'[ "$1" = lsp ] && exec {tee} -- {program or python} -m surefill lsp\n'
            f'exec {python} -m surefill "$@"\n'
        )
        command.chmod(0o755)

    def browser(self, kind: BrowserType) -> Browser:
        """A browser in the same namespaces, for nothing else reaches this code-server."""
        give_up = time.monotonic() + PATIENCE
        while not (inside := self.process.children()):
            assert time.monotonic() < give_up
            time.sleep(0.05)
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        enter = ["nsenter", f"--target={inside[0].pid}", *user, "--net", "--pid", "--mount"]
        program = self.home / "bin/browser"
        program.write_text(f'#!/bin/sh\nexec {" ".join(enter)} {shutil.which("chromium")} "$@"\n')
        program.chmod(0o755)
        variables: dict[str, str | float | bool] = {**self._variables}
        return kind.launch(executable_path=program, args=CHROMIUM, env=variables)

    def servers(self) -> list[psutil.Process]:
        """Processes of our server that run here."""
        return [each for each in self.process.children(recursive=True) if _serves(each)]

    def frames(self) -> list[dict]:
        """What editor and servers have said to each other so far."""
        path = self.home / "frames.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines()]

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
        started = [self.process]
        with contextlib.suppress(psutil.NoSuchProcess):  # it has crashed
            started += self.process.children(recursive=True)
        self._process.kill()
        self._process.wait()
        _, left = psutil.wait_procs(started, timeout=PATIENCE)
        self._log.close()
        return left


def _serves(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[1:] == ["-m", "surefill", "lsp"]
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return False


class Workbench:
    """One window of the editor."""

    def __init__(self, server: CodeServer, page: Page, pictures: Path):
        self.server = server
        self.page = page
        self._pictures = pictures
        page.set_default_timeout(1000 * PATIENCE)

    def start(self):
        """Open the workspace folder, and wait until its files are listed."""
        self.page.goto(f"{ADDRESS}/?folder={self.server.project}")
        self.page.wait_for_selector(".part.statusbar")
        self.page.wait_for_selector(".explorer-folders-view .monaco-list-row")

    def open(self, name: str):
        """Open a file of the workspace folder and put the cursor into it."""
        row = self.page.locator(".explorer-folders-view .monaco-list-row", has_text=name)
        row.first.dblclick()
        self.page.wait_for_selector(f'.tab.active[data-resource-name="{name}"]')
        self.page.wait_for_selector(".editor-instance .view-line")

    def press(self, *keys: str):
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str):
        self.page.keyboard.type(text)

    def save(self):
        self.press("Control+s")
        self.wait(lambda: not self.page.locator(".tab.active.dirty").count(), "saved")

    def ghost(self) -> str:
        """The suggestion that is drawn into the text; empty where there is none."""
        return self.page.evaluate(_GHOST)

    def wait_for_ghost(self) -> str:
        """The suggestion once it is there, as a whole."""
        return self.wait(self.ghost, "ghost text")

    def command(self, title: str):
        """Run a command by its title in the palette."""
        self.press("F1")
        box = self.page.locator(".quick-input-widget input.input")
        box.fill(f">{title}")
        self.page.locator(".quick-input-list .monaco-list-row.focused", has_text=title).wait_for()
        self.press("Enter")

    def configure(self, **settings: object):
        """Write the user's settings, of ours those named without ``surefill`` and with ``_``."""
        ours = {f"surefill.{name.replace('_', '.')}": value for name, value in settings.items()}
        self.server.settings_file.write_text(json.dumps({**SETTINGS, **ours}, indent=2))

    def entry(self) -> str:
        """What the entry in the status bar says, with the name of its icon; empty without one."""
        return self.page.evaluate(_ENTRY)

    def messages(self) -> str:
        """What notifications say."""
        return "\n".join(self.page.locator(".notification-list-item-message").all_inner_texts())

    def picture(self, name: str):
        """Keep what the window looks like, in a light and in a dark theme."""
        self._pictures.mkdir(parents=True, exist_ok=True)
        for scheme, theme in (("dark", "vs-dark"), ("light", "vs")):
            self.page.emulate_media(color_scheme=scheme)
            self.page.wait_for_selector(f".monaco-workbench.{theme}")
            self.page.screenshot(path=self._pictures / f"{name}-{scheme}.png")

    def wait(self, question, what: str = ""):
        """The first true answer to ``question``, which is asked again and again."""
        give_up = time.monotonic() + PATIENCE
        while not (answer := question()):
            if time.monotonic() > give_up:
                with contextlib.suppress(Error):
                    self.picture(f"failed-{re.sub(r'[^a-z]+', '-', what.lower())}")
                raise AssertionError(f"{what or question}: {self.entry()}, {self.messages()}")
            self.page.wait_for_timeout(50)
        return answer


_GHOST = r"""
() => {
  const lines = [];
  for (const line of document.querySelectorAll(".view-lines .view-line")) {
    const spans = [...line.querySelectorAll("[class*=ghost-text]")];
    const text = spans.filter((each) => !each.parentElement.closest("[class*=ghost-text]"))
      .map((each) => each.textContent).join("");
    if (text) lines.push([line.getBoundingClientRect().top, text]);
  }
  for (const zone of document.querySelectorAll(".suggest-preview-text .view-line")) {
    lines.push([zone.getBoundingClientRect().top, zone.textContent]);
  }
  lines.sort((one, other) => one[0] - other[0]);
  return lines.map((each) => each[1]).join("\n").replaceAll("\u00a0", " ");
}
"""

_ENTRY = r"""
() => {
  const entry = document.querySelector('.statusbar-item[id="surefill.surefill.surefill.status"]');
  if (!entry) return "";
  const icon = entry.querySelector(".codicon");
  const name = icon ? [...icon.classList].find((each) => each.startsWith("codicon-")) : "";
  return [name.replace("codicon-", ""), entry.textContent.trim()].join(" ").trim();
}
"""
