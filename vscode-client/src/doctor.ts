/** Runs the server's doctor and shows what it found. */

import { type LogOutputChannel, ProgressLocation, window, workspace } from "vscode";
import type { Controller } from "./controller";
import { doctorPage, parseFindings } from "./doctorPage";
import { folderPaths } from "./interpreters";
import type { PagePanel } from "./panel";
import { neutralFolder } from "./paths";
import type { Run } from "./process";

const LONGEST_MS = 180_000;

export async function runDoctor(
  controller: Controller,
  run: Run,
  panel: PagePanel,
  log: LogOutputChannel,
): Promise<void> {
  const discovery = await controller.server();
  if (discovery.kind !== "found") {
    const said =
      discovery.kind === "missing" ? "There is no server to examine yet." : discovery.message;
    void window.showWarningMessage(said);
    return;
  }
  const { program, prefix } = discovery.server;
  const args = [...prefix, "doctor", "--json", "--bundle", controller.current.bundle];
  // The doctor looks for the user's environment from the folder that it runs in.
  const folder = workspace.isTrusted ? folderPaths()[0] : undefined;
  await window.withProgress(
    {
      location: ProgressLocation.Notification,
      title: "Surefill's doctor looks at this machine",
      cancellable: true,
    },
    async (_progress, token) => {
      const aborted = new AbortController();
      token.onCancellationRequested(() => aborted.abort());
      try {
        const result = await run(program, args, {
          cwd: folder ?? neutralFolder(program),
          timeout: LONGEST_MS,
          signal: aborted.signal,
        });
        const findings = parseFindings(result.stdout);
        if (findings === undefined) throw new Error(result.stderr || "it said nothing");
        panel.show(doctorPage(findings));
      } catch (error) {
        if (aborted.signal.aborted) return;
        log.error(`The doctor failed: ${String(error)}`);
        void window.showErrorMessage(`Surefill's doctor failed: ${lastLine(String(error))}`);
      }
    },
  );
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
