/**
 * The server's life: looked for, started, asked how it is, stopped, started anew.
 *
 * One thing happens at a time, in the order in which it was asked for; only a start that is not
 * wanted any more is not waited for. Knows no editor.
 */

import type { Discovery, ServerCommand } from "./discovery";
import { isSettling, parseStatus } from "./serverStatus";
import type { Phase } from "./status";

/** A server that runs. */
export interface Session {
  /** What it answers to `surefill.status`; rejects when it does not. */
  status(): Promise<unknown>;
  stop(): Promise<void>;
}

/** Whether there is anything to do for a server. */
export type Wish = "paused" | "waiting" | "wanted";

export interface LifecycleParts {
  readonly wish: () => Wish;
  readonly find: () => Promise<Discovery>;
  /**
   * Start it; rejects when it does not come up, and soon when that is aborted.
   *
   * `ended` is called when it has ended for good, with what to tell the user.
   */
  readonly launch: (
    server: ServerCommand,
    ended: (message: string) => void,
    signal: AbortSignal,
  ) => Promise<Session>;
  readonly show: (phase: Phase) => void;
  readonly log: (message: string) => void;
}

/** How long a status that is about to change is left alone. */
const SETTLING_MS = 700;
/** How old a settled status may be while the server is in use. */
const FRESH_MS = 5_000;

export class Lifecycle {
  private queue: Promise<void> = Promise.resolve();
  private session: Session | undefined;
  private command: ServerCommand | undefined;
  private phase: Phase = { kind: "waiting" };
  private starting: AbortController | undefined;
  private timer: NodeJS.Timeout | undefined;
  private asked = 0;

  constructor(
    private readonly parts: LifecycleParts,
    private readonly now: () => number = Date.now,
  ) {}

  /** How the command line of the server that runs is called. */
  get server(): ServerCommand | undefined {
    return this.command;
  }

  /** Follow what is wanted now: nothing is tried again that has failed. */
  follow(): Promise<void> {
    if (this.parts.wish() === "paused") this.starting?.abort();
    return this.enqueue(async () => {
      const wish = this.parts.wish();
      if (wish !== "wanted") {
        if (wish === "paused" || this.session === undefined) await this.end(wish);
      } else if (this.phase.kind === "paused" || this.phase.kind === "waiting") {
        await this.begin();
      }
    });
  }

  /** Start anew, whatever was before. */
  restart(): Promise<void> {
    this.starting?.abort();
    return this.enqueue(async () => {
      const wish = this.parts.wish();
      await this.end(wish === "paused" ? "paused" : "waiting");
      if (wish === "wanted") await this.begin();
    });
  }

  /** Do `work` while no server runs, then go on as is wanted. */
  async without<T>(work: () => Promise<T>): Promise<T> {
    this.starting?.abort();
    let outcome: Promise<T> | undefined;
    await this.enqueue(async () => {
      await this.end("waiting");
      outcome = work();
      await outcome.catch(() => undefined); // whoever asked for it is told below
    });
    void this.follow();
    return outcome as Promise<T>;
  }

  /** The server has answered somebody: a good time to ask how it is, if it was not asked lately. */
  used(): void {
    if (this.now() - this.asked >= FRESH_MS) void this.refresh();
  }

  /** The server had ended and is on its way back: what it last said holds no more. */
  restarting(): void {
    if (this.session !== undefined) this.enter({ kind: "running", status: undefined });
  }

  /** Something was changed that the server will follow: ask how it is in a moment. */
  soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), SETTLING_MS);
  }

  /** Ask the server how it is. */
  async refresh(): Promise<void> {
    const session = this.session;
    if (session === undefined) return;
    this.asked = this.now();
    const status = await session.status().then(parseStatus, (error: unknown) => {
      this.parts.log(`The server does not say how it is: ${String(error)}`);
      return undefined;
    });
    if (session !== this.session) return;
    this.enter({ kind: "running", status });
    if (isSettling(status)) this.soon();
  }

  /** Stop the server for good. */
  dispose(): Promise<void> {
    this.starting?.abort();
    return this.enqueue(() => this.end("waiting"));
  }

  private enqueue(work: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(work).catch((error: unknown) => {
      this.parts.log(String(error));
      this.enter({ kind: "failed", message: messageOf(error) });
    });
    return this.queue;
  }

  private async begin(): Promise<void> {
    this.enter({ kind: "looking" });
    const starting = new AbortController();
    this.starting = starting;
    try {
      await this.launch(starting.signal);
    } catch (error) {
      if (!starting.signal.aborted) throw error;
      this.enter({ kind: "waiting" });
    } finally {
      this.starting = undefined;
    }
  }

  private async launch(signal: AbortSignal): Promise<void> {
    const discovery = await this.parts.find();
    signal.throwIfAborted();
    if (discovery.kind !== "found") {
      this.enter(discovery);
      return;
    }
    const { server } = discovery;
    this.parts.log(`Server: ${[server.program, ...server.prefix].join(" ")} (${server.origin})`);
    this.enter({ kind: "starting" });
    let session: Session | undefined;
    let early: string | undefined;
    const ended = (message: string) => {
      if (session === undefined) early = message;
      else if (this.session === session) this.lose(message);
    };
    session = await this.parts.launch(server, ended, signal);
    if (early !== undefined) throw new Error(early);
    this.session = session;
    this.command = server;
    this.enter({ kind: "running", status: undefined });
    void this.refresh();
  }

  private async end(kind: "paused" | "waiting"): Promise<void> {
    const session = this.session;
    this.forget();
    if (session !== undefined) {
      await session.stop().catch((error: unknown) => {
        this.parts.log(`The server did not stop by itself: ${String(error)}`);
      });
    }
    this.enter({ kind });
  }

  private lose(message: string): void {
    this.forget();
    this.enter({ kind: "failed", message });
  }

  private forget(): void {
    clearTimeout(this.timer);
    this.session = undefined;
    this.command = undefined;
  }

  private enter(phase: Phase): void {
    this.phase = phase;
    this.parts.show(phase);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
