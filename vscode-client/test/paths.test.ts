import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { expand, isProgram, isWithin, neutralFolder, onPath } from "../src/paths";

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

test("a file lies within a folder also by way of a link", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "surefill-paths-"));
  try {
    const project = path.join(root, "project");
    const link = path.join(root, "link");
    await mkdir(path.join(project, "bin"), { recursive: true });
    await symlink(project, link);
    await symlink(process.execPath, path.join(project, "bin", "python"));
    assert.ok(await isWithin(path.join(project, "bin", "python"), [project]));
    assert.ok(await isWithin(path.join(link, "bin", "python"), [project]));
    assert.ok(await isWithin(path.join(project, "bin", "python"), ["/elsewhere", link]));
    assert.ok(await isWithin(path.join(project, "..bin"), [project]));
    assert.ok(!(await isWithin(path.join(root, "project2", "python"), [project])));
    assert.ok(!(await isWithin(path.join(root, "python"), [project])));
    assert.ok(!(await isWithin(path.join(project, "python"), [])));
  } finally {
    await rm(root, { recursive: true });
  }
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
    assert.equal(await onPath(base, [dir]), undefined, "unless it is excluded");
    process.env.PATH = [".", path.relative(process.cwd(), dir)].join(path.delimiter);
    assert.equal(await onPath(base), undefined);
  } finally {
    process.env.PATH = before;
  }
});
