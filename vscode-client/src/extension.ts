/** Wires the extension: makes the parts, joins them, registers the commands. */

import { commands, type ExtensionContext, Uri, window } from "vscode";
import { chooseBundle, showMenu } from "./choices";
import { ClientConfiguration } from "./configuration";
import { Controller } from "./controller";
import { runDoctor } from "./doctor";
import { PrivateEnvironment } from "./environment";
import { explainPage } from "./explainPage";
import { Offer } from "./offer";
import { PagePanel } from "./panel";
import { run } from "./process";
import { probeWith } from "./python";
import { EnvironmentSetup } from "./setup";

let controller: Controller | undefined;
let setup: EnvironmentSetup | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  const log = window.createOutputChannel("Surefill", { log: true });
  const probe = probeWith(run);
  const configuration = new ClientConfiguration();
  const root = Uri.joinPath(context.globalStorageUri, "environments").fsPath;
  const environment = new PrivateEnvironment(root, run, probe);
  const offer = new Offer(context.globalState);
  const control = new Controller(
    configuration,
    environment,
    probe,
    log,
    context.extension.id,
    () => void offer.make(),
  );
  const environmentSetup = new EnvironmentSetup(control, environment, probe, log);
  const why = new PagePanel("surefill.why", context.extensionUri);
  const doctor = new PagePanel("surefill.doctor", context.extensionUri);
  controller = control;
  setup = environmentSetup;
  context.subscriptions.push(log, why, doctor);

  const register = (name: string, handler: () => unknown) => {
    const guarded = async () => {
      try {
        await handler();
      } catch (error) {
        log.error(`${name}: ${String(error)}`);
        void window.showErrorMessage(`Surefill: ${messageOf(error)}`);
      }
    };
    context.subscriptions.push(commands.registerCommand(`surefill.${name}`, guarded));
  };
  const forward = (name: string, editorCommand: string) =>
    register(name, () => commands.executeCommand(editorCommand));
  const ofLanguage = (enabled: boolean) => async () => {
    const { language } = control;
    if (language !== undefined) await configuration.setLanguageEnabled(language, enabled);
  };

  register("showMenu", () => showMenu(control));
  register("pause", () => configuration.setEnabled(false));
  register("resume", () => configuration.setEnabled(true).then(backToText));
  register("pauseLanguage", ofLanguage(false));
  register("resumeLanguage", () => ofLanguage(true)().then(backToText));
  forward("trigger", "editor.action.inlineSuggest.trigger");
  forward("nextAlternative", "editor.action.inlineSuggest.showNext");
  forward("previousAlternative", "editor.action.inlineSuggest.showPrevious");
  forward("acceptWord", "editor.action.inlineSuggest.acceptNextWord");
  forward("acceptLine", "editor.action.inlineSuggest.acceptNextLine");
  register("explainSuggestion", () => explain(control, why));
  register("chooseBundle", () => chooseBundle(control, configuration));
  register("restartServer", () => control.restart());
  register("showLog", () => log.show());
  register("runDoctor", () => runDoctor(control, run, doctor, log));
  register("setUpEnvironment", () => offer.hide().then(() => environmentSetup.setUp()));
  register("removeEnvironment", () => environmentSetup.remove());
  register("openSettings", () => openSettings(`@ext:${context.extension.id}`));
  register("openServerSetting", () => openSettings("surefill.server.path"));

  await control.start(context);
}

export async function deactivate(): Promise<void> {
  await Promise.all([setup?.stop(), controller?.stop()]);
}

async function explain(control: Controller, panel: PagePanel): Promise<void> {
  const editor = window.activeTextEditor;
  const session = control.running;
  if (editor === undefined || session === undefined) {
    void window.showInformationMessage("There is no server that could explain anything.");
    return;
  }
  const { uri, fileName } = editor.document;
  const name = fileName.split(/[/\\]/).at(-1) ?? fileName;
  panel.show(explainPage(await session.explain(uri.toString()), name));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A click on the status bar's entry has taken the keys away from the text. */
function backToText(): Thenable<unknown> {
  return commands.executeCommand("workbench.action.focusActiveEditorGroup");
}

function openSettings(query: string): Thenable<unknown> {
  return commands.executeCommand("workbench.action.openSettings", query);
}
