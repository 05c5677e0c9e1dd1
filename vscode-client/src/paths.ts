/** Paths as users write them in settings, and programs on the PATH. */

import { access, constants, stat } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";

/** What the variables in a path stand for. */
export interface Variables {
  readonly home: string;
  /** The first workspace folder, if there is one. */
  readonly folder: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

export function currentVariables(folder: string | undefined): Variables {
  return { home: homedir(), folder, env: process.env };
}

/**
 * `text` with `~`, `${workspaceFolder}` and `${env:NAME}` replaced.
 *
 * Throws an Error that names what has no value.
 */
export function expand(text: string, { home, folder, env }: Variables): string {
  const replaced = text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
    const value = name.startsWith("env:")
      ? env[name.slice(4)]
      : name === "workspaceFolder"
        ? folder
        : undefined;
    if (value === undefined) throw new Error(`${whole} has no value here`);
    return value;
  });
  const expanded = replaced.replace(/^~(?=$|[/\\])/, home);
  const named = !/[/\\]/.test(expanded);
  return named || path.isAbsolute(expanded) || folder === undefined
    ? expanded
    : path.resolve(folder, expanded);
}

/**
 * The folder to run a program in: its own, or the user's home where only its name is known.
 *
 * Never a workspace's: Windows looks for programs in the current folder before the PATH, and
 * Python may import from there.
 */
export function neutralFolder(program: string, home: string = homedir()): string {
  return path.isAbsolute(program) ? path.dirname(program) : home;
}

/** Whether there is a file that can be executed. */
export async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, process.platform === "win32" ? constants.F_OK : constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/**
 * Where a program lies on the PATH. Entries relative to the current folder do not count, nor do
 * scripts for a shell of Windows.
 */
export async function onPath(name: string): Promise<string | undefined> {
  const endings = process.platform === "win32" ? [".exe", ""] : [""];
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    if (!path.isAbsolute(folder)) continue;
    for (const ending of endings) {
      const file = path.join(folder, name + ending);
      if (await isProgram(file)) return file;
    }
  }
  return undefined;
}
