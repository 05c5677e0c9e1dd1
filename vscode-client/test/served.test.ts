import assert from "node:assert/strict";
import { test } from "node:test";
import { isServed, selectorOf } from "../src/served";

const document = (scheme: string, languageId: string) => ({ languageId, uri: { scheme } });

test("files and new documents of served languages are served, and nothing else", () => {
  const languages = ["python", "go"];
  assert.ok(isServed(document("file", "python"), languages));
  assert.ok(isServed(document("untitled", "go"), languages));
  assert.ok(!isServed(document("file", "sql"), languages));
  for (const scheme of ["vscode-notebook-cell", "git", "output", "vscode-vfs"]) {
    assert.ok(!isServed(document(scheme, "python"), languages), scheme);
  }
});

test("the selector selects what is served", () => {
  for (const { scheme, language } of selectorOf(["python", "go"])) {
    assert.ok(isServed(document(scheme, language), ["python", "go"]));
  }
  assert.equal(selectorOf(["python", "go"]).length, 4);
});
