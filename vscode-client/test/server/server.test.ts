/**
 * Against a real server, in the interpreter that SUREFILL_PYTHON names, with the bundle that
 * SUREFILL_BUNDLE names: what the extension takes from its answers is there.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { after, before, test } from "node:test";
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";
import manifest from "../../package.json";
import { parseFindings } from "../../src/doctorPage";
import { explainPage } from "../../src/explainPage";
import { run } from "../../src/process";
import { probeWith } from "../../src/python";
import { parseStatus, type ServerStatus } from "../../src/serverStatus";
import { serverSection } from "../../src/settings";

const python = process.env.SUREFILL_PYTHON ?? "python3";
const bundle = process.env.SUREFILL_BUNDLE ?? "default";
const URI = "file:///project/names.py";
const TEXT = "import logging\n\nlogger = logging.getLogger(";
const patient = { timeout: 300_000 };

let child: ChildProcess;
let connection: MessageConnection;
const shown: string[] = [];

/** What an editor holds under `surefill` when nothing was set. */
function defaults(): Record<string, unknown> {
  const raw: Record<string, unknown> = {};
  for (const group of manifest.contributes.configuration) {
    for (const [name, property] of Object.entries(group.properties)) {
      const [, ...keys] = name.split(".");
      let place = raw;
      for (const key of keys.slice(0, -1)) {
        place[key] ??= {};
        place = place[key] as Record<string, unknown>;
      }
      place[keys.at(-1) ?? ""] = (property as { default: unknown }).default;
    }
  }
  return raw;
}

function execute(command: string, ...args: unknown[]): Promise<unknown> {
  return connection.sendRequest("workspace/executeCommand", { command, arguments: args });
}

async function ready(): Promise<ServerStatus> {
  for (;;) {
    const status = parseStatus(await execute("surefill.status"));
    assert.ok(status, "the answer can be read");
    if (status.model === "ready") return status;
    assert.notEqual(status.model, "failed", status.problem);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

before(async () => {
  child = spawn(python, ["-P", "-m", "surefill", "lsp"], { stdio: ["pipe", "pipe", "inherit"] });
  assert.ok(child.stdout && child.stdin);
  connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const raw = { ...defaults(), bundle };
  const settings = serverSection(raw, { trusted: true, interpreter: python });
  connection.onRequest("workspace/configuration", () => [settings]);
  connection.onRequest("client/registerCapability", () => null);
  connection.onNotification("window/showMessage", ({ message }) => {
    shown.push(message);
  });
  connection.listen();
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    capabilities: {
      workspace: {
        configuration: true,
        didChangeConfiguration: { dynamicRegistration: true },
      },
      textDocument: { inlineCompletion: {} },
    },
    initializationOptions: settings,
  });
  await connection.sendNotification("initialized", {});
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri: URI, languageId: "python", version: 1, text: TEXT },
  });
}, patient);

after(async () => {
  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
  connection.dispose();
  child.kill();
});

test("its status is read, with the bundle's name", patient, async () => {
  const status = await ready();
  assert.match(status.bundle ?? "", /^\S+ \S+$/);
  assert.equal(status.provider, "cpu");
  assert.match(status.version, /^\d+\.\d+/);
});

test("it knows every setting that it is sent", patient, async () => {
  await ready();
  await connection.sendNotification("workspace/didChangeConfiguration", { settings: null });
  await execute("surefill.status");
  assert.deepEqual(shown, []);
});

test("its explanation becomes a page with verdicts, probability and times", patient, async () => {
  await ready();
  const answer = await connection.sendRequest<{ items: unknown[] }>(
    "textDocument/inlineCompletion",
    {
      textDocument: { uri: URI },
      position: { line: 2, character: 27 },
      context: { triggerKind: 1 },
    },
  );
  assert.equal(answer.items.length, 1);
  const { body } = explainPage(String(await execute("surefill.explain", URI)), "names.py");
  assert.match(body, /<p class="summary passed">Checks: \d passed/);
  assert.match(body, /<td class="verdict passed">/);
  assert.match(body, /<meter class="probability"/);
  assert.match(body, /<svg class="times"/);
});

test("an interpreter that has it says so", patient, async () => {
  const probe = await probeWith(run)(python);
  assert.match(probe?.surefill ?? "", /^\d+\.\d+/);
});

test("its doctor's findings are read", patient, async () => {
  const { stdout } = await run(python, ["-P", "-m", "surefill", "doctor", "--json"]);
  const findings = parseFindings(stdout);
  assert.ok(findings?.some(({ subject, ok }) => subject === "model" && ok));
});
