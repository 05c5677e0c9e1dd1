"""Emacs and Eglot with the documented configuration, the real server and a real model."""

import re

import pytest

from editors import debian
from editors.documentation import configuration
from editors.isolation import environment
from editors.terminal import ENTER, ESCAPE, TAB, Terminal
from small_bundle import SMALL_BUNDLE


@pytest.fixture
def open_emacs(tmp_path):
    started = []

    def start(file):
        prefix = debian.installed(debian.EMACS)
        home = tmp_path / "home"
        home.mkdir()
        script = home / "init.el"
        settings = configuration("emacs.md", "elisp", f':bundle "{SMALL_BUNDLE}" ')
        script.write_text("(setq make-backup-files nil)\n" + settings)
        (version,) = (prefix / "usr/share/emacs").glob("[0-9]*")
        (helpers,) = (prefix / "usr/libexec/emacs").glob("[0-9]*/*")
        lisp = [version / "lisp", *(each for each in version.glob("lisp/**/") if each.is_dir())]
        variables = {
            **environment(home),
            "EMACSLOADPATH": ":".join(map(str, lisp)),
            "EMACSDATA": str(version / "etc"),
            "EMACSDOC": str(version / "etc"),
            "EMACSPATH": str(helpers),
        }
        (state,) = helpers.glob("*.pdmp")
        command = [str(prefix / debian.EMACS.program), f"--dump-file={state}", "-nw", "-Q"]
        started.append(Terminal([*command, "-l", str(script), str(file)], variables, file.parent))
        return started[-1]

    yield start
    assert [each.close() for each in started] == [[]] * len(started)


SAVE = "\x18\x13"
NEXT_CANDIDATE = "\x1b[1;3B"


def test_completion_offers_calls_and_fills_them_in(open_emacs, file, pictures):
    file.write_text("import pathlib\n\nfolder = pathlib.Path()\nfolder")
    emacs = open_emacs(file)
    emacs.wait_for("Connected!")
    emacs.keys(ESCAPE + ">" + ".")
    emacs.wait_for("folder.")
    # The first time may put in what all candidates begin with.
    emacs.press_until(2 * (ESCAPE + TAB), "possible completion")
    emacs.picture(pictures / "emacs-completions.png")
    emacs.keys(NEXT_CANDIDATE + ESCAPE + ENTER)
    emacs.wait(lambda: re.search(r"folder\.\w+\(.*\)", emacs.screen()))
    emacs.keys(SAVE)
    emacs.wait(lambda: re.search(r"^folder\.\w+\(.*\)$", file.read_text(), re.MULTILINE))


def test_a_quick_fix_mends_the_problem(open_emacs, file, pictures):
    file.write_text("def double(x)\n    return 2 * x\n")
    emacs = open_emacs(file)
    emacs.wait_for("Connected!")
    emacs.keys("\x05")
    # Eglot takes a request back when anything comes in between, and says so.
    emacs.press_until(ESCAPE + "xeglot-code-actions" + ENTER, "Insert")
    emacs.picture(pictures / "emacs-quick-fix.png")
    emacs.keys(ENTER)
    emacs.wait_for("def double(x):")
    emacs.keys(SAVE)
    emacs.wait(lambda: file.read_text() == "def double(x):\n    return 2 * x\n")
