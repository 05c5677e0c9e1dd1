/** The interpreters that the workspace uses, as the Python extension or the folders say. */

import { type Disposable, type Event, extensions, type Uri, workspace } from "vscode";
import { usualInterpreters } from "./discovery";
import { within } from "./patience";

/** Of the Python extension's interface, what is used here. */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: Uri): { readonly path: string };
    resolveEnvironment(environment: {
      readonly path: string;
    }): Promise<{ readonly executable: { readonly uri: Uri | undefined } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: Event<unknown>;
  };
}

/** The Python extension may be busy looking at the whole machine; the server starts without it. */
const PATIENCE_MS = 10_000;

export class Interpreters implements Disposable {
  private listener: Disposable | undefined;
  private selectedNow: string | undefined;

  /** `changed` is called when another interpreter is selected. */
  constructor(
    private readonly changed: () => void,
    private readonly log: (message: string) => void,
  ) {}

  /** The selected interpreter, as it was when last looked at. */
  get selected(): string | undefined {
    return this.selectedNow;
  }

  /** All that the workspace uses, the selected one first. */
  async ofWorkspace(): Promise<readonly string[]> {
    const selected = await this.look();
    const usual = usualInterpreters(folderPaths(), process.platform);
    return [...new Set(selected === undefined ? usual : [selected, ...usual])];
  }

  /** Look which interpreter is selected. */
  async look(): Promise<string | undefined> {
    try {
      this.selectedNow = await within(PATIENCE_MS, this.ask());
    } catch (error) {
      this.selectedNow = undefined;
      this.log(`The Python extension does not say which interpreter is selected: ${error}`);
    }
    return this.selectedNow;
  }

  dispose(): void {
    this.listener?.dispose();
  }

  private async ask(): Promise<string | undefined> {
    const extension = extensions.getExtension<PythonApi>("ms-python.python");
    if (extension === undefined) return undefined;
    const api = extension.isActive ? extension.exports : await extension.activate();
    const environments = api?.environments;
    if (environments === undefined) return undefined;
    this.listener ??= environments.onDidChangeActiveEnvironmentPath(() => this.changed());
    const folder = workspace.workspaceFolders?.[0]?.uri;
    const resolved = await environments.resolveEnvironment(
      environments.getActiveEnvironmentPath(folder),
    );
    return resolved?.executable.uri?.fsPath;
  }
}

/** The workspace folders that lie on a disk. */
export function folderPaths(): string[] {
  return (workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === "file")
    .map(({ uri }) => uri.fsPath);
}
