/** What the server answers to its command `surefill.status`, read with care. */

export type ModelState = "idle" | "starting" | "loading" | "ready" | "failed";

export interface ServerStatus {
  readonly version: string;
  readonly model: ModelState;
  /** Why there is no model, with what to do about it; empty when there is one. */
  readonly problem: string;
  /** Name and version of the bundle in service. */
  readonly bundle: string | undefined;
  /** What it runs on. */
  readonly provider: string | undefined;
  readonly checker: {
    /** Name and version; empty while none is known. */
    readonly name: string;
    /** What is wrong with it, with what to do about it; empty when nothing is. */
    readonly problem: string;
  };
}

const STATES: readonly string[] = ["idle", "starting", "loading", "ready", "failed"];

/** The answer's fields that we know; undefined for what is no such answer. */
export function parseStatus(raw: unknown): ServerStatus | undefined {
  const answer = asObject(raw);
  const state = answer.state;
  if (typeof state !== "string" || !STATES.includes(state)) return undefined;
  const bundle = asObject(answer.bundle);
  const checker = asObject(answer.checker);
  return {
    version: asText(answer.version),
    model: state as ModelState,
    problem: asText(answer.problem),
    bundle: joined(bundle.name, bundle.version) || undefined,
    provider: asText(answer.provider) || undefined,
    checker: {
      name: joined(checker.name, checker.version),
      problem: asText(checker.problem),
    },
  };
}

/** Whether the model will be in another state soon, without anybody doing anything. */
export function isSettling(status: ServerStatus | undefined): boolean {
  return status === undefined || !["ready", "failed"].includes(status.model);
}

function joined(...parts: readonly unknown[]): string {
  return parts.map(asText).filter(Boolean).join(" ");
}

function asObject(raw: unknown): Record<string, unknown> {
  return typeof raw === "object" && raw !== null ? (raw as Record<string, unknown>) : {};
}

function asText(raw: unknown): string {
  return typeof raw === "string" ? raw : "";
}
