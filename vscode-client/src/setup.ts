/** Setting up and removing the private environment, as the user sees it. */

import { type LogOutputChannel, ProgressLocation, window, workspace } from "vscode";
import type { Controller } from "./controller";
import { chooseBase, type Environment, type PrivateEnvironment } from "./environment";
import { folderPaths } from "./interpreters";
import { onPath } from "./paths";
import { type ProbePython, usualNames } from "./python";

const SET_UP = "Set Up";
const FROM_FILE = "From a File...";
const SHOW_LOG = "Show Log";

export class EnvironmentSetup {
  /** Cancels the set-up in progress; undefined when there is none. */
  private cancel: AbortController | undefined;
  private making: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly controller: Controller,
    private readonly environment: PrivateEnvironment,
    private readonly probe: ProbePython,
    private readonly log: LogOutputChannel,
  ) {}

  /** Ask, then make the environment with progress, then start the server from it. */
  async setUp(): Promise<void> {
    if (this.isBusy()) return;
    const requirement = await this.consent(this.controller.current.environmentPackage);
    if (requirement === undefined) return;
    const cancel = new AbortController();
    this.cancel = cancel;
    try {
      await this.make(requirement, cancel);
    } finally {
      this.cancel = undefined;
      this.controller.showInstalling(undefined);
    }
  }

  /** Cancel a set-up in progress, and wait until nothing is left of it. */
  async stop(): Promise<void> {
    this.cancel?.abort();
    await this.making;
  }

  /** Ask, then stop the server where it runs from there, and remove the environment. */
  async remove(): Promise<void> {
    if (this.isBusy()) return;
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

  /** Whether a set-up is in progress; says so, too. */
  private isBusy(): boolean {
    if (this.cancel === undefined) return false;
    void window.showInformationMessage("The private environment is already being set up.");
    return true;
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

  private async make(requirement: string, cancel: AbortController): Promise<void> {
    const replaced = await this.environment.current();
    const making = this.attempt(requirement, cancel);
    this.making = making;
    const made = await making;
    await this.controller.environmentChanged();
    this.controller.showInstalling(undefined);
    if (made === undefined) return;
    await this.controller.restart();
    try {
      await this.environment.sweep(replaced);
    } catch (error) {
      this.log.warn(`The environment before could not be removed: ${messageOf(error)}`);
    }
  }

  /** The environment that was made; undefined when it was not, which the user has been told. */
  private async attempt(
    requirement: string,
    cancel: AbortController,
  ): Promise<Environment | undefined> {
    try {
      const made = await window.withProgress(
        {
          location: ProgressLocation.Notification,
          title: "Surefill's server",
          cancellable: true,
        },
        async (progress, token) => {
          token.onCancellationRequested(() => cancel.abort());
          const report = (step: string) => {
            progress.report({ message: step });
            this.controller.showInstalling(step);
          };
          report("looking for Python");
          return this.environment.setUp({
            base: await chooseBase(await this.bases(), this.probe),
            package: requirement,
            signal: cancel.signal,
            report,
            log: (line) => this.log.info(line),
          });
        },
      );
      this.log.info(`Surefill ${made.version} is installed in ${made.folder}`);
      return made;
    } catch (error) {
      if (cancel.signal.aborted) this.log.info("The set-up was cancelled; nothing is left of it.");
      else void this.complain(messageOf(error)); // it may stay open for long
      return undefined;
    }
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
