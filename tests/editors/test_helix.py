"""Helix with the documented configuration, the real server and a real model."""

import pytest

from editors import debian
from editors.documentation import configuration
from editors.isolation import environment
from editors.terminal import ENTER, ESCAPE, TAB, Terminal
from small_bundle import SMALL_BUNDLE

COMPLETE = "\x18"


@pytest.fixture
def open_helix(tmp_path):
    started = []

    def start(file):
        prefix = debian.installed(debian.HELIX)
        home = tmp_path / "home"
        settings = home / "config/helix"
        settings.mkdir(parents=True)
        languages = configuration("helix.md", "toml", f'bundle = "{SMALL_BUNDLE}"\n')
        (settings / "languages.toml").write_text(languages)
        runtime = str(prefix / "usr/lib/hx/runtime")
        variables = {**environment(home), "HELIX_RUNTIME": runtime}
        command = [str(prefix / debian.HELIX.program), str(file)]
        started.append(Terminal(command, variables, file.parent))
        return started[-1]

    yield start
    assert [each.close() for each in started] == [[]] * len(started)


def written(file):
    """What is in the file; nothing while Helix writes, which puts the old one aside first."""
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


def test_the_menu_offers_calls_and_fills_them_in(open_helix, file, pictures):
    file.write_text("import pathlib\n\nfolder = pathlib.Path()\nfolder\n")
    helix = open_helix(file)
    helix.wait_for("folder = pathlib.Path()")
    helix.keys("4ggA.")
    helix.wait_for("Something is missing")
    helix.press_until(COMPLETE, "method")
    helix.keys(TAB)
    helix.wait_for("Surefill: ")
    helix.picture(pictures / "helix-menu.png")
    helix.keys(ENTER + ESCAPE)
    helix.wait_for("NOR")
    helix.keys(":write" + ENTER)
    helix.wait(lambda: "folder." in written(file))
    call = file.read_text().splitlines()[3]
    assert call.startswith("folder.")
    assert "(" in call


def test_a_quick_fix_mends_the_problem(open_helix, file, pictures):
    file.write_text("def double(x)\n    return 2 * x\n")
    helix = open_helix(file)
    helix.wait_for("colon")
    helix.keys(" a")
    helix.wait_for("Insert")
    helix.picture(pictures / "helix-quick-fix.png")
    helix.keys(TAB + ENTER)
    helix.wait_for("def double(x):")
    helix.keys(":write" + ENTER)
    helix.wait(lambda: written(file) == "def double(x):\n    return 2 * x\n")
