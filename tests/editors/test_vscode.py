"""VS Code's workbench with our extension, the real server and a real model."""

import re

import pytest

from editors.bundles import give_bundle
from editors.workbench import ENTRY

FUNCTIONS = (
    "def first(self):\n    return self.first\n\n\n"
    "def second(self):\n    return self.second\n\n\n"
    "def third(self):\n    return self"
)
IMPORT = "import logging\nimport"
LOGGER = "import logging\n\nlogger ="
MAIN = 'def main():\n    print("hello")\n\n\nif __name__ =='


@pytest.fixture(scope="module")
def window(start_vscode):
    """One window for all of these tests."""
    return start_vscode()


@pytest.fixture
def vscode(window):
    yield window
    window.clear()


def typing(vscode, name, text, keys="."):
    """Open a file and type at its end; returns the suggestion that appears."""
    vscode.open(name, text)
    vscode.wait_until_ready()
    vscode.type(keys)
    return vscode.wait_for_ghost()


@pytest.mark.parametrize(
    ("name", "text", "keys"),
    [("functions.py", FUNCTIONS, "."), ("logger.py", LOGGER, " "), ("main.py", MAIN, " ")],
)
def test_tab_puts_the_ghost_text_into_the_file(vscode, name, text, keys):
    ghost = typing(vscode, name, text, keys)
    vscode.illustrate(f"ghost-{name.removesuffix('.py')}", ".part.editor", 200)
    vscode.picture(f"ghost-{name.removesuffix('.py')}")
    accepted = vscode.status()["counters"]["accepted"]
    vscode.press("Tab")
    vscode.save()
    assert vscode.read(name) == text + keys + ghost
    vscode.wait(lambda: vscode.status()["counters"]["accepted"] == accepted + 1)


def test_typing_through_keeps_the_ghost_without_asking_the_model(vscode):
    ghost = typing(vscode, "through.py", LOGGER, " ")
    before = vscode.status()["counters"]
    for typed in range(1, 4):
        vscode.type(ghost[typed - 1])
        vscode.wait(lambda typed=typed: vscode.ghost() == ghost[typed:], f"typed {typed}")
    vscode.picture("typing-through")
    after = vscode.status()["counters"]
    assert after["model_calls"] == before["model_calls"]
    assert after["cache_hits"] > before["cache_hits"]
    vscode.press("Tab")
    vscode.save()
    assert vscode.read("through.py") == f"{LOGGER} {ghost}"


def test_alternatives_cycle(vscode):
    vscode.open("alternatives.py", IMPORT)
    vscode.wait_until_ready()
    vscode.configure_and_wait(completion__alternatives=3, completion__multiline="never")
    vscode.type(" ")
    first = vscode.wait_for_ghost()
    vscode.press("Control+Alt+3")
    second = vscode.wait(lambda: vscode.ghost() not in ("", first) and vscode.ghost(), "another")
    vscode.picture("alternative")
    vscode.press("Control+Alt+4")
    vscode.wait(lambda: vscode.ghost() == first, "the first again")
    vscode.press("Alt+]")  # the editor's own key
    vscode.wait(lambda: vscode.ghost() == second, "the second again")
    vscode.press("Tab")
    vscode.save()
    assert vscode.read("alternatives.py") == f"{IMPORT} {second}"


def test_word_by_word_and_by_the_line_it_becomes_the_same_text(vscode):
    ghost = typing(vscode, "words.py", LOGGER, " ")
    accepted = vscode.status()["counters"]["accepted"]
    for key in ("Control+Alt+1", "Control+ArrowRight"):
        rest = vscode.ghost()
        vscode.press(key)
        vscode.wait(lambda rest=rest: len(vscode.ghost()) < len(rest), f"a word by {key}")
        vscode.wait_for_ghost()
    assert ghost.endswith(vscode.ghost())
    # A part that is taken is told like any typing: only the last one runs the item's command.
    assert vscode.status()["counters"]["accepted"] == accepted
    vscode.picture("next-word")
    vscode.press("Control+Alt+2")
    vscode.wait(lambda: not vscode.ghost(), "the line")
    vscode.save()
    assert vscode.read("words.py") == f"{LOGGER} {ghost}"
    vscode.wait(lambda: vscode.status()["counters"]["accepted"] == accepted + 1, "accepted")


def test_a_call_from_the_menu_is_filled_in_at_its_tab_stops(vscode):
    text = "import os\n\nname = os.path"
    vscode.open("menu.py", text)
    vscode.wait_until_ready()
    vscode.type(".")
    vscode.wait(vscode.menu, "the menu")
    answered = len(vscode.answers("textDocument/completion"))
    vscode.type("s")
    vscode.wait(lambda: all(each.startswith("s") for each in vscode.menu()), "a shorter menu")
    vscode.illustrate("menu", ".part.editor", 240)
    vscode.picture("menu")
    vscode.wait(lambda: len(vscode.answers("textDocument/completion")) > answered, "another menu")
    label = vscode.wait(vscode.menu, "the menu again")[0]
    items = vscode.answers("textDocument/completion")[-1]["items"]
    (snippet,) = {each["textEdit"]["newText"] for each in items if each["label"] == label}
    assert re.fullmatch(r"\w+\(\$\{1(:[^}]*)?\}\)", snippet), (
        "another call than this test is made for"
    )
    vscode.press("Enter")
    vscode.type("chosen")
    vscode.picture("tab-stop")
    vscode.press("Tab")
    vscode.type("  # done")
    vscode.save()
    name = snippet.partition("(")[0]
    assert vscode.read("menu.py") == f"{text}.{name}(chosen)  # done"


def test_a_quick_fix_mends_the_problem(vscode):
    vscode.open("fix.py", "def double(x)\n    return 2 * x\n")
    vscode.wait(lambda: vscode.page.locator(".squiggly-error").count(), "a problem")
    vscode.press("Control+Home", "End", "Control+.")
    action = vscode.page.locator(".action-widget .monaco-list-row", has_text="Insert")
    action.wait_for()
    vscode.picture("quick-fix")
    action.first.click()
    vscode.wait(lambda: not vscode.page.locator(".squiggly-error").count(), "no problem")
    vscode.save()
    assert vscode.read("fix.py") == "def double(x):\n    return 2 * x\n"


def test_the_explanation_shows_the_verdicts(vscode):
    ghost = typing(vscode, "explained.py", LOGGER, " ")
    vscode.command("Surefill: Explain This Suggestion")
    page = vscode.panel()
    page.locator(".verdict.passed").first.wait_for()
    vscode.picture("explanation")
    vscode.illustrate("explanation", "iframe.webview.ready", 505)
    said = page.inner_text()
    assert ghost in said
    assert "Checks: 3 passed, 1 not checked" in said
    assert page.locator(".verdict.passed").count() == 3
    assert vscode.page.locator(".tab", has_text="Why: explained.py").count() == 1


def test_paused_it_suggests_nothing_until_it_is_resumed(vscode):
    typing(vscode, "paused.py", LOGGER, " ")
    vscode.command("Surefill: Pause")
    vscode.wait(lambda: vscode.entry() == "debug-pause Surefill", "paused")
    vscode.wait(lambda: not vscode.server.servers(), "no server")
    vscode.picture("paused")
    requests = len(vscode.requests("textDocument/inlineCompletion"))
    vscode.retype(" ")
    vscode.page.wait_for_timeout(1000)
    assert vscode.ghost() == ""
    assert len(vscode.requests("textDocument/inlineCompletion")) == requests
    vscode.page.locator(ENTRY).click()
    vscode.wait_until_ready()
    vscode.retype(" ")
    vscode.wait_for_ghost()


def test_a_killed_server_comes_back(vscode):
    typing(vscode, "killed.py", LOGGER, " ")
    (server,) = vscode.server.servers()
    before = len(vscode.requests("initialize"))
    server.kill()
    vscode.wait(lambda: len(vscode.requests("initialize")) > before, "another server")
    vscode.wait_until_ready()
    vscode.retype(" ")
    vscode.wait_for_ghost()
    assert server not in vscode.server.servers()


def test_another_bundle_is_taken_while_it_runs(vscode):
    give_bundle(vscode.server.home, "other")
    typing(vscode, "bundle.py", LOGGER, " ")
    before = vscode.server.servers()
    vscode.command("Surefill: Choose Bundle...")
    vscode.page.locator(".quick-input-list", has_text="surefill-other").wait_for()
    vscode.picture("bundles")
    vscode.pick("surefill-other")
    vscode.wait_until_ready("surefill-other")
    vscode.picture("other-bundle")
    vscode.retype(" ")
    vscode.wait_for_ghost()
    assert vscode.server.servers() == before
    vscode.command("Surefill: Choose Bundle...")
    vscode.pick("surefill-nano")
    vscode.wait(lambda: vscode.entry() != "verified surefill-other", "the other one is left")
    vscode.wait_until_ready()


def test_settings_change_while_it_runs(vscode):
    ghost = typing(vscode, "settings.py", LOGGER, " ")
    vscode.configure_and_wait(disabledLanguages=["python"])
    vscode.wait(lambda: vscode.entry() == "debug-pause Surefill", "paused for Python")
    vscode.press("Backspace")
    asked = len(vscode.answers("textDocument/inlineCompletion"))
    vscode.type(" ")
    vscode.wait(
        lambda: len(vscode.answers("textDocument/inlineCompletion")) > asked, "an empty answer"
    )
    assert vscode.answers("textDocument/inlineCompletion")[-1]["items"] == []
    assert vscode.ghost() == ""
    vscode.configure_and_wait()
    vscode.wait_until_ready()
    vscode.retype(" ")
    assert vscode.wait_for_ghost() == ghost


def test_what_is_typed_before_a_server_listens_gets_its_suggestion(vscode):
    ghost = typing(vscode, "early.py", LOGGER, " ")
    vscode.press("Backspace")
    allowed = vscode.server.home / "allowed"
    vscode.restart("--until", str(allowed))
    vscode.type(" ")
    vscode.wait(lambda: vscode.page.locator(".tab.active.dirty").count(), "typed")
    assert vscode.ghost() == ""
    allowed.touch()
    assert vscode.wait_for_ghost() == ghost
    vscode.restart()


def test_without_the_capability_nothing_is_asked_and_with_it_all_is_as_before(vscode):
    ghost = typing(vscode, "capability.py", LOGGER, " ")
    vscode.restart("--without", "inlineCompletionProvider")
    vscode.wait_until_ready()
    asked = len(vscode.requests("textDocument/inlineCompletion"))
    vscode.retype(" ")
    vscode.page.wait_for_timeout(3000)
    assert vscode.ghost() == ""
    assert len(vscode.requests("textDocument/inlineCompletion")) == asked
    vscode.restart()
    vscode.wait_until_ready()
    vscode.retype(" ")
    assert vscode.wait_for_ghost() == ghost


def test_the_entry_leads_to_a_menu(vscode):
    vscode.open("entry.py", LOGGER)
    vscode.wait_until_ready()
    vscode.page.locator(ENTRY).hover()
    vscode.page.wait_for_timeout(1000)
    vscode.picture("status-bar")
    vscode.page.locator(ENTRY).click()
    vscode.page.locator(".quick-input-list", has_text="Pause for python").wait_for()
    vscode.picture("entry-menu")
    vscode.pick("Run Doctor")
    vscode.panel().locator(".findings").wait_for()
    vscode.picture("doctor")
    assert "grammars" in vscode.panel().inner_text().lower()


def test_settings_and_walkthrough_can_be_read(vscode):
    vscode.open("pages.py", LOGGER)
    vscode.wait_until_ready()
    vscode.page.locator(ENTRY).click()
    vscode.pick("Settings")
    vscode.page.locator(".settings-editor .setting-item", has_text="Surefill").first.wait_for()
    vscode.picture("settings")
    vscode.press("Escape", "Escape")
    vscode.command("Welcome: Open Walkthrough...")
    vscode.pick("Get Started with Surefill")
    vscode.page.locator(".getting-started-step", has_text="Give It a Server").wait_for()
    vscode.page.wait_for_timeout(1000)
    vscode.picture("walkthrough")
