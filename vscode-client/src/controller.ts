/**
 * Joins the server's life with the editor's: settings, documents, trust, interpreters, status bar.
 */

import {
  commands,
  type Disposable,
  type ExtensionContext,
  type LogOutputChannel,
  type TextDocument,
  window,
  workspace,
} from "vscode";
import { Activity } from "./activity";
import type { ClientConfiguration } from "./configuration";
import { type Discovery, findServer, type ServerCommand } from "./discovery";
import type { PrivateEnvironment } from "./environment";
import { folderPaths, Interpreters } from "./interpreters";
import { Lifecycle, type Wish } from "./lifecycle";
import { Missed } from "./missed";
import { currentVariables, isProgram, onPath } from "./paths";
import type { ProbePython } from "./python";
import { isServed } from "./served";
import { LanguageSession, type SessionParts } from "./session";
import { type ClientSettings, serverSection } from "./settings";
import type { Phase, Situation } from "./status";
import { StatusBar } from "./statusBar";

/** Settings that the server is started with; the others it is told while it runs. */
const AT_START = ["surefill.server.path", "surefill.languages"];

export class Controller implements Disposable {
  readonly interpreters: Interpreters;
  private readonly lifecycle: Lifecycle;
  private readonly statusBar = new StatusBar();
  private readonly activity: Activity;
  private readonly missed = new Missed<TextDocument>();
  private readonly disposables: Disposable[] = [];
  private session: LanguageSession | undefined;
  private settings: ClientSettings;
  private phase: Phase = { kind: "waiting" };
  private installing: string | undefined;
  private thinking = false;

  constructor(
    private readonly configuration: ClientConfiguration,
    private readonly environment: PrivateEnvironment,
    private readonly probe: ProbePython,
    private readonly log: LogOutputChannel,
    private readonly extensionId: string,
    onMissing: () => void,
  ) {
    this.settings = configuration.read();
    this.activity = new Activity((thinking) => {
      this.thinking = thinking;
      this.show();
    });
    this.interpreters = new Interpreters(
      () => void this.interpreterChanged(),
      (message) => log.info(message),
    );
    this.lifecycle = new Lifecycle({
      wish: () => this.wish(),
      find: () => this.find(),
      launch: (server, ended, signal) => this.launch(server, ended, signal),
      show: (phase) => {
        this.phase = phase;
        this.show();
        if (phase.kind === "missing") onMissing();
      },
      log: (message) => log.info(message),
    });
  }

  /** Follow the editor from now on. */
  async start(context: ExtensionContext): Promise<void> {
    context.subscriptions.push(this);
    this.disposables.push(
      this.statusBar,
      this.interpreters,
      workspace.onDidChangeConfiguration((event) => {
        if (!event.affectsConfiguration("surefill")) return;
        this.settings = this.configuration.read();
        this.show();
        const anew = AT_START.some((key) => event.affectsConfiguration(key));
        void (anew ? this.lifecycle.restart() : this.lifecycle.follow());
        this.lifecycle.soon(); // another bundle may be on its way
      }),
      workspace.onDidOpenTextDocument(() => void this.lifecycle.follow()),
      workspace.onDidChangeWorkspaceFolders(() => {
        if (this.phase.kind === "missing") void this.lifecycle.restart();
      }),
      workspace.onDidGrantWorkspaceTrust(() => {
        this.settings = this.configuration.read(); // the workspace's own count from now on
        void this.lifecycle.restart();
      }),
      workspace.onDidChangeTextDocument(({ document, contentChanges: [change] }) => {
        const active = document === window.activeTextEditor?.document;
        if (active && change !== undefined && !this.running?.listens)
          this.missed.note(document, change);
      }),
      window.onDidChangeActiveTextEditor(() => this.show()),
    );
    this.noteEarlier();
    await this.environmentChanged();
    void this.lifecycle.follow();
  }

  /** The server's process that answers, if there is one. */
  get running(): LanguageSession | undefined {
    return this.phase.kind === "running" ? this.session : undefined;
  }

  /** How the server's command line is called; looks for it where none runs. */
  async server(): Promise<Discovery> {
    const server = this.lifecycle.server;
    return server === undefined ? this.find() : { kind: "found", server };
  }

  get language(): string | undefined {
    return window.activeTextEditor?.document.languageId;
  }

  get current(): ClientSettings {
    return this.settings;
  }

  get situation(): Situation {
    const document = window.activeTextEditor?.document;
    const language = document?.languageId;
    const phase: Phase =
      this.installing === undefined ? this.phase : { kind: "installing", step: this.installing };
    return {
      phase,
      thinking: this.thinking,
      language,
      served: document !== undefined && isServed(document, this.settings.languages),
      languagePaused: language !== undefined && this.settings.disabledLanguages.includes(language),
    };
  }

  restart(): Promise<void> {
    return this.lifecycle.restart();
  }

  without<T>(work: () => Promise<T>): Promise<T> {
    return this.lifecycle.without(work);
  }

  /** Show what is being installed; undefined when nothing is any more. */
  showInstalling(step: string | undefined): void {
    this.installing = step;
    this.show();
  }

  /** The private environment came or went. */
  async environmentChanged(): Promise<void> {
    const empty = await this.environment.isEmpty();
    this.statusBar.setContext("surefill.hasEnvironment", !empty);
  }

  /** Stop the server and everything else. */
  async stop(): Promise<void> {
    await this.lifecycle.dispose();
  }

  dispose(): void {
    this.activity.dispose();
    for (const each of this.disposables.splice(0)) each.dispose();
  }

  private wish(): Wish {
    if (!this.settings.enabled) return "paused";
    const { languages } = this.settings;
    const open = workspace.textDocuments.some((document) => isServed(document, languages));
    return open ? "wanted" : "waiting";
  }

  private find(): Promise<Discovery> {
    return findServer({
      setting: this.settings.serverPath,
      variables: currentVariables(folderPaths()[0]),
      folders: folderPaths(),
      trusted: workspace.isTrusted,
      probe: this.probe,
      isProgram,
      onPath,
      workspaceInterpreters: () => this.interpreters.ofWorkspace(),
      privateInterpreter: async () => (await this.environment.current())?.python,
    });
  }

  private async launch(
    server: ServerCommand,
    ended: (message: string) => void,
    signal: AbortSignal,
  ): Promise<LanguageSession> {
    if (workspace.isTrusted) await this.interpreters.look();
    const parts: SessionParts = {
      log: this.log,
      languages: this.settings.languages,
      activity: this.activity,
      serverSettings: () =>
        serverSection(this.configuration.section(), {
          trusted: workspace.isTrusted,
          interpreter: this.interpreters.selected,
          folder: folderPaths()[0],
        }),
      answered: () => this.lifecycle.used(),
      restarting: () => this.lifecycle.restarting(),
      restarted: () => {
        void this.lifecycle.refresh();
        this.catchUp();
      },
      ended,
    };
    this.session = await LanguageSession.start(server, parts, signal);
    this.catchUp();
    return this.session;
  }

  /** What was written before this extension was started is known only by not being saved. */
  private noteEarlier(): void {
    const editor = window.activeTextEditor;
    if (editor?.document.isDirty)
      this.missed.note(editor.document, { range: { start: editor.selection.active }, text: "" });
  }

  /** Have the editor ask for what it would have asked for, had there been a server. */
  private catchUp(): void {
    const editor = window.activeTextEditor;
    if (!this.missed.take(editor?.document, editor?.selection.active)) return;
    const suggesting = workspace.getConfiguration("editor", editor?.document);
    if (!suggesting.get("inlineSuggest.enabled", true)) return;
    // Without a provider the editor asks for nothing that it does not miss. Editors that do not
    // know these arguments ask as if the user had.
    const automatic = { explicit: false, providerId: `${this.extensionId}:*` };
    void commands.executeCommand("editor.action.inlineSuggest.trigger", automatic);
  }

  private async interpreterChanged(): Promise<void> {
    const before = this.interpreters.selected;
    if (before === (await this.interpreters.look())) return;
    const origin = this.lifecycle.server?.origin;
    if (origin === undefined || origin === "workspace") await this.lifecycle.restart();
    else await this.session?.settingsChanged();
  }

  private show(): void {
    this.statusBar.show(this.situation);
  }
}
