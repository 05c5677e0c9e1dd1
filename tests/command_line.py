"""Commands as a user types them, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def surefill(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``surefill`` with ``arguments`` to its end, well or badly."""
    return subprocess.run(
        [sys.executable, "-m", "surefill", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
