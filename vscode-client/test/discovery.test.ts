import assert from "node:assert/strict";
import { test } from "node:test";
import { findServer, type Places, usualInterpreters } from "../src/discovery";
import type { Probe } from "../src/python";

function python(surefill: string | undefined, version: [number, number] = [3, 12]): Probe {
  return { executable: "", version, surefill, makesEnvironments: true };
}

/** A machine with these interpreters and programs, and nothing set. */
function machine(
  interpreters: Record<string, Probe>,
  places: Partial<Places> = {},
): Places & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    setting: "",
    variables: { home: "/home/me", folder: "/project", env: { TOOLS: "/tools" } },
    folders: ["/project"],
    trusted: true,
    probe: async (file) => {
      asked.push(file);
      return interpreters[file];
    },
    isProgram: async (file) => file in interpreters || file === "/tools/surefill",
    onPath: async () => undefined,
    workspaceInterpreters: async () => ["/project/.venv/bin/python"],
    privateInterpreter: async () => undefined,
    ...places,
  };
}

const module = ["-P", "-m", "surefill"];

test("the workspace's interpreter comes first, where it has Surefill", async () => {
  const places = machine(
    { "/project/.venv/bin/python": python("0.1.0"), "/own/bin/python": python("0.1.0") },
    { privateInterpreter: async () => "/own/bin/python" },
  );
  assert.deepEqual(await findServer(places), {
    kind: "found",
    server: { program: "/project/.venv/bin/python", prefix: module, origin: "workspace" },
  });
  assert.deepEqual(places.asked, ["/project/.venv/bin/python"]);
});

test("then the private environment, then the PATH, then there is none", async () => {
  const interpreters = {
    "/project/.venv/bin/python": python(undefined),
    "/own/bin/python": python("0.1.0"),
  };
  const onPath = async (name: string) => `/usr/bin/${name}`;
  const own = { privateInterpreter: async () => "/own/bin/python", onPath };
  assert.deepEqual(await findServer(machine(interpreters, own)), {
    kind: "found",
    server: { program: "/own/bin/python", prefix: module, origin: "private" },
  });
  assert.deepEqual(await findServer(machine(interpreters, { onPath })), {
    kind: "found",
    server: { program: "/usr/bin/surefill", prefix: [], origin: "path" },
  });
  assert.deepEqual(await findServer(machine(interpreters)), { kind: "missing" });
});

test("a Python that is too old does not count, whatever is installed there", async () => {
  const old = machine({ "/project/.venv/bin/python": python("0.1.0", [3, 10]) });
  assert.deepEqual(await findServer(old), { kind: "missing" });
});

test("without trust no interpreter of the workspace is started", async () => {
  const places = machine({ "/project/.venv/bin/python": python("0.1.0") }, { trusted: false });
  assert.deepEqual(await findServer(places), { kind: "missing" });
  assert.deepEqual(places.asked, []);
});

test("without trust no program that is set is started from the workspace either", async () => {
  const places = machine({ "/project/tools/python": python("0.1.0") }, { trusted: false });
  for (const setting of [
    "tools/python",
    "./tools/python",
    "${workspaceFolder}/tools/python",
    "${workspaceFolder}/../elsewhere/python",
    "/project/tools/python",
    "/home/../project/tools/python",
  ]) {
    assert.deepEqual(await findServer({ ...places, setting }), {
      kind: "untrusted",
      message: `surefill.server.path: ${setting} belongs to this workspace, which is not trusted.`,
    });
  }
  assert.deepEqual(places.asked, []);
  const elsewhere = await findServer({ ...places, setting: "${env:TOOLS}/surefill" });
  assert.equal(elsewhere.kind, "found");
});

test("without trust the workspace's folders do not count on the PATH", async () => {
  const excluded: (readonly string[])[] = [];
  const onPath = async (_name: string, folders: readonly string[]) => {
    excluded.push(folders);
    return undefined;
  };
  for (const trusted of [false, true]) {
    await findServer(machine({}, { trusted, onPath }));
    await findServer(machine({}, { trusted, onPath, setting: "surefill" }));
  }
  assert.deepEqual(excluded, [["/project"], ["/project"], [], []]);
});

test("the setting names a program or an interpreter", async () => {
  const interpreters = { "/project/env/bin/python3.12": python("0.1.0") };
  assert.deepEqual(await findServer(machine({}, { setting: "${env:TOOLS}/surefill" })), {
    kind: "found",
    server: { program: "/tools/surefill", prefix: [], origin: "setting" },
  });
  assert.deepEqual(await findServer(machine(interpreters, { setting: "env/bin/python3.12" })), {
    kind: "found",
    server: { program: "/project/env/bin/python3.12", prefix: module, origin: "setting" },
  });
});

test("a setting that cannot be used says why, and nothing else is tried", async () => {
  const interpreters = {
    "/old/python": python("0.1.0", [3, 9]),
    "/bare/python": python(undefined),
    "/project/.venv/bin/python": python("0.1.0"),
  };
  const reasons: Record<string, string> = {
    "${env:NONE}/x": "${env:NONE} has no value here",
    "~/surefill": "/home/me/surefill is no program",
    surefill: "there is no surefill on the PATH",
    "/old/python": "/old/python is Python 3.9; Surefill needs 3.11",
    "/bare/python": "/bare/python has no Surefill; install it there with pip",
  };
  for (const [setting, reason] of Object.entries(reasons)) {
    assert.deepEqual(await findServer(machine(interpreters, { setting })), {
      kind: "misconfigured",
      message: `surefill.server.path: ${reason}.`,
    });
  }
});

test("a relative path needs a folder to be relative to", async () => {
  const variables = { home: "/home/me", folder: undefined, env: {} };
  const places = machine({}, { setting: "tools/surefill", variables, folders: [] });
  assert.deepEqual(await findServer(places), {
    kind: "misconfigured",
    message: "surefill.server.path: tools/surefill is relative, and no folder is open.",
  });
});

test("environments lie where they usually do", () => {
  assert.deepEqual(usualInterpreters(["/a", "/b"], "linux"), [
    "/a/.venv/bin/python",
    "/a/venv/bin/python",
    "/b/.venv/bin/python",
    "/b/venv/bin/python",
  ]);
  assert.equal(usualInterpreters(["C:\\a"], "win32")[0], "C:\\a\\.venv\\Scripts\\python.exe");
});
