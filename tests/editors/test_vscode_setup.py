"""VS Code on a machine that has no server: the extension makes itself an environment for one."""

import subprocess
import sys
from pathlib import Path

import pytest

from editors.bundles import name_of
from editors.workbench import ENTRY

SERVER = Path(__file__).parents[2] / "server"
LOGGER = "import logging\n\nlogger ="


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The server and all that it needs, as files: where it is to be installed there is no index."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", folder]
    subprocess.run([*command, f"{SERVER}[cpu]"], check=True)
    return folder


@pytest.fixture(scope="module")
def vscode(start_vscode, wheels):
    (wheel,) = wheels.glob("surefill-*.whl")
    workbench = start_vscode(
        **{"surefill.environment.package": f"{wheel}[cpu]", "surefill.bundle": "default"},
        pip={"no-index": "true", "find-links": wheels},
    )
    workbench.server.serve_nothing()
    return workbench


def test_an_environment_is_made_and_taken_away_again(vscode):
    vscode.open("logger.py", LOGGER)
    vscode.wait(lambda: vscode.entry() == "warning Surefill", "no server")
    vscode.wait(lambda: "Surefill" in vscode.messages(), "an offer")
    vscode.picture("no-server")
    vscode.page.locator(ENTRY).click()
    vscode.answer("Set Up", picture="set-up")
    vscode.wait(lambda: vscode.entry() == "loading Surefill", "it is being set up")
    assert "found no server" not in vscode.messages()
    vscode.picture("setting-up")
    vscode.wait_until_ready(name_of("default"))
    (server,) = vscode.server.processes("-P", "-m", "surefill", "lsp")
    assert "/environments/environment-" in server.cmdline()[0]
    vscode.focus("logger.py")
    vscode.type(" ")
    ghost = vscode.wait_for_ghost()
    vscode.press("Tab")
    vscode.save()
    assert vscode.read("logger.py") == f"{LOGGER} {ghost}"

    vscode.command("Surefill: Remove Private Environment...")
    vscode.answer("Remove", picture="remove")
    vscode.wait(lambda: vscode.entry() == "warning Surefill", "no server again")
    assert not vscode.server.processes("-P", "-m", "surefill", "lsp")
    assert not list(vscode.server.user.glob("globalStorage/surefill.surefill/environments/*"))
