/** The lists that the user chooses from: bundles, and the menu behind the status bar's entry. */

import { commands, type QuickPickItem, QuickPickItemKind, window } from "vscode";
import { bundlesFolder, listBundles, readBundle } from "./bundles";
import type { ClientConfiguration } from "./configuration";
import type { Controller } from "./controller";

const BROWSE = "Browse...";

export async function chooseBundle(
  controller: Controller,
  configuration: ClientConfiguration,
): Promise<void> {
  const current = controller.current.bundle;
  const mark = (setting: string) => (setting === current ? "in use" : "");
  const folder = bundlesFolder();
  const listed = (await listBundles(folder)).map(({ setting, title, detail }) => ({
    label: setting,
    description: [title === setting ? "" : title, mark(setting)].filter(Boolean).join(" · "),
    detail,
  }));
  const known = current === "default" || listed.some(({ label }) => label === current);
  const items: QuickPickItem[] = [
    {
      label: "default",
      description: ["ships with the server", mark("default")].filter(Boolean).join(" · "),
    },
    ...listed,
    ...(known ? [] : [{ label: current, description: mark(current) }]),
    { label: "", kind: QuickPickItemKind.Separator },
    { label: BROWSE, description: "a bundle's folder elsewhere" },
  ];
  const picked = await window.showQuickPick(items, {
    title: "Surefill: the model's bundle",
    placeHolder: `Bundles in ${folder}`,
    matchOnDescription: true,
  });
  const setting = picked?.label === BROWSE ? await browse() : picked?.label;
  if (setting !== undefined) await configuration.setBundle(setting);
}

async function browse(): Promise<string | undefined> {
  const [folder] =
    (await window.showOpenDialog({
      title: "A bundle's folder",
      openLabel: "Use This Bundle",
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  if (folder === undefined) return undefined;
  if ((await readBundle(folder.fsPath)) !== undefined) return folder.fsPath;
  void window.showErrorMessage(`${folder.fsPath} is no bundle: it has no bundle.json.`);
  return undefined;
}

/** What can be done now, as a menu. */
export async function showMenu(controller: Controller): Promise<void> {
  const { phase, language, served, languagePaused } = controller.situation;
  const running = phase.kind === "running";
  const entry = (icon: string, label: string, command: string, wanted = true) =>
    wanted ? [{ label: `$(${icon}) ${label}`, command }] : [];
  const paused = phase.kind === "paused";
  const items = [
    ...entry("search", "Explain This Suggestion", "surefill.explainSuggestion", running && served),
    ...entry("sparkle", "Suggest Now", "surefill.trigger", running && served),
    ...entry("debug-pause", "Pause", "surefill.pause", !paused),
    ...entry("debug-start", "Resume", "surefill.resume", paused),
    ...entry(
      "debug-pause",
      `Pause for ${language}`,
      "surefill.pauseLanguage",
      !paused && served && !languagePaused,
    ),
    ...entry(
      "debug-start",
      `Resume for ${language}`,
      "surefill.resumeLanguage",
      !paused && served && languagePaused,
    ),
    ...entry("package", "Choose Bundle...", "surefill.chooseBundle"),
    ...entry("debug-restart", "Restart Server", "surefill.restartServer", !paused),
    ...entry("pulse", "Run Doctor", "surefill.runDoctor"),
    ...entry("output", "Show Log", "surefill.showLog"),
    ...entry("settings-gear", "Settings", "surefill.openSettings"),
  ];
  const picked = await window.showQuickPick(items, { title: "Surefill" });
  if (picked !== undefined) await commands.executeCommand(picked.command);
}
