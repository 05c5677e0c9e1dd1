/** One run of the server, spoken to through the language client. */

import type { LogOutputChannel } from "vscode";
import {
  CloseAction,
  type CloseHandlerResult,
  ErrorAction,
  type ErrorHandlerResult,
  ExecuteCommandRequest,
  type Middleware,
  RevealOutputChannelOn,
  State,
} from "vscode-languageclient/node";
import type { Activity } from "./activity";
import { EndableClient } from "./client";
import type { ServerCommand } from "./discovery";
import type { Session } from "./lifecycle";
import { neutralFolder } from "./paths";
import { within } from "./patience";
import { RestartPolicy } from "./restarts";
import { selectorOf } from "./served";

/** What a session needs of the rest of the extension. */
export interface SessionParts {
  readonly log: LogOutputChannel;
  readonly languages: readonly string[];
  readonly activity: Activity;
  /** The settings as the server knows them. */
  readonly serverSettings: () => unknown;
  /** The server has answered a request for suggestions. */
  readonly answered: () => void;
  /** It has ended by itself and is being started again. */
  readonly restarting: () => void;
  /** It runs again after it had ended by itself. */
  readonly restarted: () => void;
  /** It has ended for good, with what to tell the user. */
  readonly ended: (message: string) => void;
}

/** How long a server may take until it answers for the first time. */
const START_MS = 60_000;
const MOST_ERRORS = 3;
const BROKEN = "The connection to the server is broken.";
const ENDED = "The server ended by itself, several times in a row.";
const NOT_AGAIN = "The server could not be started again.";

export class LanguageSession implements Session {
  private readonly client: EndableClient;
  private readonly policy = new RestartPolicy();
  private ran = false;
  private endAsked = false;
  private closings = 0;

  private constructor(
    { program, prefix }: ServerCommand,
    private readonly parts: SessionParts,
  ) {
    const executable = {
      command: program,
      args: [...prefix, "lsp"],
      options: { cwd: neutralFolder(program) },
    };
    this.client = new EndableClient("surefill", "Surefill", executable, {
      documentSelector: selectorOf(parts.languages),
      outputChannel: parts.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: parts.serverSettings,
      initializationFailedHandler: () => false,
      diagnosticPullOptions: { onChange: true, onSave: true },
      middleware: middlewareOf(parts),
      errorHandler: {
        error: (_error, _message, count) => this.broken(count ?? 0),
        closed: () => this.closed(),
      },
    });
    this.client.onDidChangeState(({ newState }) => {
      if (newState === State.Starting && this.ran) void this.comeBack();
    });
  }

  /** Start a server; rejects when it does not come up in time, or when the start is aborted. */
  static async start(
    server: ServerCommand,
    parts: SessionParts,
    signal: AbortSignal,
  ): Promise<LanguageSession> {
    signal.throwIfAborted();
    const session = new LanguageSession(server, parts);
    try {
      await within(START_MS, session.client.start(), signal);
    } catch (error) {
      await session.stop();
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`The server did not start: ${reason}`);
    }
    session.ran = true;
    return session;
  }

  /** Whether it is told now what is written. */
  get listens(): boolean {
    return this.client.isRunning();
  }

  status(): Promise<unknown> {
    return this.execute("surefill.status");
  }

  /** Why the last answer for a document was what it was, as Markdown. */
  async explain(uri: string): Promise<string> {
    const page = await this.execute("surefill.explain", uri);
    return typeof page === "string" ? page : "";
  }

  /** Have the server ask for its settings. */
  async settingsChanged(): Promise<void> {
    await this.client.sendNotification("workspace/didChangeConfiguration", { settings: null });
  }

  async stop(): Promise<void> {
    this.endAsked = true;
    await this.client.end();
  }

  private broken(count: number): ErrorHandlerResult {
    if (count <= MOST_ERRORS) return { action: ErrorAction.Continue, handled: true };
    this.lost(BROKEN);
    return { action: ErrorAction.Shutdown, handled: true };
  }

  private closed(): CloseHandlerResult {
    this.closings += 1;
    const again = this.ran && !this.endAsked && this.policy.again();
    if (!again) this.lost(ENDED);
    return { action: again ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
  }

  /** The client starts it again: follow that to its end. */
  private async comeBack(): Promise<void> {
    const before = this.closings;
    this.parts.restarting();
    try {
      // The state says too early that it runs: before there are features to use.
      await within(START_MS, this.client.start());
      if (!this.endAsked) this.parts.restarted();
    } catch {
      if (this.closings !== before) return; // it has ended once more, and that was seen to
      this.lost(NOT_AGAIN);
      await this.stop();
    }
  }

  /** It has ended for good; that is told of one that ran, and that nobody has stopped. */
  private lost(message: string): void {
    if (this.ran && !this.endAsked) this.parts.ended(message);
  }

  private execute(command: string, ...args: unknown[]): Promise<unknown> {
    return this.client.sendRequest(ExecuteCommandRequest.type, { command, arguments: args });
  }
}

function middlewareOf(parts: SessionParts): Middleware {
  return {
    workspace: {
      // Any other section is answered as ever; ours leaves out what the server does not know.
      configuration: async (params, token, next) => {
        const values = await next(params, token);
        if (!Array.isArray(values)) return values;
        return values.map((value: unknown, index) =>
          params.items[index]?.section === "surefill" ? parts.serverSettings() : value,
        );
      },
    },
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      try {
        return await parts.activity.during(async () => next(document, position, context, token));
      } finally {
        parts.answered();
      }
    },
  };
}
