/** The extension's own session with a real server: the real language client, in an editor's place. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { LanguageClient } from "vscode-languageclient/node";
import { Activity } from "../../src/activity";
import { parseStatus } from "../../src/serverStatus";
import { LanguageSession } from "../../src/session";
import { editor, type InlineCompletionItem, makeDocument, Position } from "../fakes/vscode";

const python = process.env.SUREFILL_PYTHON ?? "python3";
const bundle = process.env.SUREFILL_BUNDLE ?? "default";
const patient = { timeout: 300_000 };
const document = makeDocument(
  "file:///project/names.py",
  "python",
  "import logging\n\nlogger = logging.getLogger(",
);

let session: LanguageSession;
let answered = 0;
let comeBack: () => void;
const restarted = new Promise<void>((resolve) => {
  comeBack = resolve;
});
const ended: string[] = [];

before(async () => {
  editor.documents.push(document);
  const line = () => undefined;
  const level = { onDidChangeLogLevel: () => ({ dispose() {} }), logLevel: 3 };
  session = await LanguageSession.start(
    { program: python, prefix: ["-P", "-m", "surefill"], origin: "setting" },
    {
      log: { info: line, warn: line, error: line, debug: line, trace: line, ...level } as never,
      languages: ["python"],
      activity: new Activity(() => undefined),
      serverSettings: () => ({ bundle, completion: { alternatives: 2 } }),
      answered: () => {
        answered += 1;
      },
      restarting: () => undefined,
      restarted: () => comeBack(),
      ended: (message) => ended.push(message),
    },
    new AbortController().signal,
  );
}, patient);

test("a suggestion comes through the client, and is explained", patient, async () => {
  for (;;) {
    const status = parseStatus(await session.status());
    if (status?.model === "ready") break;
    assert.notEqual(status?.model, "failed", status?.problem);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const [provider] = editor.inlineProviders;
  assert.ok(provider, "the server's inline completion is registered with the editor");
  const token = {
    isCancellationRequested: false,
    onCancellationRequested: () => ({ dispose() {} }),
  };
  const items = await provider.provideInlineCompletionItems(
    document,
    new Position(2, 27),
    { triggerKind: 0 },
    token,
  );
  const [item] = (Array.isArray(items) ? items : items.items) as InlineCompletionItem[];
  assert.match(item?.insertText ?? "", /\S/);
  assert.equal(item?.range.start.line, 2);
  assert.match(JSON.stringify(item?.command), /surefill\.accepted/);
  assert.equal(answered, 1);
  assert.match(await session.explain(document.uri.toString()), /^# Why this suggestion/);
});

test("a server that is killed comes back, and one that is stopped does not", patient, async () => {
  const before = pid();
  process.kill(before, "SIGKILL");
  await restarted;
  assert.notEqual(pid(), before);
  assert.ok(parseStatus(await session.status()));
  await session.stop();
  await assert.rejects(session.status());
  assert.deepEqual(ended, []);
});

function pid(): number {
  const { client } = session as unknown as { client: LanguageClient };
  assert.ok(client.serverProcess?.pid);
  return client.serverProcess.pid;
}

after(() => session.stop());
