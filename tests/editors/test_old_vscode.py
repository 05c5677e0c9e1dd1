"""VS Code 1.100, the oldest that the extension is for, with the real server and a real model."""

import pytest

from editors import code_server

LOGGER = "import logging\n\nlogger ="


@pytest.fixture(scope="module")
def vscode(start_vscode):
    return start_vscode(release=code_server.OLDEST)


def test_tab_puts_the_ghost_text_into_the_file(vscode):
    vscode.open("logger.py", LOGGER)
    vscode.wait_until_ready()
    vscode.type(" ")
    ghost = vscode.wait_for_ghost()
    vscode.picture("old-ghost")
    vscode.press("Tab")
    vscode.save()
    assert vscode.read("logger.py") == f"{LOGGER} {ghost}"
    vscode.wait(lambda: vscode.status()["counters"]["accepted"] == 1, "the acceptance is told")
