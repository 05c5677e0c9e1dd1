/**
 * The private environment: a virtual environment of our own with the server in it.
 *
 * Each set-up makes a new folder and takes it into use only when all of it works, so that neither
 * a failure nor another window ever meets half an environment. All of it lies below one folder,
 * which is all that there is to remove.
 */

import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import type { Run } from "./process";
import { interpreterOf, isRecent, OLDEST, type Probe, type ProbePython } from "./python";

const IN_USE = "environment.json";
const VENV_MS = 600_000; // minutes on a slow or busy machine; it can be cancelled

/** The environment in use. */
export interface Environment {
  readonly folder: string;
  readonly python: string;
  /** Version of the server in it. */
  readonly version: string;
  /** What pip was asked to install. */
  readonly package: string;
}

/** What an environment is made with, and who is told how far it is. */
export interface SetUp {
  /** The interpreter to make it with. */
  readonly base: string;
  readonly package: string;
  readonly signal: AbortSignal;
  /** Called with what is being done, in a few words. */
  readonly report: (step: string) => void;
  /** Called with each line that pip writes. */
  readonly log: (line: string) => void;
}

/** An environment could not be made; the message is fit for a user. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

export class PrivateEnvironment {
  constructor(
    private readonly root: string,
    private readonly run: Run,
    private readonly probe: ProbePython,
    private readonly platform: NodeJS.Platform = process.platform,
  ) {}

  /** The environment in use; undefined when there is none. */
  async current(): Promise<Environment | undefined> {
    try {
      return parseEnvironment(await readFile(path.join(this.root, IN_USE), "utf8"), this.root);
    } catch {
      return undefined;
    }
  }

  /** Whether there is nothing to remove: no environment in use, and nothing left of others. */
  async isEmpty(): Promise<boolean> {
    return (await readdir(this.root).catch(() => [])).length === 0;
  }

  /**
   * Make an environment and take it into use, in the place of the one before.
   *
   * Throws EnvironmentError, or AbortError when it was cancelled; neither leaves anything behind.
   */
  async setUp(request: SetUp): Promise<Environment> {
    const folder = path.join(this.root, `environment-${randomUUID().slice(0, 8)}`);
    try {
      const made = await this.make(folder, request);
      request.signal.throwIfAborted();
      await this.take(made);
      return made;
    } catch (error) {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      request.signal.throwIfAborted();
      if (error instanceof EnvironmentError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new EnvironmentError(`The environment could not be made: ${reason}`);
    }
  }

  /** Free the folders of environments that are not in use any more. */
  async sweep(replaced: Environment | undefined): Promise<void> {
    const current = await this.current();
    if (replaced === undefined || replaced.folder === current?.folder) return;
    await rm(replaced.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Remove everything that was ever set up. Nothing may run from there any more. */
  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  private async make(folder: string, request: SetUp): Promise<Environment> {
    const { base, signal, log } = request;
    request.report("making a virtual environment");
    await mkdir(this.root, { recursive: true });
    const venv = await this.run(base, ["-I", "-m", "venv", folder], {
      signal,
      timeout: VENV_MS,
      onLine: log,
    });
    if (venv.code !== 0) {
      throw new EnvironmentError(
        `${base} could not make a virtual environment: ${tail(venv.stderr || venv.stdout)}`,
      );
    }
    const python = interpreterOf(folder, this.platform);
    request.report(`installing ${request.package}`);
    const pip = await this.run(python, pipArguments(request.package), {
      signal,
      onLine: (line) => {
        log(line);
        const step = stepOf(line);
        if (step !== undefined) request.report(step);
      },
    });
    if (pip.code !== 0) {
      throw new EnvironmentError(
        `pip could not install ${request.package}: ${pipReason(pip.stderr)}`,
      );
    }
    request.report("trying it");
    const probe = await this.probe(python);
    if (probe?.surefill === undefined) {
      throw new EnvironmentError(`${request.package} was installed, but brought no Surefill.`);
    }
    return { folder, python, version: probe.surefill, package: request.package };
  }

  private async take(environment: Environment): Promise<void> {
    const { folder, ...rest } = environment;
    const written = { folder: path.basename(folder), ...rest };
    const draft = `${folder}.json`;
    await writeFile(draft, `${JSON.stringify(written, null, 2)}\n`, "utf8");
    await rename(draft, path.join(this.root, IN_USE));
  }
}

/** The best interpreter to make an environment with; throws EnvironmentError when there is none. */
export async function chooseBase(
  candidates: readonly string[],
  probe: ProbePython,
): Promise<string> {
  const seen: Probe[] = [];
  for (const candidate of candidates) {
    const found = await probe(candidate);
    if (found === undefined) continue;
    if (isRecent(found) && found.makesEnvironments) return found.executable;
    seen.push(found);
  }
  const oldest = OLDEST.join(".");
  const recent = seen.find(isRecent);
  if (recent !== undefined) {
    throw new EnvironmentError(
      `${recent.executable} has no venv module. Install it (Debian and Ubuntu: apt install python3-venv).`,
    );
  }
  const found = seen.map((each) => `${each.version.join(".")} at ${each.executable}`).join(", ");
  throw new EnvironmentError(
    `No Python ${oldest} or later was found${found ? `, only ${found}` : ""}. Install one, or set surefill.server.path.`,
  );
}

/** What a line of pip's output says is being done; undefined where it says nothing new. */
export function stepOf(line: string): string | undefined {
  const collecting = /^Collecting (\S+)/.exec(line);
  if (collecting) return `looking for ${nameOf(collecting[1] ?? "")}`;
  const downloading = /^\s*Downloading (\S+?)-\d\S* \(([^)]+)\)/.exec(line);
  if (downloading) return `downloading ${downloading[1]} (${downloading[2]})`;
  const building = /^\s*Building wheels? for (?:collected packages: )?([\w.-]+)/.exec(line);
  if (building) return `building ${building[1]}`;
  return line.startsWith("Installing collected packages") ? "installing the packages" : undefined;
}

/** The reason that pip gives on its errors, without its notices. */
export function pipReason(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const errors = lines.filter((line) => line.startsWith("ERROR:"));
  const reason = errors.at(-1)?.slice("ERROR:".length).trim();
  return reason || tail(stderr) || "it does not say why.";
}

function pipArguments(requirement: string): string[] {
  return [
    "-I", // neither PYTHONPATH nor the current folder has a say
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar=off",
    "--",
    requirement,
  ];
}

function parseEnvironment(text: string, root: string): Environment | undefined {
  const raw: unknown = JSON.parse(text);
  if (typeof raw !== "object" || raw === null) return undefined;
  const { folder, python, version, package: requirement } = raw as Record<string, unknown>;
  const texts = [folder, python, version, requirement];
  if (!texts.every((each): each is string => typeof each === "string")) return undefined;
  const [name, interpreter, number, wanted] = texts as [string, string, string, string];
  return {
    folder: path.join(root, path.basename(name)),
    python: interpreter,
    version: number,
    package: wanted,
  };
}

function nameOf(requirement: string): string {
  return /^[\w.-]+/.exec(requirement)?.[0] ?? requirement;
}

function tail(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
