"""A real Neovim without a terminal: real keys go in, what is on screen comes out."""

import contextlib
import json
import time
from pathlib import Path

import psutil
import pynvim

from editors import debian
from editors.isolation import environment, isolated
from editors.terminal import Terminal
from small_bundle import SMALL_BUNDLE

PATIENCE = 60.0
"""Seconds until something that does not happen fails a test. Not a bound on anything tested."""

PLUGIN = Path(__file__).parents[2] / "neovim"

SETTINGS = {
    "bundle": str(SMALL_BUNDLE),
    "completion": {"deadlineMs": 60_000, "minConfidence": 0},
    "snippets": {"deadlineMs": 60_000},
}
"""Whatever a small model says is shown, however long it takes on this machine."""

_CONFIGURATION = """
{before}
vim.o.swapfile = false
vim.opt.runtimepath:prepend("{plugin}")
vim.keymap.set("i", "<Tab>", function()
  if require("surefill").accept() then
    return ""
  end
  return vim.snippet.active({{ direction = 1 }}) and "<Cmd>lua vim.snippet.jump(1)<CR>" or "<Tab>"
end, {{ expr = true }})
vim.keymap.set("i", "<C-l>", "<Plug>(surefill-accept-word)")
vim.keymap.set("i", "<C-j>", "<Plug>(surefill-next)")
vim.keymap.set("i", "<C-x><C-d>", "<Plug>(surefill-dismiss)")
require("surefill").setup(vim.json.decode([==[{options}]==]))
{more}
"""


def configuration(more: str = "", before: str = "", **options: object) -> str:
    """A user's configuration in Lua: the plugin with ``options``, and what stands around it."""
    given = json.dumps({"settings": SETTINGS, **options})
    return _CONFIGURATION.format(before=before, plugin=PLUGIN, options=given, more=more)


_GHOST = """
local namespace = vim.api.nvim_get_namespaces()["nvim.lsp.inline_completion"]
local marks = namespace and vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })
local mark = marks and marks[1]
if not mark then
  return ""
end
local lines = vim.list_extend({ mark[4].virt_text or {} }, mark[4].virt_lines or {})
return vim.iter(lines):map(function(chunks)
  return vim.iter(chunks):filter(function(chunk)
    return chunk[2] ~= "ComplHintMore"
  end):map(function(chunk)
    return chunk[1]
  end):join("")
end):join("\\n")
"""


class Neovim:
    """One editor with a configuration in Lua, in a folder of its own."""

    def __init__(self, package: debian.Package, home: Path, configuration: str):
        prefix = debian.installed(package)
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        script = home / "init.lua"
        script.write_text(configuration)
        share = prefix / "usr/share/nvim"
        parsers = prefix / "usr/lib/nvim"
        self._program = str(prefix / package.program)
        self._variables = {
            **environment(home),
            "VIM": str(share),
            "VIMRUNTIME": str(share / "runtime"),
        }
        before = {child.pid for child in psutil.Process().children()}
        self.api = pynvim.attach(
            "child",
            argv=isolated(
                [
                    self._program,
                    "--embed",
                    "--headless",
                    "-n",
                    "--cmd",
                    f"set runtimepath+={parsers}",
                    "-u",
                    str(script),
                ],
                self._variables,
            ),
        )
        (self.process,) = (
            child for child in psutil.Process().children() if child.pid not in before
        )

    def close(self):
        """End the editor; returns processes that are still there, of which there are none."""
        started = [self.process]
        with contextlib.suppress(psutil.NoSuchProcess):  # it has crashed
            started += self.process.children(recursive=True)
        self.api.close()
        _, left = psutil.wait_procs(started, timeout=PATIENCE)
        return left

    def keys(self, text: str):
        """Press keys, written as in a map: ``<Esc>``, ``<Tab>``; ``<lt>`` for the character."""
        while text:
            taken = self.api.input(text)
            text = text.encode()[taken:].decode()

    def lua(self, code: str, *arguments):
        return self.api.exec_lua(code, *arguments)

    def open(self, path: Path):
        self.api.command(f"edit {path}")

    def text(self) -> str:
        return "\n".join(self.api.current.buffer[:])

    def ghost(self) -> str:
        """The suggestion that is drawn into the text; empty where there is none."""
        return self.lua(_GHOST)

    def mode(self) -> dict[str, object]:
        """``mode``, and whether it is ``blocking``: waits for a key before it does more."""
        return self.api.request("nvim_get_mode")

    def _situation(self) -> str:
        """Its messages, unless it waits for a key and would not answer."""
        mode = self.mode()
        return str(mode) if mode["blocking"] else self.messages()

    def picture(self, path: Path):
        """Keep what a terminal shows that is connected to it, in a light and in a dark theme."""
        command = [self._program, "--server", self.api.vvars["servername"], "--remote-ui"]
        terminal = Terminal(command, self._variables, self.home)
        try:
            for scheme in ("dark", "light"):
                self.api.command(f"set background={scheme} | redraw!")
                visible = self.api.call("getline", "w0", "w$")
                terminal.wait_for(" ".join(visible).split()[-1])
                terminal.picture(path.with_stem(f"{path.stem}-{scheme}"), scheme == "light")
        finally:
            assert terminal.close() == []

    def messages(self) -> str:
        return self.api.command_output("messages")

    def wait(self, question, *, what: str = ""):
        """The first true answer to ``question``, which is asked again and again."""
        give_up = time.monotonic() + PATIENCE
        while not (answer := question()):
            assert time.monotonic() < give_up, f"{what or question}: {self._situation()}"
            time.sleep(0.05)
        return answer

    def wait_for_ghost(self) -> str:
        return self.wait(self.ghost, what="no ghost text")

    def status(self):
        """What the server of the current buffer says of itself; None without one."""
        return self.lua(
            """
            if #vim.lsp.get_clients({ bufnr = 0, name = "surefill" }) == 0 then
              return nil
            end
            local _, answer = next(vim.lsp.buf_request_sync(0, "workspace/executeCommand",
              { command = "surefill.status", arguments = {} }, 60000) or {})
            return answer and answer.result
            """
        )

    def wait_until_ready(self):
        self.wait(lambda: (self.status() or {}).get("state") == "ready", what="not ready")

    def servers(self) -> list[psutil.Process]:
        """The server's processes that run, the one that Neovim started first."""
        return [each for each in self.process.children(recursive=True) if _serves(each)]


def _serves(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[-3:] == ["-m", "surefill", "lsp"]
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return False
