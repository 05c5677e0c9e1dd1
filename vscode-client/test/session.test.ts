/** Sessions with servers that misbehave: the real language client, and small programs of Node. */

import assert from "node:assert/strict";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { LanguageClient } from "vscode-languageclient/node";
import { Activity } from "../src/activity";
import { LanguageSession, type SessionParts } from "../src/session";
import { editor } from "./fakes/vscode";

const SILENT = "setInterval(() => {}, 1000)";

/** Answers `initialize` and `shutdown`, and offers inline completion. */
const ANSWERING = `
process.stdin.on("data", (data) => {
  const text = String(data);
  const id = /"id":(\\d+)/.exec(text)?.[1];
  if (/"method":"exit"/.test(text)) process.exit();
  if (id === undefined) return;
  const result = /"initialize"/.test(text) ? { capabilities: { inlineCompletionProvider: true } } : null;
  const body = JSON.stringify({ jsonrpc: "2.0", id: Number(id), result });
  process.stdout.write("Content-Length: " + body.length + "\\r\\n\\r\\n" + body);
});
`;

let folder: string;
let node: string;
let happened: string[];
let providersThen: number | undefined;
let changed: () => void;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "surefill-session-"));
  node = path.join(folder, "node");
  await symlink(process.execPath, node);
  happened = [];
  editor.inlineProviders.length = 0;
});
afterEach(async () => {
  mock.timers.reset();
  await rm(folder, { recursive: true });
});

function note(event: string): void {
  happened.push(event);
  changed?.();
}

async function until(event: string): Promise<void> {
  while (!happened.includes(event)) {
    await new Promise<void>((resolve) => {
      changed = resolve;
    });
  }
}

function parts(): SessionParts {
  const line = (message: string) => note(message);
  const log = { info: line, warn: line, error: line, debug: line, trace: line };
  return {
    log: { ...log, onDidChangeLogLevel: () => ({ dispose() {} }), logLevel: 3 } as never,
    languages: ["python"],
    activity: new Activity(() => undefined),
    serverSettings: () => ({}),
    answered: () => undefined,
    restarting: () => note("restarting"),
    restarted: () => {
      providersThen = editor.inlineProviders.length;
      note("restarted");
    },
    ended: (message) => note(`ended: ${message}`),
  };
}

function start(code: string, signal = new AbortController().signal): Promise<LanguageSession> {
  const server = { program: node, prefix: ["-e", code], origin: "setting" as const };
  return LanguageSession.start(server, parts(), signal);
}

function processOf(session: LanguageSession): number {
  const { client } = session as unknown as { client: LanguageClient };
  assert.ok(client.serverProcess?.pid);
  return client.serverProcess.pid;
}

const KILLED = "Server process exited with signal SIGKILL.";

test("a server that never answers is given up, and its process ended", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const started = start(SILENT);
  mock.timers.tick(60_000);
  await assert.rejects(started, /The server did not start: no answer in 60 s/);
  await until(KILLED);
});

test("a start that is not wanted any more ends at once, with the process", async () => {
  const unwanted = new AbortController();
  const before = editor.messages.length;
  const started = start(`console.error("here"); ${SILENT}`, unwanted.signal);
  await until("here");
  unwanted.abort();
  await assert.rejects(started);
  await until(KILLED);
  assert.equal(editor.messages.length, before, "nobody is told of an error");
  await assert.rejects(start(SILENT, unwanted.signal), { name: "AbortError" });
});

test("a server that comes back is announced when it can be asked", async () => {
  const session = await start(ANSWERING);
  assert.equal(editor.inlineProviders.length, 1);
  process.kill(processOf(session), "SIGKILL");
  await until("restarted");
  assert.equal(providersThen, 2, "its features are registered with the editor");
  assert.ok(happened.includes("restarting"));
  await session.stop();
  assert.ok(!happened.some((event) => event.startsWith("ended")));
});

test("a server that cannot be started again has ended for good", async () => {
  const session = await start(ANSWERING);
  await rm(node);
  process.kill(processOf(session), "SIGKILL");
  await until("ended: The server could not be started again.");
  assert.ok(!happened.includes("restarted"));
});

test("a server that ends whenever it is started is given up after some times", async () => {
  const flag = JSON.stringify(path.join(folder, "started"));
  const once = `const fs = require("node:fs");
    if (fs.existsSync(${flag})) process.exit(1);
    fs.writeFileSync(${flag}, "");`;
  const session = await start(once + ANSWERING);
  process.kill(processOf(session), "SIGKILL");
  await until("ended: The server ended by itself, several times in a row.");
  const ends = happened.filter((event) => event.startsWith("ended"));
  assert.equal(ends.length, 1);
  assert.equal(happened.filter((event) => event === "restarting").length, 3);
});

test("a server on its way back can be stopped", async () => {
  const flag = JSON.stringify(path.join(folder, "started"));
  const once = `const fs = require("node:fs");
    const again = fs.existsSync(${flag});
    fs.writeFileSync(${flag}, "");
    if (again) { console.error("again"); ${SILENT}; } else {`;
  const session = await start(`${once}${ANSWERING}}`);
  process.kill(processOf(session), "SIGKILL");
  await until("again");
  happened.splice(0);
  await session.stop();
  await until(KILLED);
  assert.ok(!happened.some((event) => event.startsWith("ended")));
});
