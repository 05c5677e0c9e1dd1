import assert from "node:assert/strict";
import { test } from "node:test";
import { RestartPolicy } from "../src/restarts";

test("a server that ends three times in three minutes is started again, the fourth time it is not", () => {
  let now = 0;
  const policy = new RestartPolicy(() => now);
  assert.deepEqual(
    [policy.again(), policy.again(), policy.again(), policy.again()],
    [true, true, true, false],
  );
  now = 180_000;
  assert.ok(policy.again(), "what was long ago does not count");
});
