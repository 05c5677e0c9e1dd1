import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Activity } from "../src/activity";

let seen: boolean[];
let activity: Activity;
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  seen = [];
  activity = new Activity((thinking) => seen.push(thinking));
});
afterEach(() => mock.timers.reset());

test("what is over at once is not seen", async () => {
  assert.equal(await activity.during(() => 3), 3);
  mock.timers.tick(1_000);
  assert.deepEqual(seen, []);
});

test("what takes longer is seen until the last of it is over", async () => {
  const first = deferred();
  const second = deferred();
  const both = [activity.during(() => first.promise), activity.during(() => second.promise)];
  mock.timers.tick(150);
  first.resolve();
  await both[0];
  assert.deepEqual(seen, [true]);
  second.reject(new Error("cancelled"));
  await assert.rejects(both[1] as Promise<void>);
  assert.deepEqual(seen, [true, false]);
});

function deferred() {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
