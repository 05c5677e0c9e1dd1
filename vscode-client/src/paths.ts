/** Paths as users write them in settings, and programs on the PATH. */

import { access, constants, realpath, stat } from "node:fs/promises";
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

/** Whether a file lies in one of `folders` or below, as it is written or by way of a link. */
export async function isWithin(file: string, folders: readonly string[]): Promise<boolean> {
  // Of the file only the folder: a virtual environment's interpreter is a link that leads outside.
  const written = path.dirname(file);
  const real = await realOf(written);
  for (const folder of folders) {
    if (isBelow(written, folder) || isBelow(real, await realOf(folder))) return true;
  }
  return false;
}

/**
 * Whether the workspace has a say in which program `text` is, as a user writes it in a setting: by
 * where it lies, or by what it contains.
 *
 * Throws an Error that names what has no value.
 */
export async function dependsOnWorkspace(
  text: string,
  variables: Variables,
  folders: readonly string[],
): Promise<boolean> {
  if (/\$\{workspaceFolder\}/.test(text)) return true;
  const program = expand(text, { ...variables, folder: undefined });
  if (!/[/\\]/.test(program)) return false;
  return !path.isAbsolute(program) || isWithin(program, folders);
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
 * those in `excluded` folders, nor scripts for a shell of Windows.
 */
export async function onPath(
  name: string,
  excluded: readonly string[] = [],
): Promise<string | undefined> {
  const endings = process.platform === "win32" ? [".exe", ""] : [""];
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    if (!path.isAbsolute(folder)) continue;
    for (const ending of endings) {
      const file = path.join(folder, name + ending);
      if ((await isProgram(file)) && !(await isWithin(file, excluded))) return file;
    }
  }
  return undefined;
}

function isBelow(folder: string, root: string): boolean {
  const way = path.relative(root, folder);
  return way !== ".." && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
}

async function realOf(folder: string): Promise<string> {
  return realpath(folder).catch(() => folder);
}
