/** One run of the server, spoken to through the language client. */

import type { LogOutputChannel } from "vscode";
import {
  CloseAction,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  type Middleware,
  RevealOutputChannelOn,
  State,
} from "vscode-languageclient/node";
import type { Activity } from "./activity";
import type { ServerCommand } from "./discovery";
import type { Session } from "./lifecycle";
import { neutralFolder } from "./paths";
import { RestartPolicy } from "./restarts";

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

const STOP_MS = 5_000;
const MOST_ERRORS = 3;
const BROKEN = "The connection to the server is broken.";
const ENDED = "The server ended by itself, several times in a row.";

export class LanguageSession implements Session {
  private constructor(
    private readonly client: LanguageClient,
    private readonly ending: { asked: boolean },
  ) {}

  /** Start a server; rejects when it does not come up. */
  static async start(server: ServerCommand, parts: SessionParts): Promise<LanguageSession> {
    const policy = new RestartPolicy();
    const ending = { asked: false };
    let ran = false;
    const client = new LanguageClient(
      "surefill",
      "Surefill",
      {
        command: server.program,
        args: [...server.prefix, "lsp"],
        options: { cwd: neutralFolder(server.program) },
      },
      {
        documentSelector: parts.languages.flatMap((language) =>
          ["file", "untitled"].map((scheme) => ({ scheme, language })),
        ),
        outputChannel: parts.log,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        initializationOptions: parts.serverSettings,
        initializationFailedHandler: () => false,
        diagnosticPullOptions: { onChange: true, onSave: true },
        middleware: middlewareOf(parts),
        errorHandler: {
          error: (_error, _message, count) => {
            if ((count ?? 0) <= MOST_ERRORS) return { action: ErrorAction.Continue, handled: true };
            if (ran && !ending.asked) parts.ended(BROKEN);
            return { action: ErrorAction.Shutdown, handled: true };
          },
          closed: () => {
            if (ran && !ending.asked && policy.again())
              return { action: CloseAction.Restart, handled: true };
            if (ran && !ending.asked) parts.ended(ENDED);
            return { action: CloseAction.DoNotRestart, handled: true };
          },
        },
      },
    );
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Starting && ran) parts.restarting();
      if (newState === State.Running && ran) parts.restarted();
    });
    try {
      await client.start();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`The server did not start: ${reason}`);
    }
    ran = true;
    return new LanguageSession(client, ending);
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
    this.ending.asked = true;
    if (this.client.state === State.Starting) {
      // It had ended by itself and is on its way back: a client cannot be stopped before it is up.
      await this.client.start().catch(() => undefined);
    }
    if (this.client.needsStop()) await this.client.dispose(STOP_MS);
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
