/**
 * An editor that only remembers: of the editor's interface, what the extension and the language
 * client touch. Nothing ever happens in it by itself.
 */

import { readFileSync } from "node:fs";

type Handler = () => unknown;

export const editor = {
  settings: {} as Record<string, unknown>,
  commands: new Map<string, Handler>(),
  executed: [] as string[],
  updates: [] as [string, unknown, string][],
  messages: [] as string[],
  /** What is answered to the next messages; nothing when there is none left. */
  answers: [] as string[],
  context: {} as Record<string, unknown>,
  document: undefined as { languageId: string; uri: { scheme: string } } | undefined,
  documents: [] as Document[],
  inlineProviders: [] as InlineProvider[],
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

/** Of a text document, what is read of it. */
export interface Document {
  readonly uri: Uri;
  readonly languageId: string;
  readonly version: number;
  getText(): string;
}

/** As the language client registers it. */
export interface InlineProvider {
  provideInlineCompletionItems(
    document: Document,
    position: Position,
    context: object,
    token: object,
  ): Promise<{ items: unknown[] } | unknown[]>;
}

export function makeDocument(uri: string, languageId: string, text: string): Document {
  return { uri: Uri.parse(uri), languageId, version: 1, getText: () => text };
}

const nothing = { dispose(): void {} };
const event = () => nothing;

export const commands = {
  registerCommand(name: string, handler: Handler) {
    if (editor.commands.has(name)) throw new Error(`command '${name}' already exists`);
    editor.commands.set(name, handler);
    return { dispose: () => editor.commands.delete(name) };
  },
  async executeCommand(name: string, key: string, value: unknown): Promise<void> {
    if (name === "setContext") editor.context[key] = value;
    else editor.executed.push(name);
  },
};

async function remember(message: string): Promise<string | undefined> {
  editor.messages.push(message);
  return editor.answers.shift();
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
  visibleTextEditors: [],
  tabGroups: { all: [], onDidChangeTabs: event },
  onDidChangeActiveTextEditor: event,
  onDidChangeVisibleTextEditors: event,
  withProgress: <T>(_options: object, task: (progress: object, token: object) => T): T =>
    task({ report(): void {} }, { onCancellationRequested: event }),
  showInformationMessage: remember,
  showWarningMessage: remember,
  showErrorMessage: remember,
};

export const workspace = {
  isTrusted: true,
  get textDocuments(): readonly Document[] {
    return editor.documents;
  },
  notebookDocuments: [],
  workspaceFolders: undefined,
  createFileSystemWatcher: () => ({
    onDidCreate: event,
    onDidChange: event,
    onDidDelete: event,
    ...nothing,
  }),
  onDidChangeConfiguration: event,
  onDidChangeTextDocument: event,
  onDidCloseTextDocument: event,
  onDidSaveTextDocument: event,
  onWillSaveTextDocument: event,
  onDidCreateFiles: event,
  onDidRenameFiles: event,
  onDidDeleteFiles: event,
  onDidOpenTextDocument: event,
  onDidChangeWorkspaceFolders: event,
  onDidGrantWorkspaceTrust: event,
  getConfiguration: (section: string) => ({
    get: (key: string, otherwise?: unknown) => editor.settings[`${section}.${key}`] ?? otherwise,
    inspect: () => ({}),
    update: async (key: string, value: unknown, target: string) => {
      editor.updates.push([key, value, target]);
    },
  }),
};

const features = {
  match: (selector: { language: string }[], { languageId }: Document) =>
    selector.some(({ language }) => language === languageId) ? 10 : 0,
  createDiagnosticCollection: () => ({ set(): void {}, delete(): void {}, ...nothing }),
  registerInlineCompletionItemProvider(_selector: unknown, provider: InlineProvider) {
    editor.inlineProviders.push(provider);
    return nothing;
  },
};

/** What is registered for other features is forgotten. */
export const languages = new Proxy(features, {
  get: (known, name) => Reflect.get(known, name) ?? (() => nothing),
});

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
export const version: string = manifest.engines.vscode.slice(1);
export const env = { appName: "An editor that only remembers", language: "en" };
export const extensions = { getExtension: () => undefined };
export const ConfigurationTarget = { Global: "global", Workspace: "workspace" };
export const StatusBarAlignment = { Right: 2 };
export const ProgressLocation = { Notification: 15 };
export const ViewColumn = { Beside: -2 };
export const QuickPickItemKind = { Separator: -1 };
export const LogLevel = { Trace: 1, Info: 3 };

export const CodeActionKind = { Empty: { append: (part: string) => ({ value: part }) } };
export const InlineCompletionTriggerKind = { Invoke: 0, Automatic: 1 };
export const TabInputText = class {};
export const TabInputTextDiff = class {};
export const TabInputNotebook = class {};
export const TabInputCustom = class {};

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

export class Position {
  constructor(
    readonly line: number,
    readonly character: number,
  ) {}
}

export class Range {
  readonly start: Position;
  readonly end: Position;

  constructor(startLine: number, startCharacter: number, endLine: number, endCharacter: number) {
    this.start = new Position(startLine, startCharacter);
    this.end = new Position(endLine, endCharacter);
  }
}

export class InlineCompletionItem {
  constructor(
    readonly insertText: string,
    readonly range: Range,
    readonly command: unknown,
  ) {}
}

export class InlineCompletionList {
  constructor(readonly items: readonly InlineCompletionItem[]) {}
}

export class EventEmitter {
  readonly event = event;

  fire(): void {}

  dispose(): void {}
}

export class Uri {
  readonly scheme = "file";

  private constructor(readonly fsPath: string) {}

  static file(file: string): Uri {
    return new Uri(file);
  }

  static parse(uri: string): Uri {
    return new Uri(new URL(uri).pathname);
  }

  toString(): string {
    return `file://${this.fsPath}`;
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
export class Disposable {
  static from(): Disposable {
    return new Disposable();
  }

  dispose(): void {}
}

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
