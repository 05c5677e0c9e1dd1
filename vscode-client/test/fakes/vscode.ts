/**
 * An editor that only remembers: of the editor's interface, what an extension without a server
 * touches. The language client is loaded for real, and only needs the names that it extends.
 */

type Handler = () => unknown;

export const editor = {
  settings: {} as Record<string, unknown>,
  commands: new Map<string, Handler>(),
  executed: [] as string[],
  updates: [] as [string, unknown, string][],
  messages: [] as string[],
  context: {} as Record<string, unknown>,
  document: undefined as { languageId: string } | undefined,
  statusBar: {
    text: "",
    command: "",
    visible: false,
    show(): void {
      this.visible = true;
    },
    hide(): void {
      this.visible = false;
    },
    dispose(): void {},
  },
};

const nothing = { dispose(): void {} };
const event = () => nothing;

export const commands = {
  registerCommand(name: string, handler: Handler) {
    editor.commands.set(name, handler);
    return nothing;
  },
  async executeCommand(name: string, key: string, value: unknown): Promise<void> {
    if (name === "setContext") editor.context[key] = value;
    else editor.executed.push(name);
  },
};

async function remember(message: string): Promise<undefined> {
  editor.messages.push(message);
  return undefined;
}

export const window = {
  get activeTextEditor() {
    return editor.document === undefined ? undefined : { document: editor.document };
  },
  createOutputChannel: () => ({
    info(): void {},
    error(message: string): void {
      editor.messages.push(message);
    },
    ...nothing,
  }),
  createStatusBarItem: () => editor.statusBar,
  onDidChangeActiveTextEditor: event,
  showInformationMessage: remember,
  showWarningMessage: remember,
  showErrorMessage: remember,
};

export const workspace = {
  isTrusted: true,
  textDocuments: [],
  workspaceFolders: undefined,
  onDidChangeConfiguration: event,
  onDidOpenTextDocument: event,
  onDidChangeWorkspaceFolders: event,
  onDidGrantWorkspaceTrust: event,
  getConfiguration: (section: string) => ({
    get: (key: string) => editor.settings[`${section}.${key}`],
    inspect: () => ({}),
    update: async (key: string, value: unknown, target: string) => {
      editor.updates.push([key, value, target]);
    },
  }),
};

export const extensions = { getExtension: () => undefined };
export const ConfigurationTarget = { Global: "global", Workspace: "workspace" };
export const StatusBarAlignment = { Right: 2 };
export const ProgressLocation = { Notification: 15 };
export const ViewColumn = { Beside: -2 };
export const QuickPickItemKind = { Separator: -1 };
export const LogLevel = { Trace: 1, Info: 3 };

export class ThemeColor {
  constructor(readonly id: string) {}
}

export class MarkdownString {
  value = "";

  appendMarkdown(text: string): void {
    this.value += text;
  }

  appendText(text: string): void {
    this.value += text;
  }
}

export class Uri {
  private constructor(readonly fsPath: string) {}

  static file(file: string): Uri {
    return new Uri(file);
  }

  static joinPath(base: Uri, ...parts: string[]): Uri {
    return new Uri([base.fsPath, ...parts].join("/"));
  }
}

// What the language client extends when it is loaded.
export class CancellationError extends Error {}
export class CodeAction {}
export class CodeLens {}
export class CompletionItem {}
export class CallHierarchyItem {}
export class Diagnostic {}
export class DocumentLink {}
export class InlayHint {}
export class SymbolInformation {}
export class TypeHierarchyItem {}
export class Disposable {}

export function extensionContext(folder: string) {
  const values = new Map<string, unknown>();
  return {
    subscriptions: [] as unknown[],
    globalStorageUri: Uri.file(folder),
    extensionUri: Uri.file(process.cwd()),
    extension: { id: "surefill.surefill" },
    globalState: {
      get: (key: string, otherwise: unknown) => values.get(key) ?? otherwise,
      update: async (key: string, value: unknown) => void values.set(key, value),
    },
  };
}
