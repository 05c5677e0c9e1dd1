"""Editors for tests: each ends with its test, and nothing that it started is left."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from editors import code_server, debian
from editors.neovim import Neovim, configuration
from editors.serving import CodeServer
from editors.workbench import WINDOW, Workbench


@pytest.fixture
def file(tmp_path):
    """A file that is to be, in a project of its own."""
    path = tmp_path / "project" / "example.py"
    path.parent.mkdir()
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """The folder for pictures of what editors show: SUREFILL_SCREENSHOTS, where it is set."""
    chosen = os.environ.get("SUREFILL_SCREENSHOTS")
    return Path(chosen) if chosen else tmp_path_factory.mktemp("pictures")


@pytest.fixture
def open_neovim(tmp_path):
    """Start editors with a configuration in Lua."""
    started = []

    def start(configuration, package=debian.NEOVIM):
        home = tmp_path / f"home-{len(started)}"
        started.append(Neovim(package, home, configuration))
        return started[-1]

    yield start
    assert [each.close() for each in started] == [[]] * len(started)


@pytest.fixture
def surefill(open_neovim):
    """Start Neovim with the plugin, whose options may be given by name."""

    def start(more="", before="", **options):
        return open_neovim(configuration(more, before, **options))

    return start


@pytest.fixture(scope="session")
def extension(tmp_path_factory):
    """Our extension for VS Code, packed."""
    return code_server.packed_extension(tmp_path_factory.mktemp("extension"))


@pytest.fixture(scope="module")
def start_vscode(extension, pictures, tmp_path_factory):
    """Start windows of VS Code with an empty folder of files; all end with the module."""
    started = []
    with sync_playwright() as playwright:

        def start(release=code_server.CURRENT, packed=extension, **user):
            home = tmp_path_factory.mktemp("vscode")
            server = CodeServer(release, home, packed, **user)
            started.append(server)
            page = server.browser(playwright.chromium).new_page(
                viewport=WINDOW, device_scale_factor=2
            )
            workbench = Workbench(server, page, pictures)
            workbench.start()
            return workbench

        yield start
        assert [each.close() for each in started] == [[]] * len(started)
