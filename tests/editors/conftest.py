"""Editors for tests: each ends with its test, and nothing that it started is left."""

import json

import pytest

from editors import debian
from editors.neovim import PLUGIN, Neovim

SETTINGS = {
    "completion": {"deadlineMs": 60_000, "minConfidence": 0},
    "snippets": {"deadlineMs": 60_000},
}
"""Whatever the model says is shown, however long it takes on this machine."""

CONFIGURATION = """
vim.o.swapfile = false
vim.opt.runtimepath:prepend("{plugin}")
vim.keymap.set("i", "<Tab>", function()
  if not require("surefill").accept() then
    return "<Tab>"
  end
end, {{ expr = true }})
vim.keymap.set("i", "<C-l>", "<Plug>(surefill-accept-word)")
vim.keymap.set("i", "<C-j>", "<Plug>(surefill-next)")
vim.keymap.set("i", "<C-x><C-d>", "<Plug>(surefill-dismiss)")
require("surefill").setup(vim.json.decode([==[{options}]==]))
{more}
"""


@pytest.fixture
def file(tmp_path):
    """A file that is to be, in a project of its own."""
    path = tmp_path / "project" / "example.py"
    path.parent.mkdir()
    return path


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

    def start(more="", **options):
        given = {"settings": SETTINGS, **options}
        text = CONFIGURATION.format(plugin=PLUGIN, options=json.dumps(given), more=more)
        return open_neovim(text)

    return start
