import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { expand, isProgram, neutralFolder, onPath } from "../src/paths";

const variables = { home: "/home/me", folder: "/project", env: { X: "/x" } };

test("paths are what users mean by them", () => {
  const meant: Record<string, string> = {
    "~": "/home/me",
    "~/bin/a": "/home/me/bin/a",
    "a~b/c": "/project/a~b/c",
    "${workspaceFolder}/.venv/bin/python": "/project/.venv/bin/python",
    "${env:X}/a": "/x/a",
    "./a": "/project/a",
    surefill: "surefill",
    "/abs": "/abs",
  };
  for (const [text, wanted] of Object.entries(meant)) assert.equal(expand(text, variables), wanted);
});

test("a variable without a value is an error that names it", () => {
  assert.throws(() => expand("${env:Y}/a", variables), /\$\{env:Y\} has no value here/);
  assert.throws(
    () => expand("${workspaceFolder}/a", { ...variables, folder: undefined }),
    /\$\{workspaceFolder\}/,
  );
});

test("a program runs in its own folder, or at home where only its name is known", () => {
  assert.equal(neutralFolder("/tools/bin/surefill", "/home/me"), "/tools/bin");
  assert.equal(neutralFolder("surefill", "/home/me"), "/home/me");
  assert.equal(neutralFolder("./surefill", "/home/me"), "/home/me");
});

test("programs are files that can be executed", async () => {
  assert.ok(await isProgram(process.execPath));
  assert.ok(!(await isProgram(path.dirname(process.execPath))), "a folder is none");
  assert.ok(!(await isProgram("/no/such/file")));
});

test("the PATH is searched, but nothing relative on it", async () => {
  const before = process.env.PATH;
  const { dir, base } = path.parse(process.execPath);
  try {
    process.env.PATH = ["relative", "", dir].join(path.delimiter);
    assert.equal(await onPath(base), process.execPath);
    process.env.PATH = [".", path.relative(process.cwd(), dir)].join(path.delimiter);
    assert.equal(await onPath(base), undefined);
  } finally {
    process.env.PATH = before;
  }
});
