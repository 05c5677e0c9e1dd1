/** Python interpreters: what one can do, and which there are on this machine. */

import * as path from "node:path";
import { neutralFolder } from "./paths";
import type { Run } from "./process";

/** The oldest Python that the server runs on. */
export const OLDEST: readonly [number, number] = [3, 11];

/** What an interpreter says about itself. */
export interface Probe {
  readonly executable: string;
  readonly version: readonly [number, number];
  /** Version of the Surefill that it can import, if any. */
  readonly surefill: string | undefined;
  /** Whether it can make virtual environments with pip in them. */
  readonly makesEnvironments: boolean;
}

/** Asks an interpreter about itself; undefined where it does not answer. */
export type ProbePython = (python: string) => Promise<Probe | undefined>;

const PROBE_MS = 15_000;

// Runs on any Python 3, and imports nothing but the standard library. Before 3.11 the current
// folder, an empty entry of the search path, comes first in it whatever the environment says.
const QUESTIONS = `
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import importlib.util as u, json
v = None
if u.find_spec("surefill") is not None:
    try:
        from importlib.metadata import version
        v = version("surefill")
    except Exception:
        v = "unknown"
print(json.dumps({
    "executable": sys.executable,
    "version": list(sys.version_info[:2]),
    "surefill": v,
    "venv": all(u.find_spec(m) is not None for m in ("venv", "ensurepip")),
}))
`;

export function probeWith(run: Run): ProbePython {
  return async (python) => {
    try {
      const { code, stdout } = await run(python, ["-c", QUESTIONS], {
        cwd: neutralFolder(python),
        timeout: PROBE_MS,
        env: safeEnvironment(),
      });
      return code === 0 ? parseProbe(stdout) : undefined;
    } catch {
      return undefined;
    }
  };
}

/** The answer to our questions; undefined for anything else. */
export function parseProbe(stdout: string): Probe | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  } catch {
    return undefined;
  }
  if (typeof raw !== "object" || raw === null) return undefined;
  const { executable, version, surefill, venv } = raw as Record<string, unknown>;
  if (typeof executable !== "string" || executable === "" || !Array.isArray(version)) {
    return undefined;
  }
  const [major, minor] = version as unknown[];
  if (typeof major !== "number" || typeof minor !== "number") return undefined;
  return {
    executable,
    version: [major, minor],
    surefill: typeof surefill === "string" ? surefill : undefined,
    makesEnvironments: venv === true,
  };
}

/** Whether the server can run on it. */
export function isRecent({ version: [major, minor] }: Probe): boolean {
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** Whether a path names a Python interpreter rather than the program `surefill`. */
export function isInterpreter(program: string): boolean {
  return /^(python|pypy)[\d.]*[a-z]?(\.exe)?$/i.test(path.win32.basename(program));
}

/** Where a virtual environment has its interpreter. */
export function interpreterOf(folder: string, platform: NodeJS.Platform): string {
  return platform === "win32"
    ? path.win32.join(folder, "Scripts", "python.exe")
    : path.posix.join(folder, "bin", "python");
}

/** Names to look for on the PATH for a Python to make an environment with, best first. */
export function usualNames(platform: NodeJS.Platform): readonly string[] {
  const numbered = [14, 13, 12, 11].map((minor) => `python3.${minor}`);
  return platform === "win32" ? ["python", "python3"] : ["python3", "python", ...numbered];
}

/** The process's environment, with the current folder kept off Python's search path. */
export function safeEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PYTHONSAFEPATH: "1" };
}
