"""VS Code's real workbench in a browser: keys go in, and what is on screen is read."""

import contextlib
import json
import re
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error, FloatRect, Locator, Page

from editors.serving import ADDRESS, PATIENCE, CodeServer

WINDOW = {"width": 1200, "height": 750}


class Workbench:
    """One window of the editor."""

    def __init__(self, server: CodeServer, page: Page, pictures: Path):
        self.server = server
        self.page = page
        self._pictures = pictures
        page.set_default_timeout(1000 * PATIENCE)

    def start(self):
        """Open the workspace folder."""

        self.page.goto(f"{ADDRESS}/?folder={self.server.project}", wait_until="commit")
        self.page.wait_for_selector(".part.statusbar")
        self.page.wait_for_selector(".explorer-folders-view .monaco-list-row")

    def open(self, name: str, text: str):
        """Write a file of the workspace folder, open it and put the cursor at its end."""
        self.provide(name, text)
        self.show(name)

    def provide(self, name: str, text: str):
        """Write a file of the workspace folder; returns when the explorer lists it."""
        (self.server.project / name).write_text(text)
        refresh = self.page.get_by_label("Refresh Explorer")
        refreshed = float("-inf")

        def listed():
            nonlocal refreshed
            if time.monotonic() > refreshed + PATIENCE / 60:  # it may have been too early for it
                refresh.evaluate("(button) => button.click()")
                refreshed = time.monotonic()
            return self._row(name).count()

        self.wait(listed, f"{name} is listed")

    def show(self, name: str):
        """Open a file that is listed and put the cursor at its end."""
        self._row(name).first.dblclick()
        self.page.wait_for_selector(f'.tab.active[data-resource-name="{name}"]')
        self.page.wait_for_selector(".editor-instance .view-line")
        self.press("Control+End")

    def _row(self, name: str) -> Locator:
        return self.page.locator(".explorer-folders-view .monaco-list-row", has_text=name)

    def wait_until_ready(self, name: str = "surefill-"):
        """The status shows that a bundle is served whose name begins with ``name``."""
        self.wait(lambda: self.entry().startswith(f"verified {name}"), "ready")

    def clear(self):
        """Close what is open without saving it, and take the usual settings."""
        self.configure()
        self.press("Escape")
        self.command("File: Revert File")
        self.command("View: Close All Editors")
        self.page.wait_for_selector(".tab", state="detached")

    def read(self, name: str) -> str:
        return (self.server.project / name).read_text()

    def status(self) -> dict:
        return self.server.status()

    def press(self, *keys: str):
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str):
        self.page.keyboard.type(text)

    def retype(self, character: str):
        """Take back the last character and write it again: the editor asks anew behind it."""
        self.press("Backspace")
        self.type(character)

    def save(self):
        self.press("Control+s")
        self.wait(lambda: not self.page.locator(".tab.active.dirty").count(), "saved")

    def ghost(self) -> str:
        """The suggestion that is drawn into the text; empty where there is none."""
        return self.page.evaluate(_GHOST)

    def wait_for_ghost(self) -> str:
        """The suggestion once it is there, as a whole."""
        return self.wait(self.ghost, "ghost text")

    def command(self, title: str):
        """Run a command by its title in the palette."""
        self.press("F1")
        box = self.page.locator(".quick-input-widget input.input")
        box.fill(f">{title}")
        self.page.locator(".quick-input-list .monaco-list-row.focused", has_text=title).wait_for()
        self.press("Enter")

    def restart(self, *options: str):
        """Have the server started anew, behind a tee with ``options``; it may not answer yet."""
        self.server.serve_with(*options)
        before = len(self.requests("initialize"))
        self.command("Surefill: Restart Server")
        self.wait(lambda: len(self.requests("initialize")) > before, "another server")

    def configure(self, **settings: object):
        """Write settings of ours for the workspace: ``completion__alternatives`` is one."""
        ours = {f"surefill.{name.replace('__', '.')}": each for name, each in settings.items()}
        path = self.server.project / ".vscode/settings.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(ours))

    def configure_and_wait(self, **settings: object):
        """As ``configure``; returns when the server has asked for what is new."""
        asked = self._times_configured()
        self.configure(**settings)
        self.wait(lambda: self._times_configured() > asked, "the server asks for its settings")

    def _times_configured(self) -> int:
        frames = self.server.frames()
        return sum(each.get("method") == "workspace/configuration" for each in frames)

    def pick(self, *texts: str):
        """Choose the entry with these texts of the list that has been opened."""
        row = self.page.locator(".quick-input-list .monaco-list-row")
        for text in texts:
            row = row.filter(has_text=text)
        row.first.click()

    def answer(self, button: str, picture: str):
        """Press a button of the dialog that has been opened."""
        choice = self.page.locator(".monaco-dialog-box .monaco-button", has_text=button)
        choice.first.wait_for()
        self.picture(picture)
        choice.first.click()

    def focus(self, name: str):
        """Put the cursor at the end of a file that is open."""
        self.page.locator(f'.tab[data-resource-name="{name}"]').click()
        self.page.locator(".editor-instance .view-lines").first.click()
        self.press("Control+End")

    def panel(self) -> Locator:
        """The text of the page that a panel shows."""
        frame = self.page.frame_locator("iframe.webview.ready")
        return frame.frame_locator("#active-frame").locator("main")

    def entry(self) -> str:
        """What the entry in the status bar says, with the name of its icon; empty without one."""
        return self.page.evaluate(_ENTRY, ENTRY)

    def menu(self) -> list[str]:
        """Labels of the completion menu's entries."""
        rows = self.page.locator(".suggest-widget.visible .monaco-list-row .label-name")
        return rows.all_inner_texts()

    def requests(self, method: str) -> list[dict]:
        """Requests of the editor so far."""
        frames = self.server.frames()
        return [
            each for each in frames if each["from"] == "editor" and each.get("method") == method
        ]

    def answers(self, method: str) -> list[dict]:
        """What the server answered to them, without those that were cancelled."""
        results = []
        asked = set()
        for each in self.server.frames():
            if each.get("method") == "initialize":
                asked.clear()  # another server, with numbers of its own
            elif each["from"] == "editor" and each.get("method") == method:
                asked.add(each["id"])
            elif each["from"] == "server" and each.get("id") in asked and "result" in each:
                results.append(each["result"])
        return results

    def messages(self) -> str:
        """What notifications say."""
        return "\n".join(self.page.locator(".notification-list-item-message").all_inner_texts())

    def picture(self, name: str):
        """Keep what the window looks like, in a light and in a dark theme."""
        self._pictures.mkdir(parents=True, exist_ok=True)
        for scheme, theme in (("dark", "vs-dark"), ("light", "vs")):
            self.page.emulate_media(color_scheme=scheme)
            self.page.wait_for_selector(f".monaco-workbench.{theme}")
            self.page.screenshot(path=self._pictures / f"{name}-{scheme}.png", scale="css")

    def illustrate(self, name: str, place: str, height: int):
        """Keep the upper part of a place for the README, as sharp as on a good screen."""
        box = self.page.locator(place).first.bounding_box()
        assert box is not None
        self.page.emulate_media(color_scheme="dark")
        self.page.wait_for_selector(".monaco-workbench.vs-dark")
        path = self._pictures / f"readme-{name}.png"
        clip = FloatRect(x=box["x"], y=box["y"], width=box["width"], height=height)
        self.page.screenshot(path=path, clip=clip)
        few_colours = Image.open(path).convert("RGB").quantize(64, dither=Image.Dither.NONE)
        few_colours.save(path, optimize=True)

    def wait(self, question, what: str = ""):
        """The first true answer to ``question``, which is asked again and again."""
        give_up = time.monotonic() + PATIENCE
        while not (answer := question()):
            if time.monotonic() > give_up:
                with contextlib.suppress(Error):
                    self.picture(f"failed-{re.sub(r'[^a-z]+', '-', what.lower())}")
                raise AssertionError(f"{what or question}: {self.entry()}, {self.messages()}")
            self.page.wait_for_timeout(50)
        return answer


_GHOST = r"""
() => {
  const lines = [];
  for (const line of document.querySelectorAll(".view-lines .view-line")) {
    const spans = [...line.querySelectorAll("[class*=ghost-text]")];
    const text = spans.filter((each) => !each.parentElement.closest("[class*=ghost-text]"))
      .map((each) => each.textContent).join("");
    if (text) lines.push([line.getBoundingClientRect().top, text]);
  }
  for (const zone of document.querySelectorAll(".suggest-preview-text .view-line")) {
    lines.push([zone.getBoundingClientRect().top, zone.textContent]);
  }
  lines.sort((one, other) => one[0] - other[0]);
  return lines.map((each) => each[1]).join("\n").replaceAll("\u00a0", " ");
}
"""

ENTRY = '.statusbar-item[id="surefill.surefill.surefill.status"]'

_ENTRY = r"""
(selector) => {
  const entry = document.querySelector(selector);
  if (!entry) return "";
  const icon = entry.querySelector(".codicon");
  const name = icon ? [...icon.classList].find((each) => each.startsWith("codicon-")) : "";
  return [name.replace("codicon-", ""), entry.textContent.trim()].join(" ").trim();
}
"""
