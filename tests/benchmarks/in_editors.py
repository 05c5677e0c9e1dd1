"""How long it takes until there is ghost text in a real editor, and how much memory it takes.

The editors are those of ``tests/editors``, with their real windows. Run nothing else meanwhile::

    PYTHONPATH=tests python tests/benchmarks/in_editors.py
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from editors import code_server
from editors.serving import CodeServer
from editors.workbench import WINDOW, Workbench

FILE = "import logging\nimport sys\n\n\ndef main():\n    logger ="
"""Behind it the shipped model always has something to say."""

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="keys with ghost text behind them")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows = vscode(Path(scratch), arguments.rounds)
    print(f"VS Code in code-server {code_server.CURRENT.version}\n")
    for what, value in rows:
        print(f"{what:<48}{value:>12}")


def vscode(scratch: Path, rounds: int) -> list[tuple[str, str]]:
    """Rows of what was measured, as they are printed."""
    extension = code_server.packed_extension(scratch)
    server = CodeServer(code_server.CURRENT, scratch / "home", extension)
    try:
        with sync_playwright() as playwright:
            page = server.browser(playwright.chromium).new_page(viewport=WINDOW)
            window = Workbench(server, page, scratch / "pictures")
            window.start()
            page.evaluate(_WATCH)
            cold = until_ghost(window, "cold.py")
            warm = until_ghost(window, "warm.py")
            keys = [until_ghost_by_key(window, number) for number in range(rounds)]
            asked = [seconds for called, seconds in keys if called]
            known = [seconds for called, seconds in keys if not called]
            host = next(each for each in processes(server) if "extensionHost" in command(each))
            return [
                ("file opened to ghost text, server started", milliseconds(cold)),
                ("file opened to ghost text, server running", milliseconds(warm)),
                (f"key to ghost text by the model, median of {len(asked)}", median(asked)),
                (f"key that was suggested, median of {len(known)}", median(known)),
                ("memory of the extension host", megabytes(host)),
                ("memory of the server", megabytes(server.servers()[0])),
            ]
    finally:
        server.close()


def until_ghost(window: Workbench, name: str) -> float:
    """Seconds from a file's opening to the suggestion behind the first key that can have one."""
    started = time.monotonic()
    window.open(name, FILE)
    window.wait_until_ready()
    window.type(" ")
    window.wait_for_ghost()
    return time.monotonic() - started


def until_ghost_by_key(window: Workbench, number: int) -> tuple[bool, float]:
    """Whether the model was called after a key, and the seconds until the suggestion behind it.

    Where there is time for a suggestion before the key, the key is often the first of it.
    """
    window.press("Escape")
    window.type(f"sys\n    logger{number} =")
    if number % 2:
        window.page.wait_for_timeout(1000)
    window.press("Escape")
    calls = model_calls(window)
    window.press("Space")
    window.wait_for_ghost()
    seen = window.page.evaluate("() => window.surefillSeen")
    return model_calls(window) > calls, (seen["ghost"] - seen["key"]) / 1000


def model_calls(window: Workbench) -> int:
    return window.status()["counters"]["model_calls"]


def median(seconds: list[float]) -> str:
    return milliseconds(statistics.median(seconds)) if seconds else "never"


def processes(server: CodeServer) -> list[psutil.Process]:
    return server.process.children(recursive=True)


def command(process: psutil.Process) -> str:
    return " ".join(process.cmdline())


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def megabytes(process: psutil.Process) -> str:
    return f"{process.memory_full_info().pss / 1e6:.0f} MB"


if __name__ == "__main__":
    main()
