import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { type RunOptions, run } from "../src/process";
import { interpreterOf, isInterpreter, isRecent, parseProbe, probeWith } from "../src/python";

test("a real Python answers", async () => {
  const probe = await probeWith(run)("python3");
  assert.ok(probe);
  assert.equal(probe.version[0], 3);
  assert.match(probe.executable, /python/);
});

test("nothing is imported from the current folder, even by a Python that knows no safe path", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "surefill-python-"));
  try {
    for (const name of ["json", "importlib", "surefill"]) {
      await writeFile(path.join(folder, `${name}.py`), "raise SystemExit('imported')\n");
    }
    let asked: RunOptions | undefined;
    const { PYTHONSAFEPATH: _, ...env } = process.env;
    const probe = await probeWith((program, args, options) => {
      asked = options;
      return run(program, args, { ...options, cwd: folder, env });
    })("python3");
    assert.notEqual(probe?.surefill, "unknown");
    assert.equal(probe?.version[0], 3);
    assert.equal(asked?.cwd, homedir());
  } finally {
    await rm(folder, { recursive: true });
  }
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
