/** Child processes that are run to their end: with a limit, a way to stop them, and their lines. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface RunOptions {
  readonly cwd?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds until it is stopped; without it there is no limit. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Called with each line of its output and of its errors, as they come. */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  /** Its exit status; null when it was ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program; the type of what tests put in its place. */
export type Run = (
  program: string,
  args: readonly string[],
  options?: RunOptions,
) => Promise<RunResult>;

/** The program could not be started, took too long or was stopped. */
export class RunError extends Error {
  override readonly name = "RunError";
}

/** Run a program to its end. Throws RunError when there is no such end. */
export const run: Run = (program, args, options = {}) =>
  new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(new RunError(`${program} was not started: it is not wanted any more.`));
      return;
    }
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32", // a group of its own, to be stopped as a whole
      windowsHide: true,
    });
    const output: Record<"stdout" | "stderr", string[]> = { stdout: [], stderr: [] };
    for (const name of ["stdout", "stderr"] as const) {
      createInterface({ input: child[name], crlfDelay: Number.POSITIVE_INFINITY }).on(
        "line",
        (line) => {
          output[name].push(line);
          options.onLine?.(line);
        },
      );
    }

    let stopped = "";
    const stop = (reason: string) => {
      stopped = reason;
      stopGroup(child);
    };
    const onAbort = () => stop("was stopped");
    options.signal?.addEventListener("abort", onAbort, { once: true });
    const timer =
      options.timeout === undefined
        ? undefined
        : setTimeout(() => stop(`took longer than ${options.timeout} ms`), options.timeout);
    const settle = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    };

    child.once("error", (error) => {
      settle();
      reject(new RunError(`${program} could not be started: ${error.message}`));
    });
    child.once("close", (code) => {
      settle();
      if (stopped) reject(new RunError(`${program} ${stopped}.`));
      else resolve({ code, stdout: output.stdout.join("\n"), stderr: output.stderr.join("\n") });
    });
  });

/** End a process and all that it has started. */
function stopGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    spawn("taskkill", ["/pid", String(child.pid), "/t", "/f"], { stdio: "ignore" }).on(
      "error",
      () => child.kill(),
    );
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL"); // it has ended, or its group is not ours
  }
}
