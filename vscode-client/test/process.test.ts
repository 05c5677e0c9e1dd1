import assert from "node:assert/strict";
import { test } from "node:test";
import { RunError, run } from "../src/process";

const node = process.execPath;

test("output, errors and status come back, and each line as it is written", async () => {
  const lines: string[] = [];
  const code = "console.log('one\\ntwo'); console.error('bad'); process.exitCode = 3";
  const result = await run(node, ["-e", code], { onLine: (line) => lines.push(line) });
  assert.deepEqual(result, { code: 3, stdout: "one\ntwo", stderr: "bad" });
  assert.deepEqual(lines.sort(), ["bad", "one", "two"]);
});

test("a program that is not there is an error", async () => {
  await assert.rejects(run("/no/such/program", []), RunError);
});

test("a program that takes too long is stopped", async () => {
  await assert.rejects(
    run(node, ["-e", "setInterval(() => {}, 1000)"], { timeout: 50 }),
    /took longer than 50 ms/,
  );
});

test("stopping a program stops what it has started", { timeout: 60_000 }, async () => {
  const child = "console.log('ready'); setInterval(() => {}, 1000)";
  const parent = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "inherit" }); setInterval(() => {}, 1000)`;
  const stop = new AbortController();
  const running = run(node, ["-e", parent], {
    signal: stop.signal,
    onLine: () => stop.abort(),
  });
  // Comes only when the output is closed, which the grandchild holds, too.
  await assert.rejects(running, /was stopped/);
});

test("what is not wanted any more is not started", async () => {
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(run(node, ["--version"], { signal: stop.signal }), /not started/);
});
