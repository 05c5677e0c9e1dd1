/** Setting up and removing the private environment, as the user sees it. */

import { type LogOutputChannel, ProgressLocation, window, workspace } from "vscode";
import type { Controller } from "./controller";
import { chooseBase, type PrivateEnvironment } from "./environment";
import { folderPaths } from "./interpreters";
import { onPath } from "./paths";
import { type ProbePython, usualNames } from "./python";

const SET_UP = "Set Up";
const FROM_FILE = "From a File...";
const SHOW_LOG = "Show Log";

export class EnvironmentSetup {
  private busy = false;

  constructor(
    private readonly controller: Controller,
    private readonly environment: PrivateEnvironment,
    private readonly probe: ProbePython,
    private readonly log: LogOutputChannel,
  ) {}

  /** Ask, then make the environment with progress, then start the server from it. */
  async setUp(): Promise<void> {
    if (this.busy) {
      void window.showInformationMessage("The private environment is already being set up.");
      return;
    }
    const requirement = await this.consent(this.controller.current.environmentPackage);
    if (requirement === undefined) return;
    this.busy = true;
    try {
      await this.make(requirement);
    } finally {
      this.busy = false;
      this.controller.showInstalling(undefined);
    }
  }

  /** Ask, then stop the server where it runs from there, and remove the environment. */
  async remove(): Promise<void> {
    const current = await this.environment.current();
    const remove = "Remove";
    const answer = await window.showWarningMessage(
      "Remove Surefill's private environment?",
      {
        modal: true,
        detail: current
          ? `Surefill ${current.version} in ${current.folder}. Nothing else is touched; it can be set up again.`
          : "There is none in use; what is left of earlier ones is removed.",
      },
      remove,
    );
    if (answer !== remove) return;
    try {
      await this.controller.without(() => this.environment.remove());
    } catch (error) {
      await this.complain(`The private environment could not be removed: ${messageOf(error)}`);
    }
    await this.controller.environmentChanged();
  }

  /** What is to be installed; undefined when the user would rather not. */
  private async consent(requirement: string): Promise<string | undefined> {
    const answer = await window.showInformationMessage(
      "Set up a private environment for Surefill's server?",
      {
        modal: true,
        detail: `pip installs ${requirement} into a folder of this extension. Your own environments are not touched, and "Surefill: Remove Private Environment" takes it away again.`,
      },
      SET_UP,
      FROM_FILE,
    );
    if (answer !== FROM_FILE) return answer === SET_UP ? requirement : undefined;
    const [file] =
      (await window.showOpenDialog({
        title: "A wheel of Surefill's server",
        openLabel: "Install",
        filters: { Wheels: ["whl"] },
      })) ?? [];
    return file === undefined ? undefined : `${file.fsPath}[cpu]`;
  }

  private async make(requirement: string): Promise<void> {
    const replaced = await this.environment.current();
    const aborted = new AbortController();
    try {
      const made = await window.withProgress(
        {
          location: ProgressLocation.Notification,
          title: "Surefill's server",
          cancellable: true,
        },
        async (progress, token) => {
          token.onCancellationRequested(() => aborted.abort());
          const report = (step: string) => {
            progress.report({ message: step });
            this.controller.showInstalling(step);
          };
          report("looking for Python");
          return this.environment.setUp({
            base: await chooseBase(await this.bases(), this.probe),
            package: requirement,
            signal: aborted.signal,
            report,
            log: (line) => this.log.info(line),
          });
        },
      );
      this.log.info(`Surefill ${made.version} is installed in ${made.folder}`);
    } catch (error) {
      if (aborted.signal.aborted) this.log.info("The set-up was cancelled; nothing is left of it.");
      else await this.complain(messageOf(error));
      return;
    }
    await this.controller.environmentChanged();
    this.controller.showInstalling(undefined);
    await this.controller.restart();
    await this.environment.sweep(replaced);
  }

  /** Interpreters to make an environment with: the selected one, then those on the PATH. */
  private async bases(): Promise<string[]> {
    const excluded = workspace.isTrusted ? [] : folderPaths();
    const named = await Promise.all(
      usualNames(process.platform).map((name) => onPath(name, excluded)),
    );
    const selected = workspace.isTrusted ? await this.controller.interpreters.look() : undefined;
    return [selected, ...named].filter((each) => each !== undefined);
  }

  private async complain(message: string): Promise<void> {
    this.log.error(message);
    if ((await window.showErrorMessage(message, SHOW_LOG)) === SHOW_LOG) this.log.show();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
