"""Neovim 0.12 with our plugin, the real server and the model that ships."""

import pytest

FUNCTIONS = (
    "def first(self):\n    return self.first\n\n\n"
    "def second(self):\n    return self.second\n\n\n"
    "def third(self):\n    return self"
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "project" / "example.py"
    path.parent.mkdir()
    path.write_text(FUNCTIONS)
    return path


def typing(neovim, file, keys="."):
    """Open the file and type at its end; returns the suggestion that appears."""
    neovim.open(file)
    neovim.wait_until_ready()
    neovim.keys("GA" + keys)
    return neovim.wait_for_ghost()


def test_accepting_puts_the_ghost_text_into_the_file(surefill, file):
    neovim = surefill()
    ghost = typing(neovim, file)
    neovim.keys("<Tab>")
    neovim.wait(lambda: neovim.text() == FUNCTIONS + "." + ghost, what=neovim.text())
    neovim.keys("<Esc>:w<CR>")
    neovim.wait(lambda: file.read_text() == FUNCTIONS + "." + ghost + "\n")
