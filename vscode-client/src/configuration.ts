/** The editor's configuration: read into our settings, and written where it is in force. */

import { ConfigurationTarget, window, workspace } from "vscode";
import { type Change, enabling, enablingLanguage, type Scope } from "./pausing";
import { type ClientSettings, readSettings, usableSection, usableValue } from "./settings";

const SECTION = "surefill";

const TARGETS: Readonly<Record<Scope, ConfigurationTarget>> = {
  user: ConfigurationTarget.Global,
  workspace: ConfigurationTarget.Workspace,
};

export class ClientConfiguration {
  private shown: ReadonlySet<string> = new Set();

  /** The settings now; what is wrong with them is shown once. */
  read(): ClientSettings {
    const configuration = workspace.getConfiguration(SECTION);
    const { settings, problems } = readSettings((key) =>
      usableValue(key, configuration, workspace.isTrusted),
    );
    for (const problem of problems) {
      if (!this.shown.has(problem)) void window.showWarningMessage(problem);
    }
    this.shown = new Set(problems);
    return settings;
  }

  /** All that is set under `surefill`, as plain JSON values. */
  section(): unknown {
    const raw: unknown = workspace.getConfiguration().get(SECTION);
    return usableSection(raw, workspace.getConfiguration(SECTION), workspace.isTrusted);
  }

  async setEnabled(enabled: boolean): Promise<void> {
    const inspected = workspace.getConfiguration(SECTION).inspect<boolean>("enabled");
    await this.write("enabled", enabling(enabled, inspected));
  }

  async setLanguageEnabled(language: string, enabled: boolean): Promise<void> {
    const key = "disabledLanguages";
    const inspected = workspace.getConfiguration(SECTION).inspect<readonly string[]>(key);
    await this.write(key, enablingLanguage(language, enabled, inspected));
  }

  async setBundle(bundle: string): Promise<void> {
    const inspected = workspace.getConfiguration(SECTION).inspect<string>("bundle");
    const scope: Scope = inspected?.workspaceValue === undefined ? "user" : "workspace";
    await this.write("bundle", { scope, value: bundle });
  }

  private async write(key: string, change: Change<unknown>): Promise<void> {
    await workspace.getConfiguration(SECTION).update(key, change.value, TARGETS[change.scope]);
  }
}
