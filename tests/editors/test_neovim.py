"""Neovim 0.12 with our plugin, the real server and a real model."""

import json
import sys
import time

import pytest

from editors.bundles import give_bundle
from editors.neovim import PLUGIN, SETTINGS
from editors.tee import TEE

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


def test_accepting_puts_the_ghost_text_into_the_file(surefill, file, pictures):
    neovim = surefill()
    ghost = typing(neovim, file)
    neovim.picture(pictures / "neovim-ghost.png")
    neovim.keys("<Tab>")
    neovim.wait(lambda: neovim.text() == FUNCTIONS + "." + ghost)
    neovim.keys("<Esc>:w<CR>")
    neovim.wait(lambda: file.read_text() == FUNCTIONS + "." + ghost + "\n")
    assert neovim.status()["counters"]["accepted"] == 1


@pytest.mark.parametrize("scheme", ["default", "habamax", "vim"])
def test_a_suggestion_does_not_look_like_the_text(surefill, file, scheme):
    neovim = surefill(f"vim.cmd.colorscheme({scheme!r})")
    typing(neovim, file)
    look = "return vim.api.nvim_get_hl(0, {{ name = '{}', link = false }}).ctermfg"
    grey = neovim.lua(look.format("ComplHint"))
    assert grey is not None
    assert grey != neovim.lua(look.format("Normal"))
    neovim.api.command("colorscheme default")
    assert neovim.lua(look.format("ComplHint")) in (8, 244)


def test_a_user_s_own_colour_of_suggestions_stays(surefill, file):
    neovim = surefill("vim.api.nvim_set_hl(0, 'ComplHint', { ctermfg = 3 })")
    typing(neovim, file)
    assert neovim.lua("return vim.api.nvim_get_hl(0, { name = 'ComplHint' }).ctermfg") == 3


def test_enabling_the_server_is_enough_without_a_setup(open_neovim, file):
    generous = json.dumps({"settings": {"surefill": SETTINGS}})
    neovim = open_neovim(
        f'vim.opt.runtimepath:prepend("{PLUGIN}")\n'
        f"vim.lsp.config('surefill', vim.json.decode('{generous}'))\n"
        'vim.lsp.enable("surefill")\n'
        'vim.keymap.set("i", "<Tab>", "<Plug>(surefill-accept)")\n'
    )
    file.write_text("import logging\n\nlogger =")
    ghost = typing(neovim, file, keys=" ")
    neovim.keys("<Tab>")
    neovim.wait(lambda: neovim.text() == "import logging\n\nlogger = " + ghost)


def test_without_a_suggestion_the_key_is_itself(surefill, file):
    neovim = surefill(inline=False)
    neovim.open(file)
    neovim.keys("GA <Tab>")
    neovim.wait(lambda: len(neovim.text()) > len(FUNCTIONS) + 1)
    assert neovim.text().removeprefix(FUNCTIONS).isspace()


def test_typing_through_keeps_the_ghost_and_its_rest_can_be_accepted_at_once(surefill, file):
    neovim = surefill()
    ghost = typing(neovim, file)
    first, rest = ghost[0], ghost[1:]
    neovim.keys(first)
    neovim.wait(lambda: neovim.ghost() == rest)
    # Before an answer to the next key can have come.
    neovim.keys(rest[0] + "<Tab>")
    neovim.wait(lambda: neovim.text() == FUNCTIONS + "." + ghost)


def test_what_does_not_fit_any_more_is_not_put_in(surefill, file):
    neovim = surefill()
    ghost = typing(neovim, file)
    other = "x" if ghost[0] != "x" else "y"
    neovim.keys(other + "<Tab>")
    neovim.lua("vim.wait(100)")  # what the key has put off happens meanwhile
    assert neovim.text() == FUNCTIONS + "." + other


def test_word_by_word_it_becomes_the_same_text(surefill, file):
    file.write_text("import logging\n\nlogger =")
    neovim = surefill()
    ghost = typing(neovim, file, keys=" ")
    typed, words = neovim.text(), []
    while rest := neovim.ghost():
        before = neovim.text()
        neovim.keys("<C-l>")
        neovim.wait(lambda before=before: neovim.text() != before)
        words.append(neovim.text().removeprefix(before))
        if words[-1] != rest:
            neovim.wait_for_ghost()
        else:
            break
    assert neovim.text() == typed + ghost
    assert len(words) > 2


def test_alternatives_cycle(surefill, file):
    settings = {**SETTINGS, "completion": {**SETTINGS["completion"], "alternatives": 3}}
    neovim = surefill(settings=settings)
    first = typing(neovim, file)
    neovim.keys("<C-j>")
    second = neovim.wait(lambda: neovim.ghost() not in ("", first) and neovim.ghost())
    neovim.keys("<Tab>")
    neovim.wait(lambda: neovim.text() == FUNCTIONS + "." + second)


def test_a_dismissed_suggestion_is_gone(surefill, file):
    neovim = surefill()
    typing(neovim, file)
    neovim.keys("<C-x><C-d>")
    neovim.wait(lambda: neovim.ghost() == "")
    assert neovim.text() == FUNCTIONS + "."


def test_a_quick_fix_mends_the_problem(surefill, file):
    file.write_text("def double(x)\n    return 2 * x\n")
    neovim = surefill()
    neovim.open(file)
    neovim.wait(lambda: neovim.lua("return #vim.diagnostic.get(0)") == 1)
    neovim.keys("gg$gra")
    neovim.wait(lambda: neovim.mode()["mode"] == "c")
    neovim.keys("1<CR>")
    neovim.wait(lambda: neovim.text() == "def double(x):\n    return 2 * x")
    neovim.wait(lambda: neovim.lua("return #vim.diagnostic.get(0)") == 0)


def test_the_menu_offers_calls_and_fills_them_in(surefill, file, pictures):
    file.write_text("import pathlib\n\nfolder = pathlib.Path()\nfolder")
    neovim = surefill()
    neovim.open(file)
    neovim.wait_until_ready()
    neovim.keys("GA.")
    neovim.wait(lambda: neovim.api.call("pumvisible"))
    assert neovim.text().splitlines()[-1] == "folder."  # nothing until it is chosen
    neovim.picture(pictures / "neovim-menu.png")
    items = neovim.api.call("complete_info", ["items"])["items"]
    neovim.keys("<C-n><C-y>")
    neovim.wait(lambda: "(" in neovim.text().splitlines()[-1])
    call = neovim.text().splitlines()[-1]
    assert call.partition("(")[0] in {"folder." + item["word"].partition("(")[0] for item in items}


def test_tab_jumps_out_of_a_call_that_was_filled_in(surefill, file):
    text = "import os\n\nname = os.path"
    file.write_text(text)
    neovim = surefill()
    neovim.open(file)
    neovim.wait_until_ready()
    neovim.keys("GA.")
    neovim.wait(lambda: neovim.api.call("pumvisible"))
    neovim.keys("<C-n><C-y>")
    neovim.wait(lambda: neovim.lua("return vim.snippet.active()"))
    neovim.keys("chosen")
    neovim.wait(lambda: neovim.text().endswith("chosen)"))
    neovim.lua("require('surefill').pause()")
    neovim.wait(lambda: neovim.ghost() == "")
    neovim.keys("<Tab>  # done")
    neovim.wait(lambda: neovim.text().endswith("(chosen)  # done"))


def test_every_buffer_s_menu_leaves_the_text_alone(surefill, file):
    other = file.with_name("other.py")
    for each in (file, other):
        each.write_text("x = 1\n")
    neovim = surefill(f"vim.schedule(function() vim.cmd('edit {file} | split {other}') end)")
    attached = "return #vim.lsp.get_buffers_by_client_id(vim.lsp.get_clients()[1].id)"
    neovim.wait(lambda: len(neovim.api.windows) == 2)
    neovim.wait_until_ready()
    neovim.wait(lambda: neovim.lua(attached) == 2)
    for window in neovim.api.windows:
        chosen = window.buffer.options["completeopt"]
        assert chosen.split(",").count("noselect") == 1


def test_a_neovim_without_inline_completion_still_has_the_menu(surefill, file):
    file.write_text("import pathlib\n\nfolder = pathlib.Path()\nfolder")
    neovim = surefill(before="vim.lsp.inline_completion = nil")
    neovim.open(file)
    neovim.wait_until_ready()
    neovim.keys("GA.")
    neovim.wait(lambda: neovim.api.call("pumvisible"))
    neovim.keys("<C-n><C-y>")
    neovim.wait(lambda: "(" in neovim.text().splitlines()[-1])
    neovim.keys("<Esc>o<Tab>")
    neovim.wait(lambda: neovim.text().endswith(("\t", " ")))
    assert "Surefill" not in neovim.messages()


def test_a_server_without_the_feature_is_asked_nothing(surefill, file, tmp_path):
    tee = [sys.executable, str(TEE), str(tmp_path), "--without", "inlineCompletionProvider", "--"]
    neovim = surefill(cmd=[*tee, sys.executable, "-m", "surefill", "lsp"])
    neovim.open(file)
    neovim.wait_until_ready()
    neovim.keys("GA.")
    time.sleep(3)  # there is nothing to wait for
    assert neovim.ghost() == ""
    passed = (tmp_path / "frames.jsonl").read_text()
    assert "textDocument/didChange" in passed
    assert "textDocument/inlineCompletion" not in passed


def test_the_explanation_opens_in_a_page_of_markdown(surefill, file, pictures):
    neovim = surefill()
    ghost = typing(neovim, file)
    neovim.keys("<Esc>:Surefill explain<CR>")
    neovim.wait(lambda: neovim.api.current.buffer.name == "surefill://explanation")
    assert neovim.lua("return vim.bo.filetype") == "markdown"
    assert ghost.splitlines()[0].strip() in neovim.text()
    assert not neovim.lua("return vim.bo.modifiable")
    neovim.picture(pictures / "neovim-explanation.png")
    neovim.keys("q")
    neovim.wait(lambda: neovim.api.current.buffer.name == str(file))


def test_paused_it_suggests_nothing_until_it_is_resumed(surefill, file):
    neovim = surefill()
    typing(neovim, file)
    neovim.keys("<Esc>:Surefill pause<CR>")
    neovim.wait(lambda: neovim.lua("return require('surefill').status()") == "surefill: paused")
    requests = neovim.status()["counters"]["requests"]
    neovim.keys("S    return self.")
    neovim.wait(lambda: neovim.status()["counters"]["requests"] > requests)
    neovim.wait(lambda: neovim.status()["live"] == 0)
    assert neovim.ghost() == ""
    neovim.keys("<Esc>:Surefill resume<CR>")
    neovim.wait(lambda: neovim.lua("return require('surefill').status()") == "surefill")
    neovim.keys("S    return self.")
    neovim.wait_for_ghost()


def test_a_configuration_that_is_read_again_resumes_nothing(surefill, file):
    neovim = surefill()
    typing(neovim, file)
    neovim.keys("<Esc>:Surefill pause<CR>")
    neovim.wait(lambda: neovim.lua("return require('surefill').paused()"))
    neovim.lua("require('surefill').setup()")
    assert neovim.lua("return require('surefill').paused()")


def test_a_killed_server_comes_back(surefill, file):
    neovim = surefill()
    typing(neovim, file)
    neovim.keys("<Esc>")
    (server,) = neovim.servers()
    server.kill()
    neovim.wait(lambda: [each for each in neovim.servers() if each.pid != server.pid])
    neovim.wait_until_ready()
    neovim.keys("S    return self.")
    neovim.wait_for_ghost()


def test_what_is_typed_before_the_server_listens_gets_its_suggestion(surefill, file, tmp_path):
    allowed = tmp_path / "allowed"
    wait = f"until [ -e {allowed} ]; do sleep 0.05; done; exec surefill lsp"
    neovim = surefill(cmd=["sh", "-c", wait])
    neovim.open(file)
    neovim.keys("GA.")
    neovim.wait(lambda: neovim.text().endswith("."))
    assert neovim.status() is None
    allowed.touch()
    neovim.wait_for_ghost()


def test_what_is_typed_while_a_server_is_away_gets_its_suggestion(surefill, file, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.touch()
    wait = f"until [ -e {allowed} ]; do sleep 0.05; done; exec surefill lsp"
    neovim = surefill(cmd=["sh", "-c", wait])
    ghost = typing(neovim, file)
    neovim.keys("<BS>")
    allowed.unlink()
    (server,) = neovim.servers()
    server.kill()
    neovim.wait(lambda: neovim.lua("return #vim.lsp.get_clients({ bufnr = 0 })") == 0)
    neovim.keys(".")
    neovim.wait(lambda: neovim.text().endswith("."))
    assert neovim.ghost() == ""
    allowed.touch()
    assert neovim.wait_for_ghost() == ghost


def test_a_server_that_always_crashes_is_given_up(surefill, file):
    neovim = surefill(cmd=["false", "lsp"])
    neovim.open(file)
    neovim.wait(lambda: "keeps crashing" in neovim.messages())


def test_restarting_ends_the_server_and_starts_another(surefill, file):
    neovim = surefill()
    typing(neovim, file)
    (before,) = neovim.servers()
    neovim.keys("<Esc>:Surefill restart<CR>")
    neovim.wait(lambda: not before.is_running())
    neovim.wait_until_ready()
    neovim.keys("S    return self.")
    neovim.wait_for_ghost()


def test_settings_change_while_it_runs(surefill, file):
    neovim = surefill()
    ghost = typing(neovim, file)
    neovim.lua("require('surefill').configure({ disabledLanguages = { 'python' } })")
    requests = neovim.status()["counters"]["requests"]
    neovim.keys("<Esc>S    return self.")
    neovim.wait(lambda: neovim.status()["counters"]["requests"] > requests)
    neovim.wait(lambda: neovim.status()["live"] == 0)
    assert neovim.ghost() == ""
    neovim.lua("require('surefill').configure({ disabledLanguages = {} })")
    neovim.keys("<Esc>S    return self.")
    assert neovim.wait_for_ghost() == ghost


def test_another_bundle_is_taken_while_it_runs(surefill, file):
    neovim = surefill()
    ghost = typing(neovim, file)
    give_bundle(neovim.home, "other")
    neovim.lua("require('surefill').configure({ bundle = 'other' })")
    neovim.wait(lambda: (neovim.status()["bundle"] or {}).get("name") == "surefill-other")
    neovim.keys("<Esc>S    return self.")
    assert neovim.wait_for_ghost() == ghost


def test_a_bad_setting_and_a_bad_option_are_named(surefill, file):
    settings = {**SETTINGS, "completion": {"alternatives": "many"}}
    neovim = surefill(settings=settings, menu="yes", colour="blue")
    neovim.open(file)
    neovim.wait_until_ready()
    neovim.wait(lambda: "surefill.completion.alternatives: expected a whole" in neovim.messages())
    assert "menu: expected true or false" in neovim.messages()
    assert "colour: unknown option" in neovim.messages()


def test_without_settings_nothing_is_complained_of(surefill, file):
    neovim = surefill(settings={})
    neovim.open(file)
    neovim.wait_until_ready()
    assert "Surefill" not in neovim.messages()
    assert "expected" not in neovim.messages()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_emoji_and_cjk_before_the_cursor_shift_nothing(surefill, file, encoding):
    neovim = surefill(
        "vim.lsp.config('surefill', { capabilities = { general = { positionEncodings = "
        f"{{ '{encoding}' }} }} }} }})"
    )
    line = "LABELS = ['🎉🎉', '漢字', 'é']; logger = logging.getLogger"
    file.write_text(f"import logging\n\n{line}")
    ghost = typing(neovim, file, keys="(")
    assert neovim.lua("return vim.lsp.get_clients()[1].offset_encoding") == encoding
    neovim.keys("<Tab>")
    neovim.wait(lambda: neovim.text().splitlines()[2] == (line + "(" + ghost).splitlines()[0])


def test_the_health_check_finds_everything(surefill, file, pictures):
    neovim = surefill()
    typing(neovim, file)
    neovim.keys("<Esc>")
    neovim.api.command("checkhealth surefill")
    neovim.picture(pictures / "neovim-health.png")
    page = neovim.text()
    assert "ERROR" not in page
    version = neovim.lua("return tostring(vim.version())")
    for part in (
        f"Neovim {version}",
        "inline completion is there",
        "surefill 0.",
        "attached to 1 buff",
    ):
        assert part in page, page
    assert "its model is surefill-" in page


def test_the_health_check_says_what_to_do_without_the_program(surefill, file):
    neovim = surefill(cmd=["surefill-that-is-not-there", "lsp"])
    neovim.open(file)
    neovim.api.command("checkhealth surefill")
    assert "`surefill-that-is-not-there` is not on the PATH" in neovim.text()
    assert 'pip install "./server[cpu]"' in neovim.text()
    assert "no client is running" in neovim.text()


def test_the_log_and_the_doctor_open_pages(surefill, file):
    neovim = surefill()
    typing(neovim, file)
    neovim.keys("<Esc>:Surefill log<CR>")
    neovim.wait(lambda: neovim.api.current.buffer.name == "surefill://log")
    assert "loading the model" in neovim.text()
    neovim.keys("q:Surefill doctor<CR>")
    neovim.wait(lambda: "grammars: " in neovim.text())
    assert neovim.api.current.window.height >= min(len(neovim.api.current.buffer), 10)


def test_the_command_completes_its_names(surefill):
    neovim = surefill()
    found = neovim.api.call("getcompletion", "Surefill re", "cmdline")
    assert found == ["restart", "resume"]
    neovim.api.command(f"helptags {PLUGIN / 'doc'}")
    neovim.api.command("help :Surefill")
    assert neovim.api.current.buffer.name.endswith("surefill.txt")
