import assert from "node:assert/strict";
import { test } from "node:test";
import { Missed } from "../src/missed";

const DOCUMENT = {};

function written(text: string, line = 2, character = 4): Missed<object> {
  const missed = new Missed<object>();
  missed.note(DOCUMENT, { range: { start: { line, character } }, text });
  return missed;
}

test("behind what was written a suggestion is wanted, once", () => {
  const missed = written("logger =");
  assert.ok(missed.take(DOCUMENT, { line: 2, character: 12 }));
  assert.ok(!missed.take(DOCUMENT, { line: 2, character: 12 }));
});

test("and between brackets that the editor has closed", () => {
  assert.ok(written("()").take(DOCUMENT, { line: 2, character: 5 }));
});

test("and where something was taken away", () => {
  assert.ok(written("").take(DOCUMENT, { line: 2, character: 4 }));
});

test("several lines end in the last of them", () => {
  assert.ok(written("def f():\r\n    ").take(DOCUMENT, { line: 3, character: 4 }));
  assert.ok(!written("def f():\r\n    ").take(DOCUMENT, { line: 3, character: 5 }));
});

test("elsewhere nothing is wanted: the cursor has gone there for another reason", () => {
  assert.ok(!written("logger").take(DOCUMENT, { line: 2, character: 3 }));
  assert.ok(!written("logger").take(DOCUMENT, { line: 2, character: 11 }));
  assert.ok(!written("logger").take(DOCUMENT, { line: 1, character: 6 }));
  assert.ok(!written("logger").take({}, { line: 2, character: 10 }));
  assert.ok(!written("logger").take(undefined, undefined));
});

test("where nothing was written nothing is wanted", () => {
  assert.ok(!new Missed().take(DOCUMENT, { line: 0, character: 0 }));
});
