import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../src/process";
import { interpreterOf, isInterpreter, isRecent, parseProbe, probeWith } from "../src/python";

test("a real Python answers", async () => {
  const probe = await probeWith(run)("python3");
  assert.ok(probe);
  assert.equal(probe.version[0], 3);
  assert.match(probe.executable, /python/);
});

test("what is no Python does not", async () => {
  assert.equal(await probeWith(run)(process.execPath), undefined);
  assert.equal(await probeWith(run)("/no/such/python"), undefined);
});

test("an answer is read from the last line, and nothing else is taken for one", () => {
  const answer = '{"executable": "/p", "version": [3, 13], "surefill": null, "venv": true}';
  assert.deepEqual(parseProbe(`a notice of sitecustomize\n${answer}\n`), {
    executable: "/p",
    version: [3, 13],
    surefill: undefined,
    makesEnvironments: true,
  });
  for (const other of [
    "",
    "3.12",
    '{"executable": "/p"}',
    '{"executable": "/p", "version": ["3"]}',
  ]) {
    assert.equal(parseProbe(other), undefined, other);
  }
});

test("3.11 is recent enough", () => {
  const probe = (major: number, minor: number) =>
    isRecent({
      executable: "",
      version: [major, minor],
      surefill: undefined,
      makesEnvironments: true,
    });
  assert.deepEqual(
    [probe(3, 10), probe(3, 11), probe(4, 0), probe(2, 12)],
    [false, true, true, false],
  );
});

test("interpreters are known by their names", () => {
  const names = ["python", "/a/python3.12", "C:\\P\\python.exe", "/pypy3", "/a/python3.13t"];
  assert.ok(names.every(isInterpreter));
  assert.ok(!["surefill", "/python/surefill", "pythonic-tool", "ipython"].some(isInterpreter));
});

test("environments have their interpreter in another place on Windows", () => {
  assert.equal(interpreterOf("/e", "linux"), "/e/bin/python");
  assert.equal(interpreterOf("C:\\e", "win32"), "C:\\e\\Scripts\\python.exe");
});
