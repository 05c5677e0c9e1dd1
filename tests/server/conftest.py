"""Checkers that are not installed with Surefill."""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def typescript(request):
    """The command of the TypeScript server, fetched with npm into pytest's cache."""
    kept = Path(request.config.cache.mkdir("typescript"))
    folder = kept / "7"
    if not folder.exists():
        npm = shutil.which("npm")
        assert npm, "npm is needed to fetch the TypeScript server"
        with tempfile.TemporaryDirectory(dir=kept) as temporary:
            made = Path(temporary) / "made"
            command = [npm, "install", "--prefix", str(made), "--no-audit", "--no-fund"]
            subprocess.run([*command, "typescript@7"], check=True, capture_output=True)
            with contextlib.suppress(OSError):  # tests beside these have fetched it, too
                made.rename(folder)
    return (str(folder / "node_modules" / ".bin" / "tsc"), "--lsp", "--stdio")
