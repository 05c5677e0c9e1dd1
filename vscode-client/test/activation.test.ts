import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import manifest from "../package.json";
import { activate, deactivate } from "../src/extension";
import { editor, extensionContext } from "./fakes/vscode";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "surefill-activation-"));
  editor.settings["surefill.languages"] = ["python"];
  editor.settings["surefill.enabled"] = false;
  editor.document = { languageId: "python", uri: { scheme: "file" } };
  await activate(extensionContext(folder) as never);
  await new Promise((resolve) => setImmediate(resolve));
});
after(async () => {
  await deactivate();
  await rm(folder, { recursive: true, force: true });
});

test("every contributed command is there after activation", () => {
  for (const { command } of manifest.contributes.commands) {
    assert.ok(editor.commands.has(command), command);
  }
});

test("switched off, it starts nothing and says so", () => {
  assert.equal(editor.statusBar.text, "$(debug-pause) Surefill");
  assert.equal(editor.statusBar.command, "surefill.resume");
  assert.ok(editor.statusBar.visible);
  assert.deepEqual(editor.context, {
    "surefill.running": false,
    "surefill.served": true,
    "surefill.languagePaused": false,
    "surefill.hasEnvironment": false,
  });
});

test("resuming and pausing write the setting", async () => {
  await editor.commands.get("surefill.resume")?.();
  await editor.commands.get("surefill.pauseLanguage")?.();
  assert.deepEqual(editor.updates, [
    ["enabled", undefined, "global"],
    ["disabledLanguages", ["python"], "global"],
  ]);
});

test("resuming gives the keys back to the text, for a click has taken them", () => {
  assert.deepEqual(editor.executed.splice(0), ["workbench.action.focusActiveEditorGroup"]);
});

test("the editor's own commands do what it can do itself", async () => {
  await editor.commands.get("surefill.acceptWord")?.();
  await editor.commands.get("surefill.trigger")?.();
  assert.deepEqual(editor.executed, [
    "editor.action.inlineSuggest.acceptNextWord",
    "editor.action.inlineSuggest.trigger",
  ]);
});

test("without a server there is nothing to explain, and that is said", async () => {
  await editor.commands.get("surefill.explainSuggestion")?.();
  assert.match(editor.messages.at(-1) ?? "", /no server/);
});
