"""Neovim 0.10 with the documented start by hand, the real server and a real model."""

import pytest

from editors import debian
from editors.documentation import configuration
from small_bundle import SMALL_BUNDLE


@pytest.fixture
def neovim(open_neovim):
    lines = configuration("neovim-0.10.md", "lua", f'bundle = "{SMALL_BUNDLE}", ')
    return open_neovim(lines, debian.OLD_NEOVIM)


def test_the_menu_offers_calls_on_a_key(neovim, file):
    file.write_text("import pathlib\n\nfolder = pathlib.Path()\nfolder")
    neovim.open(file)
    neovim.wait_until_ready()
    neovim.keys("GA.<C-x><C-o>")
    neovim.wait(lambda: neovim.api.call("pumvisible"))
    neovim.keys("<C-y><Esc>:w<CR>")
    neovim.wait(lambda: "folder." in file.read_text())
    assert "(" in file.read_text().splitlines()[3]


def test_a_quick_fix_mends_the_problem(neovim, file):
    file.write_text("def double(x)\n    return 2 * x\n")
    neovim.open(file)
    neovim.wait(lambda: neovim.lua("return #vim.diagnostic.get(0)") == 1)
    neovim.keys("gg$")
    neovim.api.command("set nomore")
    neovim.lua("vim.lsp.buf.code_action()")
    neovim.wait(lambda: neovim.mode()["blocking"])
    neovim.keys("1<CR>")
    neovim.wait(lambda: neovim.text() == "def double(x):\n    return 2 * x")
