/** Finds the server: by the setting, in the workspace's environment, in our own, on the PATH. */

import * as path from "node:path";
import { dependsOnWorkspace, expand, type Variables } from "./paths";
import { interpreterOf, isInterpreter, isRecent, OLDEST, type ProbePython } from "./python";

export type Origin = "setting" | "workspace" | "private" | "path";

/** How Surefill's command line is called: `program ...prefix lsp`, `program ...prefix doctor`. */
export interface ServerCommand {
  readonly program: string;
  readonly prefix: readonly string[];
  readonly origin: Origin;
}

export type Discovery =
  | { readonly kind: "found"; readonly server: ServerCommand }
  | { readonly kind: "missing" }
  | { readonly kind: "misconfigured"; readonly message: string }
  /** The server that is set is the workspace's, which the user has not said to trust. */
  | { readonly kind: "untrusted"; readonly message: string };

/** Where a server may be; each is asked only when those before it had none. */
export interface Places {
  /** The setting, as it was written; empty when there is none. */
  readonly setting: string;
  readonly variables: Variables;
  /** The workspace's folders. */
  readonly folders: readonly string[];
  /** Whether programs of the workspace may be started. */
  readonly trusted: boolean;
  readonly probe: ProbePython;
  readonly isProgram: (file: string) => Promise<boolean>;
  /** Where a program lies on the PATH, in none of the `excluded` folders. */
  readonly onPath: (name: string, excluded: readonly string[]) => Promise<string | undefined>;
  /** Interpreters that the workspace uses, best first. */
  readonly workspaceInterpreters: () => Promise<readonly string[]>;
  /** Interpreter of the private environment, if there is one. */
  readonly privateInterpreter: () => Promise<string | undefined>;
}

export async function findServer(places: Places): Promise<Discovery> {
  if (places.setting !== "") return fromSetting(places);
  if (places.trusted) {
    for (const python of await places.workspaceInterpreters()) {
      const server = await fromInterpreter(python, "workspace", places.probe);
      if (server) return { kind: "found", server };
    }
  }
  const own = await places.privateInterpreter();
  const server =
    own === undefined ? undefined : await fromInterpreter(own, "private", places.probe);
  if (server) return { kind: "found", server };
  const program = await places.onPath("surefill", untrustedFolders(places));
  if (program === undefined) return { kind: "missing" };
  return { kind: "found", server: { program, prefix: [], origin: "path" } };
}

/** Interpreters of the environments that usually lie in a workspace folder. */
export function usualInterpreters(folders: readonly string[], platform: NodeJS.Platform): string[] {
  return folders.flatMap((folder) =>
    [".venv", "venv"].map((name) => interpreterOf(`${folder}/${name}`, platform)),
  );
}

async function fromSetting(places: Places): Promise<Discovery> {
  const wrong = (reason: string): Discovery => ({
    kind: "misconfigured",
    message: `surefill.server.path: ${reason}.`,
  });
  let program: string | undefined;
  try {
    if (
      !places.trusted &&
      (await dependsOnWorkspace(places.setting, places.variables, places.folders))
    ) {
      return {
        kind: "untrusted",
        message: `surefill.server.path: ${places.setting} belongs to this workspace, which is not trusted.`,
      };
    }
    program = expand(places.setting, places.variables);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  const written = program;
  const named = !/[/\\]/.test(written);
  if (!named && !path.isAbsolute(written)) {
    return wrong(`${written} is relative, and no folder is open`);
  }
  program = named ? await places.onPath(written, untrustedFolders(places)) : written;
  if (program === undefined) return wrong(`there is no ${written} on the PATH`);
  if (!(await places.isProgram(program))) return wrong(`${program} is no program`);
  if (!isInterpreter(program)) {
    return { kind: "found", server: { program, prefix: [], origin: "setting" } };
  }
  const probe = await places.probe(program);
  if (probe === undefined) return wrong(`${program} does not answer as a Python would`);
  if (!isRecent(probe)) {
    return wrong(
      `${program} is Python ${probe.version.join(".")}; Surefill needs ${OLDEST.join(".")}`,
    );
  }
  if (probe.surefill === undefined) {
    return wrong(`${program} has no Surefill; install it there with pip`);
  }
  return { kind: "found", server: moduleOf(program, "setting") };
}

/** Folders whose programs are not to be started. */
function untrustedFolders({ trusted, folders }: Places): readonly string[] {
  return trusted ? [] : folders;
}

async function fromInterpreter(
  python: string,
  origin: Origin,
  probe: ProbePython,
): Promise<ServerCommand | undefined> {
  const found = await probe(python);
  const fits = found !== undefined && isRecent(found) && found.surefill !== undefined;
  return fits ? moduleOf(python, origin) : undefined;
}

/** `-P` keeps a folder named `surefill` in the workspace from being imported in its place. */
function moduleOf(python: string, origin: Origin): ServerCommand {
  return { program: python, prefix: ["-P", "-m", "surefill"], origin };
}
