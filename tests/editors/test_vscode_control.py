"""What the tests of VS Code would say if its client had no inline completion: that it fails."""

import pytest

from editors import code_server

LOGGER = "import logging\n\nlogger ="


@pytest.fixture(scope="module")
def vscode(start_vscode, tmp_path_factory):
    """The extension with a client library in which the feature must be asked for."""
    folder = tmp_path_factory.mktemp("older-client")
    return start_vscode(packed=code_server.packed_with_client(folder, "9.0.1"))


def test_a_client_without_the_feature_asks_nothing(vscode):
    vscode.open("logger.py", LOGGER)
    vscode.wait_until_ready()
    vscode.type(" ")
    vscode.wait(lambda: vscode.requests("textDocument/didChange"), "the text is told")
    vscode.page.wait_for_timeout(3000)
    assert vscode.ghost() == ""
    assert vscode.requests("textDocument/inlineCompletion") == []
