"""Checkers that are not installed with Surefill."""

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def typescript(request):
    """The command of the TypeScript server, fetched with npm into pytest's cache."""
    folder = Path(request.config.cache.mkdir("typescript-7"))
    server = folder / "node_modules" / ".bin" / "tsc"
    if not server.exists():
        npm = shutil.which("npm")
        assert npm, "npm is needed to fetch the TypeScript server"
        command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund"]
        subprocess.run([*command, "typescript@7"], check=True, capture_output=True)
    return (str(server), "--lsp", "--stdio")
