"""VS Code in a folder whose authors nobody trusts: nothing of it is started."""

import json

import pytest

from editors import code_server

LOGGER = "import logging\n\nlogger ="


@pytest.fixture(scope="module", params=[code_server.CURRENT, code_server.OLDEST], ids=str)
def vscode(request, start_vscode):
    return start_vscode(release=request.param, trusting=False)


@pytest.fixture
def trap(vscode):
    """A program of the folder, and the file that tells that it was run."""
    caught = vscode.server.home / "caught"
    program = vscode.server.project / ".venv/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\ntouch "{caught}"\n')
    program.chmod(0o755)
    return program, caught


def test_programs_of_the_folder_are_not_started(vscode, trap):
    program, caught = trap
    settings = {
        "surefill.server.path": str(program),
        "surefill.oracle.python": str(program),
        "surefill": {
            "server": {"path": str(program)},
            "oracle": {"servers": {"python": [str(program)]}},
        },
    }
    path = vscode.server.project / ".vscode/settings.json"
    path.parent.mkdir()
    path.write_text(json.dumps(settings))
    vscode.open("logger.py", LOGGER)
    vscode.wait_until_ready()
    vscode.type(" ")
    assert vscode.wait_for_ghost()
    vscode.picture("untrusted")
    assert not caught.exists()
    assert vscode.page.locator(".statusbar-item", has_text="Restricted Mode").count() == 1
