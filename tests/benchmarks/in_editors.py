"""How long it takes until there is ghost text in a real editor, and how much memory it takes.

The editors are those of ``tests/editors``: VS Code with its real window, Neovim with its real keys.
The server stands behind a tee, which says what of the time is its. Run nothing else meanwhile::

    PYTHONPATH=tests python tests/benchmarks/in_editors.py
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil
from playwright.sync_api import sync_playwright

from editors import code_server, debian
from editors.bundles import name_of
from editors.neovim import SETTINGS, Neovim, configuration
from editors.serving import CodeServer
from editors.tee import TEE, frames
from editors.workbench import WINDOW, Workbench

FILE = "import logging\nimport sys\n\n\ndef main():\n    logger ="
"""Behind it the shipped model always has something to say."""

INLINE = "textDocument/inlineCompletion"
PATIENCE = 60.0
NEXT_LINE = "sys\n    logger{} ="
ANSWER_SECONDS = 1.0
"""Until what is suggested behind a key is there, whatever the editor waits before it asks."""


SETTLING_SECONDS = 10.0
"""After these an editor has started all that is its own."""


@dataclass(frozen=True)
class Keystroke:
    """From a key to the ghost text behind it, in seconds."""

    by_model: bool
    seen: float
    served: float | None
    """Of this, from the editor's request to the server's answer; None where it did not wait."""


class Editor(Protocol):
    """An editor in which nothing is open yet."""

    folder: Path
    """Where the tee writes."""

    def open_and_type(self, name: str) -> float:
        """Open a file with FILE in it and type a space; returns seconds until the ghost text."""

    def type_line(self, number: int) -> None:
        """Write another line that misses only a space."""

    def space(self) -> float:
        """Type it; returns seconds until the ghost text."""

    def model_calls(self) -> int: ...

    def client(self) -> psutil.Process:
        """The process that the server's client runs in."""

    def server(self) -> psutil.Process: ...


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="keys with ghost text behind them")
    arguments = parser.parse_args()
    for name, started in {
        f"VS Code (code-server {code_server.CURRENT.version})": vscode,
        f"Neovim (Debian {debian.NEOVIM.suite})": neovim,
    }.items():
        with tempfile.TemporaryDirectory() as scratch, started(Path(scratch)) as editor:
            rows = measured(editor, arguments.rounds)
        print(f"{name}\n")
        for what, value in rows:
            print(f"  {what:<52}{value}")
        print()


def measured(editor: Editor, rounds: int) -> list[tuple[str, str]]:
    """Rows of what was measured, as they are printed."""
    cold = editor.open_and_type("cold.py")
    warm = editor.open_and_type("warm.py")
    keys = [keystroke(editor, number) for number in range(rounds)]
    server = editor.server()
    checkers = server.children(recursive=True)
    return [
        ("file opened to ghost text, server not started", milliseconds(cold)),
        ("file opened to ghost text, server running", milliseconds(warm)),
        *share("key to ghost text by the model", [each for each in keys if each.by_model]),
        *share("key that was suggested", [each for each in keys if not each.by_model]),
        ("memory of the client's process", megabytes(editor.client())),
        ("memory of the server", megabytes(server)),
        ("memory of its type checker", megabytes(*checkers)),
    ]


def keystroke(editor: Editor, number: int) -> Keystroke:
    """Where there is time for a suggestion before the key, the key is often the first of it."""
    editor.type_line(number)
    if number % 2:
        time.sleep(ANSWER_SECONDS)
    calls = editor.model_calls()
    pressed = time.monotonic()
    seen = editor.space()
    served = last_answer(editor.folder, pressed)
    return Keystroke(editor.model_calls() > calls, seen, served)


def last_answer(folder: Path, since: float) -> float | None:
    """Seconds that the server needed for the last answer with a suggestion, if asked ``since``."""
    asked: dict[object, float] = {}
    seconds = None
    for frame in frames(folder):
        number, by_editor = frame.get("id"), frame["from"] == "editor"
        if by_editor and frame.get("method") == INLINE and frame["at"] >= since:
            asked[number] = frame["at"]
        elif not by_editor and number in asked and frame.get("result", {}).get("items"):
            seconds = frame["at"] - asked[number]
    return seconds


@contextmanager
def vscode(scratch: Path) -> Iterator[_Vscode]:
    extension = code_server.packed_extension(scratch)
    settings = {"surefill.bundle": "default"}
    server = CodeServer(code_server.CURRENT, scratch / "home", extension, **settings)
    try:
        with sync_playwright() as playwright:
            page = server.browser(playwright.chromium).new_page(viewport=WINDOW)
            window = Workbench(server, page, scratch / "pictures")
            window.start()
            page.evaluate(_WATCH)
            time.sleep(SETTLING_SECONDS)
            yield _Vscode(window)
    finally:
        server.close()


_WATCH = """
() => {
  const seen = (window.surefillSeen = { key: 0, ghost: 0 });
  document.addEventListener("keydown", () => {
    seen.key = performance.now();
    seen.ghost = 0;
  }, true);
  new MutationObserver(() => {
    if (seen.ghost === 0 && document.querySelector(".view-lines [class*=ghost-text]")) {
      seen.ghost = performance.now();
    }
  }).observe(document.body, { attributes: true, childList: true, subtree: true });
}
"""


class _Vscode:
    def __init__(self, window: Workbench):
        self._window = window
        self.folder = window.server.home

    def open_and_type(self, name: str) -> float:
        self._window.provide(name, FILE)
        started = self._window.page.evaluate("() => performance.now()")
        self._window.show(name)
        self._window.type(" ")
        self._window.wait_for_ghost()
        seconds = (self._seen()["ghost"] - started) / 1000
        self._window.wait_until_ready(name_of("default"))
        return seconds

    def type_line(self, number: int) -> None:
        self._window.press("Escape")
        self._window.type(NEXT_LINE.format(number))

    def space(self) -> float:
        self._window.press("Escape")
        self._window.press("Space")
        self._window.wait_for_ghost()
        seen = self._seen()
        return (seen["ghost"] - seen["key"]) / 1000

    def _seen(self) -> dict[str, float]:
        """By the clock of the page, when a key was pressed and when there was ghost text."""
        seen: dict[str, float] = self._window.page.evaluate("() => window.surefillSeen")
        return seen

    def model_calls(self) -> int:
        calls: int = self._window.status()["counters"]["model_calls"]
        return calls

    def client(self) -> psutil.Process:
        below = self._window.server.process.children(recursive=True)
        return next(each for each in below if "extensionHost" in " ".join(each.cmdline()))

    def server(self) -> psutil.Process:
        return self._window.server.servers()[0]


@contextmanager
def neovim(scratch: Path) -> Iterator[_Neovim]:
    tee = [sys.executable, str(TEE), str(scratch), "--"]
    command = [*tee, sys.executable, "-m", "surefill", "lsp"]
    settings = {**SETTINGS, "bundle": "default"}
    user = configuration(cmd=command, settings=settings)
    editor = Neovim(debian.NEOVIM, scratch / "home", user)
    try:
        yield _Neovim(editor, scratch)
    finally:
        editor.close()


class _Neovim:
    def __init__(self, editor: Neovim, folder: Path):
        self._editor = editor
        self.folder = folder

    def open_and_type(self, name: str) -> float:
        path = self.folder / "project" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(FILE)
        self._editor.keys("<Esc>:set hidden<CR>")
        started = time.monotonic()
        self._editor.open(path)
        self._editor.keys("GA ")
        seconds = until(self._editor.ghost) - started
        self._editor.wait_until_ready()
        return seconds

    def type_line(self, number: int) -> None:
        # Neovim repeats the indentation by itself.
        line, _, other = NEXT_LINE.format(number).partition("\n    ")
        self._editor.keys(f"{line}<CR>{other}")
        until(lambda: self._editor.text().endswith(other))

    def space(self) -> float:
        before = self._editor.ghost()
        started = time.monotonic()
        self._editor.keys(" ")
        return until(lambda: self._editor.ghost() not in ("", before)) - started

    def model_calls(self) -> int:
        calls: int = self._editor.status()["counters"]["model_calls"]
        return calls

    def client(self) -> psutil.Process:
        below = self._editor.process.children(recursive=True)
        return next(each for each in below if "--embed" in each.cmdline())

    def server(self) -> psutil.Process:
        return self._editor.servers()[-1]


def until(question: Callable[[], object]) -> float:
    """The time at which a question is answered with yes, by the clock that does not jump."""
    give_up = time.monotonic() + PATIENCE
    while not question():
        if time.monotonic() > give_up:
            raise TimeoutError("The editor shows no ghost text.")
        time.sleep(0.001)
    return time.monotonic()


def share(what: str, keys: list[Keystroke]) -> list[tuple[str, str]]:
    if not keys:
        return [(what, "never")]
    seen = statistics.median(each.seen for each in keys)
    served = [each.served for each in keys if each.served is not None]
    waited = milliseconds(statistics.median(served)) if served else "shown without asking"
    return [
        (f"{what}, median of {len(keys)}", milliseconds(seen)),
        ("  of it from the request to the server's answer", waited),
    ]


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def megabytes(*processes: psutil.Process) -> str:
    """What processes take that no other shares, and their part of the rest."""
    return f"{sum(each.memory_full_info().pss for each in processes) / 1e6:.0f} MB"


if __name__ == "__main__":
    main()
