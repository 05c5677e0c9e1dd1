import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { within } from "../src/patience";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

const never = new Promise<never>(() => undefined);

test("what comes in time is passed on, whether good or bad", async () => {
  assert.equal(await within(1_000, Promise.resolve(3)), 3);
  await assert.rejects(within(1_000, Promise.reject(new Error("no"))), /^Error: no$/);
});

test("what takes too long is not waited for", async () => {
  const waited = within(60_000, never);
  mock.timers.tick(60_000);
  await assert.rejects(waited, /no answer in 60 s/);
});

test("what is not wanted any more is not waited for either", async () => {
  const unwanted = new AbortController();
  const waited = within(60_000, never, unwanted.signal);
  unwanted.abort();
  await assert.rejects(waited, { name: "AbortError" });
  await assert.rejects(within(60_000, never, unwanted.signal), { name: "AbortError" });
});
