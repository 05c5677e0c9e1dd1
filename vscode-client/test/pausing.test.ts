import assert from "node:assert/strict";
import { test } from "node:test";
import { enabling, enablingLanguage } from "../src/pausing";

test("off is written for the user, and on takes it away again", () => {
  assert.deepEqual(enabling(false, {}), { scope: "user", value: false });
  assert.deepEqual(enabling(true, { globalValue: false }), { scope: "user", value: undefined });
});

test("a workspace that has a value of its own is changed there", () => {
  const inspected = { globalValue: true, workspaceValue: false };
  assert.deepEqual(enabling(true, inspected), { scope: "workspace", value: true });
});

test("a language joins the others that are off, once", () => {
  assert.deepEqual(enablingLanguage("sql", false, { globalValue: ["html"] }), {
    scope: "user",
    value: ["html", "sql"],
  });
  assert.deepEqual(enablingLanguage("sql", false, { globalValue: ["sql"] }).value, ["sql"]);
});

test("the last language to come back takes the setting away, but not a workspace's", () => {
  assert.equal(enablingLanguage("sql", true, { globalValue: ["sql"] }).value, undefined);
  assert.deepEqual(
    enablingLanguage("sql", true, { globalValue: ["go"], workspaceValue: ["sql"] }),
    { scope: "workspace", value: [] },
  );
});
